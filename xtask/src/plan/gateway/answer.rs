//! What a caller gets: from what a function answered, or from the gateway itself where there is no answer.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::fields;
use crate::model::smoke::EventForm;

/// What a caller gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, in order; a name may come more than once.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// From what a function answered. What is no answer in the form that the gateway asks for is its failure.
#[must_use]
pub fn answered(form: EventForm, payload: &[u8]) -> Reply {
    let Ok(value) = serde_json::from_slice::<Value>(payload) else { return failed(form) };
    match (form, value.get("statusCode")) {
        // An HTTP API takes whatever has no status for the body of a good answer.
        (EventForm::V2, None) => Reply {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: match value {
                Value::String(text) => text.into_bytes(),
                other => other.to_string().into_bytes(),
            },
        },
        (_, None) => failed(form),
        (_, Some(status)) => told(form, status, &value).unwrap_or_else(|| failed(form)),
    }
}

/// A function that failed, or answered what the gateway does not take.
#[must_use]
pub fn failed(form: EventForm) -> Reply {
    match form {
        EventForm::V1 => message(502, "Internal server error"),
        EventForm::V2 => message(500, "Internal Server Error"),
    }
}

/// A function that took longer than the gateway waits: 29 seconds of a REST API, 30 of an HTTP API.
#[must_use]
pub fn timed_out(form: EventForm) -> Reply {
    match form {
        EventForm::V1 => message(504, "Endpoint request timed out"),
        EventForm::V2 => message(503, "Service Unavailable"),
    }
}

/// A call that no route fits.
#[must_use]
pub fn unknown(form: EventForm) -> Reply {
    match form {
        // REST APIs take it for a call without the signature that it would need.
        EventForm::V1 => message(403, "Missing Authentication Token"),
        EventForm::V2 => message(404, "Not Found"),
    }
}

/// A call that is too large.
#[must_use]
pub fn refused(form: EventForm) -> Reply {
    match form {
        EventForm::V1 => message(413, "Request Too Long"),
        EventForm::V2 => message(413, "Request Entity Too Large"),
    }
}

fn told(form: EventForm, status: &Value, value: &Value) -> Option<Reply> {
    // A status written as text is taken, too.
    let status = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    let status = u16::try_from(status).ok().filter(|status| (100..=599).contains(status))?;
    let mut headers = Vec::new();
    for (name, one) in fields(value.get("headers").unwrap_or(&Value::Null)) {
        headers.push((name.to_ascii_lowercase(), text(&one)?));
    }
    match form {
        EventForm::V1 => {
            for (name, many) in fields(value.get("multiValueHeaders").unwrap_or(&Value::Null)) {
                let name = name.to_ascii_lowercase();
                let values: Vec<String> = many.as_array()?.iter().map(text).collect::<Option<_>>()?;
                // One that is in both is told by the list.
                headers.retain(|(own, _)| *own != name);
                headers.extend(values.into_iter().map(|value| (name.clone(), value)));
            }
        }
        EventForm::V2 => {
            for cookie in value.get("cookies").and_then(Value::as_array).into_iter().flatten() {
                headers.push(("set-cookie".to_owned(), text(cookie)?));
            }
        }
    }
    let body = match value.get("body") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(body)) => body.clone(),
        // A REST API takes nothing but text.
        Some(_) if form == EventForm::V1 => return None,
        Some(other) => other.to_string(),
    };
    let encoded = value.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
    let body = if encoded { STANDARD.decode(body).ok()? } else { body.into_bytes() };
    if !headers.iter().any(|(name, _)| name == "content-type") {
        let kind = match form {
            EventForm::V1 => "application/json",
            EventForm::V2 => "text/plain; charset=utf-8",
        };
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    Some(Reply { status, headers, body })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn message(status: u16, text: &str) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Reply { status, headers, body: json!({ "message": text }).to_string().into_bytes() }
}
