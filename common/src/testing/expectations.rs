//! What both functions must answer, whatever carries the call and whatever the stores are, as long as these begin with the seeds
//! of `dev`. One table, so that nothing is right in one place only.

use serde_json::{Value, json};

use super::ALICE;
use super::marks::event;

/// A call and its answer.
pub struct Expectation {
    /// The function.
    pub function: &'static str,
    /// The path.
    pub path: &'static str,
    /// Name and value of each query parameter.
    pub query: Vec<(&'static str, &'static str)>,
    /// What the gateway cuts out of the path.
    pub parameters: Vec<(&'static str, &'static str)>,
    /// The status.
    pub status: u16,
    /// All of a good body; of an error its `code`, and its `fields` where it names some.
    pub body: Value,
}

/// The table.
pub fn expectations() -> Vec<Expectation> {
    let price = |query: &[(&'static str, &'static str)], status, body| Expectation {
        function: "price-fetcher",
        path: "/price",
        query: query.to_vec(),
        parameters: vec![],
        status,
        body,
    };
    let config =
        |key: Option<(&'static str, &'static str)>, query: &[(&'static str, &'static str)], status, body| Expectation {
            function: "config-service",
            path: key.map_or("/config", |(path, _)| path),
            query: query.to_vec(),
            parameters: key.map(|(_, key)| ("key", key)).into_iter().collect(),
            status,
            body,
        };
    let (alice, wrong) =
        (("userId", ALICE), |fields: &[&str]| json!({ "code": "VALIDATION_FAILED", "fields": fields }));
    let absent = || json!({ "code": "NOT_FOUND", "fields": [] });
    let known = Some(("/config/currency.default", "currency.default"));
    vec![
        price(&[("id", "PROD-101"), alice], 200, json!({ "productId": "PROD-101", "price": 99.99, "currency": "USD" })),
        price(&[alice, ("id", "PROD-104")], 200, json!({ "productId": "PROD-104", "price": 1250, "currency": "JPY" })),
        price(&[("id", "PROD-999"), alice], 404, absent()),
        price(&[("id", "prod-101"), alice], 404, absent()),
        price(&[], 400, wrong(&["id", "userId"])),
        price(&[("id", "PROD-101")], 400, wrong(&["userId"])),
        price(&[("id", ""), alice], 400, wrong(&["id"])),
        price(&[("id", "PROD-101"), ("userId", "Alice")], 400, wrong(&["userId"])),
        price(&[("id", "PROD-101"), ("id", "PROD-101"), alice], 400, wrong(&["id"])),
        price(&[("id", "PROD-101"), alice, ("debug", "1")], 400, wrong(&["*"])),
        config(known, &[alice], 200, json!({ "environment": "dev", "key": "currency.default", "value": "USD" })),
        config(
            None,
            &[alice],
            200,
            json!({ "environment": "dev", "configuration": { "currency.default": "USD", "feature.bulk-lookup": "true",
                "logging.level": "info", "request.timeout-seconds": "30" } }),
        ),
        config(Some(("/config/nothing", "nothing")), &[alice], 404, absent()),
        config(Some(("/config/a*b", "a*b")), &[alice], 400, wrong(&["key"])),
        config(known, &[], 400, wrong(&["userId"])),
        config(None, &[("user", ALICE)], 400, wrong(&["*", "userId"])),
    ]
}

impl Expectation {
    /// The call as an event of each form, REST (1.0) and HTTP (2.0).
    pub fn events(&self) -> [String; 2] {
        event(self.path, &self.query, &self.parameters).map(|event| event.to_string())
    }

    /// Stops the test if this is another answer.
    pub fn is_met(&self, how: &str, status: u16, body: &str) {
        let Self { function, path, query, .. } = self;
        let told: Value = serde_json::from_str(body).unwrap();
        let fields = told["error"]["fields"].as_array().into_iter().flatten().map(|fault| &fault["field"]);
        let error = json!({ "code": told["error"]["code"], "fields": fields.collect::<Vec<_>>() });
        let told = if told.get("error").is_some() { error } else { told };
        assert_eq!((status, &told), (self.status, &self.body), "{how}: {function} {path} {query:?}");
    }
}
