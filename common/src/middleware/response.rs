//! The answer, in the shape that both kinds of API Gateway take.

use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::middleware::ApiError;

/// A gateway answer with a JSON body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiResponse {
    /// The HTTP status.
    pub status_code: u16,
    /// What the client is told about the body.
    pub headers: Headers,
    /// The JSON document as text.
    pub body: String,
    is_base64_encoded: bool,
}

/// The headers that every answer has, and `allow` where the method was the fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Headers {
    content_type: &'static str,
    // An answer out of a cache would be a lookup that nobody audited.
    cache_control: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<&'static str>,
}

impl ApiResponse {
    /// 200 with `body`.
    ///
    /// # Errors
    /// [`ApiError::Internal`] if the body cannot be written as JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_string(body).map_err(|error| ApiError::Internal(error.into()))?;
        Ok(Self::new(StatusCode::OK, body))
    }

    /// `status` with `body`, which is a JSON document.
    pub fn new(status: StatusCode, body: String) -> Self {
        let allow = (status == StatusCode::METHOD_NOT_ALLOWED).then_some("GET");
        let headers = Headers { content_type: "application/json", cache_control: "no-store", allow };
        Self { status_code: status.as_u16(), headers, body, is_base64_encoded: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_shape_that_the_gateway_takes() {
        let answer = ApiResponse::ok(&serde_json::json!({"a": 1})).unwrap();
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"statusCode":200,"headers":{"content-type":"application/json","cache-control":"no-store"},"body":"{\"a\":1}","isBase64Encoded":false}"#
        );
        let refused = serde_json::to_value(ApiResponse::new(StatusCode::METHOD_NOT_ALLOWED, "{}".into())).unwrap();
        assert_eq!(refused["headers"]["allow"], "GET");
    }
}
