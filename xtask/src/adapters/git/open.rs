//! Opening a repository, and saying plainly why one cannot be used.

use camino::{Utf8Path, Utf8PathBuf};
use git2::{Error, ErrorClass, ErrorCode, ObjectFormat, Repository};

use super::failed;
use crate::ports::git::GitError;

/// The repository that holds `folder`, and the root of its work tree.
pub(super) fn open(folder: &Utf8Path) -> Result<(Repository, Utf8PathBuf), GitError> {
    let repository = Repository::discover(folder).map_err(|error| refused(folder, error))?;
    if repository.object_format() != ObjectFormat::Sha1 {
        return Err(GitError::ObjectFormat(folder.to_owned()));
    }
    let Some(workdir) = repository.workdir() else {
        return Err(GitError::Bare(folder.to_owned()));
    };
    let root = Utf8PathBuf::try_from(workdir.to_owned()).map_err(|source| GitError::Other {
        what: format!("reading the path of the repository at {folder}, which is not UTF-8,"),
        source: source.into(),
    })?;
    refuse_grafts(&repository, &root)?;
    Ok((repository, root))
}

fn refused(folder: &Utf8Path, error: Error) -> GitError {
    let unsupported =
        |what: &str, remedy| GitError::Unsupported { root: folder.to_owned(), what: what.to_owned(), remedy };
    match (error.code(), error.message()) {
        (ErrorCode::Owner, _) => GitError::Untrusted(folder.to_owned()),
        (_, message) if message.starts_with("unknown object format") => GitError::ObjectFormat(folder.to_owned()),
        (_, message) if message.to_lowercase().ends_with("extensions.partialclone") => {
            unsupported("a partial clone", "make a full clone, without `--filter`")
        }
        (_, message)
            if message.starts_with("unsupported extension")
                || message.starts_with("unsupported repository version") =>
        {
            unsupported(message, "make a plain clone of it")
        }
        (ErrorCode::NotFound, _) if error.class() == ErrorClass::Repository || error.class() == ErrorClass::Os => {
            GitError::NotARepository(folder.to_owned())
        }
        _ => failed(format!("opening the git repository at {folder}"))(error),
    }
}

/// Grafts let one machine claim other parents than the commits have, and libgit2 believes them, as git does. The range
/// of a release must be the same for everyone, so such a repository is refused.
fn refuse_grafts(repository: &Repository, root: &Utf8Path) -> Result<(), GitError> {
    let file = repository.commondir().join("info").join("grafts");
    match std::fs::read_to_string(&file) {
        Ok(text) if text.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) => Ok(()),
        Ok(_) => Err(GitError::Unsupported {
            root: root.to_owned(),
            what: "a grafts file (`.git/info/grafts`)".to_owned(),
            remedy: "remove it, so that history is what its commits say",
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(GitError::Other {
            what: format!("reading the grafts of the repository at {root}"),
            source: error.into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_a_repository_cannot_be_used() {
        let said = |code, class, message: &str| refused("/repo".into(), Error::new(code, class, message)).to_string();
        let owner = said(ErrorCode::Owner, ErrorClass::Config, "repository path '/repo' is not owned by current user");
        assert!(owner.contains("safe.directory /repo"), "{owner}");
        let partial =
            said(ErrorCode::GenericError, ErrorClass::Repository, "unsupported extension name extensions.partialclone");
        assert!(partial.contains("--filter"), "{partial}");
        let table =
            said(ErrorCode::GenericError, ErrorClass::Repository, "unsupported extension name extensions.refstorage");
        assert!(table.contains("extensions.refstorage"), "{table}");
        let sha256 = said(ErrorCode::Invalid, ErrorClass::Repository, "unknown object format 'sha256'");
        assert!(sha256.contains("SHA-256"), "{sha256}");
        let none = said(ErrorCode::NotFound, ErrorClass::Repository, "could not find repository at '/repo'");
        assert!(none.contains("git init"), "{none}");
    }
}
