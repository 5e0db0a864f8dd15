//! This machine's clock.

use std::time::Duration;

use async_trait::async_trait;

use crate::{model::time::Time, ports::clock::Clock};

/// The real clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::new(jiff::Timestamp::now())
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}
