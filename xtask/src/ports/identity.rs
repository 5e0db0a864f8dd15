//! Identity: who runs this where nobody sits in front of it, as a CI system vouches for it.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::failure::Failure;

/// The run that this process is a part of.
#[async_trait]
pub trait Identity: Send + Sync {
    /// What the CI system says of the run; `None` where there is no run, or where it may not ask.
    ///
    /// # Errors
    /// Unfinished, if the CI system cannot be asked, or its answer cannot be read.
    async fn claims(&self) -> Result<Option<Claims>, Failure>;
}

/// What is claimed of a run, by OIDC's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Where runs are shown: `https://github.com`.
    pub server: String,
    /// The claims themselves.
    pub claims: BTreeMap<String, String>,
}
