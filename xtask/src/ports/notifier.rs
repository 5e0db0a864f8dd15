//! Telling people, wherever they read.

use async_trait::async_trait;

use crate::model::notice::Notice;

/// One way to tell people.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// What it is called in messages: `the webhook`, `e-mail`. Names no secret.
    fn name(&self) -> &'static str;

    /// Delivers a notice once, within a few seconds.
    ///
    /// # Errors
    /// Why it was not taken; the text names no secret.
    async fn deliver(&self, notice: &Notice) -> anyhow::Result<()>;
}
