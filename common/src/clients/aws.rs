//! DynamoDB by its own JSON protocol: a signed POST for each operation. Signing, TLS and HTTP are libraries; the AWS SDK would
//! bring the same and double the time that the functions take to build, and their size.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambda_http::http::{Request, StatusCode, Uri};
use serde_json::Value;

use crate::types::{Clock, DynamoAccess, StoreError};

/// How long one operation may take, its retries included. A lookup is two of them, one after the other, and must be answered
/// before Lambda ends the function, which is declared to be after 5 seconds: then nobody would know what was recorded.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait before the second attempt, and before the third and last.
const WAITS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];

/// The refusals that another moment may not bring (DynamoDB developer guide, "Error handling").
const PASSING: [&str; 3] = ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"];

/// DynamoDB in one region, as one function's role.
#[derive(Clone)]
pub struct DynamoClient {
    access: DynamoAccess,
    limit: Duration,
    clock: Arc<dyn Clock>,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why an operation brought nothing. It holds no words of the service, as those may repeat values.
#[derive(Debug, thiserror::Error)]
pub enum DynamoError {
    /// The service refused.
    #[error("DynamoDB answers {status} {code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error's name, such as `ResourceNotFoundException`.
        code: String,
    },
    /// There was no answer in time.
    #[error("DynamoDB does not answer in time")]
    Late,
    /// There was no answer at all.
    #[error("DynamoDB cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    /// The connection ended within the answer.
    #[error("DynamoDB did not answer to the end")]
    Broken(#[source] hyper::Error),
    /// The answer is no JSON.
    #[error("DynamoDB answered something else than JSON")]
    NotJson(#[source] serde_json::Error),
    /// The request could not be signed.
    #[error("the request to DynamoDB cannot be made")]
    Unsigned(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl DynamoError {
    /// Whether the same request may well be answered in a moment.
    fn passes(&self) -> bool {
        match self {
            Self::Refused { status, code } => *status >= 500 || PASSING.contains(&code.as_str()),
            // A sandbox that was frozen finds its connections closed when it thaws.
            Self::Unreachable(_) | Self::Broken(_) => true,
            Self::Late | Self::NotJson(_) | Self::Unsigned(_) => false,
        }
    }
}

impl DynamoClient {
    /// A client whose operations take as long as `limit` at most: [`OPERATION_TIMEOUT`] in a function. Connects to nothing yet.
    ///
    /// # Errors
    /// If the machine's certificates cannot be read; they are only where the endpoint needs them.
    pub fn new(access: DynamoAccess, limit: Duration, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let connector = if access.endpoint.starts_with("https:") {
            HttpsConnectorBuilder::new().with_provider_and_native_roots(provider)?.https_only()
        } else {
            let none = rustls::ClientConfig::builder_with_provider(Arc::new(provider));
            let none = none.with_safe_default_protocol_versions().map_err(std::io::Error::other)?;
            let none = none.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
            HttpsConnectorBuilder::new().with_tls_config(none).https_or_http()
        };
        let http = Client::builder(TokioExecutor::new()).build(connector.enable_http1().build());
        Ok(Self { access, limit, clock, http })
    }

    /// Runs an operation, such as `PutItem`; in errors `action` says what it does ("read the price"), in which `store`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it is refused, or not answered in time.
    pub async fn run(
        &self,
        (store, action): (&'static str, &'static str),
        operation: &str,
        input: &Value,
    ) -> Result<Value, StoreError> {
        let body = Bytes::from(input.to_string());
        let attempts = tokio::time::timeout(self.limit, self.attempts(operation, &body));
        let answer = attempts.await.unwrap_or(Err(DynamoError::Late));
        answer.map_err(|error| StoreError::Unavailable { action, store, source: error.into() })
    }

    async fn attempts(&self, operation: &str, body: &Bytes) -> Result<Value, DynamoError> {
        for wait in WAITS {
            match self.attempt(operation, body).await {
                Err(error) if error.passes() => tokio::time::sleep(wait).await,
                answer => return answer,
            }
        }
        self.attempt(operation, body).await
    }

    async fn attempt(&self, operation: &str, body: &Bytes) -> Result<Value, DynamoError> {
        let request = self.signed(operation, body).map_err(DynamoError::Unsigned)?;
        let answer = self.http.request(request).await.map_err(DynamoError::Unreachable)?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(DynamoError::Broken)?.to_bytes();
        if status == StatusCode::OK {
            return serde_json::from_slice(&bytes).map_err(DynamoError::NotJson);
        }
        // `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`; what is none of the service's has no such name.
        let told: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let code = told["__type"].as_str().and_then(|kind| kind.rsplit('#').next()).unwrap_or("without a reason");
        Err(DynamoError::Refused { status: status.as_u16(), code: code.to_owned() })
    }

    fn signed(
        &self,
        operation: &str,
        body: &Bytes,
    ) -> Result<Request<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
        let access = &self.access;
        let (key, secret, token) = (&access.key_id, access.secret.expose(), access.session_token.as_ref());
        let token = token.map(|token| token.expose().to_owned());
        let identity = Credentials::new(key, secret, token, None, "environment").into();
        let parameters = SigningParams::builder().identity(&identity).region(&access.region).name("dynamodb");
        let time = SystemTime::from(self.clock.now());
        let parameters = parameters.time(time).settings(SigningSettings::default()).build()?.into();
        let uri: Uri = access.endpoint.parse()?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let target = format!("DynamoDB_20120810.{operation}");
        let headers =
            [("host", host.as_str()), ("content-type", "application/x-amz-json-1.0"), ("x-amz-target", &target)];
        let text = uri.to_string();
        let signable = SignableRequest::new("POST", &text, headers.into_iter(), SignableBody::Bytes(body))?;
        let (instructions, _signature) = sign(signable, &parameters)?.into_parts();
        let request = headers.iter().fold(Request::post(uri), |request, (name, value)| request.header(*name, *value));
        let mut request = request.body(Full::new(body.clone()))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FixedClock, Replay, Reply, block_on};
    use serde_json::json;

    fn run(replay: &Replay, limit: Duration) -> Result<Value, String> {
        let client = DynamoClient::new(replay.access(), limit, Arc::new(FixedClock)).unwrap();
        let answer = block_on(client.run(("price", "read the price"), "GetItem", &json!({ "TableName": "t" })));
        answer.map_err(|error| {
            let cause = std::error::Error::source(&error).unwrap();
            format!("{error}: {cause}")
        })
    }

    #[test]
    fn a_request_is_signed_for_its_region_with_the_sessions_token() {
        let replay = Replay::new(|_, _| Reply::Json(json!({ "Item": 1 })));
        assert_eq!(run(&replay, OPERATION_TIMEOUT).unwrap(), json!({ "Item": 1 }));
        let asked = replay.asked().remove(0);
        assert_eq!((asked.operation.as_str(), asked.input), ("GetItem", json!({ "TableName": "t" })));
        let head = asked.head;
        assert!(
            head.contains("aws4-hmac-sha256 credential=akid/20260123/eu-central-1/dynamodb/aws4_request"),
            "{head}"
        );
        assert!(
            head.contains("signedheaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"),
            "{head}"
        );
        assert!(
            head.contains("x-amz-date: 20260123t120000z") && head.contains("x-amz-security-token: token"),
            "{head}"
        );
        assert!(!head.contains("hush"), "{head}");
    }

    #[test]
    fn what_passes_is_tried_three_times_and_what_does_not_once() {
        let unavailable = "cannot read the price in the price store: DynamoDB answers";
        for (status, name, attempts) in [
            (400, "ProvisionedThroughputExceededException", 3),
            (400, "ThrottlingException", 3),
            (500, "InternalServerError", 3),
            (400, "ResourceNotFoundException", 1),
            (400, "AccessDeniedException", 1),
            (400, "ConditionalCheckFailedException", 1),
        ] {
            let replay = Replay::new(move |_, _| Reply::Refuse(status, name));
            assert_eq!(run(&replay, OPERATION_TIMEOUT).unwrap_err(), format!("{unavailable} {status} {name}"));
            assert_eq!(replay.asked().len(), attempts, "{name}");
        }
        let replay = Replay::new(|_, before| if before < 2 { Reply::Close } else { Reply::Json(json!({})) });
        assert_eq!(run(&replay, OPERATION_TIMEOUT).unwrap(), json!({}));
    }

    #[test]
    fn an_answer_that_does_not_come_is_not_waited_for() {
        let replay = Replay::new(|_, _| Reply::Hang);
        assert!(run(&replay, Duration::from_millis(100)).unwrap_err().ends_with("does not answer in time"));
        // Neither by waiting for the next attempt.
        let replay = Replay::new(|_, _| Reply::Refuse(500, "InternalServerError"));
        assert!(run(&replay, Duration::from_millis(100)).unwrap_err().ends_with("does not answer in time"));
    }

    #[test]
    fn a_lookup_ends_before_its_function_does() {
        let declared =
            include_str!("../../../release.toml").lines().filter_map(|line| line.strip_prefix("timeout_s = "));
        let declared: Vec<u64> = declared.map(|seconds| seconds.parse().unwrap()).collect();
        assert_eq!(declared.len(), 2, "one for each function");
        assert!(declared.iter().all(|seconds| 2 * OPERATION_TIMEOUT < Duration::from_secs(*seconds)), "{declared:?}");
    }
}
