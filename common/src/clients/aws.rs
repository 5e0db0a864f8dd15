//! Services of AWS by their own JSON protocol: a signed POST for each operation. Signing, TLS and HTTP are libraries; the AWS SDK
//! would bring the same and double the time that the functions take to build, and their size.

use std::fmt;
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
use serde_json::{Map, Value};

use crate::types::{AwsAccess, Clock};

/// How long to wait before the second attempt, and before the third and last.
const WAITS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];

/// A service as its protocol names it.
#[derive(Debug)]
pub(super) struct Service {
    /// For errors.
    pub(super) name: &'static str,
    /// The name that a signature is for.
    pub(super) signed_as: &'static str,
    /// What stands before an operation in `x-amz-target`.
    pub(super) target: &'static str,
    /// The version of the protocol.
    pub(super) content_type: &'static str,
    /// The refusals that another moment may not bring.
    pub(super) passing: &'static [&'static str],
}

/// A service in one region, as one function's role.
#[derive(Clone)]
pub(super) struct AwsClient {
    service: &'static Service,
    access: AwsAccess,
    limit: Duration,
    clock: Arc<dyn Clock>,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// The item that was there before. It may hold anything, so it shows itself to nobody.
#[derive(PartialEq, Eq)]
pub struct TakenBy(Value);

impl fmt::Debug for TakenBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TakenBy(redacted)")
    }
}

/// Why an operation brought nothing. It holds no words of the service, as those may repeat values.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// The service refused.
    #[error("{service} answers {status} {code}")]
    Refused {
        /// The service's name.
        service: &'static str,
        /// The HTTP status.
        status: u16,
        /// The error's name, such as `ResourceNotFoundException`.
        code: String,
        /// What lies where a conditional write wanted to write, if it asked for that.
        taken: Option<Box<TakenBy>>,
    },
    /// There was no answer in time.
    #[error("{0} does not answer in time")]
    Late(&'static str),
    /// There was no answer at all.
    #[error("{0} cannot be reached")]
    Unreachable(&'static str, #[source] hyper_util::client::legacy::Error),
    /// The connection ended within the answer.
    #[error("{0} did not answer to the end")]
    Broken(&'static str, #[source] hyper::Error),
    /// The answer is no JSON.
    #[error("{0} answered something else than a JSON object")]
    NotJson(&'static str, #[source] serde_json::Error),
    /// The request could not be signed.
    #[error("the request to {0} cannot be made")]
    Unsigned(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AwsError {
    /// Whether a conditional write was refused because this very item is there.
    pub(super) fn is_taken_by(&self, item: &Value) -> bool {
        matches!(self, Self::Refused { code, taken: Some(taken), .. }
            if code == "ConditionalCheckFailedException" && taken.0 == *item)
    }
}

/// The name of an error goes into the log, so it has to be one.
fn is_name(code: &str) -> bool {
    code.len() <= 100 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl AwsClient {
    /// A client whose operations take as long as `limit` at most. Connects to nothing yet.
    ///
    /// # Errors
    /// If the machine's certificates cannot be read; they are only where the endpoint needs them.
    pub(super) fn new(
        service: &'static Service,
        access: AwsAccess,
        limit: Duration,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
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
        Ok(Self { service, access, limit, clock, http })
    }

    /// Runs an operation, such as `PutItem`.
    pub(super) async fn run(&self, operation: &str, input: &Value) -> Result<Value, AwsError> {
        let body = Bytes::from(input.to_string());
        let attempts = tokio::time::timeout(self.limit, self.attempts(operation, &body));
        attempts.await.unwrap_or(Err(AwsError::Late(self.service.name)))
    }

    async fn attempts(&self, operation: &str, body: &Bytes) -> Result<Value, AwsError> {
        for wait in WAITS {
            // A connection that died while the sandbox was frozen may say nothing at all; another one is worth a try.
            let attempt = tokio::time::timeout(self.limit / 2, self.attempt(operation, body)).await;
            match attempt.unwrap_or(Err(AwsError::Late(self.service.name))) {
                Err(error) if self.passes(&error) => tokio::time::sleep(wait).await,
                answer => return answer,
            }
        }
        self.attempt(operation, body).await
    }

    /// Whether the same request may well be answered in a moment.
    fn passes(&self, error: &AwsError) -> bool {
        match error {
            AwsError::Refused { status, code, .. } => *status >= 500 || self.service.passing.contains(&code.as_str()),
            // A sandbox that was frozen finds its connections closed when it thaws.
            AwsError::Unreachable(..) | AwsError::Broken(..) | AwsError::Late(_) => true,
            AwsError::NotJson(..) | AwsError::Unsigned(..) => false,
        }
    }

    async fn attempt(&self, operation: &str, body: &Bytes) -> Result<Value, AwsError> {
        let service = self.service.name;
        let request = self.signed(operation, body).map_err(|error| AwsError::Unsigned(service, error))?;
        let answer = self.http.request(request).await.map_err(|error| AwsError::Unreachable(service, error))?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(|error| AwsError::Broken(service, error))?.to_bytes();
        if status == StatusCode::OK {
            let answer = serde_json::from_slice(&bytes).map(Value::Object);
            return answer.map_err(|error| AwsError::NotJson(service, error));
        }
        // `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`; what is none of the service's has no such name.
        // Whatever stands between may answer anything, and only an object can be asked for its parts.
        let mut told = serde_json::from_slice(&bytes).map_or_else(|_none| Value::Object(Map::new()), Value::Object);
        let taken = Some(told["Item"].take()).filter(Value::is_object).map(|item| Box::new(TakenBy(item)));
        let code = told["__type"].as_str().and_then(|kind| kind.rsplit('#').next()).filter(|code| is_name(code));
        let code = code.unwrap_or("without a reason").to_owned();
        Err(AwsError::Refused { service, status: status.as_u16(), code, taken })
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
        let parameters =
            SigningParams::builder().identity(&identity).region(&access.region).name(self.service.signed_as);
        let time = SystemTime::from(self.clock.now());
        let parameters = parameters.time(time).settings(SigningSettings::default()).build()?.into();
        let uri: Uri = access.endpoint.parse()?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let target = format!("{}.{operation}", self.service.target);
        let headers = [("host", host.as_str()), ("content-type", self.service.content_type), ("x-amz-target", &target)];
        let text = uri.to_string();
        let signable = SignableRequest::new("POST", &text, headers.into_iter(), SignableBody::Bytes(body))?;
        let (instructions, _signature) = sign(signable, &parameters)?.into_parts();
        let request = headers.iter().fold(Request::post(uri), |request, (name, value)| request.header(*name, *value));
        let mut request = request.body(Full::new(body.clone()))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}
