//! What tests of several crates share: fakes of the ports, seeded databases, events. Never part of a build that ships.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test's scaffold may stop the test"
)]

pub mod conformance;
mod replay;

pub use replay::{Asked, Replay, Reply};

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use lambda_http::{Context, LambdaEvent};
use rusqlite::Connection;
use tower::{Service, ServiceExt as _};

use crate::middleware::{ApiRequest, ApiResponse, GatewayEvent, Process};
use crate::models::{AuditItem, Status};
use crate::types::{AuditStore, Clock, StoreError};

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

/// A folder with both databases, made by the seeds.
pub fn seeded() -> Folder {
    let folder = folder();
    apply_seeds("data", &folder.data());
    apply_seeds("audit", &folder.audit());
    folder
}

/// Applies the seeds of `group` ("data" or "audit") to `database`, in the order of their names.
pub fn apply_seeds(group: &str, database: &Utf8Path) {
    let entries = Utf8Path::new(INFRA_LOCAL).join("seed").join(group).read_dir_utf8().unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().into_path()).collect();
    files.sort();
    let connection = Connection::open(database).unwrap();
    for file in files {
        connection.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap();
    }
}

/// The text of `infra-local/events/<name>`.
pub fn event_file(name: &str) -> String {
    std::fs::read_to_string(format!("{INFRA_LOCAL}/events/{name}")).unwrap()
}

/// A request with `query`, as the layers hand it to a handler.
pub fn request(method: &str, query: &[(&str, &str)]) -> ApiRequest {
    let mut parameters = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in query {
        parameters.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    ApiRequest {
        method: method.parse().unwrap(),
        path: String::new(),
        path_parameters: BTreeMap::new(),
        query: parameters,
        request_id: "r-1".into(),
        lambda_request_id: "l-1".into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dynamodb_begins_with_what_sqlite_begins_with() {
        let folder = seeded();
        let connection = Connection::open(folder.data()).unwrap();
        let rows = "SELECT json_object('pk', 'PRICE#' || product_id, 'sk', 'PRICE', 'price', price, 'currency', currency) \
                    FROM product_prices UNION ALL \
                    SELECT json_object('pk', 'CONFIGURATION#' || environment, 'sk', key, 'value', value) \
                    FROM system_configuration";
        let mut statement = connection.prepare(rows).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let table = std::fs::read_to_string(format!("{INFRA_LOCAL}/tables/data.json")).unwrap();
        let table: serde_json::Value = serde_json::from_str(&table).unwrap();
        let sorted = |items: Vec<serde_json::Value>| {
            let mut texts: Vec<_> = items.iter().map(ToString::to_string).collect();
            texts.sort();
            texts
        };
        let rows = rows.map(|row| serde_json::from_str(&row.unwrap()).unwrap()).collect();
        assert_eq!(sorted(table["items"].as_array().unwrap().clone()), sorted(rows));
    }

    #[test]
    fn every_seed_applies_twice_and_changes_nothing_the_second_time() {
        let folder = seeded();
        let dump = |path: &Utf8Path, sql: &str| -> Vec<String> {
            let connection = Connection::open(path).unwrap();
            let mut statement = connection.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        let state = || {
            [
                dump(&folder.data(), "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"),
                dump(&folder.data(), "SELECT product_id || price || currency FROM product_prices"),
                dump(&folder.data(), "SELECT environment || key || value FROM system_configuration"),
                dump(&folder.audit(), "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"),
                dump(&folder.audit(), "PRAGMA journal_mode"),
            ]
        };
        let first = state();
        apply_seeds("data", &folder.data());
        apply_seeds("audit", &folder.audit());
        assert_eq!(state(), first);
        assert!(first[1].contains(&"PROD-10199.99USD".to_owned()));
        for environment in ["dev", "qa", "uat", "prod", "dr"] {
            assert!(first[2].iter().any(|row| row.starts_with(environment)), "{environment}");
        }
        assert_eq!((first[3].len(), first[4].as_slice()), (4, ["wal".to_owned()].as_slice()));
    }
}
