//! The vault: the write-once object store. Nothing here can overwrite or delete (DESIGN, invariant 1).

use async_trait::async_trait;
use camino::Utf8Path;

use crate::{
    failure::Failure,
    model::{digest::Digest, entry::Writer, key::VaultKey},
};

/// A write-once store of named objects.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Writes an object that does not exist yet, whole or not at all, and durably.
    ///
    /// # Errors
    /// `VaultError::Exists` if the name is taken, whatever it holds: read it and decide.
    async fn create(&self, key: &VaultKey, body: Body<'_>) -> Result<(), VaultError>;

    /// Reads a small object whole, `None` if there is none.
    ///
    /// # Errors
    /// `VaultError::TooLarge` above `READ_LIMIT`: fetch it instead.
    async fn read(&self, key: &VaultKey) -> Result<Option<Vec<u8>>, VaultError>;

    /// The digest and size of an object's bytes, read now and in full, `None` if there is none. With a destination the
    /// bytes are also written there.
    async fn fetch(&self, key: &VaultKey, to: Option<&Utf8Path>) -> Result<Option<(Digest, u64)>, VaultError>;

    /// How many bytes an object has by what the store tells, without reading them; `None` if there is none, or the store
    /// cannot tell. Whoever knows how large it must be need not read one that is not.
    async fn size(&self, _key: &VaultKey) -> Result<Option<u64>, VaultError> {
        Ok(None)
    }

    /// Whether there is an object of this name.
    async fn exists(&self, key: &VaultKey) -> Result<bool, VaultError>;

    /// The store's own name for the one version that an object has (S3's object version id), `None` where the store has
    /// no such names or there is no such object.
    async fn object_version(&self, key: &VaultKey) -> Result<Option<String>, VaultError>;

    /// Keeps an object from now on for as long as one that is written now, on behalf of this writer: retention is
    /// lengthened, and never shortened. A store without retention keeps everything for ever, and has nothing to do.
    ///
    /// # Errors
    /// `VaultError::Unsound` if there is no such object.
    async fn keep(&self, key: &VaultKey, writer: &Writer) -> Result<(), VaultError>;

    /// Everything that lies in a folder of the vault and below, sorted by name; what is not a valid object has no key.
    /// `None` is the whole vault.
    async fn list(&self, folder: Option<&VaultKey>) -> Result<Vec<Listed>, VaultError>;
}

/// The largest object that `read` takes into memory: 64 MiB.
pub const READ_LIMIT: u64 = 64 << 20;

/// How many objects are written or read at once: enough to fill a line, and few enough for a laptop's.
pub const AT_ONCE: usize = 8;

/// What to write.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// The content of this file, streamed.
    File(&'a Utf8Path),
    /// The object of the same name in another vault, if its bytes have this digest. Streamed, and checked on the way.
    Object {
        /// The other vault.
        vault: &'a dyn Vault,
        /// What its bytes must hash to.
        sha256: Digest,
    },
}

/// One thing found in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name as found.
    pub name: String,
    /// The name as a key, `None` if it is not a valid one, or not a plain object.
    pub key: Option<VaultKey>,
    /// What is wrong with it as an object that is written once, if anything is.
    pub fault: Option<String>,
}

/// Why the vault did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The name is taken.
    #[error("the vault already holds {0}")]
    Exists(VaultKey),
    /// Another vault's object is not what it must be.
    #[error("{key} in the other vault is {found}, not {expected}")]
    Differs {
        /// Its name.
        key: VaultKey,
        /// What its bytes must hash to.
        expected: Digest,
        /// What they hash to, or `nothing`.
        found: String,
    },
    /// Larger than a record may be.
    #[error("{0} in the vault is larger than a record may be ({READ_LIMIT} bytes)")]
    TooLarge(VaultKey),
    /// The store tells of an object what cannot be true of one that is written once and kept.
    #[error("{key} in the vault {found}")]
    Unsound {
        /// Its name.
        key: VaultKey,
        /// What is wrong, as the rest of a sentence.
        found: String,
    },
    /// Something stands in an object's place that no writer of a vault makes.
    #[error("{0} in the vault is no plain object")]
    NotPlain(VaultKey),
    /// The vault, or what should go into it, could not be read or written.
    #[error("failed to {what}")]
    Unreachable {
        /// What was tried, on which object.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl VaultError {
    /// There must be such an object, and there is none.
    #[must_use]
    pub fn missing(key: &VaultKey) -> Self {
        Self::Unsound { key: key.clone(), found: "is missing".to_owned() }
    }

    /// How a command ends that failed at this: integrity if the vault itself is not sound, else unfinished.
    #[must_use]
    pub fn failed(self, what: impl Into<String>) -> Failure {
        match self {
            Self::Unsound { .. } => {
                Failure::Integrity(format!("{}: {self}; run `cargo xtask audit verify`", what.into()))
            }
            _ => Failure::unfinished(what, self),
        }
    }
}
