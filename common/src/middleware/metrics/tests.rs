//! What is written for each kind of ending, against the rules of the published JSON schema of the format.

use serde_json::{Map, Value, json};
use std::time::Duration;
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::testing::{FixedClock, Recorder, block_on, request};

/// What breaks the schema in the specification's section "Embedded metric format JSON schema".
fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned())
        }
    };
    let text = |value: &Value, most: usize| value.as_str().is_some_and(|text| (1..=most).contains(&text.len()));
    let units = ["Seconds", "Microseconds", "Milliseconds", "Bytes", "Percent", "Count", "None"];
    let aws = &document["_aws"];
    must(aws["Timestamp"].is_u64(), "Timestamp is an integer");
    let directives = aws["CloudWatchMetrics"].as_array().cloned().unwrap_or_default();
    must(!directives.is_empty(), "there is a directive");
    for directive in &directives {
        let keys: Vec<_> = directive.as_object().unwrap().keys().map(String::as_str).collect();
        must(keys == ["Dimensions", "Metrics", "Namespace"], "a directive has its three members and no others");
        must(text(&directive["Namespace"], 1024), "a namespace of 1 to 1024 characters");
        let sets = directive["Dimensions"].as_array().cloned().unwrap_or_default();
        must(!sets.is_empty(), "there is a set of dimensions");
        for set in &sets {
            let set = set.as_array().cloned().unwrap_or_default();
            must(set.len() <= 30, "a set has 30 dimensions at most");
            for name in &set {
                must(text(name, 250), "a dimension's name of 1 to 250 characters");
                must(text(&document[name.as_str().unwrap()], 1024), "a dimension's value is a text at the root");
            }
        }
        let metrics = directive["Metrics"].as_array().cloned().unwrap_or_default();
        must((1..=100).contains(&metrics.len()), "a directive has 100 metrics at most");
        for metric in &metrics {
            must(text(&metric["Name"], 1024), "a metric's name of 1 to 1024 characters");
            must(units.contains(&metric["Unit"].as_str().unwrap_or("None")), "a unit that there is");
            must(document[metric["Name"].as_str().unwrap()].is_number(), "a metric's value is a number at the root");
        }
    }
    faults
}

/// The document for a handler that does this, twice in one process.
fn written<F>(does: impl Fn(Invocation) -> F + Clone + Send + 'static) -> [Value; 2]
where
    F: Future<Output = Result<ApiResponse, ApiError>> + Send + 'static,
{
    let recorder = Recorder::default();
    let process = recorder.process();
    let layer = MetricsLayer {
        function: process.function,
        environment: process.environment,
        clock: Arc::new(FixedClock),
        sink: process.sink,
    };
    let service = layer.layer(service_fn(move |request: ApiRequest| does(request.invocation)));
    for _ in 0..2 {
        drop(block_on(service.clone().oneshot(request("GET", &[]))));
    }
    let lines: Vec<Value> = recorder.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        assert_eq!(faults(line), [""; 0], "{line}");
    }
    lines.try_into().unwrap()
}

fn without_aws(mut document: Value) -> Map<String, Value> {
    document.as_object_mut().unwrap().remove("_aws");
    document.as_object().unwrap().clone()
}

#[test]
fn an_answer_is_counted_and_measured() {
    let [first, second] = written(|invocation| async move {
        invocation.measures.note(|taken| {
            taken.store = Some(Duration::from_micros(1_500));
            taken.audit = Some(Duration::from_millis(2));
            taken.found = true;
        });
        ApiResponse::ok(&"fine")
    });
    let directive = &first["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(first["_aws"]["Timestamp"], 1_769_169_600_000_u64);
    assert_eq!(
        (&directive["Namespace"], &directive["Dimensions"]),
        (&json!("Functions"), &json!([["Function", "Environment"]]))
    );
    assert_eq!(first["_aws"]["CloudWatchMetrics"].as_array().unwrap().len(), 1);
    let expected = json!({ "Function": "under-test", "Environment": "dev", "requestId": "r-1", "Requests": 1.0, "Found": 1.0,
        "Faults": 0.0, "ColdStarts": 1.0, "Latency": 0.0, "StoreLatency": 1.5, "AuditLatency": 2.0 });
    assert_eq!(Value::Object(without_aws(first)), expected);
    assert_eq!(second["ColdStarts"], 0.0);
}

#[test]
fn an_error_is_counted_by_its_code_and_by_nothing_of_the_user() {
    let [refused, _] = written(|_| async { Err(ApiError::NotFound("the product")) });
    let errors = &refused["_aws"]["CloudWatchMetrics"][1];
    assert_eq!(errors["Dimensions"], json!([["Function", "Environment", "Code"]]));
    assert_eq!(errors["Metrics"], json!([{ "Name": "Errors", "Unit": "Count" }]));
    assert_eq!(
        (&refused["Code"], &refused["Errors"], &refused["Faults"]),
        (&json!("NOT_FOUND"), &json!(1.0), &json!(0.0))
    );
    // What was not done was not measured.
    assert!(refused.get("StoreLatency").is_none() && refused.get("AuditLatency").is_none());
    let [failed, _] = written(|_| async { Err(ApiError::Internal("x".into())) });
    assert_eq!((&failed["Code"], &failed["Faults"]), (&json!("INTERNAL"), &json!(1.0)));
}

#[test]
fn a_document_that_breaks_the_schema_is_seen() {
    let [mut good, _] = written(|_| async { ApiResponse::ok(&"fine") });
    good["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] = "Parsecs".into();
    good["Function"] = "".into();
    good["Latency"] = "1".into();
    assert_eq!(faults(&good).len(), 3, "{:?}", faults(&good));
}
