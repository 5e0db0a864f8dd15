//! Tests: whatever the stores do, there is the stable error and the right status, a record or no price, and the same process
//! answers again as soon as they do.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use common::clients::{Access, DynamoAuditStore, DynamoClient, SqliteAuditStore, SqliteClient};
use common::middleware::{ApiResponse, stack};
use common::testing::expectations::expectations;
use common::testing::{
    ALICE, FixedClock, Folder, Recorder, Replay, Reply, audit_rows, call, event_file, seeded, tables,
};
use common::types::{AuditStore, AwsAccess};
use serde_json::{Value, json};

use crate::handler::handle;
use crate::repository_price::{DynamoPriceStore, PriceStore, SqlPriceStore};
use crate::service::App;

/// Less than a process has, so that a test does not wait for long.
const LIMIT: Duration = Duration::from_millis(600);

type Deployed<P, A> = Arc<App<P, A, FixedClock>>;

fn deployed<P: PriceStore, A: AuditStore>(prices: P, audit: A) -> Deployed<P, A> {
    Arc::new(App { prices, audit, clock: FixedClock, environment: "dev".parse().unwrap() })
}

fn on_dynamodb(access: AwsAccess) -> Deployed<DynamoPriceStore, DynamoAuditStore> {
    let client = DynamoClient::new(access, LIMIT, Arc::new(FixedClock)).unwrap();
    let audit = DynamoAuditStore::new(client.clone(), "Audit_Logs_dev".into());
    deployed(DynamoPriceStore::new(client, "Data_dev".into()), audit)
}

/// One invocation of the same process: status and code of the answer. Neither it nor the log holds what it must not.
fn ask<P: PriceStore + 'static, A: AuditStore + 'static>(app: &Deployed<P, A>) -> (u16, String) {
    let (ApiResponse { status_code, body, .. }, log) = told(app, &event_file("price-event.json"));
    for hidden in [ALICE, "secret words", "hush", "POISON"] {
        assert!(!log.contains(hidden) && !body.contains(hidden), "{hidden} comes out: {body}\n{log}");
    }
    assert_eq!(status_code == 200, body.contains("99.99"), "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    (status_code, body["error"]["code"].as_str().unwrap_or_default().to_owned())
}

fn well() -> (u16, String) {
    (200, String::new())
}

fn price() -> Reply {
    Reply::Json(json!({ "Item": { "price": { "S": "99.99" }, "currency": { "S": "USD" } } }))
}

/// A table that answers `operation` by `reply` the first `times` times that it is asked, and well after that.
fn first(operation: &'static str, times: usize, reply: impl Fn() -> Reply + Send + 'static) -> Replay {
    Replay::new(move |asked, before| match asked {
        _ if asked == operation && before < times => reply(),
        "GetItem" => price(),
        _ => Reply::Json(json!({})),
    })
}

#[test]
fn what_passes_within_an_invocation_is_not_seen_outside() {
    let passing: [fn() -> Reply; 7] = [
        || Reply::Close,
        || Reply::Half,
        || Reply::Hang,
        || Reply::Refuse(400, "ThrottlingException"),
        || Reply::Refuse(400, "ProvisionedThroughputExceededException"),
        || Reply::Refuse(500, "InternalServerError"),
        || Reply::Refuse(503, "ServiceUnavailable"),
    ];
    for operation in ["GetItem", "PutItem"] {
        for (at, reply) in passing.into_iter().enumerate() {
            let replay = first(operation, 1, reply);
            assert_eq!(ask(&on_dynamodb(replay.access())), well(), "{operation} {at}");
            let puts = replay.asked().iter().filter(|asked| asked.operation == "PutItem").count();
            assert_eq!(puts, if operation == "PutItem" { 2 } else { 1 }, "{at}");
        }
    }
}

#[test]
fn what_lasts_is_told_and_over_when_the_store_is_well_again() {
    let lasting: [(fn() -> Reply, usize); 9] = [
        (|| Reply::Close, 3),
        (|| Reply::Half, 3),
        (|| Reply::Hang, 2),
        (|| Reply::Refuse(400, "ThrottlingException"), 3),
        (|| Reply::Refuse(400, "ProvisionedThroughputExceededException"), 3),
        (|| Reply::Refuse(500, "InternalServerError"), 3),
        // Wrong credentials are not offered twice in an invocation.
        (|| Reply::Refuse(400, "UnrecognizedClientException"), 1),
        (|| Reply::Refuse(400, "ExpiredTokenException"), 1),
        (|| Reply::Text("<html>POISON</html>"), 1),
    ];
    for (operation, code) in [("GetItem", "STORE_UNAVAILABLE"), ("PutItem", "AUDIT_UNAVAILABLE")] {
        for (at, (reply, times)) in lasting.into_iter().enumerate() {
            let replay = first(operation, times, reply);
            let app = on_dynamodb(replay.access());
            assert_eq!(ask(&app), (503, code.to_owned()), "{operation} {at}");
            let asked = replay.asked();
            assert_eq!(asked.iter().filter(|asked| asked.operation == operation).count(), times, "{operation} {at}");
            // A lookup that failed is on record, too.
            let put = asked.iter().find(|asked| asked.operation == "PutItem").unwrap();
            let status = if operation == "GetItem" { "ERROR" } else { "SUCCESS" };
            assert_eq!(put.input["Item"]["status"]["S"], status, "{operation} {at}");
            assert_eq!(ask(&app), well(), "{operation} {at}: the same process, later");
        }
    }
}

#[test]
fn a_record_whose_answer_was_lost_is_a_record() {
    let lost: [fn() -> Reply; 3] = [|| Reply::Close, || Reply::Half, || Reply::Hang];
    for reply in lost {
        let replay = Replay::with(move |operation, before, input| match (operation, before) {
            ("GetItem", _) => price(),
            // It was written all the same.
            (_, 0) => reply(),
            _ => Reply::Taken(input["Item"].clone()),
        });
        assert_eq!(ask(&on_dynamodb(replay.access())), well());
    }
    let strangers = Replay::new(|operation, _| match operation {
        "GetItem" => price(),
        _ => Reply::Taken(json!({ "pk": { "S": "POISON" } })),
    });
    assert_eq!(ask(&on_dynamodb(strangers.access())), (503, "AUDIT_UNAVAILABLE".to_owned()));
}

#[test]
fn a_store_that_is_down_is_found_when_it_is_up() {
    // A port on which nobody listens: it was ours a moment ago.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let access = AwsAccess { endpoint: format!("http://127.0.0.1:{port}"), ..first("", 0, price).access() };
    assert_eq!(ask(&on_dynamodb(access)), (503, "STORE_UNAVAILABLE".to_owned()));

    let folder = seeded();
    let app = on_sqlite(&folder);
    for (database, code) in [(folder.data(), "STORE_UNAVAILABLE"), (folder.audit(), "AUDIT_UNAVAILABLE")] {
        let away = folder.path.join("away.db");
        assert_eq!(ask(&app), well());
        std::fs::rename(&database, &away).unwrap();
        assert_eq!(ask(&app), (503, code.to_owned()));
        std::fs::rename(&away, &database).unwrap();
        assert_eq!(ask(&app), well());
    }
    let statuses: Vec<_> = audit_rows(&folder.audit()).into_iter().map(|row| row.status).collect();
    assert_eq!(statuses.iter().filter(|status| *status == "ERROR").count(), 1, "{statuses:?}");
    assert_eq!(statuses.len(), 5, "four prices, one failure of the data, none of the audit's");
}

#[test]
fn an_audit_database_that_somebody_keeps_to_themselves_is_not_waited_for() {
    let folder = seeded();
    let app = on_sqlite(&folder);
    let other = rusqlite::Connection::open(folder.audit()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(ask(&app), (503, "AUDIT_UNAVAILABLE".to_owned()));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(ask(&app), well());
}

fn on_sqlite(folder: &Folder) -> Deployed<SqlPriceStore<SqliteClient>, SqliteAuditStore> {
    let prices = SqlPriceStore::new(SqliteClient::new("price", folder.data(), Access::Read));
    deployed(prices, SqliteAuditStore::new(folder.audit()))
}

/// What the process answers to an event, and what it logs.
fn told<P: PriceStore + 'static, A: AuditStore + 'static>(app: &Deployed<P, A>, event: &str) -> (ApiResponse, String) {
    let (app, recorder) = (Arc::clone(app), Recorder::default());
    let handler = move |checked| {
        let app = Arc::clone(&app);
        async move { handle(&app, checked).await }
    };
    (call(stack(recorder.process(), handler), event), recorder.text())
}

#[test]
fn both_event_forms_are_answered_alike_on_both_stores() {
    let (folder, replay) = (seeded(), Replay::of_items(tables("data")));
    let (sqlite, dynamodb) = (on_sqlite(&folder), on_dynamodb(replay.access()));
    for expected in expectations().iter().filter(|expected| expected.function == "price-fetcher") {
        for event in expected.events() {
            for (store, (answer, _)) in [("SQLite", told(&sqlite, &event)), ("DynamoDB", told(&dynamodb, &event))] {
                expected.is_met(store, answer.status_code, &answer.body);
            }
        }
    }
}

#[test]
fn a_poison_item_is_a_defect_that_is_told_recorded_and_mended() {
    let text = |text: &str| json!({ "S": text });
    let usd = || json!({ "S": "USD" });
    let huge = "9".repeat(400_000);
    let items = [
        json!({ "price": text("POISON"), "currency": usd() }),
        json!({ "price": text("NaN"), "currency": usd() }),
        json!({ "price": text("Infinity"), "currency": usd() }),
        json!({ "price": text("-99.99"), "currency": usd() }),
        json!({ "price": text("1e400"), "currency": usd() }),
        json!({ "price": text(&huge), "currency": usd() }),
        json!({ "price": text(""), "currency": usd() }),
        json!({ "price": { "N": "1.00" }, "currency": usd() }),
        json!({ "price": { "BOOL": true }, "currency": usd() }),
        json!({ "price": { "NULL": true }, "currency": usd() }),
        json!({ "price": { "M": { "S": text("1.00") } }, "currency": usd() }),
        json!({ "price": "1.00", "currency": usd() }),
        json!({ "price": text("1.00") }),
        json!({ "price": text("1.00"), "currency": text("usd") }),
        json!({ "price": text("1.00"), "currency": text("POISON") }),
        json!({}),
    ];
    for item in items {
        let shown: String = item.to_string().chars().take(80).collect();
        let poison = item.clone();
        let replay = first("GetItem", 1, move || Reply::Json(json!({ "Item": poison.clone() })));
        let app = on_dynamodb(replay.access());
        assert_eq!(ask(&app), (500, "INTERNAL".to_owned()), "{shown}");
        assert_eq!(replay.asked()[1].input["Item"]["status"]["S"], "ERROR", "{shown}");
        assert_eq!(ask(&app), well(), "{shown}");
    }
}

#[test]
fn a_poison_row_is_a_defect_that_is_told_recorded_and_mended() {
    let rows = [
        "'POISON', 'USD'",
        "'NaN', 'USD'",
        "'-99.99', 'USD'",
        "'', 'USD'",
        "NULL, 'USD'",
        "99.99, 'USD'",
        "99, 'USD'",
        "x'50', 'USD'",
        "CAST(x'ff' AS TEXT), 'USD'",
        "'1.00', NULL",
        "'1.00', 'usd'",
        "'1.00', 'POISON'",
        "replace(hex(zeroblob(200000)), '0', '9'), 'USD'",
    ];
    for row in rows {
        let folder = seeded();
        let connection = rusqlite::Connection::open(folder.data()).unwrap();
        let table = "DROP TABLE product_prices; CREATE TABLE product_prices (product_id, price, currency);";
        connection.execute_batch(table).unwrap();
        connection.execute_batch(&format!("INSERT INTO product_prices SELECT 'PROD-101', {row}")).unwrap();
        let app = on_sqlite(&folder);
        assert_eq!(ask(&app), (500, "INTERNAL".to_owned()), "{row}");
        assert_eq!(audit_rows(&folder.audit())[0].status, "ERROR", "{row}");
        connection.execute_batch("UPDATE product_prices SET price = '99.99', currency = 'USD'").unwrap();
        assert_eq!(ask(&app), well(), "{row}");
    }
}
