//! Calls to the emulator as its root, which nobody signs: it never checks that signature. So what is asked stays as it is
//! written, in the services' own JSON or form, and no SDK is needed. Never for AWS.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// How long a call may take. All that is asked takes milliseconds.
const LIMIT: Duration = Duration::from_secs(30);

/// An emulator, seen from one region.
#[derive(Debug, Clone)]
pub struct Caller {
    endpoint: String,
    region: String,
    client: Client,
}

/// A call that brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service refused.
    #[error("{action}: MiniStack answers {status} {code}")]
    Refused {
        /// What was asked.
        action: String,
        /// The HTTP status.
        status: u16,
        /// The error's name and words.
        code: String,
    },
    /// It did not answer.
    #[error("{action}: MiniStack does not answer")]
    Silent {
        /// What was asked.
        action: String,
        /// Why.
        source: reqwest::Error,
    },
}

impl CallError {
    /// Whether the service refused with this error.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code.contains(name))
    }
}

impl Caller {
    /// Calls the emulator at this endpoint.
    ///
    /// # Errors
    /// If there can be no client.
    pub fn new(endpoint: &str, region: &str) -> anyhow::Result<Self> {
        drop(rustls::crypto::ring::default_provider().install_default());
        // A proxy of the caller's has no business between two processes of one machine.
        let client = Client::builder().timeout(LIMIT).no_proxy().build()?;
        Ok(Self { endpoint: endpoint.to_owned(), region: region.to_owned(), client })
    }

    /// Where it is called.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The same in another region.
    #[must_use]
    pub fn within(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// Calls a service that speaks JSON; `target` is such as `DynamoDB_20120810.PutItem`.
    ///
    /// # Errors
    /// The call brought nothing.
    pub async fn json(&self, service: &str, target: &str, body: &Value) -> Result<Value, CallError> {
        let request = self.request(Method::POST, service, "").header("x-amz-target", target);
        let request = request.header("content-type", "application/x-amz-json-1.0").body(body.to_string());
        Ok(serde_json::from_str(&answered(request, target).await?).unwrap_or_default())
    }

    /// Calls a service that speaks JSON at paths, as Lambda does.
    ///
    /// # Errors
    /// The call brought nothing.
    pub async fn rest(&self, method: Method, service: &str, path: &str, body: &Value) -> Result<Value, CallError> {
        let action = format!("{method} {path}");
        let request = self.request(method, service, path).header("content-type", "application/json");
        Ok(serde_json::from_str(&answered(request.body(body.to_string()), &action).await?).unwrap_or_default())
    }

    /// Calls a service that takes forms and answers XML, as IAM does.
    ///
    /// # Errors
    /// The call brought nothing.
    pub async fn form(&self, service: &str, action: &str, fields: &[(&str, &str)]) -> Result<String, CallError> {
        let form =
            form_urlencoded::Serializer::new(String::new()).append_pair("Action", action).extend_pairs(fields).finish();
        let request =
            self.request(Method::POST, service, "").header("content-type", "application/x-www-form-urlencoded");
        answered(request.body(form), action).await
    }

    /// The scope of the signature tells region and service.
    fn request(&self, method: Method, service: &str, path: &str) -> RequestBuilder {
        let scope = format!("test/20260101/{}/{service}/aws4_request", self.region);
        let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        self.client.request(method, format!("{}/{path}", self.endpoint)).header("authorization", signed)
    }
}

async fn answered(request: RequestBuilder, action: &str) -> Result<String, CallError> {
    let silent = |source| CallError::Silent { action: action.to_owned(), source };
    let answer = request.send().await.map_err(silent)?;
    let status = answer.status();
    let text = answer.text().await.map_err(silent)?;
    if status.is_success() {
        return Ok(text);
    }
    Err(CallError::Refused { action: action.to_owned(), status: status.as_u16(), code: text })
}
