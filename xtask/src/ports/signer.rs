//! Signing ledger entries, and knowing whose signature counts.

use async_trait::async_trait;

use crate::model::{digest::Digest, entry::Writer};

/// The keys of the ledger's writers.
#[async_trait]
pub trait Signer: Send + Sync {
    /// An armoured `SSHSIG` over these bytes in this namespace by this writer's key. A writer without a key gets one
    /// only while `fresh` says that it never signed anything.
    async fn sign(&self, writer: &Writer, namespace: &str, bytes: &[u8], fresh: bool) -> anyhow::Result<String>;

    /// A digest of these bytes that only the holder of this writer's key can compute: what is digested (variables may
    /// be secrets) cannot be guessed from it, and the same bytes give the same digest again.
    async fn keyed_digest(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<Digest>;

    /// The public keys whose signatures count for this writer; empty if none is known.
    async fn trusted(&self, writer: &Writer) -> anyhow::Result<Vec<ssh_key::PublicKey>>;
}
