//! The functions' stores in DynamoDB: the rules of every audit store, the index that tells who looked, and the functions
//! themselves, built as they are and run by the emulator.

use std::{fs, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use camino::Utf8Path;
use common::{
    clients::{DynamoAuditStore, DynamoClient, OPERATION_TIMEOUT},
    testing::{AuditRow, conformance, event_file, expectations::expectations},
    types::{AuditStore as _, AwsAccess, Secret, SystemClock},
};
use reqwest::Method;
use serde_json::{Value, json};
use xtask::{
    adapters::{
        aws::DynamoTrail,
        cargo::SystemCargo,
        emulator::{estate::tables, wire::Caller},
    },
    ports::{
        cargo::{BuildRequest, Cargo as _, Purpose},
        trail::{AuditTrail as _, TrailError},
    },
};

use super::{OPEN, fleet::FUNCTION_ROLE, sdk};
use crate::trail::tells_who_looked;

/// The repository.
pub(super) fn root() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Tables that are no other test's: the audit table, and the one with prices and configuration.
async fn made(caller: &Caller) -> [String; 2] {
    let environment = format!("dev-{}", uuid::Uuid::now_v7().simple());
    let tables = tables::read(&root().join("infra-local/tables"), &environment).unwrap();
    // Twice: what is there already stays.
    for table in tables.iter().chain(&tables) {
        tables::seed(caller, table).await.unwrap();
    }
    let names: Vec<String> = tables.iter().map(|table| table.name().to_owned()).collect();
    assert_eq!(names, [format!("Audit_Logs_{environment}"), format!("Data_{environment}")]);
    names.try_into().unwrap()
}

async fn ask(caller: &Caller, operation: &str, input: Value) -> Value {
    caller.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), &input).await.unwrap()
}

/// What lies in the audit table, in the order of its key.
async fn rows(caller: &Caller, table: &str) -> Vec<AuditRow> {
    let scanned = ask(caller, "Scan", json!({ "TableName": table, "ConsistentRead": true })).await;
    let row = |item: &Value| {
        let text = |name: &str| item[name]["S"].as_str().map(str::to_owned);
        let always = |name: &str| text(name).unwrap_or_else(|| panic!("no {name}: {item}"));
        AuditRow {
            pk: always("pk"),
            sk: always("sk"),
            action: always("action"),
            status: always("status"),
            purpose: always("purpose"),
            product: text("product"),
            configuration_key: text("configuration_key"),
            request_id: always("request_id"),
            ttl: item["expires_at"]["N"].as_str().unwrap().parse().unwrap(),
        }
    };
    let mut rows: Vec<AuditRow> = scanned["Items"].as_array().unwrap().iter().map(row).collect();
    rows.sort_by(|one, other| (&one.pk, &one.sk).cmp(&(&other.pk, &other.sk)));
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_store_in_dynamodb_is_as_any_other_and_tells_who_looked() {
    let stack = OPEN.join();
    let caller = stack.caller("us-east-1");
    let [audit, _] = made(&caller).await;
    let access = AwsAccess {
        endpoint: stack.endpoint(),
        region: "us-east-1".into(),
        key_id: "test".into(),
        secret: Secret::new("test".into()),
        session_token: None,
    };
    let client = DynamoClient::new(access, OPERATION_TIMEOUT, Arc::new(SystemClock)).unwrap();
    let store = DynamoAuditStore::new(client.clone(), audit.clone());
    conformance::appends_once(&store, async || rows(&caller, &audit).await).await;

    let [other, _] = made(&caller).await;
    let store = DynamoAuditStore::new(client, other.clone());
    let trail = |table: String| DynamoTrail::new(aws_sdk_dynamodb::Client::new(&sdk(&stack.endpoint())), table);
    tells_who_looked(&trail(other), async |item| store.append(item).await.unwrap()).await;
    let nowhere = trail("Nowhere".to_owned());
    let asked = nowhere.who(&"PROD-101".parse().unwrap(), "2026-01-23".parse().unwrap()).await;
    assert!(matches!(asked, Err(TrailError::Missing(_))), "{asked:?}");
    let expiry = ask(&caller, "DescribeTimeToLive", json!({ "TableName": audit })).await;
    let expiry = &expiry["TimeToLiveDescription"];
    assert_eq!([&expiry["TimeToLiveStatus"], &expiry["AttributeName"]], ["ENABLED", "expires_at"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_broken_in_the_tables_is_put_back() {
    let stack = OPEN.join();
    let caller = stack.caller("us-east-1");
    let [audit, data] = made(&caller).await;
    let environment = data.strip_prefix("Data_").unwrap();
    let text = |text: &str| json!({ "S": text });
    let price = |price: &str| json!({ "pk": text("PRICE#PROD-101"), "sk": text("PRICE"), "price": text(price), "currency": text("USD") });
    ask(&caller, "PutItem", json!({ "TableName": data, "Item": price("0.01") })).await;
    let gone = json!({ "pk": text("PRICE#PROD-102"), "sk": text("PRICE") });
    ask(&caller, "DeleteItem", json!({ "TableName": data, "Key": gone })).await;
    let own = json!({ "pk": text("PRICE#MINE"), "sk": text("PRICE") });
    ask(&caller, "PutItem", json!({ "TableName": data, "Item": own })).await;
    let looked = json!({ "pk": text("USER#x"), "sk": text("AUDIT#1") });
    ask(&caller, "PutItem", json!({ "TableName": audit, "Item": looked })).await;

    let described = tables::read(&root().join("infra-local/tables"), environment).unwrap();
    for expected in [2, 0] {
        let mut restored = 0;
        for table in &described {
            restored += tables::restore(&caller, table).await.unwrap();
        }
        assert_eq!(restored, expected);
    }
    let get = async |table: &str, key: &Value| {
        let key = json!({ "pk": key["pk"], "sk": key["sk"] });
        ask(&caller, "GetItem", json!({ "TableName": table, "Key": key, "ConsistentRead": true })).await["Item"].take()
    };
    assert_eq!(get(&data, &price("")).await, price("99.99"));
    assert_eq!((get(&data, &own).await, get(&audit, &looked).await), (own, looked));
}

/// A function with these tables, asked once: the status of its answer, and the body.
async fn asked(caller: &Caller, name: &str, event: &str) -> (u16, String) {
    let event = serde_json::from_str(event).unwrap();
    let path = format!("2015-03-31/functions/{name}/invocations");
    let answer = caller.rest(Method::POST, "lambda", &path, &event).await.unwrap();
    let status = answer["statusCode"].as_u64().unwrap_or_else(|| panic!("{answer}"));
    (u16::try_from(status).unwrap(), answer["body"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_run_on_dynamodb_and_without_their_audit_table_they_tell_nothing() {
    let stack = OPEN.join();
    let caller = stack.caller("us-east-1");
    let [audit, data] = made(&caller).await;
    let folder = tempfile::tempdir().unwrap();
    let functions = ["config-service", "price-fetcher"].map(|name| name.parse().unwrap());
    let request = BuildRequest {
        root: root(),
        functions: &functions,
        profile: "dev",
        target: None,
        glibc: None,
        out: Utf8Path::from_path(folder.path()).unwrap(),
        purpose: Purpose::Run,
    };
    let environment = std::env::vars().collect();
    let built = SystemCargo::new(&environment).build(&request, &|_| ()).unwrap();
    let mut names = Vec::new();
    for (function, artifact) in &built.artifacts {
        let name = format!("{function}-{}", uuid::Uuid::now_v7().simple());
        let variables = json!({ "APP_PROFILE": "aws", "APP_ENVIRONMENT": "dev", "STORE": "dynamodb", "TABLE_DATA": data,
            "TABLE_AUDIT": audit });
        let made = json!({ "FunctionName": name, "Role": FUNCTION_ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Timeout": 20, "Code": { "ZipFile": STANDARD.encode(fs::read(&artifact.path).unwrap()) },
            "Environment": { "Variables": variables } });
        caller.rest(Method::POST, "lambda", "2015-03-31/functions", &made).await.unwrap();
        names.push(name);
    }
    let (config, price) = (&names[0], &names[1]);
    let mut lookups = 0;
    for expected in expectations() {
        let name = if expected.function == "price-fetcher" { price } else { config };
        for event in expected.events() {
            let (status, body) = asked(&caller, name, &event).await;
            expected.is_met("Lambda", status, &body);
            // What is not even a question is not looked up.
            lookups += usize::from(status != 400);
        }
    }
    let told: Vec<_> = rows(&caller, &audit).await.into_iter().map(|row| (row.action, row.status)).collect();
    assert_eq!(told.len(), lookups, "{told:?}");
    for kept in [("PRICE_FETCH", "SUCCESS"), ("PRICE_FETCH", "NOT_FOUND"), ("CONFIG_FETCH", "SUCCESS")] {
        assert!(told.iter().any(|(action, status)| (action.as_str(), status.as_str()) == kept), "{kept:?} in {told:?}");
    }

    ask(&caller, "DeleteTable", json!({ "TableName": audit })).await;
    for (name, event) in [(price, "price-event.json"), (config, "config-event-v2.json")] {
        let (status, body) = asked(&caller, name, &event_file(event)).await;
        assert!(status == 503 && body.contains("AUDIT_UNAVAILABLE"), "{status} {body}");
        assert!(!body.contains("99.99") && !body.contains("USD"), "{body}");
    }
}
