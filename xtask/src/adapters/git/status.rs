//! What in the work tree differs from HEAD.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use git2::{ErrorCode, Repository, Status, StatusOptions, SubmoduleIgnore, SubmoduleStatus};

use super::failed;
use crate::ports::git::GitError;

pub(super) fn dirty(repository: &Repository, except: Option<&Utf8Path>) -> Result<Vec<Utf8PathBuf>, GitError> {
    // libgit2 takes a HEAD whose tree is missing (partial clones) for an empty one, and would call anything clean.
    let what = "comparing the work tree with HEAD";
    match repository.head() {
        Ok(head) => drop(head.peel_to_commit().and_then(|commit| commit.tree()).map_err(failed(what))?),
        Err(error) if error.code() == ErrorCode::UnbornBranch => {}
        Err(error) => return Err(failed(what)(error)),
    }
    let mut options = StatusOptions::new();
    // Every single untracked file, so that `except` can lie inside an untracked folder; submodules are asked below.
    options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false).exclude_submodules(false);
    let statuses = repository.statuses(Some(&mut options)).map_err(failed(what))?;
    let changed = statuses
        .iter()
        .filter(|entry| !entry.status().is_empty() && entry.status() != Status::IGNORED)
        .map(|entry| String::from_utf8_lossy(entry.path_bytes()).trim_end_matches('/').into());
    let mut dirty: BTreeSet<Utf8PathBuf> = changed.collect();
    dirty.extend(dirty_submodules(repository)?);
    dirty.retain(|path| except.is_none_or(|except| !path.starts_with(except)));
    Ok(dirty.into_iter().collect())
}

/// Submodules that would build something else than HEAD says, also where `.gitmodules` asks to ignore that.
fn dirty_submodules(repository: &Repository) -> Result<Vec<Utf8PathBuf>, GitError> {
    let mut dirty = Vec::new();
    for submodule in repository.submodules().map_err(failed("listing the submodules"))? {
        let path = submodule.path().to_string_lossy().into_owned();
        let name = submodule.name().unwrap_or(&path);
        let status = repository
            .submodule_status(name, SubmoduleIgnore::None)
            .map_err(failed(format!("comparing the submodule {path} with HEAD")))?;
        // None of these is set for a submodule that was never initialised: its folder is empty, as HEAD has it.
        let unclean = SubmoduleStatus::WD_MODIFIED
            | SubmoduleStatus::WD_INDEX_MODIFIED
            | SubmoduleStatus::WD_WD_MODIFIED
            | SubmoduleStatus::WD_UNTRACKED;
        let staged = SubmoduleStatus::INDEX_ADDED | SubmoduleStatus::INDEX_DELETED | SubmoduleStatus::INDEX_MODIFIED;
        if status.intersects(unclean | staged) {
            dirty.push(path.into());
        }
    }
    Ok(dirty)
}
