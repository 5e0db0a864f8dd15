//! An object of another vault on its way into one: brought to a file of the workshop and checked there, so that neither
//! memory nor trust is needed.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempPath;

use crate::{
    model::{digest::Digest, key::VaultKey},
    ports::vault::{Vault, VaultError},
};

/// A checked copy, removed when it is dropped.
#[derive(Debug)]
pub struct Draft {
    path: Utf8PathBuf,
    _removed: TempPath,
}

impl Draft {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

/// Brings another vault's object of this name to the workshop.
///
/// # Errors
/// `VaultError::Differs` if its bytes have another digest; unreachable, if it cannot be read or kept.
pub async fn bring(workshop: &Utf8Path, from: &dyn Vault, key: &VaultKey, sha256: Digest) -> Result<Draft, VaultError> {
    let failed =
        |error: io::Error| VaultError::Unreachable { what: format!("write in {workshop}"), source: Box::new(error) };
    fs::create_dir_all(workshop).map_err(failed)?;
    let file = tempfile::NamedTempFile::new_in(workshop).map_err(failed)?.into_temp_path();
    let path = Utf8Path::from_path(&file).ok_or_else(|| failed(io::Error::other("its path is not UTF-8")))?.to_owned();
    match from.fetch(key, Some(&path)).await? {
        Some((found, _)) if found == sha256 => Ok(Draft { path, _removed: file }),
        found => Err(VaultError::Differs {
            key: key.clone(),
            expected: sha256,
            found: found.map_or_else(|| "nothing".to_owned(), |(digest, _)| digest.to_string()),
        }),
    }
}
