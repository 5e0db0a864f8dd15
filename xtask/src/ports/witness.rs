//! The witness: a note of every chain's head, kept outside the vault. The vault may be ahead of it, never behind
//! (DESIGN §4): a removed tail shows.

use std::collections::BTreeMap;

use crate::model::entry::ChainName;
pub use crate::model::entry::Head;
use async_trait::async_trait;

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
