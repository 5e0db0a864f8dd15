//! Repositories, what the vault says about them, and what the next version must be: the table is `cases.rs`.

use std::collections::HashSet;

use camino::Utf8PathBuf;
use xtask::{
    adapters::git::LocalGit,
    model::commit::CommitId,
    plan::next_version::{Fate, Highest, LastState, NextVersion, Reason, Since, Used, next_version},
    ports::git::{Git, GitError},
};

use super::cases::CASES;
use crate::support::repo::Repo;

/// One named history.
pub(super) struct Case {
    /// What it shows.
    pub(super) name: &'static str,
    /// Makes it.
    pub(super) build: fn(&Repo) -> Vault,
    /// What must come of it.
    pub(super) expected: Expected,
}

/// What must come of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// A release of this version.
    Release(&'static str),
    /// Nothing to release, and why.
    Nothing(Reason),
    /// No answer.
    Refused(Refusal),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Dirty,
    Shallow,
    NotDescending,
    MissingCommit,
    Unborn,
    NotARepository,
    Bare,
    ObjectFormat,
    Unsupported,
}

/// What the vault says, and which folder to ask in if not the repository's root.
#[derive(Default)]
pub(super) struct Vault {
    pub(super) living: Option<(&'static str, CommitId)>,
    pub(super) highest: Option<(&'static str, CommitId, Fate)>,
    pub(super) first: Option<&'static str>,
    pub(super) folder: Option<Utf8PathBuf>,
}

impl Vault {
    /// Nothing was ever released.
    pub(super) fn empty() -> Self {
        Self::default()
    }

    /// This release lives.
    pub(super) fn living(version: &'static str, commit: CommitId) -> Self {
        Self {
            living: Some((version, commit)),
            highest: Some((version, commit, Fate::Living)),
            first: None,
            folder: None,
        }
    }

    /// Then this one died.
    pub(super) fn then_dead(self, version: &'static str, commit: CommitId) -> Self {
        Self { highest: Some((version, commit, Fate::Dead)), ..self }
    }

    /// Then this number was burned.
    pub(super) fn then_burned(self, version: &'static str, commit: CommitId) -> Self {
        Self { highest: Some((version, commit, Fate::Burned)), ..self }
    }

    /// The first number is another than v1.0.0.
    pub(super) fn first(self, version: &'static str) -> Self {
        Self { first: Some(version), ..self }
    }

    /// Asked in another folder.
    pub(super) fn asked_in(self, folder: Utf8PathBuf) -> Self {
        Self { folder: Some(folder), ..self }
    }

    fn state(&self) -> LastState {
        let version = |text: &str| text.parse().unwrap();
        LastState {
            living: self.living.map(|(text, commit)| Used { version: version(text), commit }),
            highest: self.highest.map(|(text, commit, fate)| Highest { version: version(text), commit, fate }),
            first: version(self.first.unwrap_or("v1.0.0")),
        }
    }
}

#[test]
fn every_history_gets_its_version() {
    let mut wrong = Vec::new();
    for case in CASES {
        let repo = Repo::new();
        let vault = (case.build)(&repo);
        let folder = vault.folder.clone().unwrap_or_else(|| repo.root().to_owned());
        let found = answer(&folder, &vault.state());
        let expected = match &case.expected {
            Expected::Release(version) => Ok((*version).to_owned()),
            Expected::Nothing(reason) => Ok(format!("{reason:?}")),
            Expected::Refused(refusal) => Err(*refusal),
        };
        if found != expected {
            wrong.push(format!("{}: expected {expected:?}, found {found:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_is_long_and_names_nothing_twice() {
    let names: HashSet<_> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), CASES.len());
    assert!(names.len() >= 45, "{}", names.len());
}

/// What `release --plan` does, in process.
fn answer(folder: &camino::Utf8Path, last: &LastState) -> Result<String, Refusal> {
    let git = LocalGit::open(folder).map_err(refusal)?;
    let head = git.head().map_err(refusal)?.commit;
    if git.is_shallow().unwrap() {
        return Err(Refusal::Shallow);
    }
    if !git.dirty(Some(".local".into())).map_err(refusal)?.is_empty() {
        return Err(Refusal::Dirty);
    }
    let living: Vec<_> = last.living.iter().map(|used| used.commit).collect();
    for base in &living {
        if !git.descends(head, *base).map_err(refusal)? {
            return Err(Refusal::NotDescending);
        }
    }
    let since_living = git.commits_since(head, &living).map_err(refusal)?;
    let hide: Vec<_> = living.iter().copied().chain(last.highest.map(|highest| highest.commit)).collect();
    let since_highest = match git.commits_since(head, &hide) {
        // History was rewritten after a death, and what died is gone with it: everything is new.
        Err(GitError::MissingCommit(_)) => since_living.clone(),
        commits => commits.map_err(refusal)?,
    };
    Ok(match next_version(last, head, &Since::split(since_living, &since_highest)).unwrap() {
        NextVersion::Release { version, .. } => version.to_string(),
        NextVersion::Nothing { reason, .. } => format!("{reason:?}"),
    })
}

fn refusal(error: GitError) -> Refusal {
    match error {
        GitError::NotARepository(_) => Refusal::NotARepository,
        GitError::Bare(_) => Refusal::Bare,
        GitError::ObjectFormat(_) => Refusal::ObjectFormat,
        GitError::Unsupported { .. } => Refusal::Unsupported,
        GitError::Unborn(_) => Refusal::Unborn,
        GitError::Shallow => Refusal::Shallow,
        GitError::MissingCommit(_) => Refusal::MissingCommit,
        other => panic!("{other:?}"),
    }
}
