//! The repository on this machine through libgit2 (vendored, without network): the only `Git` adapter. Holds no
//! decision: what a commit means is `model/commit.rs`, what to release `plan/next_version.rs`.

mod advisories;
mod export;
mod history;
mod open;
mod status;
mod tag;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use advisories::GitAdvisories;
use camino::{Utf8Path, Utf8PathBuf};
use git2::{ErrorCode, Oid, Repository};

use crate::{
    model::{
        commit::{Commit, CommitId},
        time::Time,
    },
    ports::git::{Git, GitError, Head, Tagged},
};

/// A repository with a work tree, opened.
pub struct LocalGit {
    root: Utf8PathBuf,
    /// libgit2's handle may move between threads, but must not be used by two at once.
    repository: Mutex<Repository>,
}

impl LocalGit {
    /// Opens the repository that holds this folder: a plain one, a linked work tree, or a submodule.
    ///
    /// # Errors
    /// [`GitError::NotARepository`], [`GitError::Bare`], [`GitError::Untrusted`], [`GitError::ObjectFormat`] and
    /// [`GitError::Unsupported`], each with its remedy.
    pub fn open(folder: &Utf8Path) -> Result<Self, GitError> {
        let (repository, root) = open::open(folder)?;
        Ok(Self { root, repository: Mutex::new(repository) })
    }

    fn repository(&self) -> MutexGuard<'_, Repository> {
        // Nothing of ours is left half done in the handle when a thread panics.
        self.repository.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Git for LocalGit {
    fn root(&self) -> &Utf8Path {
        &self.root
    }

    fn user_email(&self) -> Option<String> {
        let mut config = self.repository().config().ok()?;
        config.snapshot().ok()?.get_str("user.email").ok().map(str::to_owned)
    }

    fn origin(&self) -> Option<String> {
        export::origin(&self.repository())
    }

    fn export(&self, commit: CommitId, to: &Utf8Path) -> Result<(), GitError> {
        export::export(&self.repository(), commit, to)
    }

    fn changed(&self, commit: CommitId, folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, GitError> {
        export::changed(&self.repository(), commit, folder)
    }

    fn head(&self) -> Result<Head, GitError> {
        history::head(&self.repository())
    }

    fn is_shallow(&self) -> Result<bool, GitError> {
        Ok(self.repository().is_shallow())
    }

    fn dirty(&self, except: Option<&Utf8Path>) -> Result<Vec<Utf8PathBuf>, GitError> {
        status::dirty(&self.repository(), except)
    }

    fn commits_since(&self, head: CommitId, hide: &[CommitId]) -> Result<Vec<Commit>, GitError> {
        history::commits_since(&self.repository(), head, hide)
    }

    fn descends(&self, head: CommitId, base: CommitId) -> Result<bool, GitError> {
        history::descends(&self.repository(), head, base)
    }

    fn tag(&self, name: &str, commit: CommitId, message: &str, time: Time) -> Result<Tagged, GitError> {
        tag::tag(&self.repository(), name, commit, message, time)
    }
}

fn oid(id: CommitId) -> Result<Oid, GitError> {
    Oid::from_bytes(id.as_bytes()).map_err(failed("reading a commit id"))
}

fn commit_id(oid: Oid) -> Result<CommitId, GitError> {
    let raw = <[u8; 20]>::try_from(oid.as_bytes())
        .map_err(|wrong| GitError::Other { what: format!("reading the object id {oid}"), source: wrong.into() })?;
    Ok(CommitId::from_bytes(raw))
}

/// Names what was being done when libgit2 failed; tells a missing object from the rest.
fn failed(what: impl Into<String>) -> impl FnOnce(git2::Error) -> GitError {
    let what = what.into();
    move |error| match (error.code(), error.class()) {
        (ErrorCode::NotFound, git2::ErrorClass::Odb) => GitError::MissingObject { what, source: error.into() },
        _ => GitError::Other { what, source: error.into() },
    }
}
