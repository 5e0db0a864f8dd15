//! The id of a product.

use std::fmt;
use std::str::FromStr;

use garde::Validate;
use serde::Serialize;

use super::shape::{Shape, kept};
use crate::constants::PRODUCT_ID_MAX;

/// A product's id: 1 to [`PRODUCT_ID_MAX`] ASCII letters, digits and dashes, the first one no dash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Validate)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
#[serde(transparent)]
#[garde(transparent)]
pub struct ProductId(#[garde(length(min = 1, max = PRODUCT_ID_MAX), pattern(SHAPE))] String);

/// The text is not a product id. It does not repeat the text, which may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {PRODUCT_ID_MAX} letters, digits and dashes, starting with a letter or digit")]
pub struct InvalidProductId;

pub(super) const SHAPE: Shape = Shape {
    pattern: "^[A-Za-z0-9][A-Za-z0-9-]*$",
    holds: |text| {
        text.first().is_some_and(u8::is_ascii_alphanumeric)
            && text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    },
};

impl ProductId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProductId {
    type Err = InvalidProductId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        kept(Self(text.to_owned()), InvalidProductId)
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_and_alphabet_hold() {
        for good in ["PROD-101", "a", "0", "A-", &"x".repeat(PRODUCT_ID_MAX)] {
            assert_eq!(good.parse::<ProductId>().unwrap().as_str(), good);
        }
        for bad in ["", "-", "-A", "A B", "A_B", "PRÖD", "A\0", "A\n", "A%2D", "'; --", &"x".repeat(PRODUCT_ID_MAX + 1)]
        {
            assert_eq!(bad.parse::<ProductId>(), Err(InvalidProductId), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn accepts_exactly_its_own_grammar(text in "[A-Za-z0-9-]{0,70}|\\PC{0,70}") {
            let expected = (1..=PRODUCT_ID_MAX).contains(&text.chars().count())
                && text.chars().all(|c| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-'))
                && !text.starts_with('-');
            prop_assert_eq!(text.parse::<ProductId>().is_ok(), expected);
        }
    }
}
