//! The API's document, `docs/openapi.json`: every function writes its own operations into it, out of the models that it answers
//! with, and a test of its own compares. `UPDATE_GOLDEN=1` renews what is the function's.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::constants::header;
use crate::models::{CorrelationId, ErrorBody, ErrorCode};

/// Where it lies.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

/// Writes schemas, each once under its name.
pub struct Document {
    function: &'static str,
    generator: SchemaGenerator,
    paths: Map<String, Value>,
}

/// A parameter of an operation; every one is required.
pub struct Parameter {
    /// `query` or `path`.
    pub place: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is, for people.
    pub about: &'static str,
    /// One that works with the seeds.
    pub example: &'static str,
    /// Its schema.
    pub schema: Value,
}

impl Document {
    /// The part of `function`.
    pub fn of(function: &'static str) -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self { function, generator: settings.into_generator(), paths: Map::new() }
    }

    /// How a type looks.
    pub fn schema<T: JsonSchema>(&mut self) -> Value {
        self.generator.subschema_for::<T>().to_value()
    }

    /// `GET path`, which answers with an `A`.
    pub fn get<A: JsonSchema>(&mut self, path: &str, id: &str, summary: &str, parameters: Vec<Parameter>) {
        let parameters = parameters.into_iter().map(|Parameter { place, name, about, example, schema }| {
            json!({ "in": place, "name": name, "required": true, "description": about, "example": example, "schema": schema })
        });
        let parameters: Vec<Value> = parameters.collect();
        let mut answers = Map::new();
        let body = self.schema::<A>();
        answers.insert("200".to_owned(), self.answer("What was asked for; the lookup is on record.", &body, &[]));
        for status in [400, 404, 405, 500, 503] {
            answers.insert(status.to_string(), self.error(status));
        }
        for (status, about) in [
            (413, "The gateway does not take a call of this size."),
            (502, "A REST API whose function failed."),
            (504, "A REST API whose function did not answer in time."),
        ] {
            let content = json!({ "application/json": { "schema": gateway() } });
            answers.insert(status.to_string(), json!({ "description": about, "content": content }));
        }
        let operation = json!({ "operationId": id, "summary": summary, "tags": [self.function], "parameters": parameters,
            "responses": answers });
        self.paths.insert(path.to_owned(), json!({ "get": operation }));
    }

    /// The answers of a status: the function's with each of its codes, or the gateway's own where it answers itself.
    fn error(&mut self, status: u16) -> Value {
        let codes: Vec<&str> =
            ErrorCode::ALL.iter().filter(|code| code.status() == status).map(|code| code.as_str()).collect();
        let about = match status {
            400 => "A parameter is missing, comes twice, is not as it must be, or is none of these.",
            404 => "It does not exist, or no route leads there.",
            405 => "Another method than GET, where a route leads it here.",
            500 => "A defect here or in the data; a retry does not help.",
            _ => {
                "The data cannot be read now, or the lookup cannot be recorded and so is not answered; a retry may help."
            }
        };
        let body = self.schema::<ErrorBody>();
        let code = json!({ "properties": { "error": { "properties": { "code": { "enum": codes } } } } });
        let own = json!({ "allOf": [body, code] });
        let schema = if [404, 500, 503].contains(&status) { json!({ "anyOf": [own, gateway()] }) } else { own };
        let more: &[(&str, Value)] = &[("allow", json!({ "const": "GET" }))];
        // What the gateway answers itself has none of the headers.
        self.answer(about, &schema, if status == 405 { more } else { &[] })
    }

    fn answer(&mut self, about: &str, schema: &Value, more: &[(&str, Value)]) -> Value {
        let correlation = self.schema::<CorrelationIdOrRequestId>();
        let mut headers = Map::new();
        let mut put = |name: &str, about: &str, schema: &Value| {
            headers.insert(name.to_owned(), json!({ "description": about, "schema": schema }));
        };
        put(header::CORRELATION_ID, "The client's own, or the id of the request.", &correlation);
        put(
            "cache-control",
            "An answer out of a cache would be a lookup that nobody audited.",
            &json!({ "const": "no-store" }),
        );
        for (name, schema) in more {
            put(name, "What is answered.", schema);
        }
        json!({ "description": about, "headers": headers, "content": { "application/json": { "schema": schema } } })
    }

    /// Compares the document with what it has to be as far as this function goes, or writes it.
    ///
    /// # Panics
    /// If they differ; the remedy is told.
    pub fn is_checked_in(mut self) {
        let mut schemas = self.generator.take_definitions(true);
        let message = json!({ "type": "object", "description": "An answer of the gateway itself.", "required": ["message"],
            "properties": { "message": { "type": "string" } }, "additionalProperties": false });
        schemas.insert("GatewayMessage".to_owned(), message);
        let there = std::fs::read_to_string(DOCUMENT).unwrap_or_default();
        let mut document: Value = serde_json::from_str(&there).unwrap_or_else(|_| json!({}));
        let frame = json!({ "openapi": "3.1.0", "info": { "title": "Prices and configuration", "version": "1",
            "description": "Every lookup is on record before it is answered. The header `x-correlation-id` may give the client's \
                own id of a call, a UUID, a ULID or 32 hexadecimal digits, which comes back with the answer.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" } },
            "servers": [{ "url": "http://127.0.0.1:3000", "description": "cargo xtask serve" }] });
        for (name, value) in frame.as_object().into_iter().flatten() {
            document[name] = value.clone();
        }
        let mut paths = std::mem::take(&mut self.paths);
        let others = document["paths"].as_object().cloned().unwrap_or_default();
        paths.extend(others.into_iter().filter(|(_, path)| path["get"]["tags"] != json!([self.function])));
        document["paths"] = paths.into();
        let mut known = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
        known.extend(schemas);
        // What nobody names any more goes.
        let text = document["paths"].to_string() + &Value::Object(known.clone()).to_string();
        known.retain(|name, _| text.contains(&format!("\"#/components/schemas/{name}\"")));
        document["components"] = json!({ "schemas": known });
        let wanted = serde_json::to_string_pretty(&document).unwrap() + "\n";
        if updates() {
            std::fs::write(DOCUMENT, wanted).unwrap();
            return;
        }
        let remedy = format!("UPDATE_GOLDEN=1 cargo test -p {} openapi", self.function);
        assert!(
            there == wanted,
            "docs/openapi.json is not what the models say: renew it with `{remedy}`, and read what changed"
        );
    }
}

/// What goes back to the client in any case.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "it is for its schema only")]
enum CorrelationIdOrRequestId {
    Sent(CorrelationId),
    Made(crate::models::RequestId),
}

fn gateway() -> Value {
    json!({ "$ref": "#/components/schemas/GatewayMessage" })
}

#[expect(clippy::disallowed_methods, reason = "the variable of a test run, which no code that ships reads")]
fn updates() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn the_document_is_whole_and_its_paths_are_routes() {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(DOCUMENT).unwrap()).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
        let routes = include_str!("../../../release.toml");
        for (path, operations) in document["paths"].as_object().unwrap() {
            let function = operations["get"]["tags"][0].as_str().unwrap();
            assert!(routes.contains(&format!("\"GET {path}\" = \"{function}\"")), "{path}");
        }
        let text = document.to_string();
        for code in ErrorCode::ALL {
            assert!(text.contains(code.as_str()), "{code:?}");
        }
    }
}
