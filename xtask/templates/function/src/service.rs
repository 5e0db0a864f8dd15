//! The business: read, record, and only then tell.

use common::middleware::{ApiError, Auditor, audited};
use common::models::{Action, Environment, Lookup, Subject};
use common::types::{AuditStore, Clock, Invocation};

use crate::dto::{ProductBody, ProductQuery};
use crate::repository_product::ProductStore;

/// What the function works with.
pub(crate) struct App<P, A, C> {
    /// Where products come from.
    pub(crate) products: P,
    /// Where audit items go.
    pub(crate) audit: A,
    /// The time.
    pub(crate) clock: C,
    /// The environment that this process serves.
    pub(crate) environment: Environment,
}

impl<P: ProductStore, A: AuditStore, C: Clock> App<P, A, C> {
    /// What is known of the product that `query` asks for; every outcome is audited first.
    ///
    /// # Errors
    /// Not found; the products or the audit store failed.
    pub(crate) async fn product(&self, query: ProductQuery, invocation: &Invocation) -> Result<ProductBody, ApiError> {
        let ProductQuery { product, user } = query;
        let subject = Subject::Product(product.clone());
        let request_id = invocation.request_id.clone();
        // What is read belongs to a price. A function that reads something else adds its own action to `common::models`.
        let lookup = Lookup { action: Action::PriceFetch, user, subject, request_id };
        let auditor = Auditor { store: &self.audit, clock: &self.clock, environment: &self.environment };
        match audited(&auditor, lookup, self.products.currency(&product, invocation)).await? {
            Some(currency) => Ok(ProductBody { product_id: product, currency }),
            None => Err(ApiError::NotFound(format!("product {product}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use common::models::{Currency, ProductId, Status};
    use common::testing::{ALICE, FixedClock, MemoryAudit, block_on, invocation};
    use common::types::StoreError;

    use super::*;

    /// Knows PROD-101, or fails.
    struct MemoryProducts {
        fails: bool,
    }

    impl ProductStore for MemoryProducts {
        async fn currency(&self, product: &ProductId, _: &Invocation) -> Result<Option<Currency>, StoreError> {
            if self.fails {
                return Err(StoreError::Unavailable { action: "read", store: "product", source: "down".into() });
            }
            Ok((product.as_str() == "PROD-101").then(|| "USD".parse().unwrap()))
        }
    }

    fn app(fails: bool, audit: MemoryAudit) -> App<MemoryProducts, MemoryAudit, FixedClock> {
        App { products: MemoryProducts { fails }, audit, clock: FixedClock, environment: "dev".parse().unwrap() }
    }

    fn ask(app: &App<MemoryProducts, MemoryAudit, FixedClock>, product: &str) -> Result<ProductBody, ApiError> {
        let query = ProductQuery { product: product.parse().unwrap(), user: ALICE.parse().unwrap() };
        block_on(app.product(query, &invocation()))
    }

    #[test]
    fn a_known_and_an_unknown_product_are_audited() {
        let app = app(false, MemoryAudit::default());
        assert_eq!(ask(&app, "PROD-101").unwrap().product_id.as_str(), "PROD-101");
        assert!(matches!(ask(&app, "PROD-9"), Err(ApiError::NotFound(_))));
        assert_eq!(app.audit.statuses(), [Status::Success, Status::NotFound]);
    }

    #[test]
    fn no_audit_no_data() {
        let app = app(false, MemoryAudit::failing());
        assert!(matches!(ask(&app, "PROD-101"), Err(ApiError::AuditUnavailable(_))));
    }

    #[test]
    fn a_failing_store_is_audited_as_an_error() {
        let app = app(true, MemoryAudit::default());
        assert!(matches!(ask(&app, "PROD-101"), Err(ApiError::StoreUnavailable(_))));
        assert_eq!(app.audit.statuses(), [Status::Error]);
    }
}
