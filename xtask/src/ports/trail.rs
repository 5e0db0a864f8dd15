//! The functions' audit trail, read only: the functions alone append to it.

use async_trait::async_trait;

use crate::model::trail::{Day, Look, Product, Row, Shard};

/// One environment's audit trail.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Every look at a product on a day of UTC, the oldest first. A store may need a second to tell of the newest.
    async fn who(&self, product: &Product, day: Day) -> Result<Vec<Look>, TrailError>;

    /// Every item of a part of a day of UTC, whole, in the order of its sort key `sk`.
    async fn rows(&self, day: Day, shard: Shard) -> Result<Vec<Row>, TrailError>;
}

/// Why a trail was not told.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// There is no such trail.
    #[error("there is no audit trail: {0}")]
    Missing(String),
    /// It could not be asked.
    #[error("the audit trail cannot be read: {what}")]
    Unreachable {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A row is not as the functions write them.
    #[error("the audit trail has a row that no function writes: {0}")]
    Strange(String),
}
