//! The repository and the build tool, going wrong. Their calls block, so that they can only fail or hit upon another time.

use camino::{Utf8Path, Utf8PathBuf};
use std::sync::atomic::Ordering;
use xtask::{
    model::{
        commit::{Commit, CommitId},
        manifest::Toolchain,
        time::Time,
    },
    ports::{
        cargo::{Artifact, BuildRequest, Built, Cargo},
        git::{Git, GitError, Head, Tagged},
    },
};

use super::{Fate, Fated, How, Kind, storm};

impl Fate {
    fn blocking<T, E>(&self, what: &str, call: impl Fn() -> Result<T, E>, error: impl FnOnce() -> E) -> Result<T, E> {
        let (_, how, killed) = self.count(Kind::Question, what);
        match how {
            _ if killed => Err(error()),
            Some(How::Refused) => {
                self.strike();
                Err(error())
            }
            Some(How::AnswerLost) => {
                self.strike();
                drop(call());
                Err(error())
            }
            Some(How::Twice) => {
                self.strike();
                drop(call());
                call()
            }
            Some(How::Late | How::Early) => {
                self.strike();
                self.hours.fetch_add(if how == Some(How::Late) { 26 } else { -26 }, Ordering::SeqCst);
                call()
            }
            _ => call(),
        }
    }
}

fn git_error() -> GitError {
    GitError::Other { what: "reading the repository".to_owned(), source: Box::new(storm()) }
}

impl Git for Fated<dyn Git> {
    fn root(&self) -> &Utf8Path {
        self.inner.root()
    }

    fn user_email(&self) -> Option<String> {
        self.inner.user_email()
    }

    fn origin(&self) -> Option<String> {
        self.inner.origin()
    }

    fn export(&self, commit: CommitId, to: &Utf8Path) -> Result<(), GitError> {
        self.fate.blocking("git export", || self.inner.export(commit, to), git_error)
    }

    fn changed(&self, commit: CommitId, folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, GitError> {
        self.inner.changed(commit, folder)
    }

    fn head(&self) -> Result<Head, GitError> {
        self.fate.blocking("git head", || self.inner.head(), git_error)
    }

    fn is_shallow(&self) -> Result<bool, GitError> {
        self.fate.blocking("git shallow", || self.inner.is_shallow(), git_error)
    }

    fn dirty(&self, except: Option<&Utf8Path>) -> Result<Vec<Utf8PathBuf>, GitError> {
        self.fate.blocking("git dirty", || self.inner.dirty(except), git_error)
    }

    fn commits_since(&self, head: CommitId, hide: &[CommitId]) -> Result<Vec<Commit>, GitError> {
        self.fate.blocking("git commits", || self.inner.commits_since(head, hide), git_error)
    }

    fn descends(&self, head: CommitId, base: CommitId) -> Result<bool, GitError> {
        self.fate.blocking("git descends", || self.inner.descends(head, base), git_error)
    }

    fn tag(&self, name: &str, commit: CommitId, message: &str, time: Time) -> Result<Tagged, GitError> {
        self.fate.blocking("git tag", || self.inner.tag(name, commit, message, time), git_error)
    }
}

impl Cargo for Fated<dyn Cargo> {
    fn build(&self, request: &BuildRequest<'_>, progress: &dyn Fn(&str)) -> anyhow::Result<Built> {
        self.fate.blocking("cargo build", || self.inner.build(request, progress), || storm().into())
    }

    fn toolchain(&self, request: &BuildRequest<'_>) -> anyhow::Result<Toolchain> {
        self.inner.toolchain(request)
    }

    fn difference(&self, sealed: &Utf8Path, artifact: &Artifact) -> anyhow::Result<Vec<String>> {
        self.inner.difference(sealed, artifact)
    }
}
