//! A price: an exact decimal amount in a currency, never a float.

use std::fmt;
use std::str::FromStr;

use garde::Validate;
use rust_decimal::Decimal;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::shape::{Shape, kept};
use crate::models::ProductId;

/// An amount with the scale that the store gave it: `99.90` stays `99.90`.
///
/// Serialises to a JSON number with exactly those digits. It goes through a raw value because serde_json's own numbers
/// are floats, and its `arbitrary_precision` would change every crate that is built with this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Validate)]
#[garde(transparent)]
pub struct Price(#[garde(custom(not_negative))] Decimal);

/// An ISO 4217 code: three upper-case letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Validate)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
#[serde(transparent)]
#[garde(transparent)]
pub struct Currency(#[garde(length(equal = 3), pattern(CURRENCY))] String);

/// The price of a product: what every store gives, and what is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Validate)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProductPrice {
    /// Which product.
    #[garde(dive)]
    pub product_id: ProductId,
    /// How much.
    #[garde(dive)]
    pub price: Price,
    /// Of what.
    #[garde(dive)]
    pub currency: Currency,
}

/// The text is no price, or no currency.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidPrice {
    /// It is not a decimal number, or one with more digits than can be held exactly.
    #[error("the amount is not an exact decimal number")]
    Amount(#[source] rust_decimal::Error),
    /// Below zero.
    #[error("the amount is negative")]
    Negative,
    /// Not three upper-case letters.
    #[error("the currency is not three upper-case letters")]
    Currency,
}

pub(super) const CURRENCY: Shape = Shape { pattern: "^[A-Z]*$", holds: |text| text.iter().all(u8::is_ascii_uppercase) };

impl ProductPrice {
    /// From a row of a store.
    ///
    /// # Errors
    /// What is wrong with the row, without its values.
    pub fn read(product: &ProductId, price: &str, currency: &str) -> Result<Self, InvalidPrice> {
        Ok(Self { product_id: product.clone(), price: price.parse()?, currency: currency.parse()? })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde's form")]
fn not_negative(amount: &Decimal, (): &()) -> garde::Result {
    if amount.is_sign_negative() { Err(garde::Error::new("is negative")) } else { Ok(()) }
}

impl FromStr for Price {
    type Err = InvalidPrice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The exact form refuses what the lenient one would round in silence.
        let amount = Decimal::from_str_exact(text).map_err(InvalidPrice::Amount)?;
        kept(Self(amount), InvalidPrice::Negative)
    }
}

impl FromStr for Currency {
    type Err = InvalidPrice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        kept(Self(text.to_owned()), InvalidPrice::Currency)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> String {
        serde_json::to_string(&text.parse::<Price>().unwrap()).unwrap()
    }

    #[test]
    fn digits_stay_as_they_are() {
        for text in ["99.99", "99.90", "0", "0.10", "1000000.000001", "79228162514264337593543950335"] {
            assert_eq!(json(text), text);
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for bad in ["", "abc", "1e3", "NaN", "99,99", "0.12345678901234567890123456789012345"] {
            assert!(matches!(bad.parse::<Price>(), Err(InvalidPrice::Amount(_))), "{bad:?}");
        }
        assert_eq!("-1.00".parse::<Price>(), Err(InvalidPrice::Negative));
        for bad in ["", "usd", "US", "USDX", "U$D"] {
            assert_eq!(bad.parse::<Currency>(), Err(InvalidPrice::Currency), "{bad:?}");
        }
    }

    #[test]
    fn the_body_is_the_documented_one() {
        let price = ProductPrice::read(&"PROD-101".parse().unwrap(), "99.90", "USD").unwrap();
        assert_eq!(
            serde_json::to_string(&price).unwrap(),
            r#"{"productId":"PROD-101","price":99.90,"currency":"USD"}"#
        );
        assert!(price.validate().is_ok());
    }

    proptest! {
        #[test]
        fn every_amount_survives_to_json(units in 0u64..10_000_000_000, cents in 0u32..100) {
            let text = format!("{units}.{cents:02}");
            prop_assert_eq!(json(&text), text);
        }
    }
}
