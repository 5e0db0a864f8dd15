//! The clock: what time it is, and waiting.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::time::Time;

/// Time and waiting, as parameters, so that a test can hold both in its hand.
#[async_trait]
pub trait Clock: Send + Sync {
    /// What time it is.
    fn now(&self) -> Time;

    /// Waits this long.
    async fn sleep(&self, wait: Duration);
}
