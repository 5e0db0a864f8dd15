//! The next version: whether the commits since the last release make a release, and what its number is.
//!
//! Pure. What was released comes from the vault ([`LastState`]), what was written since from history ([`Since`]).
//! Two bases, after the design's chapter on versions: there is *something to release* since the last release that is
//! not dead; the *number* counts up from the highest ever used, dead and burned ones included, so that a feature that
//! was counted into a dead number is not counted again.

mod explanation;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde::Serialize;

pub use self::explanation::{Contribution, DecidedBy, Explanation, Rule};
use crate::model::{
    commit::{Commit, CommitId},
    version::Version,
};

/// Decides the next version of `head`.
///
/// # Errors
/// [`VersionsExhausted`] if no number lies above the highest used one.
pub fn next_version(last: &LastState, head: CommitId, since: &Since) -> Result<NextVersion, VersionsExhausted> {
    let Some(highest) = last.highest else {
        let explanation = Explanation::first_release(last.first, since);
        let (version, bump) = (last.first, Bump::First);
        return Ok(NextVersion::Release { version, base: None, previous: None, bump, explanation });
    };
    let previous = last.living.map(|living| living.version);
    let explanation = Explanation::of(highest, since);
    if let Some(reason) = nothing(last, highest, head, since, &explanation) {
        let explanation = explanation.undecided();
        return Ok(NextVersion::Nothing { reason, base: highest.version, previous, explanation });
    }
    let bump = explanation.bump().unwrap_or(Bump::Patch);
    let version = above(highest.version, bump)?;
    Ok(NextVersion::Release { version, base: Some(highest.version), previous, bump, explanation })
}

/// What the vault says was used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastState {
    /// The newest release that is sealed and not dead.
    pub living: Option<Used>,
    /// The highest number that was ever used.
    pub highest: Option<Highest>,
    /// The number of the very first release.
    pub first: Version,
}

/// A number that was used, and the commit that it was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// The number.
    pub version: Version,
    /// The commit.
    pub commit: CommitId,
}

/// The highest number that was used, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Highest {
    /// The number.
    pub version: Version,
    /// The commit that it was used for.
    pub commit: CommitId,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// A sealed release that is not dead.
    Living,
    /// A sealed release that died: its commit is not released again.
    Dead,
    /// Reserved and never sealed: its commit was never released.
    Burned,
}

/// The commits reachable from HEAD, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Since {
    /// Not reachable from the living release either, nor from the highest number's commit: what is new to the number.
    pub highest: Vec<Commit>,
    /// Not reachable from the living release, but from the highest number's commit: counted into that number, which
    /// died or was burned. Empty if the highest number lives.
    pub counted: Vec<Commit>,
}

impl Since {
    /// Tells apart the commits since the living release (of all, if there is none) by those since the living release
    /// *and* the highest number's commit.
    #[must_use]
    pub fn split(living: Vec<Commit>, highest: &[Commit]) -> Self {
        let new: HashSet<CommitId> = highest.iter().map(|commit| commit.id).collect();
        let (highest, counted) = living.into_iter().partition(|commit| new.contains(&commit.id));
        Self { highest, counted }
    }
}

/// Whether there is something to release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "next")]
pub enum NextVersion {
    /// Yes.
    Release {
        /// Its number.
        version: Version,
        /// The highest number used so far, from which this one counts up; `None` for the first release.
        base: Option<Version>,
        /// The last release that is not dead; `None` if there is none.
        previous: Option<Version>,
        /// By how much.
        bump: Bump,
        /// Why.
        explanation: Explanation,
    },
    /// No.
    Nothing {
        /// In one word.
        reason: Reason,
        /// The highest number used so far.
        base: Version,
        /// The last release that is not dead; `None` if there is none.
        previous: Option<Version>,
        /// Why, commit by commit.
        explanation: Explanation,
    },
}

/// How far the number moves; the order is that of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bump {
    /// vX.Y.Z+1
    Patch,
    /// vX.Y+1.0
    Minor,
    /// vX+1.0.0
    Major,
    /// The very first number, whatever its commits.
    First,
}

/// Why there is nothing to release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// HEAD holds no commit that the last living release does not hold.
    AlreadyReleased,
    /// HEAD holds no commit that the last release, which is dead, does not hold: a fix is needed.
    Dead,
    /// There are new commits, and none of them announces a change that makes a release.
    NoChange,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::AlreadyReleased => "everything here is released already",
            Self::Dead => "this commit's release is dead: it needs a new commit that fixes it",
            Self::NoChange => "no commit since the last release announces a feature, a fix or a breaking change",
        })
    }
}

/// No number lies above the highest used one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no version lies above {0}, the highest in the vault: start a new vault")]
pub struct VersionsExhausted(Version);

fn nothing(
    last: &LastState,
    highest: Highest,
    head: CommitId,
    since: &Since,
    explanation: &Explanation,
) -> Option<Reason> {
    let at_living = last.living.is_some_and(|living| living.commit == head);
    if at_living || (since.highest.is_empty() && since.counted.is_empty() && highest.fate == Fate::Living) {
        return Some(Reason::AlreadyReleased);
    }
    match highest.fate {
        Fate::Living => explanation.bump().is_none().then_some(Reason::NoChange),
        Fate::Dead => (highest.commit == head || since.highest.is_empty()).then_some(Reason::Dead),
        // What was burned was never released, so it still waits, also on the very commit.
        Fate::Burned => None,
    }
}

/// The number above `base`. A part that is full carries over, so that the answer always lies above.
fn above(base: Version, bump: Bump) -> Result<Version, VersionsExhausted> {
    let Version { major, minor, patch } = base;
    let patched = || Some(Version { patch: patch.checked_add(1)?, ..base });
    let grown = || Some(Version { major, minor: minor.checked_add(1)?, patch: 0 });
    let broken = || Some(Version { major: major.checked_add(1)?, minor: 0, patch: 0 });
    let next = match bump {
        Bump::Patch => patched().or_else(grown).or_else(broken),
        Bump::Minor => grown().or_else(broken),
        Bump::Major | Bump::First => broken(),
    };
    next.ok_or(VersionsExhausted(base))
}
