//! `local seed` on the project's own seeds: what a developer has broken is put back, twice brings no more, and neither a
//! developer's own rows nor an audit item is touched.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::HeaderMap, http::StatusCode};
use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::Connection;
use serde_json::{Value, json};
use xtask::adapters::emulator::{estate::tables, wire::Caller};

use crate::support::{
    copy::original,
    project::{Ran, command},
};

fn seed(local: &Utf8Path) -> Ran {
    Ran::of(command(original(), local, &["local", "seed"]).output().unwrap()).expect(0)
}

/// The rows of a table, each as one text.
fn rows(database: &Connection, sql: &str) -> Vec<String> {
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

const PRICES: &str = "SELECT product_id || ' ' || price || ' ' || currency FROM product_prices ORDER BY 1";

const AUDIT: &str = "SELECT pk || ' ' || sk || ' ' || status FROM Audit_Logs_Local ORDER BY 1";

#[test]
fn what_a_developer_has_broken_in_sqlite_is_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let local = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    let first = seed(&local);
    assert!(first.stdout.contains("data/dr/data.sqlite: 5 of product_prices"), "{}", first.stdout);
    assert!(first.stdout.contains("DynamoDB was left out: no emulator runs"), "{}", first.stdout);
    let open = |name: &str| Connection::open(local.join("data/qa").join(name)).unwrap();
    let (data, audit) = (open("data.sqlite"), open("audit.sqlite"));
    let before = rows(&data, PRICES);
    assert_eq!(before.len(), 5);
    data.execute_batch(
        "UPDATE product_prices SET price = '0.01' WHERE product_id = 'PROD-101';
         DELETE FROM product_prices WHERE product_id = 'PROD-102';
         INSERT INTO product_prices VALUES ('PROD-MINE', '1.00', 'USD');
         DROP TABLE system_configuration;",
    )
    .unwrap();
    let item = "INSERT INTO Audit_Logs_Local (pk, sk, action, status, purpose, request_id, ttl) VALUES \
                ('USER#x', 'AUDIT#2026-01-23T12:00:00.000Z#1', 'PRICE_FETCH', 'SUCCESS', 'USER', 'r', 1);";
    audit.execute_batch(item).unwrap();
    let looked = rows(&audit, AUDIT);

    let again = seed(&local);
    assert!(again.stdout.contains("data/qa/data.sqlite: 2 of product_prices"), "{}", again.stdout);
    assert!(again.stdout.contains("data/qa/data.sqlite: 20 of system_configuration"), "{}", again.stdout);
    assert!(!again.stdout.contains("data/dev"), "only what was broken is told: {}", again.stdout);
    let mut expected = before;
    expected.push("PROD-MINE 1.00 USD".to_owned());
    assert_eq!(rows(&data, PRICES), expected);
    assert_eq!(rows(&data, "SELECT value FROM system_configuration WHERE environment = 'qa'").len(), 4);
    assert_eq!((rows(&audit, AUDIT), looked.len()), (looked, 1));
    assert!(seed(&local).stdout.contains("everything is as the seeds say"));
}

#[test]
fn a_database_that_cannot_be_mended_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let local = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    seed(&local);
    let data = Connection::open(local.join("data/dev/data.sqlite")).unwrap();
    data.execute_batch("DROP TABLE product_prices; CREATE TABLE product_prices (product_id, price, currency, more);")
        .unwrap();
    let ran = Ran::of(command(original(), &local, &["local", "seed"]).output().unwrap());
    ran.expect(1).says("data/dev/data.sqlite; remove that file to begin anew");
}

/// Every operation and its input.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// A table whose first item is well; the second was changed, the third is gone.
async fn table(State(asked): State<Asked>, head: HeaderMap, body: String) -> (StatusCode, String) {
    let operation = head["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap().to_owned();
    let input: Value = serde_json::from_str(&body).unwrap();
    let answer = match (operation.as_str(), input["Key"]["pk"]["S"].as_str()) {
        ("CreateTable", _) => json!({ "__type": "ResourceInUseException" }),
        ("GetItem", Some("a")) => json!({ "Item": { "pk": { "S": "a" }, "sk": { "S": "1" }, "v": { "S": "x" } } }),
        ("GetItem", Some("b")) => json!({ "Item": { "pk": { "S": "b" }, "sk": { "S": "1" }, "v": { "S": "broken" } } }),
        _ => json!({}),
    };
    asked.lock().unwrap().push((operation, input));
    let status = if answer["__type"].is_null() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    (status, answer.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_dynamodb_what_differs_is_put_and_nothing_else() {
    let described: tables::Table = serde_json::from_value(json!({
        "table": { "TableName": "Data_dev", "KeySchema": [{ "AttributeName": "pk" }, { "AttributeName": "sk" }] },
        "items": [{ "pk": "a", "sk": "1", "v": "x" }, { "pk": "b", "sk": "1", "v": "x" }, { "pk": "c", "sk": "1" }],
    }))
    .unwrap();
    let asked = Asked::default();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = Router::new().fallback(table).with_state(Arc::clone(&asked));
    let serving = tokio::spawn(async move { axum::serve(listener, server).await });
    let caller = Caller::new(&endpoint, "us-east-1").unwrap();
    assert_eq!(tables::restore(&caller, &described).await.unwrap(), 2);
    serving.abort();
    let asked = asked.lock().unwrap();
    let of = |wanted: &str| {
        asked.iter().filter(|(operation, _)| operation == wanted).map(|(_, input)| input).collect::<Vec<_>>()
    };
    let put: Vec<&Value> = of("PutItem").into_iter().map(|input| &input["Item"]["pk"]["S"]).collect();
    assert_eq!(put, ["b", "c"]);
    assert_eq!(of("GetItem")[0]["Key"], json!({ "pk": { "S": "a" }, "sk": { "S": "1" } }));
}
