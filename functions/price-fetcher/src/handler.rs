//! The entry point behind the layers: request in, answer out.

use common::middleware::{ApiError, ApiResponse, Checked};
use common::types::{AuditStore, Clock};

use crate::dto::PriceQuery;
use crate::repository_price::PriceStore;
use crate::service::App;

/// Answers `GET /price`. The path is not looked at: the gateway routes, and the handbook's event has none.
///
/// # Errors
/// Anything but a 200; the layers turn it into an answer.
pub(crate) async fn handle<P: PriceStore, A: AuditStore, C: Clock>(
    app: &App<P, A, C>,
    Checked { query, invocation }: Checked<PriceQuery>,
) -> Result<ApiResponse, ApiError> {
    ApiResponse::ok(&app.price(query, &invocation).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    #[cfg(not(feature = "oracle-live"))]
    use common::clients::OracleClient;
    use common::clients::{Access, DynamoAuditStore, DynamoClient, SqliteAuditStore, SqliteClient};
    use common::constants::SMOKE_USER_ID;
    use common::middleware::stack;
    use common::models::{ProductId, ProductPrice, Status};
    use common::testing::{
        ALICE, FixedClock, Folder, MemoryAudit, Recorder, Replay, Reply, audit_rows, block_on, call, event_file,
        request, seeded,
    };
    #[cfg(not(feature = "oracle-live"))]
    use common::types::{Credentials, OracleAccess, OracleAddress, OracleLogin, Secret, SystemClock};
    use common::types::{Invocation, StoreError};
    use serde_json::{Value, json};

    use super::*;
    use crate::repository_price::{DynamoPriceStore, SqlPriceStore};

    /// Knows PROD-101 at 99.90, or fails.
    struct MemoryPrices {
        fails: bool,
    }

    impl PriceStore for MemoryPrices {
        async fn price(&self, product: &ProductId, _: &Invocation) -> Result<Option<ProductPrice>, StoreError> {
            if self.fails {
                return Err(StoreError::Unavailable { action: "read", store: "price", source: "down".into() });
            }
            let found = ProductPrice::read(product, "99.90", "USD").unwrap();
            Ok((product.as_str() == "PROD-101").then_some(found))
        }
    }

    fn in_memory(fails: bool, audit: MemoryAudit) -> App<MemoryPrices, MemoryAudit, FixedClock> {
        App { prices: MemoryPrices { fails }, audit, clock: FixedClock, environment: "dev".parse().unwrap() }
    }

    fn on_sqlite(folder: &Folder) -> Arc<App<SqlPriceStore<SqliteClient>, SqliteAuditStore, FixedClock>> {
        let prices = SqlPriceStore::new(SqliteClient::new("price", folder.data(), Access::Read));
        let audit = SqliteAuditStore::new(folder.audit());
        Arc::new(App { prices, audit, clock: FixedClock, environment: "dev".parse().unwrap() })
    }

    fn ask<P: PriceStore>(app: &App<P, MemoryAudit, FixedClock>, product: &str) -> Result<ApiResponse, ApiError> {
        block_on(handle(app, Checked::try_from(request("GET", &[("id", product), ("userId", ALICE)]))?))
    }

    /// Sends `event` through `lambda_http` and every layer to the function on seeded SQLite; the log goes along.
    fn send(folder: &Folder, event: &str) -> (u16, Value, String) {
        let (app, recorder) = (on_sqlite(folder), Recorder::default());
        let handler = move |checked| {
            let app = Arc::clone(&app);
            async move { handle(&app, checked).await }
        };
        let answer = call(stack(recorder.process(), handler), event);
        (answer.status_code, serde_json::from_str(&answer.body).unwrap(), recorder.text())
    }

    #[test]
    fn a_known_price_keeps_its_digits_and_is_audited() {
        let app = in_memory(false, MemoryAudit::default());
        let answer = ask(&app, "PROD-101").unwrap();
        assert_eq!(answer.body, r#"{"productId":"PROD-101","price":99.90,"currency":"USD"}"#);
        assert!(matches!(ask(&app, "PROD-9"), Err(ApiError::NotFound(_))));
        assert_eq!(app.audit.statuses(), [Status::Success, Status::NotFound]);
        assert_eq!(app.audit.items()[0].lookup.request_id.as_str(), "r-1");
    }

    #[test]
    fn no_audit_no_price() {
        let app = in_memory(false, MemoryAudit::failing());
        assert!(matches!(ask(&app, "PROD-101"), Err(ApiError::AuditUnavailable(_))));
    }

    #[test]
    fn a_failing_store_is_audited_as_an_error() {
        let app = in_memory(true, MemoryAudit::default());
        assert!(matches!(ask(&app, "PROD-101"), Err(ApiError::StoreUnavailable(_))));
        assert_eq!(app.audit.statuses(), [Status::Error]);
    }

    #[test]
    fn every_event_form_is_answered_from_sqlite_and_audited_without_a_trace_in_the_log() {
        let folder = seeded();
        for event in ["price-event.json", "price-event-v2.json"] {
            let (status, body, log) = send(&folder, &event_file(event));
            assert_eq!(status, 200, "{event}");
            assert_eq!(body.to_string(), r#"{"currency":"USD","price":99.99,"productId":"PROD-101"}"#);
            assert!(!log.contains("550e") && !log.contains("PROD-101"), "{log}");
        }
        let rows = audit_rows(&folder.audit());
        assert_eq!(rows.len(), 2);
        for row in rows {
            assert_eq!(
                (row.action.as_str(), row.status.as_str(), row.purpose.as_str()),
                ("PRICE_FETCH", "SUCCESS", "USER")
            );
            assert_eq!((row.pk, row.product.as_deref()), (format!("USER#{ALICE}"), Some("PROD-101")));
        }
    }

    #[test]
    fn the_smoke_user_is_marked() {
        let folder = seeded();
        let (status, _, _) = send(&folder, &event_file("price-event-v2.json").replace(ALICE, SMOKE_USER_ID));
        assert_eq!((status, audit_rows(&folder.audit())[0].purpose.as_str()), (200, "SMOKE"));
    }

    #[test]
    fn bad_requests_name_their_fields_and_are_not_lookups() {
        let folder = seeded();
        let event = |query: Value| json!({"httpMethod": "GET", "queryStringParameters": query}).to_string();
        for (query, fields) in [
            (json!(null), json!(["id", "userId"])),
            (json!({"id": "PROD%2D101", "userId": "Alice-UUID"}), json!(["id", "userId"])),
            (json!({"id": "PRÖD", "userId": ALICE}), json!(["id"])),
            (json!({"id": ["a", "a"], "userId": ALICE, "x": ""}), json!(["*", "id"])),
        ] {
            let (status, body, log) = send(&folder, &event(query));
            let named: Vec<_> =
                body["error"]["fields"].as_array().unwrap().iter().map(|fault| &fault["field"]).collect();
            assert_eq!((status, json!(named)), (400, fields));
            assert!(log.contains("VALIDATION_FAILED") && !log.contains("Alice"), "{log}");
        }
        let (status, body, _) = send(&folder, &json!({"httpMethod": "POST"}).to_string());
        assert_eq!((status, &body["error"]["code"]), (405, &json!("METHOD_NOT_ALLOWED")));
        assert_eq!(audit_rows(&folder.audit()), []);
    }

    #[test]
    fn without_the_audit_table_there_is_503_and_no_price() {
        let folder = seeded();
        rusqlite::Connection::open(folder.audit()).unwrap().execute_batch("DROP TABLE Audit_Logs_Local").unwrap();
        let (status, body, log) = send(&folder, &event_file("price-event.json"));
        assert_eq!((status, &body["error"]["code"]), (503, &json!("AUDIT_UNAVAILABLE")));
        assert_eq!(body["error"]["requestId"], "local-test-id");
        assert!(!body.to_string().contains("99.99"));
        assert!(log.contains("no such table"), "{log}");
    }

    #[test]
    fn without_any_price_database_there_is_503_and_an_error_is_audited() {
        let folder = seeded();
        std::fs::remove_file(folder.data()).unwrap();
        let (status, body, _) = send(&folder, &event_file("price-event.json"));
        assert_eq!((status, &body["error"]["code"]), (503, &json!("STORE_UNAVAILABLE")));
        assert_eq!(audit_rows(&folder.audit())[0].status, "ERROR");
    }

    /// Asks for the price on DynamoDB as the replay has it; what is answered, and what is logged.
    fn on_dynamodb(replay: &Replay) -> (u16, Value, String) {
        let limit = std::time::Duration::from_millis(800);
        let client = DynamoClient::new(replay.access(), limit, Arc::new(FixedClock)).unwrap();
        let (prices, audit) = (
            DynamoPriceStore::new(client.clone(), "Data_dev".into()),
            DynamoAuditStore::new(client, "Audit_Logs_dev".into()),
        );
        let app = Arc::new(App { prices, audit, clock: FixedClock, environment: "dev".parse().unwrap() });
        let recorder = Recorder::default();
        let handler = move |checked| {
            let app = Arc::clone(&app);
            async move { handle(&app, checked).await }
        };
        let answer = call(stack(recorder.process(), handler), &event_file("price-event.json"));
        (answer.status_code, serde_json::from_str(&answer.body).unwrap(), recorder.text())
    }

    /// The price, unless this operation is to go wrong.
    fn well_but(bad: &'static str, reply: impl Fn() -> Reply + Send + 'static) -> Replay {
        Replay::new(move |operation, _| match operation {
            _ if operation == bad => reply(),
            "GetItem" => Reply::Json(json!({ "Item": { "price": { "S": "99.99" }, "currency": { "S": "USD" } } })),
            _ => Reply::Json(json!({})),
        })
    }

    #[test]
    fn dynamodb_gives_the_price_after_the_item_was_put_under_a_new_key() {
        let replay = well_but("none", || Reply::Close);
        let (status, body, _) = on_dynamodb(&replay);
        assert_eq!((status, &body["price"]), (200, &json!(99.99)));
        let asked = replay.asked();
        let operations: Vec<_> = asked.iter().map(|asked| asked.operation.as_str()).collect();
        assert_eq!(operations, ["GetItem", "PutItem"]);
        let key = json!({ "pk": { "S": "PRICE#PROD-101" }, "sk": { "S": "PRICE" } });
        assert_eq!((&asked[0].input["TableName"], &asked[0].input["Key"]), (&json!("Data_dev"), &key));
        let put = &asked[1].input;
        assert_eq!(
            (&put["TableName"], &put["ConditionExpression"]),
            (&json!("Audit_Logs_dev"), &json!("attribute_not_exists(pk)"))
        );
        assert_eq!(put["Item"]["product_day"]["S"], "PROD-101#2026-01-23");
    }

    #[test]
    fn whatever_goes_wrong_in_dynamodb_there_is_no_price() {
        let wrong: [fn() -> Reply; 7] = [
            || Reply::Refuse(400, "ResourceNotFoundException"),
            || Reply::Refuse(400, "ThrottlingException"),
            || Reply::Refuse(400, "ConditionalCheckFailedException"),
            || Reply::Refuse(400, "AccessDeniedException"),
            || Reply::Refuse(500, "InternalServerError"),
            || Reply::Hang,
            || Reply::Close,
        ];
        for reply in wrong {
            for (operation, code) in [("PutItem", "AUDIT_UNAVAILABLE"), ("GetItem", "STORE_UNAVAILABLE")] {
                let (status, body, log) = on_dynamodb(&well_but(operation, reply));
                assert_eq!((status, &body["error"]["code"]), (503, &json!(code)), "{log}");
                assert!(!body.to_string().contains("99.99"), "{body}");
                assert!(!log.contains("secret words") && !log.contains("550e"), "{log}");
            }
        }
        let malformed = well_but("GetItem", || Reply::Json(json!({ "Item": { "price": { "N": "99.99" } } })));
        let (status, body, _) = on_dynamodb(&malformed);
        assert_eq!((status, &body["error"]["code"]), (500, &json!("INTERNAL")));
    }
    /// Oracle on a machine where its client library is not: the folder is empty. A process that has loaded it once has it for good,
    /// so this cannot be shown beside a server.
    #[cfg(not(feature = "oracle-live"))]
    fn without_the_library(folder: &Folder) -> SqlPriceStore<OracleClient> {
        let login = OracleLogin::Given(Credentials { user: "app".into(), password: Secret::new("hush".into()) });
        let address = OracleAddress::new("127.0.0.1", None, "FREEPDB1").unwrap();
        let access = OracleAccess { address, login, library: Some(folder.path.clone()) };
        SqlPriceStore::new(OracleClient::new(("price", "price-fetcher"), access, Arc::new(SystemClock)).unwrap())
    }

    #[cfg(not(feature = "oracle-live"))]
    #[test]
    fn without_oracles_client_library_there_is_503_and_an_error_is_audited() {
        let (folder, recorder) = (seeded(), Recorder::default());
        let audit = SqliteAuditStore::new(folder.audit());
        let prices = without_the_library(&folder);
        let app = Arc::new(App { prices, audit, clock: FixedClock, environment: "dev".parse().unwrap() });
        let handler = move |checked| {
            let app = Arc::clone(&app);
            async move { handle(&app, checked).await }
        };
        let answer = call(stack(recorder.process(), handler), &event_file("price-event.json"));
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status_code, &body["error"]["code"]), (503, &json!("STORE_UNAVAILABLE")));
        let log: Value = serde_json::from_str(recorder.text().lines().last().unwrap()).unwrap();
        let cause = log["cause"].as_str().unwrap();
        assert!(
            cause.starts_with("cannot read the price in the price store: ORACLE_CLIENT_LIBRARY (DPI-1047): "),
            "{cause}"
        );
        assert!(!recorder.text().contains("hush") && !recorder.text().contains("550e"), "{cause}");
        assert_eq!(audit_rows(&folder.audit()).iter().map(|row| row.status.as_str()).collect::<Vec<_>>(), ["ERROR"]);
    }
}
