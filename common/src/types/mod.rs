//! The contracts across boundaries: ports, their errors, the settings of a process.
//!
//! What implements a port on a real store stands in `clients/` or in a function's `repository_*`.

mod access;
mod clock;
mod settings;
mod store;

pub use access::{DynamoAccess, Secret};
pub use clock::{Clock, SystemClock};
pub use settings::{Profile, Settings, SettingsError, Store};
pub use store::{AuditStore, StoreError};
