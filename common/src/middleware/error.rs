//! How a request can fail, and the layer that turns a failure into an answer.

use std::convert::Infallible;
use std::error::Error;
use std::task::{Context, Poll};

use lambda_http::http::StatusCode;
use serde::Serialize;
use tower::{Layer, Service};

use crate::constants::error_code;
use crate::middleware::{ApiRequest, ApiResponse, Boxed};
use crate::types::StoreError;

/// Why a request is not answered as asked. The text goes to the caller; the source only into the log.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request is not valid; every fault is named.
    #[error("the request is not valid: correct the fields named here")]
    Validation(Vec<FieldError>),
    /// What was asked for does not exist.
    #[error("{0} does not exist")]
    NotFound(String),
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
}

/// One fault of a request. It never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The parameter's name.
    pub field: String,
    /// What it has to be.
    pub message: String,
}

impl ApiError {
    /// The stable code, see [`error_code`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Validation(_) => error_code::VALIDATION_FAILED,
            Self::NotFound(_) => error_code::NOT_FOUND,
            Self::MethodNotAllowed => error_code::METHOD_NOT_ALLOWED,
            Self::AuditUnavailable(_) => error_code::AUDIT_UNAVAILABLE,
            Self::StoreUnavailable(_) => error_code::STORE_UNAVAILABLE,
            Self::Internal(_) => error_code::INTERNAL,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Validation(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::AuditUnavailable(_) | Self::StoreUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer, with the id by which the log line is found.
    pub fn into_response(self, request_id: &str) -> ApiResponse {
        let fields = match &self {
            Self::Validation(fields) => fields.as_slice(),
            _ => &[],
        };
        let body =
            ErrorBody { error: ErrorDetail { code: self.code(), message: self.to_string(), fields, request_id } };
        // Strings and a list of strings always serialise; the empty object only spares us a panic.
        let text = serde_json::to_string(&body).unwrap_or_else(|_| "{}".to_owned());
        ApiResponse::new(self.status(), text)
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

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorDetail<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDetail<'a> {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [FieldError],
    request_id: &'a str,
}

/// Makes [`ErrorMapping`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorMappingLayer;

/// Answers failures, so that no failed request becomes a failed invocation.
#[derive(Clone, Debug)]
pub struct ErrorMapping<S> {
    inner: S,
}

impl<S> Layer<S> for ErrorMappingLayer {
    type Service = ErrorMapping<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ErrorMapping { inner }
    }
}

impl<S> Service<ApiRequest> for ErrorMapping<S>
where
    S: Service<ApiRequest, Response = ApiResponse, Error = ApiError>,
    S::Future: Send + 'static,
{
    type Response = ApiResponse;
    type Error = Infallible;
    type Future = Boxed<ApiResponse, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A service that is not ready says so again when it is called; there is no request yet to answer.
        self.inner.poll_ready(context).map(|_| Ok(()))
    }

    fn call(&mut self, request: ApiRequest) -> Self::Future {
        let request_id = request.invocation.request_id.clone();
        let answer = self.inner.call(request);
        Box::pin(async move { Ok(answer.await.unwrap_or_else(|error| error.into_response(&request_id))) })
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
        let fields = vec![FieldError { field: "userId".into(), message: "must be a UUID".into() }];
        let answer = ApiError::Validation(fields).into_response("r-1");
        assert_eq!(answer.status_code, 400);
        assert_eq!(
            answer.body,
            r#"{"error":{"code":"VALIDATION_FAILED","message":"the request is not valid: correct the fields named here","fields":[{"field":"userId","message":"must be a UUID"}],"requestId":"r-1"}}"#
        );
        let answer = ApiError::AuditUnavailable(store_error()).into_response("r-2");
        assert_eq!(answer.status_code, 503);
        assert!(answer.body.contains(r#""code":"AUDIT_UNAVAILABLE""#) && !answer.body.contains("secret"));
    }

    #[test]
    fn a_malformed_row_is_not_worth_a_retry() {
        let malformed = StoreError::Malformed { what: "price", store: "price", source: "x".into() };
        assert_eq!(ApiError::from(malformed).status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(ApiError::from(store_error()).status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
