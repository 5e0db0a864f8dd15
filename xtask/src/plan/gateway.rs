//! API Gateway as pure functions: a call as the event that a function gets, and a function's answer as the caller gets it;
//! by REST APIs (payload format 1.0) and by HTTP APIs (2.0). Sources: the developer guide, "Working with Lambda proxy
//! integrations" for both, and "Gateway response types".

mod answer;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

pub use self::answer::{Reply, answered, failed, refused, timed_out, unknown};
use crate::model::{smoke::EventForm, time::Time};

/// A call, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// GET, POST, …
    pub method: String,
    /// The path, with its leading slash, decoded.
    pub path: String,
    /// What follows the question mark, as it came; empty without.
    pub query: String,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Where it came from.
    pub source_ip: String,
}

/// The gateway that passes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway<'a> {
    /// Its name on the network.
    pub domain: &'a str,
    /// The route's path: `/config/{key}`.
    pub resource: &'a str,
    /// The route as HTTP APIs call it: `GET /config/{key}`.
    pub route: &'a str,
    /// What stood in the places of its parameters.
    pub parameters: &'a Texts,
    /// The call's own id.
    pub request_id: &'a str,
    /// When it came.
    pub time: Time,
}

/// Texts by name.
pub type Texts = BTreeMap<String, String>;

/// The event for a call.
#[must_use]
pub fn event(form: EventForm, call: &Call, gateway: &Gateway<'_>) -> Value {
    match form {
        EventForm::V1 => rest(call, gateway),
        EventForm::V2 => http(call, gateway),
    }
}

fn rest(call: &Call, gateway: &Gateway<'_>) -> Value {
    let headers = lists(call.headers.iter().cloned());
    let query = lists(pairs(&call.query));
    // The single form keeps the last of several values.
    let last = |lists: &BTreeMap<String, Vec<String>>| -> Texts {
        lists.iter().filter_map(|(name, values)| Some((name.clone(), values.last()?.clone()))).collect()
    };
    let (body, encoded) = body(call);
    json!({
        "resource": gateway.resource, "path": call.path, "httpMethod": call.method,
        "headers": last(&headers), "multiValueHeaders": headers,
        "queryStringParameters": none_if_empty(last(&query)), "multiValueQueryStringParameters": none_if_empty(query),
        "pathParameters": none_if_empty(gateway.parameters.clone()), "stageVariables": null,
        "requestContext": {
            "accountId": ACCOUNT, "apiId": API, "domainName": gateway.domain, "httpMethod": call.method,
            "identity": { "sourceIp": call.source_ip, "userAgent": header(call, "user-agent") },
            "path": call.path, "protocol": "HTTP/1.1", "requestId": gateway.request_id, "resourceId": API,
            "requestTime": clf(gateway.time), "requestTimeEpoch": gateway.time.timestamp().as_millisecond(),
            "resourcePath": gateway.resource, "stage": STAGE
        },
        "body": body, "isBase64Encoded": encoded
    })
}

fn http(call: &Call, gateway: &Gateway<'_>) -> Value {
    let joined = |all: BTreeMap<String, Vec<String>>| -> Texts {
        all.into_iter().map(|(name, values)| (name, values.join(","))).collect()
    };
    let (cookies, headers): (Vec<_>, Vec<_>) = call.headers.iter().cloned().partition(|(name, _)| name == "cookie");
    let cookies: Vec<String> =
        cookies.iter().flat_map(|(_, value)| value.split(';').map(|one| one.trim().to_owned())).collect();
    let (body, encoded) = body(call);
    let mut event = json!({
        "version": "2.0", "routeKey": gateway.route, "rawPath": call.path, "rawQueryString": call.query,
        "headers": joined(lists(headers.into_iter())),
        "requestContext": {
            "accountId": ACCOUNT, "apiId": API, "domainName": gateway.domain, "domainPrefix": API,
            "http": {
                "method": call.method, "path": call.path, "protocol": "HTTP/1.1",
                "sourceIp": call.source_ip, "userAgent": header(call, "user-agent")
            },
            "requestId": gateway.request_id, "routeKey": gateway.route, "stage": STAGE,
            "time": clf(gateway.time), "timeEpoch": gateway.time.timestamp().as_millisecond()
        },
        "isBase64Encoded": encoded
    });
    // What there is nothing of is left out.
    let mut set = |name: &str, value: Value, there: bool| {
        if let Some(fields) = event.as_object_mut().filter(|_| there) {
            fields.insert(name.to_owned(), value);
        }
    };
    let query = joined(lists(pairs(&call.query)));
    set("queryStringParameters", json!(query), !query.is_empty());
    set("pathParameters", json!(gateway.parameters), !gateway.parameters.is_empty());
    set("cookies", json!(cookies), !cookies.is_empty());
    set("body", json!(body), body.is_some());
    event
}

/// What identifies nothing real.
const ACCOUNT: &str = "000000000000";
const API: &str = "local";
const STAGE: &str = "$default";

/// The body as text, or in base64 where its type is none of text.
fn body(call: &Call) -> (Option<String>, bool) {
    if call.body.is_empty() {
        return (None, false);
    }
    let kind = header(call, "content-type").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let textual = kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded"]
            .contains(&kind)
        || kind.ends_with("+json")
        || kind.ends_with("+xml");
    match std::str::from_utf8(&call.body).ok().filter(|_| textual || kind.is_empty()) {
        Some(text) => (Some(text.to_owned()), false),
        None => (Some(STANDARD.encode(&call.body)), true),
    }
}

fn header<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    call.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned()
}

fn lists(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut lists = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in pairs {
        lists.entry(name).or_default().push(value);
    }
    lists
}

/// REST APIs say `null` where there is none.
fn none_if_empty<T: serde::Serialize>(all: BTreeMap<String, T>) -> Value {
    if all.is_empty() { Value::Null } else { json!(all) }
}

/// `23/Jan/2026:12:00:00 +0000`.
fn clf(time: Time) -> String {
    time.timestamp().strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// The fields of an object; none of anything else.
fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
