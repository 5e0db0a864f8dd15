//! The one way from a store to an answer: no audit, no data.

use std::future::Future;

use crate::middleware::ApiError;
use crate::models::{AuditItem, Environment, Lookup, Status};
use crate::types::{AuditStore, Clock, Measures, StoreError, between};

/// What it takes to record a lookup.
pub struct Auditor<'a, A, C> {
    /// Where the item goes.
    pub store: &'a A,
    /// When.
    pub clock: &'a C,
    /// Decides how long the item is kept.
    pub environment: &'a Environment,
}

/// Carries out `read`, notes in `measures` how long that and the record of it took, and hands its result over only after an audit item about it was written.
///
/// # Errors
/// [`ApiError::AuditUnavailable`] if the item cannot be written, whatever was read. The error of `read` itself otherwise;
/// then an item with status ERROR was tried, and if that failed too the answer is still about `read`: nothing was shown.
pub async fn audited<T>(
    auditor: &Auditor<'_, impl AuditStore, impl Clock>,
    measures: &Measures,
    lookup: Lookup,
    read: impl Future<Output = Result<Option<T>, StoreError>>,
) -> Result<Option<T>, ApiError> {
    let begun = auditor.clock.now();
    let result = read.await;
    let read_at = auditor.clock.now();
    let status = match &result {
        Ok(Some(_)) => Status::Success,
        Ok(None) => Status::NotFound,
        Err(_) => Status::Error,
    };
    measures.note(|taken| {
        taken.store = Some(between(begun, read_at));
        taken.found = status == Status::Success;
    });
    let item = AuditItem::new(lookup, status, read_at, auditor.environment);
    let written = auditor.store.append(&item).await;
    let appended_at = auditor.clock.now();
    measures.note(|taken| taken.audit = Some(between(read_at, appended_at)));
    let value = result?;
    written.map_err(ApiError::AuditUnavailable)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Action, Subject};
    use crate::testing::{ALICE, FixedClock, MemoryAudit, block_on, lookup};

    fn look(
        store: &MemoryAudit,
        read: Result<Option<&'static str>, StoreError>,
    ) -> Result<Option<&'static str>, ApiError> {
        let lookup = lookup(Action::ConfigFetch, ALICE, Subject::Configuration(None));
        let environment = "dev".parse().unwrap();
        let auditor = Auditor { store, clock: &FixedClock, environment: &environment };
        let measures = Measures::default();
        let answer = block_on(audited(&auditor, &measures, lookup, async { read }));
        assert!(measures.taken().store.is_some() && measures.taken().audit.is_some());
        answer
    }

    fn down() -> StoreError {
        StoreError::Unavailable { action: "read", store: "price", source: "down".into() }
    }

    #[test]
    fn every_outcome_is_recorded() {
        let store = MemoryAudit::default();
        assert_eq!(look(&store, Ok(Some("v"))).unwrap(), Some("v"));
        assert_eq!(look(&store, Ok(None)).unwrap(), None);
        assert!(matches!(look(&store, Err(down())), Err(ApiError::StoreUnavailable(_))));
        assert_eq!(store.statuses(), [Status::Success, Status::NotFound, Status::Error]);
    }

    #[test]
    fn without_an_audit_item_nothing_comes_out() {
        let store = MemoryAudit::failing();
        assert!(matches!(look(&store, Ok(Some("v"))), Err(ApiError::AuditUnavailable(_))));
        assert!(matches!(look(&store, Ok(None)), Err(ApiError::AuditUnavailable(_))));
        assert!(matches!(look(&store, Err(down())), Err(ApiError::StoreUnavailable(_))));
    }
}
