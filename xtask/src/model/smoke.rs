//! Smoke checks: what a function must answer before it gets traffic, and after. They travel in the manifest, so the
//! box brings its own checks and nobody's working tree decides.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize, de};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
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

/// Read by hand, because serde's own reading of an untagged value cannot say what to write instead of a float.
impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectedVisitor)
    }
}

const DIGITS: &str = "a number with a fraction is compared digit by digit: write its digits as a text, \
                      for example `{ number = \"99.90\" }`";

struct ExpectedVisitor;

impl<'de> de::Visitor<'de> for ExpectedVisitor {
    type Value = Expected;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a truth value, a whole number, or `{ number = \"…\" }`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Expected, E> {
        Ok(Expected::Text(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Expected, E> {
        Ok(Expected::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Expected, E> {
        Ok(Expected::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Expected, E> {
        let whole = i64::try_from(value);
        whole.map(Expected::Integer).map_err(|_too_large| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_f64<E: de::Error>(self, _value: f64) -> Result<Expected, E> {
        Err(E::custom(DIGITS))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Expected, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Decimal {
            number: Expected,
        }
        match Decimal::deserialize(de::value::MapAccessDeserializer::new(map))?.number {
            Expected::Text(number) => Ok(Expected::Decimal { number }),
            _ => Err(de::Error::custom(DIGITS)),
        }
    }
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
