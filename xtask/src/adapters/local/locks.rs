//! Locks by the operating system on files under `.local/locks`: the kernel gives them back when a process dies.

use std::{
    fs::{self, OpenOptions, TryLockError},
    io::Write as _,
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

use crate::ports::lock::{Guard, Locks};

/// Locks in a folder.
#[derive(Debug, Clone)]
pub struct FileLocks {
    folder: Utf8PathBuf,
}

impl FileLocks {
    /// Locks in this folder.
    #[must_use]
    pub fn new(folder: &Utf8Path) -> Self {
        Self { folder: folder.to_owned() }
    }
}

/// The file that names the folder: whoever sees the same name sees the same locks. A host's name would not do, since
/// two containers may share one, and a vault, and no lock.
const IDENTITY: &str = "identity";

impl FileLocks {
    /// The name of this folder of locks, made when it is first asked for.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn identity(&self) -> anyhow::Result<String> {
        let path = self.folder.join(IDENTITY);
        if let Some(known) = self.known_identity() {
            return Ok(known);
        }
        fs::create_dir_all(&self.folder).with_context(|| format!("failed to make the folder {}", self.folder))?;
        let mut draft =
            tempfile::NamedTempFile::new_in(&self.folder).with_context(|| format!("failed to make {path}"))?;
        let made = uuid::Uuid::new_v4().simple().to_string();
        draft.write_all(made.as_bytes()).with_context(|| format!("failed to write {path}"))?;
        match draft.persist_noclobber(&path) {
            Ok(_) => Ok(made),
            // Someone else was first, so that the whole name is there now.
            Err(taken) => self.known_identity().ok_or(taken).with_context(|| format!("failed to write {path}")),
        }
    }

    /// The name of this folder of locks, if it was ever asked for where it could be written.
    #[must_use]
    pub fn known_identity(&self) -> Option<String> {
        let known = fs::read_to_string(self.folder.join(IDENTITY)).ok()?;
        Some(known.trim().to_owned()).filter(|known| !known.is_empty())
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        self.folder.join(format!("{name}.lock"))
    }
}

impl Locks for FileLocks {
    fn try_lock(&self, name: &str) -> anyhow::Result<Option<Guard>> {
        let path = self.path(name);
        fs::create_dir_all(&self.folder).with_context(|| format!("failed to make the folder {}", self.folder))?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("failed to open the lock {path}"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Guard::new(Held(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("failed to take the lock {path}")),
        }
    }

    fn is_held(&self, name: &str) -> anyhow::Result<bool> {
        let path = self.path(name);
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error).with_context(|| format!("failed to open the lock {path}")),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("failed to ask the lock {path}")),
        }
    }
}

/// A lock that is held. It is given back by name: closing the file would not do while a process that was just started
/// still has a copy of it, which it keeps until it becomes the program that it will run.
struct Held(fs::File);

impl Drop for Held {
    fn drop(&mut self) {
        // Where this fails the kernel gives it back when the process ends.
        self.0.unlock().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_given_back_though_a_copy_of_its_file_lives() {
        let folder = tempfile::tempdir().unwrap();
        let locks = FileLocks::new(Utf8Path::from_path(folder.path()).unwrap());
        let file = fs::File::create(locks.path("a")).unwrap();
        let copy = file.try_clone().unwrap();
        file.try_lock().unwrap();
        let held = Held(file);
        assert!(locks.is_held("a").unwrap());
        drop(held);
        assert!(!locks.is_held("a").unwrap());
        drop(copy);
    }

    #[test]
    fn a_lock_is_held_once_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let locks = FileLocks::new(Utf8Path::from_path(folder.path()).unwrap());
        assert!(!locks.is_held("a").unwrap());
        let guard = locks.try_lock("a").unwrap().unwrap();
        assert!(locks.is_held("a").unwrap() && locks.try_lock("a").unwrap().is_none());
        assert!(locks.try_lock("b").unwrap().is_some(), "locks of other names are others");
        drop(guard);
        assert!(!locks.is_held("a").unwrap() && locks.try_lock("a").unwrap().is_some());
    }

    #[test]
    fn a_folder_of_locks_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let locks = FileLocks::new(&Utf8Path::from_path(folder.path()).unwrap().join("locks"));
        assert_eq!(locks.known_identity(), None);
        let name = locks.identity().unwrap();
        assert_eq!((locks.identity().unwrap(), locks.known_identity()), (name.clone(), Some(name.clone())));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(FileLocks::new(Utf8Path::from_path(other.path()).unwrap()).identity().unwrap(), name);
    }
}
