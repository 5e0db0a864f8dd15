//! What a caller is told when a request is not answered as asked: the body of every error answer.

use serde::Serialize;

use crate::constants::error_code;
use crate::models::RequestId;

/// The stable code of an error; callers branch on it, so it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request names something that is not allowed; `fields` says what.
    ValidationFailed,
    /// What was asked for does not exist.
    NotFound,
    /// Only GET is answered.
    MethodNotAllowed,
    /// The lookup could not be audited, so it was not answered.
    AuditUnavailable,
    /// The data cannot be read now.
    StoreUnavailable,
    /// A defect here or in the data; a retry will not help.
    Internal,
}

/// The body of an error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
pub struct ErrorBody {
    /// What went wrong.
    pub error: Problem,
}

/// What went wrong. Nothing of the request stands in it but the id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The stable code.
    pub code: ErrorCode,
    /// What went wrong and what to do, for people.
    pub message: String,
    /// Every fault of a request that is not valid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "test-support"), schemars(default))]
    pub fields: Vec<FieldError>,
    /// The id by which the log line is found.
    pub request_id: RequestId,
}

/// One fault of a request. It never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
pub struct FieldError {
    /// The parameter's name; `*` for all that are none.
    pub field: &'static str,
    /// What it has to be.
    pub message: String,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 6] = [
        Self::ValidationFailed,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::AuditUnavailable,
        Self::StoreUnavailable,
        Self::Internal,
    ];

    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailed => error_code::VALIDATION_FAILED,
            Self::NotFound => error_code::NOT_FOUND,
            Self::MethodNotAllowed => error_code::METHOD_NOT_ALLOWED,
            Self::AuditUnavailable => error_code::AUDIT_UNAVAILABLE,
            Self::StoreUnavailable => error_code::STORE_UNAVAILABLE,
            Self::Internal => error_code::INTERNAL,
        }
    }

    /// The HTTP status of an answer with it.
    pub fn status(self) -> u16 {
        match self {
            Self::ValidationFailed => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::AuditUnavailable | Self::StoreUnavailable => 503,
            Self::Internal => 500,
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
