//! The failures that a caller branches on, each with its exit code (DESIGN §8). Everything else is unexpected: 1.

use crate::{
    model::{names::EnvName, version::Version},
    ports::vault::VaultError,
};

/// Why a command ended without what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Wrong usage or configuration: 2.
    #[error("{0}")]
    Usage(String),
    /// Nothing to release: 3. Not an error for whoever runs this on every push.
    #[error("nothing to release: {0}")]
    NothingToRelease(String),
    /// A gate or a rule refused: 4.
    #[error("{0}")]
    Refused(String),
    /// A digest, a signature, a link or a name is not what it must be: 5.
    #[error("{0}")]
    Integrity(String),
    /// A finding killed the release: 6.
    #[error("{release} died in {environment}: {finding}")]
    Died {
        /// The dead release.
        release: Version,
        /// Where.
        environment: EnvName,
        /// Why, in one line, and what holds now.
        finding: String,
    },
    /// Someone else holds it: 7.
    #[error("{0}")]
    Busy(String),
    /// The world failed; what was done is recorded and the same command goes on: 8.
    #[error("{what}")]
    Unfinished {
        /// What did not work.
        what: String,
        /// Why.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A smoke check answered wrongly in `verify`: 10.
    #[error("{0}")]
    Incorrect(String),
}

impl Failure {
    /// Wrong usage or configuration.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// Unfinished, because of this; integrity, if the vault says that an object is not one: that is no better next time.
    pub fn unfinished(what: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let (what, source) = (what.into(), source.into());
        match source.downcast_ref() {
            Some(wrong @ (VaultError::NotPlain(_) | VaultError::TooLarge(_))) => {
                Self::Integrity(format!("{what}: {wrong}; run `cargo xtask audit verify`"))
            }
            _ => Self::Unfinished { what, source: Some(source) },
        }
    }

    /// The exit code of DESIGN §8.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NothingToRelease(_) => 3,
            Self::Refused(_) => 4,
            Self::Integrity(_) => 5,
            Self::Died { .. } => 6,
            Self::Busy(_) => 7,
            Self::Unfinished { .. } => 8,
            Self::Incorrect(_) => 10,
        }
    }

    /// What to do, where the message itself does not say it.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        matches!(self, Self::Unfinished { .. }).then_some("run the same command again; what was done is recorded")
    }

    /// The word for it in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::NothingToRelease(_) => "nothing_to_release",
            Self::Refused(_) => "refused",
            Self::Integrity(_) => "integrity",
            Self::Died { .. } => "smoke_failed",
            Self::Busy(_) => "busy",
            Self::Unfinished { .. } => "unfinished",
            Self::Incorrect(_) => "incorrect",
        }
    }
}

/// The failure in an error's chain, if there is one: the outermost decides the exit code.
#[must_use]
pub fn find(error: &anyhow::Error) -> Option<&Failure> {
    error.chain().find_map(|cause| cause.downcast_ref())
}
