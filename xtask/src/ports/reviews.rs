//! Reviews that people gave elsewhere: of the workflow run in which this command runs.

use async_trait::async_trait;

use crate::{failure::Failure, model::review::Answer};

/// Whoever knows who reviewed the run under way.
#[async_trait]
pub trait Reviews: Send + Sync {
    /// What is answered about the run, then about its reviews, page by page, word for word.
    ///
    /// # Errors
    /// Usage, if it may not be asked, with what to grant; unfinished, if it cannot be reached; integrity, if the answer
    /// is none that may be kept.
    async fn answers(&self) -> Result<Vec<Answer>, Failure>;
}
