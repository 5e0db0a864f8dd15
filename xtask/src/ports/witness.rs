//! The witness: a note of every chain's head, kept outside the vault. The vault may be ahead of it, never behind
//! (DESIGN §4): a removed tail shows.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::model::{digest::Digest, entry::ChainName};

/// A note of heads.
#[async_trait]
pub trait Witness: Send + Sync {
    /// All heads noted, `None` if nothing was ever noted.
    async fn heads(&self) -> anyhow::Result<Option<Heads>>;

    /// The head noted for one chain, `None` if none ever was. The work does not grow with the number of notes.
    async fn head(&self, chain: &ChainName) -> anyhow::Result<Option<Head>>;

    /// Notes a head, unless a later one of that chain is noted already.
    async fn note(&self, chain: &ChainName, head: Head) -> anyhow::Result<()>;
}

/// The heads of all chains.
pub type Heads = BTreeMap<ChainName, Head>;

/// The last entry of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its SHA-256.
    pub sha256: Digest,
}
