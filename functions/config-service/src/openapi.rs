//! Tests: what the API's document says about this function.

use common::models::{Configuration, ConfigurationKey, Setting, UserId};
use common::testing::ALICE;
use common::testing::openapi::{Document, Parameter};

fn user(document: &mut Document) -> Parameter {
    Parameter {
        place: "query",
        name: "userId",
        about: "Who asks; it is recorded.",
        example: ALICE,
        schema: document.schema::<UserId>(),
    }
}

#[test]
fn the_document_says_what_the_models_say() {
    let mut document = Document::of("config-service");
    let all = vec![user(&mut document)];
    document.get::<Configuration>("/config", "configuration", "All of the environment's configuration", all);
    let key = Parameter {
        place: "path",
        name: "key",
        about: "Which key.",
        example: "currency.default",
        schema: document.schema::<ConfigurationKey>(),
    };
    let one = vec![key, user(&mut document)];
    document.get::<Setting>("/config/{key}", "setting", "One key of the environment's configuration", one);
    document.is_checked_in();
}
