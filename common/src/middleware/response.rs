//! The answer, in the shape that both kinds of API Gateway take.

use serde::Serialize;

use crate::middleware::ApiError;
use crate::models::{CorrelationId, ErrorCode};

/// A gateway answer with a JSON body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiResponse {
    /// The HTTP status.
    pub status_code: u16,
    /// What the client is told about the body.
    pub headers: ResponseHeaders,
    /// The JSON document as text.
    pub body: String,
    is_base64_encoded: bool,
    /// What the log is to say; it never leaves the process.
    #[serde(skip)]
    pub failure: Option<Failure>,
}

/// The headers that every answer has, and `allow` where the method was the fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResponseHeaders {
    content_type: &'static str,
    // An answer out of a cache would be a lookup that nobody audited.
    cache_control: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<&'static str>,
    /// The id by which the client follows its request; the outermost layer sets it.
    #[serde(rename = "x-correlation-id", skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
}

/// Why an answer is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The stable code.
    pub code: ErrorCode,
    /// The chain of causes.
    pub cause: Option<String>,
}

impl ApiResponse {
    /// 200 with `body`.
    ///
    /// # Errors
    /// [`ApiError::Internal`] if the body cannot be written as JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_string(body).map_err(|error| ApiError::Internal(error.into()))?;
        Ok(Self::new(200, body, None))
    }

    /// The answer for `code` with `body`, which is a JSON document.
    pub fn failed(code: ErrorCode, body: String, cause: Option<String>) -> Self {
        Self::new(code.status(), body, Some(Failure { code, cause }))
    }

    fn new(status_code: u16, body: String, failure: Option<Failure>) -> Self {
        let allow = (status_code == 405).then_some("GET");
        let headers = ResponseHeaders {
            content_type: "application/json",
            cache_control: "no-store",
            allow,
            correlation_id: None,
        };
        Self { status_code, headers, body, is_base64_encoded: false, failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_shape_that_the_gateway_takes() {
        let mut answer = ApiResponse::ok(&serde_json::json!({"a": 1})).unwrap();
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"statusCode":200,"headers":{"content-type":"application/json","cache-control":"no-store"},"body":"{\"a\":1}","isBase64Encoded":false}"#
        );
        answer.headers.correlation_id = Some("01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap());
        let told = serde_json::to_value(answer).unwrap();
        assert_eq!(told["headers"]["x-correlation-id"], "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        let refused = ApiResponse::failed(ErrorCode::MethodNotAllowed, "{}".into(), Some("why".into()));
        let refused = serde_json::to_value(refused).unwrap();
        assert_eq!((&refused["statusCode"], &refused["headers"]["allow"]), (&405.into(), &"GET".into()));
        assert!(!refused.to_string().contains("why"));
    }
}
