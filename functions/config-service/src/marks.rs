//! Tests: personal data goes into the audit table and nowhere else, whatever else happens.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::middleware::stack;
use common::models::{AuditItem, ConfigurationKey, Environment};
use common::testing::marks::{is_unmarked, marked_events, meant_panics_are_quiet, told};
use common::testing::{ALICE, FixedClock, MemoryAudit, Recorder};
use common::types::{Invocation, StoreError};

use crate::handler::handle;
use crate::repository_configuration::ConfigurationStore;
use crate::service::App;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    None,
    StoreDown,
    PoisonRow,
    AuditDown,
    StorePanics,
}

struct Settings(Trouble);

impl ConfigurationStore for Settings {
    async fn one(
        &self,
        environment: &Environment,
        key: &ConfigurationKey,
        invocation: &Invocation,
    ) -> Result<Option<String>, StoreError> {
        assert!(self.0 != Trouble::StorePanics, "with {}", key.as_str());
        Ok(self.all(environment, invocation).await?.remove(key.as_str()))
    }

    async fn all(&self, _: &Environment, _: &Invocation) -> Result<BTreeMap<String, String>, StoreError> {
        let (store, source) = ("configuration", "it is NULL".into());
        match self.0 {
            Trouble::StoreDown => Err(StoreError::Unavailable { action: "read every key", store, source }),
            Trouble::PoisonRow => Err(StoreError::Malformed { what: "value", store, source }),
            _ => Ok(BTreeMap::from([("a.b".to_owned(), "1".to_owned())])),
        }
    }
}

/// Everything that comes out of the function for this event, and what goes into the audit table.
fn out(trouble: Trouble, event: &str) -> (String, Vec<AuditItem>) {
    let audit = if trouble == Trouble::AuditDown { MemoryAudit::failing() } else { MemoryAudit::default() };
    let environment = "dev".parse().unwrap();
    let app = Arc::new(App { configuration: Settings(trouble), audit, clock: FixedClock, environment });
    let (recorder, shared) = (Recorder::default(), Arc::clone(&app));
    let handler = move |checked| {
        let app = Arc::clone(&shared);
        async move { handle(&app, checked).await }
    };
    let answer = told(stack(recorder.process(), handler), event);
    (format!("{answer}\n{}", recorder.text()), app.audit.items())
}

#[test]
fn nothing_of_a_request_comes_out_but_in_the_audit_table() {
    use Trouble::{AuditDown, None, PoisonRow, StoreDown, StorePanics};
    meant_panics_are_quiet();
    let mut marked = 0;
    for trouble in [None, StoreDown, PoisonRow, AuditDown, StorePanics] {
        for parameters in [&[("key", "a.b")][..], &[]] {
            for (what, event) in marked_events("/config/a.b", &[("userId", ALICE)], parameters) {
                let (text, items) = out(trouble, &event);
                is_unmarked(&format!("{trouble:?}, {what}"), &text);
                marked +=
                    items.iter().filter(|item| item.lookup.subject.configuration_key() == Some("qzxmark")).count();
            }
        }
    }
    assert!(marked > 2, "the marks do get as far as the audit table: {marked}");
    let well = &marked_events("/config/a.b", &[("userId", ALICE)], &[])[0].1;
    for (trouble, status) in [(None, 200), (StoreDown, 503), (PoisonRow, 500), (AuditDown, 503), (StorePanics, 500)] {
        assert!(out(trouble, well).0.starts_with(&format!("{{\"statusCode\":{status},")), "{trouble:?}");
    }
}
