//! Where a service of AWS is, and as whom it is called. Secrets show themselves to nobody.

use std::fmt;

/// How DynamoDB is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamoAccess {
    /// `https://` or `http://`, a host, and perhaps a port.
    pub endpoint: String,
    /// The region, such as `eu-central-1`.
    pub region: String,
    /// The access key's id.
    pub key_id: String,
    /// The access key's secret.
    pub secret: Secret,
    /// What the credentials of a role have beside.
    pub session_token: Option<Secret>,
}

/// A text that nobody may read in a log or an error: `Debug` redacts it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps this text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for signing only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}
