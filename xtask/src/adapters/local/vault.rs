//! The vault in a folder: one file per object, created by link, read-only, never touched again.

use std::{
    fs::{self, File},
    io,
};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    adapters::{draft, local::files},
    model::{digest::Digest, entry::Writer, key::VaultKey},
    ports::vault::{Body, Listed, READ_LIMIT, Vault, VaultError},
};

/// A vault in a folder.
#[derive(Debug, Clone)]
pub struct LocalVault {
    root: Utf8PathBuf,
    workshop: Utf8PathBuf,
}

impl LocalVault {
    /// A vault in `root`. Drafts are written in `workshop`: outside the vault, on the same file system.
    #[must_use]
    pub fn new(root: &Utf8Path, workshop: &Utf8Path) -> Self {
        Self { root: root.to_owned(), workshop: workshop.to_owned() }
    }

    /// Where an object lies. A folder that is a link would lead out of the vault.
    fn path(&self, key: &VaultKey) -> Result<Utf8PathBuf, VaultError> {
        let path = self.root.join(key.as_str());
        for folder in path.ancestors().skip(1).take_while(|folder| *folder != self.root) {
            match fs::symlink_metadata(folder) {
                Ok(found) if found.is_symlink() => return Err(VaultError::NotPlain(key.clone())),
                _ => {}
            }
        }
        Ok(path)
    }

    fn open(&self, key: &VaultKey) -> Result<Option<File>, VaultError> {
        let path = self.path(key)?;
        // A link or a folder in the place of an object is not the object: following it would leave the vault.
        match fs::symlink_metadata(&path) {
            Ok(found) if !found.is_file() => Err(VaultError::NotPlain(key.clone())),
            Ok(_) => File::open(&path).map(Some).map_err(|error| unreachable(format!("read {path}"), error)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(unreachable(format!("read {path}"), error)),
        }
    }
}

#[async_trait]
impl Vault for LocalVault {
    async fn create(&self, key: &VaultKey, body: Body<'_>) -> Result<(), VaultError> {
        let path = self.path(key)?;
        let written = match body {
            Body::Bytes(mut bytes) => files::create_new(&self.workshop, &path, true, &mut bytes),
            Body::File(file) => {
                File::open(file).and_then(|mut f| files::create_new(&self.workshop, &path, true, &mut f))
            }
            Body::Object { vault, sha256 } => {
                let draft = draft::bring(&self.workshop, vault, key, sha256).await?;
                File::open(draft.path()).and_then(|mut f| files::create_new(&self.workshop, &path, true, &mut f))
            }
        };
        match written {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(VaultError::Exists(key.clone())),
            Err(error) => Err(unreachable(format!("write {path}"), error)),
        }
    }

    async fn read(&self, key: &VaultKey) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(file) = self.open(key)? else { return Ok(None) };
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, READ_LIMIT + 1), &mut bytes)
            .map_err(|error| unreachable(format!("read {key} from the vault"), error))?;
        if bytes.len() as u64 > READ_LIMIT { Err(VaultError::TooLarge(key.clone())) } else { Ok(Some(bytes)) }
    }

    async fn fetch(&self, key: &VaultKey, to: Option<&Utf8Path>) -> Result<Option<(Digest, u64)>, VaultError> {
        let Some(mut file) = self.open(key)? else { return Ok(None) };
        let copied = match to {
            None => files::copy_hashing(&mut file, &mut io::sink()),
            Some(to) => File::create(to).and_then(|mut out| files::copy_hashing(&mut file, &mut out)),
        };
        copied.map(Some).map_err(|error| unreachable(format!("read {key} from the vault"), error))
    }

    async fn size(&self, key: &VaultKey) -> Result<Option<u64>, VaultError> {
        let Some(file) = self.open(key)? else { return Ok(None) };
        let found = file.metadata().map_err(|error| unreachable(format!("look at {key} in the vault"), error))?;
        Ok(Some(found.len()))
    }

    async fn exists(&self, key: &VaultKey) -> Result<bool, VaultError> {
        match fs::symlink_metadata(self.path(key)?) {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(unreachable(format!("look for {key} in the vault"), error)),
        }
    }

    async fn object_version(&self, _key: &VaultKey) -> Result<Option<String>, VaultError> {
        Ok(None)
    }

    async fn keep(&self, key: &VaultKey, _writer: &Writer) -> Result<(), VaultError> {
        if self.exists(key).await? { Ok(()) } else { Err(VaultError::missing(key)) }
    }

    async fn list(&self, folder: Option<&VaultKey>) -> Result<Vec<Listed>, VaultError> {
        let (path, prefix) = match folder {
            None => (self.root.clone(), String::new()),
            Some(folder) => (self.root.join(folder.as_str()), format!("{folder}/")),
        };
        let mut found = Vec::new();
        match walk(&path, &prefix, &mut found) {
            Err(error) if !is_absent(&error) => return Err(unreachable(format!("list {path}"), error)),
            _ => {}
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }
}

/// Everything under a folder but the folders themselves; an empty folder shows as itself, as nothing may be there that
/// nobody wrote.
fn walk(folder: &Utf8Path, prefix: &str, found: &mut Vec<Listed>) -> io::Result<()> {
    let mut empty = true;
    for item in fs::read_dir(folder)? {
        let item = item?;
        empty = false;
        let kind = item.file_type()?;
        let raw = item.file_name();
        let name = format!("{prefix}{}", raw.to_string_lossy());
        match raw.to_str() {
            Some(text) if kind.is_dir() => walk(&folder.join(text), &format!("{name}/"), found)?,
            Some(_) if kind.is_file() => found.push(Listed { key: name.parse().ok(), name, fault: None }),
            _ => found.push(Listed { key: None, name, fault: None }),
        }
    }
    if empty && !prefix.is_empty() {
        found.push(Listed { key: None, name: prefix.to_owned(), fault: None });
    }
    Ok(())
}

/// A name below something that is not a folder does not exist either.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreachable(what: String, source: io::Error) -> VaultError {
    VaultError::Unreachable { what, source: Box::new(source) }
}
