//! What one invocation was measured to take: filled by whoever does the work, read by the metrics.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// The measures of one invocation; a clone is the same ones.
#[derive(Clone, Debug, Default)]
pub struct Measures(Arc<Mutex<Taken>>);

/// How long what was done took; nothing of what was not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Reading from the store, retries included.
    pub store: Option<Duration>,
    /// Writing the audit item, retries included.
    pub audit: Option<Duration>,
    /// True if what was looked for is there.
    pub found: bool,
}

impl Measures {
    /// Notes something.
    pub fn note(&self, note: impl FnOnce(&mut Taken)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What was noted so far.
    pub fn taken(&self) -> Taken {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From one moment to another; a wall clock that is set back makes no negative time.
pub fn between(begun: Timestamp, ended: Timestamp) -> Duration {
    ended.duration_since(begun).max(jiff::SignedDuration::ZERO).unsigned_abs()
}
