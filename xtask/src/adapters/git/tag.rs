//! Tagging a release: once, and never moved.

use git2::{ErrorCode, Repository, Signature};

use super::{commit_id, failed, oid};
use crate::{
    model::{commit::CommitId, time::Time},
    ports::git::{GitError, Tagged},
};

/// Who tags where the repository does not say who its user is.
const TAGGER: (&str, &str) = ("cargo xtask", "xtask@localhost");

pub(super) fn tag(
    repository: &Repository,
    name: &str,
    commit: CommitId,
    message: &str,
    time: Time,
) -> Result<Tagged, GitError> {
    let target = repository.find_object(oid(commit)?, Some(git2::ObjectType::Commit)).map_err(|error| {
        if error.code() == ErrorCode::NotFound {
            return GitError::MissingCommit(commit);
        }
        failed(format!("looking for commit {commit}"))(error)
    })?;
    match repository.tag(name, &target, &tagger(repository, time)?, message, false) {
        Ok(_) => Ok(Tagged::Created),
        // Asked for only now, so that a tag made at the same time is found like an old one.
        Err(error) if error.code() == ErrorCode::Exists => match existing(repository, name, commit)? {
            Some(found) => Ok(found),
            None => Err(failed(format!("tagging {} as {name}", commit.short()))(error)),
        },
        Err(error) => Err(failed(format!("tagging {} as {name}", commit.short()))(error)),
    }
}

fn existing(repository: &Repository, name: &str, commit: CommitId) -> Result<Option<Tagged>, GitError> {
    let reference = match repository.find_reference(&format!("refs/tags/{name}")) {
        Ok(reference) => reference,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(failed(format!("looking for the tag {name}"))(error)),
    };
    // A tag at a tree, at a blob or at nothing is not ours to judge, only not the one that we would make.
    let Ok(tagged) = reference.peel_to_commit() else { return Ok(Some(Tagged::Elsewhere(None))) };
    let tagged = commit_id(tagged.id())?;
    Ok(Some(if tagged == commit { Tagged::AlreadyThere } else { Tagged::Elsewhere(Some(tagged)) }))
}

fn tagger(repository: &Repository, time: Time) -> Result<Signature<'static>, GitError> {
    let when = git2::Time::new(time.timestamp().as_second(), 0);
    // Fails where `user.name` or `user.email` is unset or blank.
    let own = repository.signature().and_then(|user| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Signature::new(&text(user.name_bytes()), &text(user.email_bytes()), &when)
    });
    own.or_else(|_nobody| Signature::new(TAGGER.0, TAGGER.1, &when)).map_err(failed("naming the tagger"))
}
