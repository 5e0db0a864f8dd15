//! Locks by the operating system on files under `.local/locks`: the kernel gives them back when a process dies.

use std::fs::{self, OpenOptions, TryLockError};

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

impl Locks for FileLocks {
    fn try_lock(&self, name: &str) -> anyhow::Result<Option<Guard>> {
        let path = self.folder.join(format!("{name}.lock"));
        fs::create_dir_all(&self.folder).with_context(|| format!("failed to make the folder {}", self.folder))?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("failed to open the lock {path}"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Guard::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("failed to take the lock {path}")),
        }
    }
}
