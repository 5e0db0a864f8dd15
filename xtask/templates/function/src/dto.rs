//! What goes in and what comes out: the checked request and the body of the answer.

use common::middleware::{ApiError, ApiRequest, Validation};
use common::models::{Currency, ProductId, UserId};
use serde::Serialize;

/// A valid request.
#[derive(Debug)]
pub(crate) struct ProductQuery {
    /// Which product.
    pub(crate) product: ProductId,
    /// Who asks.
    pub(crate) user: UserId,
}

/// The body of a 200.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductBody {
    /// Which product.
    pub(crate) product_id: ProductId,
    /// In which currency it is sold, ISO 4217.
    pub(crate) currency: Currency,
}

impl TryFrom<&ApiRequest> for ProductQuery {
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
    fn a_good_request_passes_and_every_fault_is_named() {
        let query = ProductQuery::try_from(&request("GET", &[("id", "PROD-101"), ("userId", ALICE)])).unwrap();
        assert_eq!((query.product.as_str(), query.user.expose().as_str()), ("PROD-101", ALICE));
        let wrong = request("GET", &[("id", "PROD 101"), ("user", ALICE)]);
        let Err(ApiError::Validation(faults)) = ProductQuery::try_from(&wrong) else { panic!("it was let in") };
        assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["user", "id", "userId"]);
    }

    #[test]
    fn the_body_is_the_documented_one() {
        let body = ProductBody { product_id: "PROD-101".parse().unwrap(), currency: "USD".parse().unwrap() };
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"productId":"PROD-101","currency":"USD"}"#);
    }
}
