//! What tests of several crates share: fakes of the ports, seeded databases, events. Never part of a build that ships.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test's scaffold may stop the test"
)]

pub mod conformance;
#[cfg(feature = "oracle-live")]
pub mod oracle_live;
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
use serde_json::Value;
use tower::{Service, ServiceExt as _};

use crate::middleware::{ApiRequest, ApiResponse, GatewayEvent, Process};
use crate::models::{AuditItem, Status};
use crate::types::{AuditStore, Clock, Invocation, StoreError};

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
    let connection = Connection::open(database).unwrap();
    for file in seed_files(group) {
        connection.execute_batch(&file).unwrap();
    }
}

/// The texts of the seeds of `group`, in the order of their names.
fn seed_files(group: &str) -> Vec<String> {
    let entries = Utf8Path::new(INFRA_LOCAL).join("seed").join(group).read_dir_utf8().unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().into_path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// The statements of a file for SQL*Plus, each of which ends with a line that is a slash.
#[cfg(any(test, feature = "oracle-live"))]
fn statements(file: &str) -> Vec<String> {
    let lines: Vec<&str> = file.lines().filter(|line| !line.starts_with("--")).collect();
    let parts = lines.split(|line| line.trim() == "/").map(|part| part.join("\n"));
    parts.filter(|part| !part.trim().is_empty()).collect()
}

/// The items that `infra-local/tables/<name>.json` begins with.
pub fn tables(name: &str) -> Vec<Value> {
    let table = std::fs::read_to_string(format!("{INFRA_LOCAL}/tables/{name}.json")).unwrap();
    let table: Value = serde_json::from_str(&table).unwrap();
    table["items"].as_array().unwrap().clone()
}

/// The text of `infra-local/events/<name>`.
pub fn event_file(name: &str) -> String {
    std::fs::read_to_string(format!("{INFRA_LOCAL}/events/{name}")).unwrap()
}

/// What the stores are told by [`request`]: the id `r-1`, and no deadline.
pub fn invocation() -> Invocation {
    Invocation { request_id: "r-1".into(), deadline: None }
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
        invocation: invocation(),
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
    use crate::models::Price;

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
        let sorted = |items: Vec<Value>| {
            let mut texts: Vec<_> = items.iter().map(ToString::to_string).collect();
            texts.sort();
            texts
        };
        let rows = rows.map(|row| serde_json::from_str(&row.unwrap()).unwrap()).collect();
        assert_eq!(sorted(tables("data")), sorted(rows));
    }

    /// Every row of the data seeds, with amounts as numbers.
    fn data_rows(connection: &Connection) -> Vec<(String, String, String, Option<Price>)> {
        let rows = "SELECT product_id, price, currency FROM product_prices UNION ALL \
                    SELECT environment, value, key FROM system_configuration ORDER BY 1, 3";
        let mut statement = connection.prepare(rows).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))).unwrap();
        let rows = rows.map(|row| {
            let (key, value, more): (String, String, String) = row.unwrap();
            let price = key.starts_with("PROD-").then(|| value.parse().unwrap());
            (key, if price.is_some() { String::new() } else { value }, more, price)
        });
        rows.collect()
    }

    #[test]
    fn oracle_begins_with_what_sqlite_begins_with() {
        let (folder, seeds) = (seeded(), seed_files("oracle"));
        let connection = Connection::open(folder.data()).unwrap();
        let expected = data_rows(&connection);
        connection.execute_batch("DELETE FROM product_prices; DELETE FROM system_configuration").unwrap();
        // Oracle's one row for statements that read no table.
        connection.execute_batch("CREATE TABLE dual (dummy); INSERT INTO dual VALUES ('X')").unwrap();
        // The first file is DDL, which only Oracle understands; the others are SQL that SQLite understands as well.
        for _ in 0..2 {
            for statement in seeds[1..].iter().flat_map(|file| statements(file)) {
                connection.execute_batch(&statement).unwrap();
            }
            assert_eq!(data_rows(&connection), expected);
        }
        assert_eq!(expected.len(), 25);
        let schema = statements(&seeds[0]).join("\n");
        for column in ["product_id", "price", "currency", "environment", "key", "value"] {
            assert!(schema.contains(&format!(" {column} ")), "{column}");
        }
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
