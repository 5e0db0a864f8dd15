//! A function's answer as people read it: status, headers, and the body set in. Every token stays as the function wrote it,
//! since 99.90 read and written once more would be 99.9.

use reqwest::StatusCode;
use serde_json::{Map, Value};

/// The answer of a function: that for a gateway in its parts, any other JSON set in, and what is no JSON as it is.
#[must_use]
pub fn answer(payload: &str) -> String {
    let answer = match serde_json::from_str(payload) {
        Ok(Value::Object(answer)) => answer,
        Ok(_) => return indented(payload),
        Err(_) => return payload.to_owned(),
    };
    let status = answer.get("statusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let Some(status) = status else { return indented(payload) };
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut text = format!("{status} {}", reason.unwrap_or_default()).trim_end().to_owned();
    for (name, value) in headers(&answer) {
        text.push_str(&format!("\n{name}: {value}"));
    }
    let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    if !body.is_empty() {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
        text.push_str(&format!("\n\n{}", if is_json { indented(body) } else { body.to_owned() }));
    }
    text
}

/// Every header with each of its values.
fn headers(answer: &Map<String, Value>) -> Vec<(&str, String)> {
    let texts = |value: &Value| match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => vec![text(value)],
    };
    let all = ["headers", "multiValueHeaders"].into_iter().filter_map(|key| answer.get(key)?.as_object()).flatten();
    all.flat_map(|(name, value)| texts(value).into_iter().map(move |value| (name.as_str(), value))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Valid JSON with a line for each member, two spaces per level.
fn indented(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let mut signs = json.chars().peekable();
    while let Some(sign) = signs.next() {
        if in_string {
            text.push(sign);
            in_string = escaped || sign != '"';
            escaped = !escaped && sign == '\\';
            continue;
        }
        match sign {
            '{' | '[' => {
                text.push(sign);
                while signs.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = signs.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(end);
                } else {
                    depth += 1;
                    line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut text, depth);
                text.push(sign);
            }
            ',' => {
                text.push(sign);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            sign if sign.is_ascii_whitespace() => {}
            sign => {
                in_string = sign == '"';
                text.push(sign);
            }
        }
    }
    text
}

fn line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_answer_for_a_gateway_is_shown_in_its_parts() {
        let payload = r#"{"statusCode":200,"headers":{"content-type":"application/json"},"multiValueHeaders":{"a":["1","2"]},
            "body":"{\"price\":99.90,\"none\":[],\"of\":{\"a\\\"{,\":[1,2]}}","isBase64Encoded":false}"#;
        let expected = "200 OK\ncontent-type: application/json\na: 1\na: 2\n\n{\n  \"price\": 99.90,\n  \"none\": [],\n  \
                        \"of\": {\n    \"a\\\"{,\": [\n      1,\n      2\n    ]\n  }\n}";
        assert_eq!(answer(payload), expected);
        assert_eq!(answer(r#"{"statusCode":204}"#), "204 No Content");
        assert_eq!(answer(r#"{"statusCode":299,"body":"plain"}"#), "299\n\nplain");
    }

    #[test]
    fn any_other_answer_is_set_in_and_what_is_no_json_stays() {
        assert_eq!(answer(r#"{"n":1e2, "b" : [ ]}"#), "{\n  \"n\": 1e2,\n  \"b\": []\n}");
        assert_eq!(answer("\"text\""), "\"text\"");
        assert_eq!(answer("no JSON, {"), "no JSON, {");
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
            "[\"\\\\{}\\[\\],: \n]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_says_the_same_and_looks_as_people_know_it(value in json()) {
            prop_assert_eq!(indented(&value.to_string()), serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
