//! Tests: what the API's document says about this function.

use common::models::{ProductId, ProductPrice, UserId};
use common::testing::ALICE;
use common::testing::openapi::{Document, Parameter};

#[test]
fn the_document_says_what_the_models_say() {
    let mut document = Document::of("price-fetcher");
    let parameters = vec![
        Parameter {
            place: "query",
            name: "id",
            about: "Which product.",
            example: "PROD-101",
            schema: document.schema::<ProductId>(),
        },
        Parameter {
            place: "query",
            name: "userId",
            about: "Who asks; it is recorded.",
            example: ALICE,
            schema: document.schema::<UserId>(),
        },
    ];
    document.get::<ProductPrice>("/price", "price", "The price of a product", parameters);
    document.is_checked_in();
}
