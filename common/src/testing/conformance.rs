//! What every audit store must do, whatever is behind it.

use crate::constants::SMOKE_USER_ID;
use crate::models::{Action, AuditItem, Lookup, Status, Subject};
use crate::testing::{ALICE, AuditRow, lookup};
use crate::types::{AuditStore, StoreError};

/// An item about PROD-101, in dev.
pub fn item(user: &str) -> AuditItem {
    let lookup = lookup(Action::PriceFetch, user, Subject::Product("PROD-101".parse().unwrap()));
    AuditItem::new(lookup, Status::Success, "2026-01-23T12:00:00Z".parse().unwrap(), &"dev".parse().unwrap())
}

/// Items are written with every field, and once: `rows` gives what lies in the store, which begins empty, in the order of
/// its key.
pub async fn appends_once(store: &impl AuditStore, rows: impl AsyncFn() -> Vec<AuditRow>) {
    let (alice, smoke) = (item(ALICE), item(SMOKE_USER_ID));
    let lookup = Lookup { action: Action::ConfigFetch, subject: Subject::Configuration(None), ..alice.lookup.clone() };
    let configuration = AuditItem::new(lookup, Status::NotFound, alice.at, &"prod".parse().unwrap());
    for item in [&alice, &smoke, &configuration] {
        store.append(item).await.unwrap();
    }
    let written = rows().await;
    assert_eq!(written.len(), 3, "two items of one user in one moment are two");
    for (item, purpose) in [(&alice, "USER"), (&smoke, "SMOKE"), (&configuration, "USER")] {
        let row = written.iter().find(|row| row.sk == item.sk()).unwrap();
        let subject = &item.lookup.subject;
        let expected = AuditRow {
            pk: item.expose_pk(),
            sk: item.sk(),
            action: item.lookup.action.as_str().to_owned(),
            status: item.status.as_str().to_owned(),
            purpose: purpose.to_owned(),
            product: subject.product().map(str::to_owned),
            configuration_key: subject.configuration_key().map(str::to_owned),
            request_id: "r-1".to_owned(),
            ttl: item.expires,
        };
        assert_eq!(*row, expected);
    }
    // Whatever else it says, the first one stays.
    let other = AuditItem { status: Status::Error, ..alice.clone() };
    assert!(matches!(store.append(&other).await, Err(StoreError::Unavailable { store: "audit", .. })));
    // Whoever did not get the answer may ask again.
    store.append(&alice).await.unwrap();
    assert_eq!(rows().await, written);
}
