//! The contracts across boundaries: ports, their errors, the settings of a process.
//!
//! What implements a port on a real store stands in `clients/` or in a function's `repository_*`.

mod access;
mod clock;
mod invocation;
mod measures;
mod oracle_address;
mod redacted;
mod settings;
mod sql;
mod store;

pub use access::{AwsAccess, Credentials, OracleAccess, OracleLogin};
pub use clock::{Clock, SystemClock};
pub use invocation::Invocation;
pub use measures::{Measures, Taken, between};
pub use oracle_address::{InvalidOracleAddress, OracleAddress};
pub use redacted::{Secret, Sent, Unchecked};
pub use settings::{Audit, Profile, Settings, SettingsError, Store};
pub use sql::{Query, Row, SqlStore};
pub use store::{AuditStore, StoreError};
