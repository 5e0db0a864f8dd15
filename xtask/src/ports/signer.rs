//! Signing ledger entries, and knowing whose signature counts.

use async_trait::async_trait;

use crate::model::{digest::Digest, entry::Writer};

/// The keys of the ledger's writers.
#[async_trait]
pub trait Signer: Send + Sync {
    /// An armoured `SSHSIG` over these bytes in this namespace by this writer's key. A writer without a key gets one
    /// only while `fresh` says that it never signed anything.
    async fn sign(&self, writer: &Writer, namespace: &str, bytes: &[u8], fresh: bool) -> anyhow::Result<String>;

    /// The signature over these bytes alone by this writer's key, and the public half: ed25519 as its 64 bytes, ECDSA on
    /// P-256 as DER over the SHA-256. The bytes must say themselves what they are for, as a DSSE envelope's do.
    async fn seal(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<(Vec<u8>, ssh_key::PublicKey)>;

    /// A digest of these bytes that only the holder of this writer's key can compute: what is digested (variables may
    /// be secrets) cannot be guessed from it, and the same bytes give the same digest again.
    async fn keyed_digest(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<Digest>;

    /// The public keys whose signatures count for this writer; empty if none is known.
    async fn trusted(&self, writer: &Writer) -> anyhow::Result<Vec<ssh_key::PublicKey>>;
}
