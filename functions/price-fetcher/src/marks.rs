//! Tests: personal data goes into the audit table and nowhere else, whatever else happens.

use std::sync::Arc;

use common::middleware::stack;
use common::models::{AuditItem, InvalidPrice, ProductId, ProductPrice};
use common::testing::marks::{is_unmarked, marked_events, meant_panics_are_quiet, told};
use common::testing::{ALICE, FixedClock, MemoryAudit, Recorder};
use common::types::{AuditStore, Invocation, StoreError};

use crate::handler::handle;
use crate::repository_price::PriceStore;
use crate::service::App;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    None,
    StoreDown,
    PoisonRow,
    AuditDown,
    StorePanics,
    AuditPanics,
}

struct Prices(Trouble);

impl PriceStore for Prices {
    async fn price(&self, product: &ProductId, _: &Invocation) -> Result<Option<ProductPrice>, StoreError> {
        match self.0 {
            Trouble::StoreDown => {
                Err(StoreError::Unavailable { action: "read the price", store: "price", source: "down".into() })
            }
            Trouble::PoisonRow => {
                let source: InvalidPrice = ProductPrice::read(product, "Qzxmark", "USD").unwrap_err();
                Err(StoreError::Malformed { what: "price", store: "price", source: source.into() })
            }
            Trouble::StorePanics => panic!("with {product}"),
            _ if product.as_str() == "PROD-101" => Ok(Some(ProductPrice::read(product, "99.99", "USD").unwrap())),
            _ => Ok(None),
        }
    }
}

struct Audit(Trouble, MemoryAudit);

impl AuditStore for Audit {
    async fn append(&self, item: &AuditItem) -> Result<(), StoreError> {
        match self.0 {
            Trouble::AuditPanics => panic!("with {}", item.expose_pk()),
            _ => self.1.append(item).await,
        }
    }
}

/// Everything that comes out of the function for this event, and what goes into the audit table.
fn out(trouble: Trouble, event: &str) -> (String, Vec<AuditItem>) {
    let audit = if trouble == Trouble::AuditDown { MemoryAudit::failing() } else { MemoryAudit::default() };
    let environment = "dev".parse().unwrap();
    let app = Arc::new(App { prices: Prices(trouble), audit: Audit(trouble, audit), clock: FixedClock, environment });
    let (recorder, shared) = (Recorder::default(), Arc::clone(&app));
    let handler = move |checked| {
        let app = Arc::clone(&shared);
        async move { handle(&app, checked).await }
    };
    let answer = told(stack(recorder.process(), handler), event);
    (format!("{answer}\n{}", recorder.text()), app.audit.1.items())
}

#[test]
fn nothing_of_a_request_comes_out_but_in_the_audit_table() {
    use Trouble::{AuditDown, AuditPanics, None, PoisonRow, StoreDown, StorePanics};
    meant_panics_are_quiet();
    let mut marked = 0;
    for trouble in [None, StoreDown, PoisonRow, AuditDown, StorePanics, AuditPanics] {
        for (what, event) in marked_events("/price", &[("id", "PROD-101"), ("userId", ALICE)], &[]) {
            let (text, items) = out(trouble, &event);
            is_unmarked(&format!("{trouble:?}, {what}"), &text);
            marked += items.iter().filter(|item| item.lookup.subject.product() == Some("qzxmark")).count();
            // No price without a record.
            assert!(!text.contains("99.99") || items.len() == 1, "{what}");
        }
    }
    assert!(marked > 2, "the marks do get as far as the audit table: {marked}");
    let well = &marked_events("/price", &[("id", "PROD-101"), ("userId", ALICE)], &[])[0].1;
    for (trouble, status) in
        [(None, 200), (StoreDown, 503), (PoisonRow, 500), (AuditDown, 503), (StorePanics, 500), (AuditPanics, 500)]
    {
        assert!(out(trouble, well).0.starts_with(&format!("{{\"statusCode\":{status},")), "{trouble:?}");
    }
}
