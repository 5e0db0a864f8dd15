//! Why the next version is what it is: what every single commit contributes, by which rule, and which ones decide.

use serde::Serialize;

use super::{Bump, Fate, Highest, Since};
use crate::model::{
    commit::{Change, Commit, CommitId, Kind, Reading},
    version::Version,
};

/// The way to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What settled it.
    pub decided_by: DecidedBy,
    /// Every commit since the last release that is not dead, newest first, those already counted last.
    pub commits: Vec<Contribution>,
}

/// What settled the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// There is no release yet.
    FirstRelease,
    /// The weightiest of the commits.
    Commits,
    /// The last release died, and no commit asks for more than a patch.
    AfterDeath,
    /// The last number was burned, and no commit asks for more than a patch.
    AfterBurn,
    /// Nothing: there is no next version.
    Nothing,
}

/// What one commit contributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contribution {
    /// Which commit.
    pub commit: CommitId,
    /// Its first line.
    pub subject: String,
    /// What it announces; several for a squash commit.
    pub changes: Vec<Change>,
    /// How far it moves the number; `None` for not at all.
    pub bump: Option<Bump>,
    /// By which rule: that of its weightiest change.
    pub rule: Rule,
    /// Whether the number is due to it, alone or together with others.
    pub decides: bool,
}

/// Why a commit contributes what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// `!` or `BREAKING CHANGE`: major.
    Breaking,
    /// `!` or `BREAKING CHANGE` while the version is 0.x: minor.
    BreakingBeforeV1,
    /// `feat`: minor.
    Feature,
    /// `fix`: patch.
    Fix,
    /// `perf`: patch.
    Performance,
    /// `revert`, or git's own words for it: patch.
    Revert,
    /// Any other type: nothing.
    OtherType,
    /// A merge's own message: nothing.
    Merge,
    /// `fixup!` and its like: nothing.
    Fixup,
    /// No conventional commit: nothing.
    Unconventional,
    /// Any commit after a dead release: at least patch.
    AfterDeath,
    /// Any commit after a burned number: at least patch.
    AfterBurn,
    /// Counted into a number that died or was burned: nothing more.
    AlreadyCounted,
    /// The first release has a number of its own.
    FirstRelease,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Breaking => "a breaking change is a new major version",
            Self::BreakingBeforeV1 => "before v1.0.0 a breaking change is a new minor version",
            Self::Feature => "a feature is a new minor version",
            Self::Fix => "a fix is a new patch version",
            Self::Performance => "a better performance is a new patch version",
            Self::Revert => "a revert is a new patch version",
            Self::OtherType => "this type makes no release",
            Self::Merge => "a merge's own message makes no release",
            Self::Fixup => "a fixup makes no release",
            Self::Unconventional => "not a conventional commit: makes no release",
            Self::AfterDeath => "after a dead release any commit is at least a new patch version",
            Self::AfterBurn => "after a burned number any commit is at least a new patch version",
            Self::AlreadyCounted => "counted into an earlier number already",
            Self::FirstRelease => "the first release has a number of its own, whatever its commits",
        })
    }
}

impl Explanation {
    pub(super) fn first_release(first: Version, since: &Since) -> Self {
        let commits = since.highest.iter().chain(&since.counted);
        let explained = commits.map(|commit| Contribution {
            bump: None,
            rule: Rule::FirstRelease,
            decides: true,
            ..Contribution::of(commit, first)
        });
        Self { decided_by: DecidedBy::FirstRelease, commits: explained.collect() }
    }

    /// Weighs every commit and marks what decides, as if there were something to release.
    pub(super) fn of(highest: Highest, since: &Since) -> Self {
        let mut commits: Vec<_> =
            since.highest.iter().map(|commit| Contribution::of(commit, highest.version)).collect();
        let (decided_by, floor) = match highest.fate {
            Fate::Living => (DecidedBy::Commits, None),
            Fate::Dead => (DecidedBy::AfterDeath, Some(Rule::AfterDeath)),
            Fate::Burned => (DecidedBy::AfterBurn, Some(Rule::AfterBurn)),
        };
        let asked = commits.iter().filter_map(|commit| commit.bump).max();
        if let (None, Some(rule)) = (asked, floor) {
            commits.iter_mut().for_each(|commit| (commit.bump, commit.rule) = (Some(Bump::Patch), rule));
        }
        let decided_by = if asked.is_some() { DecidedBy::Commits } else { decided_by };
        let mut explanation = Self { decided_by, commits };
        let bump = explanation.bump();
        explanation.commits.iter_mut().for_each(|commit| commit.decides = commit.bump.is_some() && commit.bump == bump);
        let nothing_new = since.highest.is_empty();
        explanation.commits.extend(since.counted.iter().map(|commit| Contribution {
            bump: None,
            rule: Rule::AlreadyCounted,
            // Only after a burned number can what was counted be all that there is: it still waits to be released.
            decides: nothing_new && highest.fate == Fate::Burned,
            ..Contribution::of(commit, highest.version)
        }));
        explanation
    }

    /// The same for a decision that there is nothing to release: no commit decided it.
    pub(super) fn undecided(mut self) -> Self {
        self.decided_by = DecidedBy::Nothing;
        self.commits.iter_mut().for_each(|commit| commit.decides = false);
        self
    }

    /// The weightiest contribution; `None` if no commit contributes.
    pub(super) fn bump(&self) -> Option<Bump> {
        self.commits.iter().filter_map(|commit| commit.bump).max()
    }
}

impl Contribution {
    fn of(commit: &Commit, base: Version) -> Self {
        let (changes, silent) = match commit.reading() {
            Reading::Changes(changes) => (changes, Rule::OtherType),
            Reading::Merge => (Vec::new(), Rule::Merge),
            Reading::Fixup => (Vec::new(), Rule::Fixup),
            Reading::Unconventional => (Vec::new(), Rule::Unconventional),
        };
        // The first of equals, so that the header's own rule is named where the body only repeats it.
        let weighed = changes.iter().filter_map(|change| weigh(change, base));
        let heaviest = weighed.reduce(|best, next| if next.0 > best.0 { next } else { best });
        let (bump, rule) = heaviest.map_or((None, silent), |(bump, rule)| (Some(bump), rule));
        Self { commit: commit.id, subject: commit.subject(), changes, bump, rule, decides: false }
    }
}

/// What one change is worth above `base`.
fn weigh(change: &Change, base: Version) -> Option<(Bump, Rule)> {
    match (&change.breaking, &change.kind) {
        (Some(_), _) if base.major == 0 => Some((Bump::Minor, Rule::BreakingBeforeV1)),
        (Some(_), _) => Some((Bump::Major, Rule::Breaking)),
        (None, Kind::Feature) => Some((Bump::Minor, Rule::Feature)),
        (None, Kind::Fix) => Some((Bump::Patch, Rule::Fix)),
        (None, Kind::Performance) => Some((Bump::Patch, Rule::Performance)),
        (None, Kind::Revert) => Some((Bump::Patch, Rule::Revert)),
        (None, Kind::Other(_)) => None,
    }
}
