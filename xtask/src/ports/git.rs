//! The repository on this machine: what is checked out, what was written since, and the tag of a release. No network.
//!
//! Calls block: they read local files. What replace refs claim is not believed: history is what the commits themselves
//! say. Mind that a shallow clone has no history to be read, which is an error and not a short answer.

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{
    commit::{Commit, CommitId},
    time::Time,
};

/// One repository with a work tree.
pub trait Git: Send + Sync {
    /// The root of the work tree.
    fn root(&self) -> &Utf8Path;

    /// The address that commits made here would carry, `None` if there is none.
    fn user_email(&self) -> Option<String>;

    /// Where others can fetch the repository: the address of the remote `origin`, without credentials; `None` if there is
    /// none, or it is a folder of this machine.
    fn origin(&self) -> Option<String>;

    /// Writes the tree of a commit into a folder, as it is in the repository: no filters, no line endings changed. What
    /// was in that folder is gone. Errors as for [`Git::commits_since`].
    fn export(&self, commit: CommitId, to: &Utf8Path) -> Result<(), GitError>;

    /// The files of a commit that a folder does not have, or has otherwise, sorted. Errors as for [`Git::commits_since`].
    fn changed(&self, commit: CommitId, folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, GitError>;

    /// What is checked out. [`GitError::Unborn`] if the branch has no commit yet.
    fn head(&self) -> Result<Head, GitError>;

    /// Whether history ends early in this clone.
    fn is_shallow(&self) -> Result<bool, GitError>;

    /// What differs from HEAD, sorted: modified, staged, deleted, in conflict, untracked and not ignored, and
    /// submodules that are not at their commit or are not clean. Paths are relative to the root; `except`, a path
    /// relative to the root, and all below it is left out (the local state folder). Files that git was told to skip
    /// (`assume-unchanged`, sparse checkouts) are not compared.
    fn dirty(&self, except: Option<&Utf8Path>) -> Result<Vec<Utf8PathBuf>, GitError>;

    /// Every commit that is reachable from `head` and from none of `hide`, merges included, each after all of its
    /// children. [`GitError::MissingCommit`] if `head` or one of `hide` is not in this repository,
    /// [`GitError::Shallow`] in a shallow clone.
    fn commits_since(&self, head: CommitId, hide: &[CommitId]) -> Result<Vec<Commit>, GitError>;

    /// Whether `base` is `head` or one of its ancestors. Errors as for [`Git::commits_since`].
    fn descends(&self, head: CommitId, base: CommitId) -> Result<bool, GitError>;

    /// Makes an annotated tag, without moving one that exists. `time` is the tagger's. Where the repository has no
    /// `user.name` and `user.email`, the toolchain signs as itself.
    fn tag(&self, name: &str, commit: CommitId, message: &str, time: Time) -> Result<Tagged, GitError>;
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The commit.
    pub commit: CommitId,
    /// The tree of that commit, as 40 hex digits.
    pub tree: String,
    /// The branch's short name; `None` if HEAD is detached.
    pub branch: Option<String>,
}

/// What came of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tagged {
    /// Made now.
    Created,
    /// It stood at this very commit already, annotated or not.
    AlreadyThere,
    /// It stands elsewhere, and was left there: at another commit, or at what is no commit at all (`None`).
    Elsewhere(Option<CommitId>),
}

/// Why the repository did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No repository here or in a folder above.
    #[error("{0} is not in a git repository: run this inside one, or start one with `git init`")]
    NotARepository(Utf8PathBuf),
    /// A repository without a work tree.
    #[error("{0} is a bare repository: run this in a clone of it that has a work tree")]
    Bare(Utf8PathBuf),
    /// It belongs to someone else.
    #[error(
        "the repository at {0} belongs to another user, so git does not trust it: if you do, run \
         `git config --global --add safe.directory {0}`"
    )]
    Untrusted(Utf8PathBuf),
    /// Its commits have SHA-256 names.
    #[error("the repository at {0} names its objects with SHA-256: only SHA-1 repositories are supported")]
    ObjectFormat(Utf8PathBuf),
    /// Its layout is one that the library cannot read.
    #[error("the repository at {root} uses {what}, which cannot be read here: {remedy}")]
    Unsupported {
        /// The root, or the folder that was asked about.
        root: Utf8PathBuf,
        /// What it uses.
        what: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The branch has no commit.
    #[error("{0} has no commit yet: commit something first")]
    Unborn(String),
    /// History ends early.
    #[error("this clone is shallow, its history ends early: run `git fetch --unshallow` (in CI: fetch depth 0)")]
    Shallow,
    /// A commit is not here.
    #[error(
        "commit {0} is not in this repository: run `git fetch --tags origin`, or check that this is the right repository"
    )]
    MissingCommit(CommitId),
    /// An object is not here though a commit needs it: a partial clone, or damage.
    #[error("{what}: an object is missing; run `git fetch --refetch` if this is a partial clone, else `git fsck`")]
    MissingObject {
        /// What was being done.
        what: String,
        /// The library's words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else.
    #[error("{what} failed")]
    Other {
        /// What was being done.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
