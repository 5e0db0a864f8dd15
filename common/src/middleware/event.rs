//! The gateway's event, reduced to what a handler may see.
//!
//! Events are read by `lambda_http`, but its next step, the conversion to an `http::Request`, is not taken: it unwraps a
//! URL that it builds from the Host header and the path, so that one odd header would be a panic. What nothing here reads
//! (cookies, body, authorizer, who called from where: the places where personal data travels) is dropped here.

use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::http::{HeaderMap, Method};
use lambda_http::request::LambdaRequest;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::types::{Sent, Unchecked};

/// An API Gateway event, REST (v1) or HTTP (v2).
#[derive(Debug)]
pub struct GatewayEvent {
    /// The HTTP method.
    pub method: Method,
    /// The path without the stage; empty if the event has none.
    pub path: Unchecked,
    /// What the gateway cut out of the path.
    pub path_parameters: Sent,
    /// Every query parameter with all its values, decoded.
    pub query: Sent,
    /// Every header field with all its values; none if HTTP would not allow one of them.
    pub headers: Sent,
    /// The gateway's request id.
    pub request_id: Option<Unchecked>,
}

impl<'de> Deserialize<'de> for GatewayEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let request = serde_json::from_str(raw.get()).ok();
        let request = request.or_else(|| serde_json::from_value(normalised(raw.get(), &[])?).ok());
        let request = request.or_else(|| serde_json::from_value(normalised(raw.get(), &REFUSED)?).ok());
        // Serde's own texts quote the value that they do not like; this one goes to logs and must not.
        let error = || D::Error::custom("the event is not from an API Gateway REST or HTTP API");
        request.and_then(Self::from_request).ok_or_else(error)
    }
}

/// What a client can make `lambda_http` refuse, and an answer does not need.
const REFUSED: [&str; 4] = ["headers", "multiValueHeaders", "cookies", "body"];

/// An event that `lambda_http` refused, in a form that it may take, and without some of it.
///
/// API Gateway repeats the method inside `requestContext` and `lambda_http` insists on it, but events written by hand
/// (the handbook's minimal one) have it on top only. It also refuses headers that HTTP does not allow, and a client must not
/// be able to turn an answer into a failed invocation.
fn normalised(raw: &str, without: &[&str]) -> Option<Value> {
    let mut event: Map<String, Value> = serde_json::from_str(raw).ok()?;
    event.retain(|name, _| !without.contains(&name.as_str()));
    if let Some(method) = event.get("httpMethod").cloned() {
        let context = event.entry("requestContext").or_insert_with(|| json!({}));
        if let Value::Object(context) = context {
            context.entry("httpMethod").or_insert(method);
        }
    }
    Some(Value::Object(event))
}

impl GatewayEvent {
    fn from_request(request: LambdaRequest) -> Option<Self> {
        match request {
            LambdaRequest::ApiGatewayV1(event) => {
                let (many, single) = (event.multi_value_query_string_parameters, event.query_string_parameters);
                let headers =
                    if event.multi_value_headers.is_empty() { event.headers } else { event.multi_value_headers };
                Some(Self {
                    method: event.http_method,
                    path: Unchecked::new(event.path.unwrap_or_default()),
                    path_parameters: event.path_parameters.into_iter().collect(),
                    // The single form keeps only the last of several values, so a duplicate shows in the other one.
                    query: collect(if many.is_empty() { &single } else { &many }),
                    headers: fields(&headers),
                    request_id: event.request_context.request_id.map(Unchecked::new),
                })
            }
            LambdaRequest::ApiGatewayV2(event) => {
                let raw_query = event.raw_query_string.filter(|raw| !raw.is_empty());
                // The raw form comes first: the other one joins several values with a comma.
                let query = raw_query.map_or(event.query_string_parameters, |raw| match raw.parse() {
                    Ok(query) => query,
                    Err(never) => match never {},
                });
                Some(Self {
                    method: event.request_context.http.method,
                    path: without_stage(event.raw_path.unwrap_or_default(), event.request_context.stage.as_deref()),
                    path_parameters: event.path_parameters.into_iter().collect(),
                    query: collect(&query),
                    headers: fields(&event.headers),
                    request_id: event.request_context.request_id.map(Unchecked::new),
                })
            }
            _ => None,
        }
    }
}

/// HTTP APIs put a named stage in front of the path.
fn without_stage(whole: String, stage: Option<&str>) -> Unchecked {
    let rest = stage.and_then(|stage| whole.strip_prefix('/')?.strip_prefix(stage));
    Unchecked::new(rest.filter(|rest| rest.starts_with('/')).map(str::to_owned).unwrap_or(whole))
}

fn collect(query: &QueryMap) -> Sent {
    query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn fields(headers: &HeaderMap) -> Sent {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ALICE, event_file};

    /// The values of a query parameter.
    fn values(event: &GatewayEvent, name: &str) -> Vec<String> {
        event.query.values(name).iter().map(|value| value.check().unwrap()).collect()
    }

    fn read(event: &Value) -> GatewayEvent {
        serde_json::from_value(event.clone()).unwrap()
    }

    fn v2(raw_query: &str) -> GatewayEvent {
        let mut event: Value = serde_json::from_str(&event_file("price-event-v2.json")).unwrap();
        event["rawQueryString"] = raw_query.into();
        read(&event)
    }

    #[test]
    fn the_handbooks_minimal_event_and_both_full_forms_read_alike() {
        for (name, id) in [("price-event.json", "local-test-id"), ("price-event-v2.json", "local-test-id-v2")] {
            let event: GatewayEvent = serde_json::from_str(&event_file(name)).unwrap();
            assert_eq!(event.method, Method::GET, "{name}");
            assert_eq!(values(&event, "id"), ["PROD-101"], "{name}");
            assert_eq!(values(&event, "userId"), [ALICE], "{name}");
            assert_eq!(event.request_id, Some(Unchecked::new(id.into())), "{name}");
        }
    }

    #[test]
    fn v1_duplicates_show() {
        let event = read(&json!({
            "httpMethod": "GET", "requestContext": {"httpMethod": "GET"}, "headers": null,
            "queryStringParameters": {"id": "b"}, "multiValueQueryStringParameters": {"id": ["a", "b"]},
        }));
        assert_eq!(values(&event, "id"), ["a", "b"]);
    }

    #[test]
    fn v2_duplicates_show_and_values_are_decoded() {
        assert_eq!(values(&v2("id=a&id=b"), "id"), ["a", "b"]);
        assert_eq!(values(&v2("id=PROD%20%C3%84+1&x=%ff%zz"), "id"), ["PROD Ä 1"]);
        assert_eq!(values(&v2(&"a=1&".repeat(40_000)), "a").len(), 40_000);
    }

    #[test]
    fn odd_headers_hosts_and_paths_do_no_harm() {
        for host in ["[", "a b", "ex ample\u{7f}", "hé.example", ""] {
            let event = read(&json!({
                "httpMethod": "GET", "path": "/pri ce/ü\u{0}", "headers": {"Host": host, "bad name": "\n"},
                "requestContext": {"httpMethod": "GET", "domainName": host}, "queryStringParameters": {"id": "x"},
            }));
            assert_eq!(values(&event, "id"), ["x"], "{host:?}");
        }
    }

    #[test]
    fn the_stage_is_cut_off_whole_segments_only() {
        let without_stage = |path: String, stage| without_stage(path, stage).check::<String>().unwrap();
        assert_eq!(without_stage("/dev/config".into(), Some("dev")), "/config");
        assert_eq!(without_stage("/device/config".into(), Some("dev")), "/device/config");
        assert_eq!(without_stage("/config".into(), Some("$default")), "/config");
        assert_eq!(without_stage("config".into(), None), "config");
    }

    #[test]
    fn what_is_no_gateway_event_is_an_error_not_a_panic() {
        for event in ["null", "[]", "{}", "7", r#"{"Records":[]}"#, r#"{"httpMethod":7}"#, r#"{"httpMethod":"G T"}"#] {
            assert!(serde_json::from_str::<GatewayEvent>(event).is_err(), "{event}");
        }
        assert!(serde_json::from_str::<GatewayEvent>(r#"{"httpMethod":"GET","requestContext":7}"#).is_err());
    }

    #[test]
    fn an_unreadable_event_is_not_quoted() {
        for event in [json!(ALICE), json!({"httpMethod": "GET", "queryStringParameters": ALICE})] {
            let error = serde_json::from_value::<GatewayEvent>(event).err().unwrap().to_string();
            assert!(error.contains("API Gateway") && !error.contains("550e"), "{error}");
        }
    }
}
