//! HEAD, and the commits between it and a base. Walks commits only: no tree is read, no difference computed.

use git2::{ErrorCode, ObjectType, Oid, Repository, Sort};
use jiff::Timestamp;

use super::{commit_id, failed, oid};
use crate::{
    model::{
        commit::{Commit, CommitId, Identity},
        time::Time,
    },
    ports::git::{GitError, Head},
};

pub(super) fn head(repository: &Repository) -> Result<Head, GitError> {
    let reference = match repository.head() {
        Ok(reference) => reference,
        Err(error) if error.code() == ErrorCode::UnbornBranch => return Err(GitError::Unborn(unborn(repository))),
        Err(error) => return Err(failed("reading HEAD")(error)),
    };
    let detached = repository.head_detached().map_err(failed("reading HEAD"))?;
    let commit = reference.peel_to_commit().map_err(failed("reading the commit at HEAD"))?;
    Ok(Head {
        commit: commit_id(commit.id())?,
        tree: commit.tree_id().to_string(),
        branch: (!detached).then(|| String::from_utf8_lossy(reference.shorthand_bytes()).into_owned()),
    })
}

/// What to call a HEAD that points to a branch without a commit.
fn unborn(repository: &Repository) -> String {
    let target =
        repository.find_reference("HEAD").ok().and_then(|head| head.symbolic_target_bytes().map(<[u8]>::to_vec));
    let name = String::from_utf8_lossy(&target.unwrap_or_default()).into_owned();
    match name.strip_prefix("refs/heads/") {
        Some(branch) => format!("the branch `{branch}`"),
        None => "HEAD".to_owned(),
    }
}

pub(super) fn commits_since(
    repository: &Repository,
    head: CommitId,
    hide: &[CommitId],
) -> Result<Vec<Commit>, GitError> {
    let what = || format!("walking the history of {}", head.short());
    let mut walk = repository.revwalk().map_err(failed(what()))?;
    // Children before parents, and among the rest the newest first, as `git log --date-order`.
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME).map_err(failed(what()))?;
    walk.push(existing(repository, head)?).map_err(failed(what()))?;
    for base in hide {
        walk.hide(existing(repository, *base)?).map_err(failed(what()))?;
    }
    walk.map(|next| read(repository, next.map_err(failed(what()))?)).collect()
}

pub(super) fn descends(repository: &Repository, head: CommitId, base: CommitId) -> Result<bool, GitError> {
    let (from, to) = (existing(repository, head)?, existing(repository, base)?);
    let what = format!("asking whether {} descends from {}", head.short(), base.short());
    // libgit2 asks for a true ancestor.
    Ok(from == to || repository.graph_descendant_of(from, to).map_err(failed(what))?)
}

/// The id of a commit that is here, in a clone that has its history. The commit of another repository must not be
/// mistaken for one that lies beyond a shallow clone's end, so depth is asked about first.
fn existing(repository: &Repository, id: CommitId) -> Result<Oid, GitError> {
    if repository.is_shallow() {
        return Err(GitError::Shallow);
    }
    let oid = oid(id)?;
    match repository.find_object(oid, None) {
        Ok(object) if object.kind() == Some(ObjectType::Commit) => Ok(oid),
        Ok(_) => Err(GitError::MissingCommit(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Err(GitError::MissingCommit(id)),
        Err(error) => Err(failed(format!("looking for commit {id}"))(error)),
    }
}

fn read(repository: &Repository, oid: Oid) -> Result<Commit, GitError> {
    let commit = repository.find_commit(oid).map_err(failed(format!("reading commit {oid}")))?;
    let (author, committer) = (commit.author(), commit.committer());
    Ok(Commit {
        id: commit_id(oid)?,
        parents: commit.parent_count(),
        author: identity(&author),
        committer: identity(&committer),
        time: time(commit.time()),
        message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
    })
}

fn identity(signature: &git2::Signature<'_>) -> Identity {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Identity { name: text(signature.name_bytes()), email: text(signature.email_bytes()) }
}

/// A committer's clock can claim any number of seconds; beyond the calendar it counts as the calendar's end.
fn time(time: git2::Time) -> Time {
    let end = if time.seconds() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Time::new(Timestamp::from_second(time.seconds()).unwrap_or(end))
}
