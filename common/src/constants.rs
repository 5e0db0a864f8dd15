//! Names and numbers that more than one place must agree on: error codes, table names, reserved ids, bounds.
//!
//! Only values stand here, no decisions.

/// The user id under which smoke checks call a function; its audit items carry the purpose `SMOKE`.
pub const SMOKE_USER_ID: &str = "00000000-0000-4000-8000-000000000000";

/// The name of the audit table where `TABLE_AUDIT` does not say otherwise, and the only one that the seeds create.
pub const AUDIT_TABLE_LOCAL: &str = "Audit_Logs_Local";

/// Days that an audit item is kept below production.
pub const AUDIT_DAYS: i64 = 90;

/// Days that an audit item is kept in production and its disaster recovery: six years (45 CFR 164.316(b)(2)(i)),
/// counted with the two leap days that any six years may hold, so that an item never goes too early.
pub const AUDIT_DAYS_PRODUCTION: i64 = 6 * 365 + 2;

/// The most characters of a product id.
pub const PRODUCT_ID_MAX: usize = 64;

/// The most characters of a configuration key.
pub const CONFIGURATION_KEY_MAX: usize = 128;

/// The most characters of a request id, and of a correlation id: what Oracle keeps of a client identifier (Oracle Call
/// Interface, `OCI_ATTR_CLIENT_IDENTIFIER`).
pub const REQUEST_ID_MAX: usize = 64;

/// Names of header fields, in lower case as HTTP/2 writes them.
pub mod header {
    /// The client's own id of what it does; sent back with every answer.
    pub const CORRELATION_ID: &str = "x-correlation-id";
    /// X-Ray's tracing header.
    pub const TRACE_ID: &str = "x-amzn-trace-id";
    /// Who the client is, and proofs of it: what no function here needs, so that no layer but the first ever holds it.
    pub const CREDENTIALS: [&str; 5] =
        ["authorization", "cookie", "proxy-authorization", "x-amz-security-token", "x-api-key"];
}

/// Stable error codes of the answers; callers branch on them, so they never change.
pub mod error_code {
    /// 400: the request names something that is not allowed; `fields` says what.
    pub const VALIDATION_FAILED: &str = "VALIDATION_FAILED";
    /// 404: what was asked for does not exist.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// 405: only GET is answered.
    pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
    /// 503: the lookup could not be audited, so it was not answered.
    pub const AUDIT_UNAVAILABLE: &str = "AUDIT_UNAVAILABLE";
    /// 503: the data cannot be read now.
    pub const STORE_UNAVAILABLE: &str = "STORE_UNAVAILABLE";
    /// 500: a defect here or in the data; a retry will not help.
    pub const INTERNAL: &str = "INTERNAL";
}
