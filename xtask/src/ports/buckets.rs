//! The settings of the vault's buckets: what they are, and how they are changed. What they should be is decided in
//! `vault-policy`.

use async_trait::async_trait;
use vault_policy::{apply::Step, state::BucketState, vault::Side};

use crate::failure::Failure;

/// The vault's two buckets, seen by whoever may look at their settings.
#[async_trait]
pub trait Buckets: Send + Sync {
    /// What a bucket says about itself. A question without an answer is part of that, and no error.
    async fn state(&self, side: Side) -> BucketState;

    /// Takes one step, which may be taken again.
    ///
    /// # Errors
    /// Unfinished: it was not taken, or nobody knows.
    async fn take(&self, side: Side, step: &Step) -> Result<(), Failure>;
}
