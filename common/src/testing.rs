//! What tests of several crates share: fakes of the ports, seeded databases, events. Never part of a build that ships.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test's scaffold may stop the test"
)]

pub mod conformance;
pub mod expectations;
pub mod marks;
pub mod openapi;
#[cfg(feature = "oracle-live")]
pub mod oracle_live;
mod replay;
mod seeds;

pub use replay::{Asked, Replay, Reply};
pub use seeds::{apply_seeds, seeded, tables};

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use lambda_http::{Context, LambdaEvent};
use rusqlite::Connection;
use tower::{Service, ServiceExt as _};

use crate::middleware::{ApiRequest, ApiResponse, GatewayEvent, Process};
use crate::models::{Action, AuditItem, CorrelationId, Lookup, RequestId, Status, Subject};
use crate::types::{AuditStore, Clock, Invocation, Measures, Sent, StoreError, Unchecked};

/// The user of the handbook's example.
pub const ALICE: &str = "550e8400-e29b-41d4-a716-446655440000";

/// The folder with the developer's seeds and events.
const INFRA_LOCAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra-local");

/// Stands still at 2026-01-23 12:00 UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::constant(1_769_169_600, 0)
    }
}

/// An audit store in memory.
#[derive(Default)]
pub struct MemoryAudit {
    items: Mutex<Vec<AuditItem>>,
    fails: bool,
}

impl MemoryAudit {
    /// One that refuses every item.
    pub fn failing() -> Self {
        Self { fails: true, ..Self::default() }
    }

    /// The items so far, oldest first.
    pub fn items(&self) -> Vec<AuditItem> {
        self.items.lock().unwrap().clone()
    }

    /// The status of every item, oldest first.
    pub fn statuses(&self) -> Vec<Status> {
        self.items().iter().map(|item| item.status).collect()
    }
}

impl AuditStore for MemoryAudit {
    async fn append(&self, item: &AuditItem) -> Result<(), StoreError> {
        if self.fails {
            return Err(StoreError::Unavailable { action: "append an item", store: "audit", source: "down".into() });
        }
        self.items.lock().unwrap().push(item.clone());
        Ok(())
    }
}

/// Collects log lines.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<u8>>>);

impl Recorder {
    /// What was written so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// A process in `dev` that logs here.
    pub fn process(&self) -> Process<FixedClock> {
        Process {
            function: "under-test",
            environment: "dev".parse().unwrap(),
            clock: Arc::new(FixedClock),
            sink: Arc::new(Mutex::new(self.clone())),
        }
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A folder that goes away with the test.
pub struct Folder {
    _guard: tempfile::TempDir,
    /// Where it is.
    pub path: Utf8PathBuf,
}

impl Folder {
    /// The database with prices and configuration.
    pub fn data(&self) -> Utf8PathBuf {
        self.path.join("data.db")
    }

    /// The database with the audit table.
    pub fn audit(&self) -> Utf8PathBuf {
        self.path.join("audit.db")
    }
}

/// An empty folder.
pub fn folder() -> Folder {
    let guard = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
    Folder { _guard: guard, path }
}

/// The text of `infra-local/events/<name>`.
pub fn event_file(name: &str) -> String {
    std::fs::read_to_string(format!("{INFRA_LOCAL}/events/{name}")).unwrap()
}

/// What the stores are told by [`request`]: the id `r-1`, and no deadline.
pub fn invocation() -> Invocation {
    let request_id: RequestId = "r-1".parse().unwrap();
    Invocation {
        correlation_id: CorrelationId::from(&request_id),
        request_id,
        lambda_request_id: "l-1".parse().unwrap(),
        trace_id: None,
        deadline: None,
        measures: Measures::default(),
    }
}

/// What `user` looks at in a request with the id `r-1`.
pub fn lookup(action: Action, user: &str, subject: Subject) -> Lookup {
    let Invocation { request_id, correlation_id, .. } = invocation();
    Lookup { action, user: user.parse().unwrap(), subject, request_id, correlation_id }
}

/// A request with `query`, as the layers hand it on.
pub fn request(method: &str, query: &[(&str, &str)]) -> ApiRequest {
    ApiRequest {
        method: method.parse().unwrap(),
        path: Unchecked::new(String::new()),
        path_parameters: Sent::default(),
        query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        headers: Sent::default(),
        invocation: invocation(),
    }
}

/// One row of the audit table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns are documented in the seeds")]
pub struct AuditRow {
    pub pk: String,
    pub sk: String,
    pub action: String,
    pub status: String,
    pub purpose: String,
    pub product: Option<String>,
    pub configuration_key: Option<String>,
    pub request_id: String,
    pub ttl: i64,
}

/// Every row of the audit table, in the order of its key.
pub fn audit_rows(database: &Utf8Path) -> Vec<AuditRow> {
    let connection = Connection::open(database).unwrap();
    let mut statement = connection.prepare("SELECT * FROM Audit_Logs_Local ORDER BY pk, sk").unwrap();
    let rows = statement.query_map([], |row| {
        Ok(AuditRow {
            pk: row.get("pk")?,
            sk: row.get("sk")?,
            action: row.get("action")?,
            status: row.get("status")?,
            purpose: row.get("purpose")?,
            product: row.get("product")?,
            configuration_key: row.get("configuration_key")?,
            request_id: row.get("request_id")?,
            ttl: row.get("ttl")?,
        })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Sends the JSON `event` through `service`, as Lambda would.
pub fn call<S>(service: S, event: &str) -> ApiResponse
where
    S: Service<LambdaEvent<GatewayEvent>, Response = ApiResponse, Error = Infallible>,
{
    let event = LambdaEvent::new(serde_json::from_str(event).unwrap(), Context::default());
    match block_on(service.oneshot(event)) {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// Runs `future` to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
