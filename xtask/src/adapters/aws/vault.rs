//! The vault in an S3 bucket. Streams: what is stored never lies in memory whole, but for small records.

use std::{
    fs::File,
    io::{self, Write},
};

use async_trait::async_trait;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    adapters::{
        aws::{
            bucket::{AGAIN, Bucket, Content, Put, Versions, fault},
            errors::unreachable,
            witness,
        },
        draft,
        local::files,
    },
    model::{
        digest::{Digest, Hasher},
        entry::Writer,
        key::VaultKey,
    },
    ports::vault::{Body, Listed, READ_LIMIT, Vault, VaultError},
};

/// The most that S3 lists at once.
const PAGE: i32 = 1000;

/// A vault in a bucket.
#[derive(Debug, Clone)]
pub struct S3Vault {
    bucket: Bucket,
    workshop: Utf8PathBuf,
    beside_witness: bool,
}

impl S3Vault {
    /// A vault in this bucket. What comes from another vault is checked in `workshop` on its way.
    #[must_use]
    pub fn new(bucket: Bucket, workshop: &Utf8Path) -> Self {
        Self { bucket, workshop: workshop.to_owned(), beside_witness: false }
    }

    /// The same vault in a bucket that holds witnesses, too: their notes are no part of it.
    #[must_use]
    pub fn beside_witness(self) -> Self {
        Self { beside_witness: true, ..self }
    }

    async fn put(&self, key: &VaultKey, content: Content<'_>) -> Result<(), VaultError> {
        let read = |error: io::Error| unreachable(format!("read what should become {key}"), error.to_string());
        let hashed = match content {
            Content::Bytes(bytes) => (Digest::of(bytes), bytes.len() as u64),
            Content::File(path) => {
                let mut file = File::open(path).map_err(read)?;
                files::copy_hashing(&mut file, &mut io::sink()).map_err(read)?
            }
        };
        match self.bucket.put(key, Writer::of(key).as_ref(), content, hashed).await? {
            Put::Created => Ok(()),
            Put::Exists => Err(VaultError::Exists(key.clone())),
        }
    }

    /// Opens the one version that an object has.
    async fn open(&self, key: &VaultKey) -> Result<Option<GetObjectOutput>, VaultError> {
        match self.bucket.only_version(key).await? {
            None => Ok(None),
            Some(version) => self.bucket.get(key, &version).await.map(Some),
        }
    }

    /// Copies an object to its end, and checks it against the checksum that S3 keeps.
    async fn copy(
        &self,
        key: &VaultKey,
        object: GetObjectOutput,
        to: &mut (dyn Write + Send),
    ) -> Result<(Digest, u64), VaultError> {
        let unsound = |found: String| VaultError::Unsound { key: key.clone(), found };
        let Some(kept) = object.checksum_sha256().map(str::to_owned) else {
            return Err(unsound("has no SHA-256 checksum: whoever wrote it was not this tool".to_owned()));
        };
        let length = object.content_length().and_then(|length| u64::try_from(length).ok());
        let mut body = object.body;
        let mut hasher = Hasher::default();
        let failed = loop {
            match body.next().await {
                None => break None,
                Some(Err(error)) => break Some(error),
                Some(Ok(piece)) => {
                    hasher.update(&piece);
                    to.write_all(&piece)
                        .map_err(|error| unreachable(format!("keep what was read of {key}"), error.to_string()))?;
                }
            }
        };
        let (digest, size) = hasher.finish();
        // The SDK compares, too, and fails at the end of the stream: then it is whole, and wrong.
        let whole = length.is_none_or(|length| length == size);
        match failed {
            Some(error) if !whole => {
                Err(unreachable(format!("read {key} to its end"), format!("{error}; {size} bytes came")))
            }
            _ if digest.base64() != kept => {
                Err(unsound(format!("reads as {}, but its checksum is {kept}", digest.base64())))
            }
            Some(error) => Err(unreachable(format!("read {key} to its end"), error.to_string())),
            None => Ok((digest, size)),
        }
    }
}

#[async_trait]
impl Vault for S3Vault {
    async fn create(&self, key: &VaultKey, body: Body<'_>) -> Result<(), VaultError> {
        match body {
            Body::Bytes(bytes) => self.put(key, Content::Bytes(bytes)).await,
            Body::File(path) => self.put(key, Content::File(path)).await,
            Body::Object { vault, sha256 } => {
                let draft = draft::bring(&self.workshop, vault, key, sha256).await?;
                self.put(key, Content::File(draft.path())).await
            }
        }
    }

    async fn read(&self, key: &VaultKey) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(object) = self.open(key).await? else { return Ok(None) };
        let length = object.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        if length > READ_LIMIT {
            return Err(VaultError::TooLarge(key.clone()));
        }
        let mut bytes = Vec::new();
        self.copy(key, object, &mut bytes).await?;
        Ok(Some(bytes))
    }

    async fn fetch(&self, key: &VaultKey, to: Option<&Utf8Path>) -> Result<Option<(Digest, u64)>, VaultError> {
        let Some(object) = self.open(key).await? else { return Ok(None) };
        let fetched = match to {
            None => self.copy(key, object, &mut io::sink()).await?,
            Some(to) => {
                let failed = |error: io::Error| unreachable(format!("write {to}"), error.to_string());
                let mut file = File::create(to).map_err(failed)?;
                let fetched = self.copy(key, object, &mut file).await?;
                file.sync_all().map_err(failed)?;
                fetched
            }
        };
        Ok(Some(fetched))
    }

    async fn exists(&self, key: &VaultKey) -> Result<bool, VaultError> {
        Ok(self.bucket.only_version(key).await?.is_some())
    }

    async fn object_version(&self, key: &VaultKey) -> Result<Option<String>, VaultError> {
        self.bucket.only_version(key).await
    }

    async fn keep(&self, key: &VaultKey, writer: &Writer) -> Result<(), VaultError> {
        self.bucket.keep(key, writer).await
    }

    async fn list(&self, folder: Option<&VaultKey>) -> Result<Vec<Listed>, VaultError> {
        let prefix = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
        let mut listed: Vec<Listed> = Vec::new();
        let mut page = self.bucket.versions(&prefix, PAGE, &Versions::default()).await?;
        loop {
            for entry in &page.found {
                match listed.last_mut().filter(|last| last.name == entry.0) {
                    // The newest entry of a name comes first; that it was deleted says more than that it has several.
                    Some(last) => last.fault = last.fault.take().or_else(|| Some(AGAIN.to_owned())),
                    None => listed.push(Listed {
                        name: entry.0.clone(),
                        key: entry.0.parse().ok(),
                        fault: fault(entry, false),
                    }),
                }
            }
            if page.is_last() {
                break;
            }
            page = self.bucket.versions(&prefix, PAGE, &page).await?;
        }
        listed.retain(|item| !(self.beside_witness && item.name.starts_with(witness::FOLDER)));
        Ok(listed)
    }
}
