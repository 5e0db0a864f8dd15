//! What goes in and what comes out: the checked request and the body of the answer.

use common::middleware::{ApiError, ApiRequest, Validation};
use common::models::{Currency, Price, ProductId, UserId};
use serde::Serialize;

/// A valid request for a price.
#[derive(Debug)]
pub(crate) struct PriceQuery {
    /// Which product.
    pub(crate) product: ProductId,
    /// Who asks.
    pub(crate) user: UserId,
}

/// The body of a 200.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PriceBody {
    /// Which product.
    pub(crate) product_id: ProductId,
    /// A JSON number with the digits of the store.
    pub(crate) price: Price,
    /// ISO 4217.
    pub(crate) currency: Currency,
}

impl TryFrom<&ApiRequest> for PriceQuery {
    type Error = ApiError;

    fn try_from(request: &ApiRequest) -> Result<Self, ApiError> {
        let mut validation = Validation::of(request, &["id", "userId"])?;
        match (validation.parameter("id"), validation.parameter("userId")) {
            (Some(product), Some(user)) if validation.is_clean() => Ok(Self { product, user }),
            _ => Err(validation.into_error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use common::testing::{ALICE, request};

    use super::*;

    #[test]
    fn a_good_request_passes_and_an_unknown_parameter_spoils_it() {
        let query = PriceQuery::try_from(&request("GET", &[("id", "PROD-101"), ("userId", ALICE)])).unwrap();
        assert_eq!((query.product.as_str(), query.user.expose().as_str()), ("PROD-101", ALICE));
        assert!(!format!("{query:?}").contains("550e"));
        let spoilt = request("GET", &[("id", "PROD-101"), ("userId", ALICE), ("price", "1")]);
        assert!(
            matches!(PriceQuery::try_from(&spoilt), Err(ApiError::Validation(fields)) if fields[0].field == "price")
        );
    }

    #[test]
    fn the_body_is_the_documented_one() {
        let (price, currency) = ("99.90".parse().unwrap(), "USD".parse().unwrap());
        let body = PriceBody { product_id: "PROD-101".parse().unwrap(), price, currency };
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"productId":"PROD-101","price":99.90,"currency":"USD"}"#);
    }
}
