//! Smoke checks as pure functions: the event that asks, and the judgement of the answer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::model::smoke::{Check, EventForm, Expected, Request, SMOKE_USER};

/// The API Gateway event for a check, as REST APIs (1.0) or HTTP APIs (2.0) send it.
#[must_use]
pub fn event(check: &Check, request_id: &str) -> Value {
    let fill = |(name, value): (&String, &String)| (name.clone(), value.replace("{smoke_user}", SMOKE_USER));
    let request = &check.request;
    let query: BTreeMap<String, String> = request.query.iter().map(fill).collect();
    let path = request.path.replace("{smoke_user}", SMOKE_USER);
    let mut headers: BTreeMap<String, String> =
        request.headers.iter().map(fill).map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    headers.entry("host".to_owned()).or_insert_with(|| "smoke.invalid".to_owned());
    headers.entry("user-agent".to_owned()).or_insert_with(|| "xtask-smoke".to_owned());
    match request.event {
        EventForm::V1 => rest_event(request, &path, &query, &headers, request_id),
        EventForm::V2 => http_event(request, &path, &query, &headers, request_id),
    }
}

type Texts = BTreeMap<String, String>;

fn rest_event(request: &Request, path: &str, query: &Texts, headers: &Texts, request_id: &str) -> Value {
    let lists = |one: &Texts| one.iter().map(|(k, v)| (k.clone(), vec![v.clone()])).collect::<BTreeMap<_, _>>();
    json!({
        "resource": "/{proxy+}", "path": path, "httpMethod": request.method,
        "headers": headers, "multiValueHeaders": lists(headers),
        "queryStringParameters": query, "multiValueQueryStringParameters": lists(query),
        "pathParameters": { "proxy": path.trim_start_matches('/') }, "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000", "apiId": "smoke", "domainName": "smoke.invalid", "httpMethod": request.method,
            "identity": { "sourceIp": "127.0.0.1", "userAgent": "xtask-smoke" },
            "path": path, "protocol": "HTTP/1.1", "requestId": request_id, "resourceId": "smoke",
            "resourcePath": "/{proxy+}", "stage": "$default"
        },
        "body": request.body, "isBase64Encoded": false
    })
}

fn http_event(request: &Request, path: &str, query: &Texts, headers: &Texts, request_id: &str) -> Value {
    let raw_query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": raw_query,
        "headers": headers, "queryStringParameters": query,
        "requestContext": {
            "accountId": "000000000000", "apiId": "smoke", "domainName": "smoke.invalid", "domainPrefix": "smoke",
            "http": {
                "method": request.method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "xtask-smoke"
            },
            "requestId": request_id, "routeKey": "$default", "stage": "$default",
            "time": "01/Jan/1980:00:00:00 +0000", "timeEpoch": 315_532_800_000_u64
        },
        "body": request.body, "isBase64Encoded": false
    })
}

/// What came back from the function.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The payload.
    pub payload: &'a [u8],
    /// Set if the function failed instead of answering.
    pub function_error: Option<&'a str>,
    /// How long it took, in milliseconds, without the start.
    pub took_ms: u64,
}

/// Judges an answer.
///
/// # Errors
/// What was expected and what came, in one line.
pub fn judge(check: &Check, answer: &Answer<'_>) -> Result<(), String> {
    if answer.function_error.is_some() {
        return Err(failure(answer.payload));
    }
    let response: Response = serde_json::from_slice(answer.payload)
        .map_err(|error| format!("the answer is no API Gateway response: {error}"))?;
    let expect = &check.expect;
    if response.status != expect.status {
        return Err(format!("expected status {}, got {}", expect.status, response.status));
    }
    let body = response.body.unwrap_or_default();
    for (pointer, expected) in &expect.json {
        let found = find(&body, pointer);
        if !found.as_deref().is_some_and(|raw| equals(expected, raw)) {
            let found = found.unwrap_or_else(|| "nothing".to_owned());
            let wanted = show(expected);
            return Err(format!("expected {wanted} at `{pointer}` of the body, got {}", shorten(&found)));
        }
    }
    match expect.within_ms {
        Some(most) if answer.took_ms > most => {
            Err(format!("expected an answer within {most} ms, it took {} ms", answer.took_ms))
        }
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
struct Response {
    #[serde(rename = "statusCode")]
    status: u16,
    body: Option<String>,
}

/// Lambda's error document, in one line.
fn failure(payload: &[u8]) -> String {
    let value: Value = serde_json::from_slice(payload).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    format!("the function failed: {}: {}", text("errorType"), shorten(&text("errorMessage")))
}

fn shorten(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    line.trim().to_owned()
}

/// The raw JSON text at a pointer (RFC 6901): raw, because a float would lose the digits of 99.90.
fn find(body: &str, pointer: &str) -> Option<String> {
    let mut here: Box<RawValue> = serde_json::from_str(body).ok()?;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        here = match here.get().as_bytes().first()? {
            b'{' => serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(here.get()).ok()?.remove(&token)?,
            b'[' => {
                let mut items = serde_json::from_str::<Vec<Box<RawValue>>>(here.get()).ok()?;
                let at = token.parse::<usize>().ok().filter(|at| *at < items.len())?;
                items.swap_remove(at)
            }
            _ => return None,
        };
    }
    Some(here.get().to_owned())
}

fn equals(expected: &Expected, raw: &str) -> bool {
    match expected {
        Expected::Text(text) => serde_json::from_str::<String>(raw).is_ok_and(|found| &found == text),
        Expected::Bool(truth) => raw == truth.to_string(),
        Expected::Integer(number) => raw == number.to_string(),
        Expected::Decimal { number } => raw == number,
    }
}

fn show(expected: &Expected) -> String {
    match expected {
        Expected::Text(text) => format!("\"{text}\""),
        Expected::Bool(truth) => truth.to_string(),
        Expected::Integer(number) => number.to_string(),
        Expected::Decimal { number } => number.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::smoke::Expect;

    fn check(json: &[(&str, Expected)]) -> Check {
        let json = json.iter().map(|(pointer, expected)| ((*pointer).to_owned(), expected.clone())).collect();
        Check {
            name: "known price".to_owned(),
            safe: true,
            request: Request {
                event: EventForm::V2,
                method: "GET".to_owned(),
                path: "/price".to_owned(),
                query: [("id".to_owned(), "A&B".to_owned()), ("userId".to_owned(), "{smoke_user}".to_owned())].into(),
                headers: BTreeMap::new(),
                body: None,
            },
            expect: Expect { status: 200, json, within_ms: Some(100) },
        }
    }

    fn judged(check: &Check, status: u16, body: &str, took_ms: u64) -> Result<(), String> {
        let payload = json!({ "statusCode": status, "body": body }).to_string();
        judge(check, &Answer { payload: payload.as_bytes(), function_error: None, took_ms })
    }

    #[test]
    fn the_event_names_the_reserved_user_and_encodes_the_query() {
        let mut check = check(&[]);
        let event = super::event(&check, "r-1");
        assert_eq!(event["rawQueryString"], "id=A%26B&userId=00000000-0000-4000-8000-000000000000");
        assert_eq!(event["requestContext"]["requestId"], "r-1");
        check.request.event = EventForm::V1;
        let event = super::event(&check, "r-1");
        assert_eq!(event["multiValueQueryStringParameters"]["userId"][0], SMOKE_USER);
        assert_eq!(event["httpMethod"], "GET");
    }

    #[test]
    fn a_wrong_answer_is_named() {
        let price = Expected::Decimal { number: "99.90".to_owned() };
        let check = check(&[("/price", price), ("/list/1/a~1b", Expected::Integer(2))]);
        let good = r#"{"price":99.90,"list":[0,{"a/b":2}]}"#;
        assert_eq!(judged(&check, 200, good, 100), Ok(()));
        for (status, body, took, wrong) in [
            (404, good, 1, "expected status 200, got 404"),
            (200, r#"{"price":99.9,"list":[0,{"a/b":2}]}"#, 1, "expected 99.90 at `/price` of the body, got 99.9"),
            (200, r#"{"list":[0,{"a/b":2}]}"#, 1, "expected 99.90 at `/price` of the body, got nothing"),
            (200, r#"{"price":99.90,"list":[0]}"#, 1, "expected 2 at `/list/1/a~1b` of the body, got nothing"),
            (200, "not json", 1, "expected 2 at `/list/1/a~1b` of the body, got nothing"),
            (200, good, 101, "expected an answer within 100 ms, it took 101 ms"),
        ] {
            assert_eq!(judged(&check, status, body, took), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn a_failure_is_no_answer() {
        let payload = br#"{"errorType":"Runtime.ExitError","errorMessage":"exit status 101"}"#;
        let answer = Answer { payload, function_error: Some("Unhandled"), took_ms: 1 };
        assert_eq!(
            judge(&check(&[]), &answer),
            Err("the function failed: Runtime.ExitError: exit status 101".to_owned())
        );
        let no_response = Answer { payload: b"null", function_error: None, took_ms: 1 };
        assert!(judge(&check(&[]), &no_response).is_err());
    }
}
