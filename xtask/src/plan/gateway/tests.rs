//! Calls as events, and answers as replies.

use super::*;

fn call(query: &str, headers: &[(&str, &str)], body: &[u8]) -> Call {
    Call {
        method: "POST".to_owned(),
        path: "/config/a b".to_owned(),
        query: query.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.to_vec(),
        source_ip: "127.0.0.1".to_owned(),
    }
}

fn made(form: EventForm, call: &Call) -> Value {
    let parameters = Texts::from([("key".to_owned(), "a b".to_owned())]);
    let gateway = Gateway {
        domain: "127.0.0.1:3000",
        resource: "/config/{key}",
        route: "POST /config/{key}",
        parameters: &parameters,
        request_id: "r-1",
        time: "2026-01-23T12:00:00Z".parse().unwrap(),
    };
    event(form, call, &gateway)
}

const HEADERS: [(&str, &str); 5] = [
    ("accept", "text/html"),
    ("accept", "text/plain"),
    ("cookie", "a=1; b=2"),
    ("content-type", "application/json; charset=utf-8"),
    ("user-agent", "curl/8"),
];

#[test]
fn a_rest_api_tells_lists_and_the_last_of_each() {
    let event = made(EventForm::V1, &call("id=1&id=2&x=%41", &HEADERS, b"{}"));
    assert_eq!(event["multiValueQueryStringParameters"], json!({ "id": ["1", "2"], "x": ["A"] }));
    assert_eq!(event["queryStringParameters"], json!({ "id": "2", "x": "A" }));
    assert_eq!(
        (&event["headers"]["accept"], &event["multiValueHeaders"]["accept"]),
        (&json!("text/plain"), &json!(["text/html", "text/plain"]))
    );
    assert_eq!((&event["resource"], &event["pathParameters"]["key"]), (&json!("/config/{key}"), &json!("a b")));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));
    assert_eq!(event["requestContext"]["requestTime"], "23/Jan/2026:12:00:00 +0000");
    let bare = made(EventForm::V1, &call("", &[], b""));
    assert_eq!((&bare["queryStringParameters"], &bare["body"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_http_api_joins_them_and_tells_cookies_apart() {
    let event = made(EventForm::V2, &call("id=1&id=2", &HEADERS, b"{}"));
    assert_eq!(
        (&event["rawQueryString"], &event["queryStringParameters"]),
        (&json!("id=1&id=2"), &json!({ "id": "1,2" }))
    );
    assert_eq!(event["headers"]["accept"], "text/html,text/plain");
    assert_eq!((&event["headers"]["cookie"], &event["cookies"]), (&Value::Null, &json!(["a=1", "b=2"])));
    assert_eq!(event["routeKey"], "POST /config/{key}");
    let bare = made(EventForm::V2, &call("", &[], b""));
    assert!(["queryStringParameters", "cookies", "body"].iter().all(|name| bare.get(name).is_none()), "{bare}");
}

#[test]
fn a_body_that_is_no_text_goes_in_base64() {
    for form in [EventForm::V1, EventForm::V2] {
        let of = |kind: &str, body: &[u8]| {
            let event = made(form, &call("", &[("content-type", kind)], body));
            (event["body"].as_str().unwrap().to_owned(), event["isBase64Encoded"] == true)
        };
        assert_eq!(of("image/png", b"\x89PNG"), ("iVBORw==".to_owned(), true));
        assert_eq!(of("image/png", b"text"), ("dGV4dA==".to_owned(), true));
        assert_eq!(of("text/plain", b"\xff"), ("/w==".to_owned(), true));
        assert_eq!(of("application/problem+json", b"{}"), ("{}".to_owned(), false));
    }
}

fn text(reply: &Reply) -> String {
    let headers: Vec<_> = reply.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{} [{}] {}", reply.status, headers.join("; "), String::from_utf8_lossy(&reply.body))
}

#[test]
fn answers_become_replies_as_each_gateway_does_it() {
    let of = |form, payload: &str| text(&answered(form, payload.as_bytes()));
    let both = r#"{"statusCode":201,"headers":{"X-A":"1","Content-Type":"text/html"},"body":"hi"}"#;
    for form in [EventForm::V1, EventForm::V2] {
        assert_eq!(of(form, both), "201 [content-type: text/html; x-a: 1] hi");
        assert_eq!(of(form, r#"{"statusCode":"204"}"#).get(..3), Some("204"));
        let binary = answered(form, br#"{"statusCode":200,"body":"iVBORw==","isBase64Encoded":true}"#);
        assert_eq!(binary.body, b"\x89PNG");
        for wrong in [r#"{"statusCode":99}"#, r#"{"statusCode":200,"body":"!","isBase64Encoded":true}"#, "nothing"] {
            assert_eq!(answered(form, wrong.as_bytes()), failed(form), "{wrong}");
        }
    }
    let lists = r#"{"statusCode":200,"headers":{"x-a":"0"},"multiValueHeaders":{"X-A":["1","2"]}}"#;
    assert_eq!(of(EventForm::V1, lists), "200 [x-a: 1; x-a: 2; content-type: application/json] ");
    let cookies = r#"{"statusCode":200,"cookies":["a=1","b=2"]}"#;
    assert_eq!(
        of(EventForm::V2, cookies),
        "200 [set-cookie: a=1; set-cookie: b=2; content-type: text/plain; charset=utf-8] "
    );
    // What has no status is a body to an HTTP API, and malformed to a REST API.
    assert_eq!(of(EventForm::V2, r#"{"price":1}"#), r#"200 [content-type: application/json] {"price":1}"#);
    assert_eq!(
        of(EventForm::V1, r#"{"price":1}"#),
        r#"502 [content-type: application/json] {"message":"Internal server error"}"#
    );
    assert_eq!(answered(EventForm::V1, br#"{"statusCode":200,"body":{}}"#), failed(EventForm::V1));
}

#[test]
fn the_gateways_own_words_differ() {
    let said = |reply: Reply| text(&reply).replace("[content-type: application/json] ", "");
    let both = |of: fn(EventForm) -> Reply| [EventForm::V1, EventForm::V2].map(|form| said(of(form)));
    assert_eq!(both(unknown), [r#"403 {"message":"Missing Authentication Token"}"#, r#"404 {"message":"Not Found"}"#]);
    assert_eq!(
        both(failed),
        [r#"502 {"message":"Internal server error"}"#, r#"500 {"message":"Internal Server Error"}"#]
    );
    assert_eq!(
        both(timed_out),
        [r#"504 {"message":"Endpoint request timed out"}"#, r#"503 {"message":"Service Unavailable"}"#]
    );
    assert_eq!(
        both(refused),
        [r#"413 {"message":"Request Too Long"}"#, r#"413 {"message":"Request Entity Too Large"}"#]
    );
}
