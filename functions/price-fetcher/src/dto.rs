//! What goes in: the checked request. What comes out is [`common::models::ProductPrice`].

use common::middleware::{ApiError, ApiRequest, Validation};
use common::models::{ProductId, UserId};

/// A valid request for a price.
#[derive(Debug)]
pub(crate) struct PriceQuery {
    /// Which product.
    pub(crate) product: ProductId,
    /// Who asks.
    pub(crate) user: UserId,
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
        let Err(ApiError::Validation(fields)) = PriceQuery::try_from(&spoilt) else { panic!("let in") };
        assert_eq!((fields[0].field, fields[0].message.as_str()), ("*", "must be none but id, userId"));
    }
}
