//! Smoke checks: what a function must answer before it gets traffic, and after. They travel in the manifest, so the
//! box brings its own checks and nobody's working tree decides.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{names::FunctionName, verdict::Verdict};

/// The user that smoke checks ask as: its audit rows carry `purpose = SMOKE`, so no report takes them for a person.
pub const SMOKE_USER: &str = "00000000-0000-4000-8000-000000000000";

/// One question to a function and what a good answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What it is called in every report; no two of a function are alike.
    pub name: String,
    /// Whether it may run in prod and dr: it writes nothing but the audit row.
    #[serde(default)]
    pub safe: bool,
    /// The question.
    pub request: Request,
    /// The good answer.
    pub expect: Expect,
}

/// An HTTP request as API Gateway hands it to a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The form of the event.
    pub event: EventForm,
    /// GET, POST, …
    #[serde(default = "get")]
    pub method: String,
    /// The path, with its leading slash.
    pub path: String,
    /// Query parameters; `{smoke_user}` stands for the reserved user.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, as text.
    #[serde(default)]
    pub body: Option<String>,
}

fn get() -> String {
    "GET".to_owned()
}

/// The forms of API Gateway's proxy events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum EventForm {
    /// REST APIs, payload format 1.0.
    #[serde(rename = "apigw-v1")]
    V1,
    /// HTTP APIs, payload format 2.0.
    #[serde(rename = "apigw-v2")]
    V2,
}

/// What a good answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The HTTP status.
    pub status: u16,
    /// Values in the JSON body, by JSON pointer (RFC 6901).
    #[serde(default)]
    pub json: BTreeMap<String, Expected>,
    /// The longest that the answer may take, in milliseconds, without the start of the process.
    #[serde(default)]
    pub within_ms: Option<u64>,
}

/// An expected value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Expected {
    /// This text.
    Text(String),
    /// This truth value.
    Bool(bool),
    /// This whole number.
    Integer(i64),
    /// A number with exactly these digits: money is compared as decimal text, never as a float.
    Decimal {
        /// The digits, for example `99.90`.
        number: String,
    },
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// The function.
    pub function: FunctionName,
    /// The check.
    pub check: String,
    /// The result.
    pub verdict: Verdict,
    /// What was expected and what came, if it is not `Correct`.
    pub reason: Option<String>,
    /// How long the answer took, in milliseconds.
    pub took_ms: u64,
    /// How often it was asked.
    pub attempts: u32,
}
