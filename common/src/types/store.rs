//! The audit port, and how any store fails.

use std::error::Error;
use std::future::Future;

use crate::models::AuditItem;

/// Where audit items go: write only, append only.
pub trait AuditStore: Send + Sync {
    /// Writes one item durably. `Ok` means that it will survive a crash. The very same item may be written again, as after an
    /// answer that was lost, and is there once; another item under its key is an error.
    fn append(&self, item: &AuditItem) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A store failed. The texts hold what was tried and where, never a value that was read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or refused the statement; a retry may help.
    #[error("cannot {action} in the {store} store")]
    Unavailable {
        /// What was tried.
        action: &'static str,
        /// On which store.
        store: &'static str,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It answered with something that must not be in it; a retry does not help.
    #[error("the {store} store holds a malformed {what}: correct the row")]
    Malformed {
        /// What is malformed.
        what: &'static str,
        /// In which store.
        store: &'static str,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
}
