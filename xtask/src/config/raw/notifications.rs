//! `[notifications]` of `release.toml` as it is written. Secrets are named here and never stand here.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Deserialize;

/// Who is told when something happens to a release. What cannot be delivered is a warning, and changes nothing else.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// A webhook that takes what Slack's incoming webhooks take.
    pub webhook: Option<Webhook>,
    /// E-mail over SMTP.
    pub email: Option<Email>,
}

/// A webhook.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where its address is found: whoever knows it may post there.
    pub url: Secret,
}

/// E-mail.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The SMTP server's name.
    pub server: String,
    /// Its port; 587 with `starttls`, 465 with `tls`, 25 with `none` if not given.
    pub port: Option<u16>,
    /// How the connection is protected, `starttls` if not given.
    #[serde(default)]
    pub encryption: Encryption,
    /// How to log in; not given: without.
    pub login: Option<Login>,
    /// The sender, as `Name <address>` or `address`.
    pub from: String,
    /// Everyone who is told, each as `Name <address>` or `address`.
    pub to: Vec<String>,
}

/// How a connection is protected.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// It begins in the clear and must be upgraded before anything is sent.
    #[default]
    Starttls,
    /// It is encrypted from the first byte.
    Tls,
    /// It is not: for a relay on this machine.
    None,
}

/// How to log in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// Where the password is found.
    pub password: Secret,
}

/// Where a secret is found. It is read when it is needed; a blank end of line is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// In this environment variable.
    Env(String),
    /// In this file, relative to the folder of `release.toml`.
    #[schemars(with = "String")]
    File(Utf8PathBuf),
}
