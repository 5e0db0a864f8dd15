//! How a request can fail, and the answer that each failure becomes.

use std::error::Error;

use crate::middleware::{ApiResponse, causes};
use crate::models::{ErrorBody, ErrorCode, FieldError, Problem, RequestId};
use crate::types::StoreError;

/// Why a request is not answered as asked. The text goes to the caller; the source only into the log.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request is not valid; every fault is named.
    #[error("the request is not valid: correct the fields named here")]
    Validation(Vec<FieldError>),
    /// What was asked for does not exist.
    #[error("{0} does not exist")]
    NotFound(&'static str),
    /// Another method than GET.
    #[error("only GET is answered")]
    MethodNotAllowed,
    /// The lookup could not be recorded.
    #[error("the lookup could not be audited and is not answered: try again later")]
    AuditUnavailable(#[source] StoreError),
    /// The data could not be read.
    #[error("the data cannot be read now: try again later")]
    StoreUnavailable(#[source] StoreError),
    /// A defect in the data or in this program.
    #[error("the request failed: report the request id")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
    /// A defect in this program that it did not expect; what it said is not kept.
    #[error("the request failed: report the request id")]
    Panicked,
}

impl ApiError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Validation(_) => ErrorCode::ValidationFailed,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::MethodNotAllowed => ErrorCode::MethodNotAllowed,
            Self::AuditUnavailable(_) => ErrorCode::AuditUnavailable,
            Self::StoreUnavailable(_) => ErrorCode::StoreUnavailable,
            Self::Internal(_) | Self::Panicked => ErrorCode::Internal,
        }
    }

    /// The answer, with the id by which the log line is found, and what the log is to say of it.
    pub fn into_response(self, request_id: &RequestId) -> ApiResponse {
        let (code, message) = (self.code(), self.to_string());
        // Sources come from the stores, whose texts hold no values.
        let cause = causes(&self).into_iter().reduce(|chain, cause| format!("{chain}: {cause}"));
        let fields = match self {
            Self::Validation(fields) => fields,
            _ => Vec::new(),
        };
        let body = ErrorBody { error: Problem { code, message, fields, request_id: request_id.clone() } };
        // Strings and a list of strings always serialise; the empty object only spares us a panic.
        let text = serde_json::to_string(&body).unwrap_or_else(|_| "{}".to_owned());
        ApiResponse::failed(code, text, cause)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => Self::StoreUnavailable(error),
            StoreError::Malformed { .. } => Self::Internal(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store_error() -> StoreError {
        StoreError::Unavailable { action: "read", store: "price", source: "secret detail".into() }
    }

    #[test]
    fn bodies_have_the_documented_shape_and_hide_the_cause() {
        let fields = vec![FieldError { field: "userId", message: "must be a UUID".into() }];
        let answer = ApiError::Validation(fields).into_response(&"r-1".parse().unwrap());
        assert_eq!(answer.status_code, 400);
        assert_eq!(
            answer.body,
            r#"{"error":{"code":"VALIDATION_FAILED","message":"the request is not valid: correct the fields named here","fields":[{"field":"userId","message":"must be a UUID"}],"requestId":"r-1"}}"#
        );
        let answer = ApiError::AuditUnavailable(store_error()).into_response(&"r-2".parse().unwrap());
        assert_eq!(answer.status_code, 503);
        assert!(answer.body.contains(r#""code":"AUDIT_UNAVAILABLE""#) && !answer.body.contains("secret"));
        assert_eq!(answer.failure.unwrap().cause.unwrap(), "cannot read in the price store: secret detail");
    }

    #[test]
    fn a_malformed_row_is_not_worth_a_retry() {
        let malformed = StoreError::Malformed { what: "price", store: "price", source: "x".into() };
        assert_eq!(ApiError::from(malformed).code(), ErrorCode::Internal);
        assert_eq!(ApiError::from(store_error()).code(), ErrorCode::StoreUnavailable);
    }
}
