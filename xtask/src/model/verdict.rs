//! The closed result of a check.

use serde::{Deserialize, Serialize};

/// What a check found. "Could not ask" is a result of its own: it is neither right nor wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// As it should be.
    Correct,
    /// There, but not as it should be.
    Incorrect,
    /// Not there.
    Missing,
    /// There, but should not be.
    Unexpected,
    /// Could not be asked.
    Unreachable,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Correct => "Correct",
            Self::Incorrect => "Incorrect",
            Self::Missing => "Missing",
            Self::Unexpected => "Unexpected",
            Self::Unreachable => "Unreachable",
        })
    }
}
