//! Clients of the stores: how they are opened, and the audit repository that every function shares.
//!
//! They create and seed nothing; the toolchain does that.

mod dynamodb;
mod dynamodb_audit;
mod sqlite;
mod sqlite_audit;

pub use dynamodb::{DynamoClient, DynamoError, OPERATION_TIMEOUT};
pub use dynamodb_audit::DynamoAuditStore;
pub use sqlite::{Access, SqliteClient};
pub use sqlite_audit::SqliteAuditStore;
