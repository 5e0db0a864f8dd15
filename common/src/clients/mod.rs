//! Clients of the stores: how they are opened, and the audit repository that every function shares.
//!
//! They create and seed nothing; the toolchain does that.

mod aws;
mod dynamodb;
mod dynamodb_audit;
mod oracle;
mod secrets;
mod sqlite;
mod sqlite_audit;

pub use aws::AwsError;
pub use dynamodb::{DynamoClient, OPERATION_TIMEOUT};
pub use dynamodb_audit::DynamoAuditStore;
pub use oracle::{FaultKind, OracleClient, OracleError, OracleFault};
pub use secrets::SecretError;
pub use sqlite::{Access, SqliteClient};
pub use sqlite_audit::SqliteAuditStore;
