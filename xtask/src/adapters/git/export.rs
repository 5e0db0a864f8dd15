//! A commit's tree as files, for whoever builds it elsewhere; and where others get the repository.

use std::{fs, io::ErrorKind};

use camino::{Utf8Path, Utf8PathBuf};
use git2::{ErrorCode, ObjectType, Repository, TreeWalkMode, TreeWalkResult, build::CheckoutBuilder};

use super::{failed, oid};
use crate::{model::commit::CommitId, ports::git::GitError};

/// Writes the commit's tree below a folder, which is emptied first. Neither HEAD nor the index of the repository is touched.
pub(super) fn export(repository: &Repository, commit: CommitId, to: &Utf8Path) -> Result<(), GitError> {
    let found = find(repository, commit)?;
    let what = || format!("writing the files of {} to {to}", commit.short());
    let emptied = match fs::remove_dir_all(to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    let emptied = emptied.and_then(|()| fs::create_dir_all(to));
    emptied.map_err(|source| GitError::Other { what: what(), source: source.into() })?;
    let mut how = CheckoutBuilder::new();
    how.force().update_index(false).disable_filters(true).target_dir(to.as_std_path());
    repository.checkout_tree(found.as_object(), Some(&mut how)).map_err(failed(what()))
}

/// The commit's files that a folder does not have, or has otherwise.
pub(super) fn changed(
    repository: &Repository,
    commit: CommitId,
    folder: &Utf8Path,
) -> Result<Vec<Utf8PathBuf>, GitError> {
    let what = || format!("reading the files of {}", commit.short());
    let tree = find(repository, commit)?.tree().map_err(failed(what()))?;
    let mut changed = Vec::new();
    let walked = tree.walk(TreeWalkMode::PreOrder, |below, entry| {
        if let (Some(ObjectType::Blob), Ok(name)) = (entry.kind(), entry.name()) {
            let path = Utf8PathBuf::from(below).join(name);
            let sealed = entry.to_object(repository).ok().and_then(|object| object.into_blob().ok());
            let here = fs::read(folder.join(&path)).ok();
            if sealed.map(|blob| blob.content().to_vec()) != here {
                changed.push(path);
            }
        }
        TreeWalkResult::Ok
    });
    walked.map_err(failed(what()))?;
    changed.sort();
    Ok(changed)
}

fn find(repository: &Repository, commit: CommitId) -> Result<git2::Commit<'_>, GitError> {
    repository.find_commit(oid(commit)?).map_err(|error| {
        if error.code() == ErrorCode::NotFound {
            return GitError::MissingCommit(commit);
        }
        failed(format!("looking for commit {commit}"))(error)
    })
}

/// The address of `origin`, if others can use it; a user's name and password in it are left out.
pub(super) fn origin(repository: &Repository) -> Option<String> {
    public(repository.find_remote("origin").ok()?.url().ok()?)
}

fn public(url: &str) -> Option<String> {
    match url.split_once("://") {
        Some((scheme @ ("https" | "http" | "ssh" | "git"), rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit_once('@').map_or(host, |(_user, host)| host);
            Some(format!("{scheme}://{host}/{path}"))
        }
        Some(_) => None,
        // `git@github.com:owner/name.git`, as ssh has it.
        None => {
            let (host, path) = url.split_once(':').filter(|(host, _)| !host.contains('/'))?;
            let host = host.rsplit_once('@').map_or(host, |(_user, host)| host);
            Some(format!("ssh://{host}/{path}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_no_secret_and_no_folder() {
        for (url, told) in [
            ("https://ada:secret@example.com/o/r.git", Some("https://example.com/o/r.git")),
            ("https://example.com/o/r", Some("https://example.com/o/r")),
            ("git@github.com:o/r.git", Some("ssh://github.com/o/r.git")),
            ("ssh://git@github.com/o/r.git", Some("ssh://github.com/o/r.git")),
            ("/srv/git/r.git", None),
            ("../r", None),
            ("file:///srv/git/r.git", None),
        ] {
            assert_eq!(public(url).as_deref(), told, "{url}");
        }
    }
}
