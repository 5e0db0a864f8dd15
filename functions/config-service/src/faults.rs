//! Tests: whatever DynamoDB does, there is the stable error and the right status, a record or no configuration, all of it or
//! nothing, and the same process answers again as soon as the store does.

use std::sync::Arc;
use std::time::Duration;

use common::clients::{DynamoAuditStore, DynamoClient};
use common::middleware::stack;
use common::testing::{FixedClock, Recorder, Replay, Reply, call, event_file};
use serde_json::{Value, json};

use crate::handler::handle;
use crate::repository_configuration::DynamoConfigurationStore;
use crate::service::App;

type Deployed = Arc<App<DynamoConfigurationStore, DynamoAuditStore, FixedClock>>;

fn deployed(replay: &Replay) -> Deployed {
    let client = DynamoClient::new(replay.access(), Duration::from_millis(600), Arc::new(FixedClock)).unwrap();
    let audit = DynamoAuditStore::new(client.clone(), "Audit_Logs_dev".into());
    let configuration = DynamoConfigurationStore::new(client, "Data_dev".into());
    Arc::new(App { configuration, audit, clock: FixedClock, environment: "dev".parse().unwrap() })
}

/// One invocation of the same process, for one key or for all: status and code of the answer.
fn ask(app: &Deployed, event: &str) -> (u16, String) {
    let (app, recorder) = (Arc::clone(app), Recorder::default());
    let handler = move |checked| {
        let app = Arc::clone(&app);
        async move { handle(&app, checked).await }
    };
    let answer = call(stack(recorder.process(), handler), &event_file(event));
    let (body, log) = (answer.body, recorder.text());
    assert!(!log.contains("POISON") && !body.contains("POISON"), "{body}\n{log}");
    assert_eq!(answer.status_code == 200, body.contains("USD"), "all or nothing: {body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    (answer.status_code, body["error"]["code"].as_str().unwrap_or_default().to_owned())
}

const ONE: (&str, &str) = ("config-event-v2.json", "GetItem");
const ALL: (&str, &str) = ("config-event.json", "Query");

fn well() -> (u16, String) {
    (200, String::new())
}

fn item() -> Value {
    json!({ "sk": { "S": "currency.default" }, "value": { "S": "USD" } })
}

/// What the table answers when it is well.
fn good(operation: &str) -> Reply {
    Reply::Json(match operation {
        "GetItem" => json!({ "Item": item() }),
        "Query" => json!({ "Items": [item()] }),
        _ => json!({}),
    })
}

fn first(operation: &'static str, times: usize, reply: impl Fn() -> Reply + Send + 'static) -> Replay {
    Replay::new(move |asked, before| if asked == operation && before < times { reply() } else { good(asked) })
}

#[test]
fn what_lasts_is_told_and_over_when_the_store_is_well_again() {
    let lasting: [(fn() -> Reply, usize); 6] = [
        (|| Reply::Close, 3),
        (|| Reply::Half, 3),
        (|| Reply::Hang, 2),
        (|| Reply::Refuse(400, "ThrottlingException"), 3),
        (|| Reply::Refuse(400, "AccessDeniedException"), 1),
        (|| Reply::Text("POISON"), 1),
    ];
    for (event, reading) in [ONE, ALL] {
        for (operation, code) in [(reading, "STORE_UNAVAILABLE"), ("PutItem", "AUDIT_UNAVAILABLE")] {
            for (at, (reply, times)) in lasting.into_iter().enumerate() {
                let replay = first(operation, times, reply);
                let app = deployed(&replay);
                assert_eq!(ask(&app, event), (503, code.to_owned()), "{operation} {at}");
                assert_eq!(ask(&app, event), well(), "{operation} {at}: the same process, later");
            }
        }
    }
}

#[test]
fn a_poison_item_is_a_defect_that_is_told_recorded_and_mended() {
    let key = json!({ "S": "a.b" });
    let items = [
        json!({ "sk": key, "value": { "N": "1" } }),
        json!({ "sk": key, "value": { "BOOL": true } }),
        json!({ "sk": key, "value": { "NULL": true } }),
        json!({ "sk": key, "value": { "L": [{ "S": "POISON" }] } }),
        json!({ "sk": key, "value": "POISON" }),
        json!({ "sk": key }),
    ];
    for poison in items {
        for (event, operation) in [ONE, ALL] {
            let item = poison.clone();
            let replay = first(operation, 1, move || Reply::Json(json!({ "Item": item, "Items": [item] })));
            let app = deployed(&replay);
            assert_eq!(ask(&app, event), (500, "INTERNAL".to_owned()), "{poison}");
            assert_eq!(replay.asked()[1].input["Item"]["status"]["S"], "ERROR", "{poison}");
            assert_eq!(ask(&app, event), well(), "{poison}");
        }
    }
}

#[test]
fn half_of_the_configuration_is_none_of_it() {
    let page = || json!({ "Items": [item()], "LastEvaluatedKey": { "sk": { "S": "currency.default" } } });
    let replay = Replay::new(move |operation, before| match (operation, before) {
        ("Query", 0) => Reply::Json(page()),
        ("Query", 1..4) => Reply::Close,
        _ => good(operation),
    });
    let app = deployed(&replay);
    assert_eq!(ask(&app, ALL.0), (503, "STORE_UNAVAILABLE".to_owned()));
    assert_eq!(ask(&app, ALL.0), well());
    let endless =
        Replay::new(move |operation, _| if operation == "Query" { Reply::Json(page()) } else { good(operation) });
    assert_eq!(ask(&deployed(&endless), ALL.0), (500, "INTERNAL".to_owned()), "it ends");
}
