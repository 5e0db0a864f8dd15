//! The business of a price lookup: read, record, and only then tell.

use common::middleware::{ApiError, Auditor, audited};
use common::models::{Action, Environment, Lookup, ProductPrice, Subject};
use common::types::{AuditStore, Clock, Invocation};

use crate::dto::PriceQuery;
use crate::repository_price::PriceStore;

/// What the function works with.
pub(crate) struct App<P, A, C> {
    /// Where prices come from.
    pub(crate) prices: P,
    /// Where audit items go.
    pub(crate) audit: A,
    /// The time.
    pub(crate) clock: C,
    /// The environment that this process serves.
    pub(crate) environment: Environment,
}

impl<P: PriceStore, A: AuditStore, C: Clock> App<P, A, C> {
    /// The price of the product that `query` asks for; every outcome is audited first.
    ///
    /// # Errors
    /// Not found; the prices or the audit store failed.
    pub(crate) async fn price(&self, query: PriceQuery, invocation: &Invocation) -> Result<ProductPrice, ApiError> {
        let PriceQuery { product, user } = query;
        let subject = Subject::Product(product.clone());
        let Invocation { request_id, correlation_id, measures, .. } = invocation.clone();
        let lookup = Lookup { action: Action::PriceFetch, user, subject, request_id, correlation_id };
        let auditor = Auditor { store: &self.audit, clock: &self.clock, environment: &self.environment };
        let price = audited(&auditor, &measures, lookup, self.prices.price(&product, invocation)).await?;
        price.ok_or(ApiError::NotFound("the product"))
    }
}
