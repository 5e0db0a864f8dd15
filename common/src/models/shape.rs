//! How a text of the models has to look: one rule for the check, the words of the API's document, and whoever reads either.

use std::fmt;

use garde::Validate;
use garde::rules::AsStr;
use garde::rules::pattern::Matcher;

/// The characters that a text may have, as a regular expression for documents and as the check that it stands for.
///
/// A library of regular expressions would be a third of what ships, for classes of ASCII; a test holds both sides together.
pub(super) struct Shape {
    pub(super) pattern: &'static str,
    pub(super) holds: fn(&[u8]) -> bool,
}

impl AsStr for Shape {
    fn as_str(&self) -> &str {
        self.pattern
    }
}

impl Matcher for Shape {
    fn is_match(&self, text: &str) -> bool {
        (self.holds)(text.as_bytes())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.pattern)
    }
}

/// `value` if it keeps the rules of its type, or `error`. What garde says is left out: it may repeat the value.
pub(super) fn kept<T: Validate<Context = ()>, E>(value: T, error: E) -> Result<T, E> {
    if value.validate().is_ok() { Ok(value) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;
    use crate::models::{configuration, environment, ids, price, product_id};

    const SHAPES: [&Shape; 6] = [
        &product_id::SHAPE,
        &environment::SHAPE,
        &configuration::SHAPE,
        &price::CURRENCY,
        &ids::REQUEST,
        &ids::CORRELATION,
    ];

    fn agrees(text: &str) {
        for shape in SHAPES {
            // Neither side may take a line's end for the text's.
            let expression = Regex::new(shape.pattern).unwrap();
            assert_eq!(expression.is_match(text), shape.is_match(text), "{text:?} and {}", shape.pattern);
        }
    }

    #[test]
    fn both_sides_agree_at_their_edges() {
        let ids =
            ["550e8400-e29b-41d4-a716-446655440000", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "0af7651916cd43dd8448eb211c80319c"];
        for text in
            ids.into_iter().chain(["", "a", "-", "-a", "a-", "USD", "usd", "a\n", "\na", "ü", "A=", "1", "a_b.c"])
        {
            agrees(text);
            agrees(&text.to_uppercase());
            agrees(&format!("{text}-"));
        }
    }

    proptest! {
        #[test]
        fn both_sides_agree(text in "[A-Za-z0-9=+/_.-]{0,40}|[0-9a-f-]{30,38}|[0-9A-Z]{26}|\\PC{0,40}|[a-z\\n]{0,5}") {
            agrees(&text);
        }
    }
}
