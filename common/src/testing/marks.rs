//! Events in which one thing after the other is marked as personal data, and the search for the marks.

use serde_json::{Map, Value, json};
use tower::{Service, ServiceExt as _};

use std::convert::Infallible;

use lambda_http::{Context, LambdaEvent};

use super::{ALICE, block_on};
use crate::middleware::{ApiResponse, GatewayEvent};

/// What every mark has in it.
const MARK: &str = "qzxmark";

/// A mark that is none of any grammar, and one that passes for a product, a key or a name.
const MARKS: [&str; 2] = ["Qzxmark <qzxmark@example.com>; 078-05-1120", "qzxmark"];

/// Events of both forms for a call of `path` with this query and these parameters of the path; in each something else is marked:
/// one field, one more name, everything at once, or everything but the query, which then is a good one. With each comes what is
/// marked.
pub fn marked_events(path: &str, query: &[(&str, &str)], parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    let templates = event(path, query, parameters);
    let mut events = vec![];
    for (template, form) in templates.iter().zip(["1.0", "2.0"]) {
        events.push((format!("{form}: nothing"), template.to_string()));
        for mark in MARKS {
            let (mut all, mut around) = (template.clone(), template.clone());
            for pointer in places(template, "") {
                // The gateway makes its own ids up, so what looks like one is one.
                if mark == MARK && pointer.ends_with("equestId") {
                    continue;
                }
                let mut one = template.clone();
                set(&mut one, &pointer, mark);
                events.push((format!("{form}: {pointer} = {mark}"), one.to_string()));
                // What makes an event of this form out of it stays.
                if !["ethod", "version", "isBase64Encoded", "Epoch"].iter().any(|end| pointer.ends_with(end)) {
                    set(&mut all, &pointer, mark);
                    if !pointer.contains("uery") {
                        set(&mut around, &pointer, mark);
                    }
                }
            }
            events.push((format!("{form}: everything = {mark}"), all.to_string()));
            events.push((format!("{form}: everything but the query = {mark}"), around.to_string()));
        }
    }
    events
}

/// Every text in an event, and in every object one more.
fn places(value: &Value, pointer: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let inner = fields.iter().flat_map(|(name, field)| places(field, &format!("{pointer}/{name}")));
            inner.chain([format!("{pointer}/+{MARK}")]).collect()
        }
        Value::Array(items) => (0..items.len()).flat_map(|at| places(&items[at], &format!("{pointer}/{at}"))).collect(),
        _ => vec![pointer.to_owned()],
    }
}

fn set(event: &mut Value, pointer: &str, mark: &str) {
    match pointer.split_once("/+") {
        Some((object, name)) => {
            let fields: &mut Map<String, Value> = event.pointer_mut(object).unwrap().as_object_mut().unwrap();
            // Where there are lists there is one more list.
            let listed = fields.values().any(Value::is_array);
            fields.insert(name.to_owned(), if listed { json!([mark]) } else { json!(mark) });
        }
        None => *event.pointer_mut(pointer).unwrap() = mark.into(),
    }
}

/// What a caller, and whoever reads the runtime's errors, gets for `event`: the whole answer, or why it is no event.
pub fn told<S>(service: S, event: &str) -> String
where
    S: Service<LambdaEvent<GatewayEvent>, Response = ApiResponse, Error = Infallible>,
{
    match serde_json::from_str(event) {
        Err(error) => error.to_string(),
        Ok(payload) => {
            let mut context = Context::default();
            "l-1".clone_into(&mut context.request_id);
            match block_on(service.oneshot(LambdaEvent::new(payload, context))) {
                Ok(answer) => serde_json::to_string(&answer).unwrap(),
                Err(never) => match never {},
            }
        }
    }
}

/// Stops the test if a mark, or the user's id in any spelling, is in `text`.
pub fn is_unmarked(what: &str, text: &str) {
    let bare: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    for mark in [MARK.to_owned(), "078051120".to_owned(), ALICE.replace('-', "")] {
        assert!(!bare.contains(&mark), "{what} comes out: {text}");
    }
}

/// Panics whose words begin with "with " are meant, and would drown a test's own.
pub fn meant_panics_are_quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let meant = panic.payload().downcast_ref::<String>().is_some_and(|words| words.starts_with("with "));
        if !meant {
            usual(panic);
        }
    }));
}

/// A full event of each form, REST (1.0) and HTTP (2.0).
pub fn event(path: &str, query: &[(&str, &str)], parameters: &[(&str, &str)]) -> [Value; 2] {
    [rest(path, query, parameters), http(path, query, parameters)]
}

fn headers() -> Vec<(&'static str, &'static str)> {
    vec![
        ("Accept", "application/json"),
        ("Authorization", "Bearer token"),
        ("From", "someone@example.com"),
        ("Host", "api.example.com"),
        ("Referer", "https://example.com/"),
        ("User-Agent", "curl/8"),
        ("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
        ("X-Api-Key", "key"),
        ("X-Correlation-Id", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("X-Forwarded-For", "203.0.113.7"),
    ]
}

fn single(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>().into()
}

fn listed(pairs: &[(&str, &str)]) -> Value {
    let mut lists = Map::new();
    for (name, value) in pairs {
        let list = lists.entry(*name).or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(json!(value));
    }
    lists.into()
}

fn claims() -> Value {
    json!({ "sub": "subject", "email": "someone@example.com", "name": "Someone", "cognito:username": "someone" })
}

fn rest(path: &str, query: &[(&str, &str)], parameters: &[(&str, &str)]) -> Value {
    let cookies = [headers(), vec![("Cookie", "session=1")]].concat();
    json!({
        "resource": path, "path": path, "httpMethod": "GET",
        "headers": single(&cookies), "multiValueHeaders": listed(&cookies),
        "queryStringParameters": single(query), "multiValueQueryStringParameters": listed(query),
        "pathParameters": single(parameters), "stageVariables": { "color": "blue" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "api", "authorizer": { "principalId": "someone", "claims": claims() },
            "domainName": "api.example.com", "domainPrefix": "api", "extendedRequestId": "x-1", "httpMethod": "GET",
            "identity": {
                "accessKey": "key", "accountId": "1", "apiKey": "key", "apiKeyId": "id", "caller": "someone",
                "cognitoAuthenticationProvider": "p", "cognitoAuthenticationType": "t", "cognitoIdentityId": "i",
                "cognitoIdentityPoolId": "p", "sourceIp": "203.0.113.7", "user": "someone", "userAgent": "curl/8",
                "userArn": "arn:aws:iam::1:user/someone"
            },
            "operationName": "op", "path": path, "protocol": "HTTP/1.1", "requestId": "r-1",
            "requestTime": "23/Jan/2026:12:00:00 +0000", "requestTimeEpoch": 1_769_169_600_000_u64, "resourceId": "r",
            "resourcePath": path, "stage": "dev"
        },
        "body": "{\"name\":\"someone\"}", "isBase64Encoded": false
    })
}

fn http(path: &str, query: &[(&str, &str)], parameters: &[(&str, &str)]) -> Value {
    let raw: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    json!({
        "version": "2.0", "routeKey": "GET /", "rawPath": path, "rawQueryString": raw.join("&"),
        "cookies": ["session=1"], "headers": single(&headers()), "queryStringParameters": single(query),
        "pathParameters": single(parameters), "stageVariables": { "color": "blue" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "api",
            "authentication": { "clientCert": { "clientCertPem": "pem", "subjectDN": "CN=someone", "issuerDN": "CN=x",
                "serialNumber": "1", "validity": { "notBefore": "b", "notAfter": "a" } } },
            "authorizer": { "jwt": { "claims": claims(), "scopes": ["read"] }, "lambda": { "who": "someone" } },
            "domainName": "api.example.com", "domainPrefix": "api",
            "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "curl/8" },
            "requestId": "r-1", "routeKey": "GET /", "stage": "$default", "time": "23/Jan/2026:12:00:00 +0000",
            "timeEpoch": 1_769_169_600_000_u64
        },
        "body": "{\"name\":\"someone\"}", "isBase64Encoded": false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_event_is_marked_once_and_marks_are_found() {
        let events = marked_events("/price", &[("id", "PROD-101")], &[("key", "a")]);
        assert!(events.len() > 250, "{}", events.len());
        for part in
            ["identity/sourceIp", "claims/email", "cookies/0", "/body", "rawQueryString", "subjectDN", "Referer/0"]
        {
            assert!(events.iter().any(|(what, _)| what.contains(part)), "{part}");
        }
        let good = events.iter().filter(|(_, event)| serde_json::from_str::<GatewayEvent>(event).is_ok()).count();
        assert!(good * 10 > events.len() * 9, "{good}: most are events still");
        for (what, event) in events.iter().filter(|(what, _)| what.contains("everything")) {
            assert!(serde_json::from_str::<GatewayEvent>(event).is_ok(), "{what}: {event}");
        }
        is_unmarked("", "nothing");
        for text in ["x qzxmark", "QZXMARK", "078-05-1120", ALICE, "550E8400e29b41d4a716446655440000"] {
            assert!(std::panic::catch_unwind(|| is_unmarked("", text)).is_err(), "{text}");
        }
    }
}
