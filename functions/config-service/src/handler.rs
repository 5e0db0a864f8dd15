//! The entry point behind the layers: request in, answer out.

use common::middleware::{ApiError, ApiResponse, Checked};
use common::types::{AuditStore, Clock};

use crate::dto::ConfigurationQuery;
use crate::repository_configuration::ConfigurationStore;
use crate::service::App;

/// Answers `GET /config` and `GET /config/{key}`.
///
/// # Errors
/// Anything but a 200; the layers turn it into an answer.
pub(crate) async fn handle<S: ConfigurationStore, A: AuditStore, C: Clock>(
    app: &App<S, A, C>,
    Checked { query, invocation }: Checked<ConfigurationQuery>,
) -> Result<ApiResponse, ApiError> {
    ApiResponse::ok(&app.configuration(query, &invocation).await?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use common::clients::{Access, DynamoAuditStore, DynamoClient, OPERATION_TIMEOUT, SqliteAuditStore, SqliteClient};
    use common::middleware::stack;
    use common::models::{ConfigurationKey, Environment, Status};
    use common::testing::expectations::expectations;
    use common::testing::{
        ALICE, FixedClock, Folder, MemoryAudit, Recorder, Replay, audit_rows, block_on, call, event_file, request,
        seeded, tables,
    };
    use common::types::{Invocation, StoreError, Unchecked};
    use serde_json::{Value, json};

    use super::*;
    use crate::repository_configuration::{DynamoConfigurationStore, SqlConfigurationStore};

    /// Knows one key, or fails.
    struct MemoryConfiguration {
        fails: bool,
    }

    impl ConfigurationStore for MemoryConfiguration {
        async fn one(
            &self,
            environment: &Environment,
            key: &ConfigurationKey,
            invocation: &Invocation,
        ) -> Result<Option<String>, StoreError> {
            Ok(self.all(environment, invocation).await?.remove(key.as_str()))
        }

        async fn all(&self, _: &Environment, _: &Invocation) -> Result<BTreeMap<String, String>, StoreError> {
            if self.fails {
                return Err(StoreError::Unavailable { action: "read", store: "configuration", source: "down".into() });
            }
            Ok(BTreeMap::from([("a.b".to_owned(), "1".to_owned())]))
        }
    }

    fn in_memory(fails: bool, audit: MemoryAudit) -> App<MemoryConfiguration, MemoryAudit, FixedClock> {
        let environment = "dev".parse().unwrap();
        App { configuration: MemoryConfiguration { fails }, audit, clock: FixedClock, environment }
    }

    fn ask(app: &App<MemoryConfiguration, MemoryAudit, FixedClock>, path: &str) -> Result<ApiResponse, ApiError> {
        let mut request = request("GET", &[("userId", ALICE)]);
        request.path = Unchecked::new(path.to_owned());
        block_on(handle(app, Checked::try_from(request)?))
    }

    /// Sends `event` through `lambda_http` and every layer to the function on seeded SQLite; the log goes along.
    fn send(folder: &Folder, environment: &str, event: &str) -> (u16, Value, String) {
        let app = Arc::new(App {
            configuration: SqlConfigurationStore::new(SqliteClient::new("configuration", folder.data(), Access::Read)),
            audit: SqliteAuditStore::new(folder.audit()),
            clock: FixedClock,
            environment: environment.parse().unwrap(),
        });
        let recorder = Recorder::default();
        let handler = move |checked| {
            let app = Arc::clone(&app);
            async move { handle(&app, checked).await }
        };
        let answer = call(stack(recorder.process(), handler), event);
        (answer.status_code, serde_json::from_str(&answer.body).unwrap(), recorder.text())
    }

    #[test]
    fn one_key_and_all_keys_are_answered_and_audited() {
        let app = in_memory(false, MemoryAudit::default());
        assert_eq!(ask(&app, "/config/a.b").unwrap().body, r#"{"environment":"dev","key":"a.b","value":"1"}"#);
        assert_eq!(ask(&app, "/config").unwrap().body, r#"{"environment":"dev","configuration":{"a.b":"1"}}"#);
        assert!(matches!(ask(&app, "/config/none"), Err(ApiError::NotFound(_))));
        assert_eq!(app.audit.statuses(), [Status::Success, Status::Success, Status::NotFound]);
    }

    #[test]
    fn no_audit_no_configuration() {
        let app = in_memory(false, MemoryAudit::failing());
        for path in ["/config", "/config/a.b", "/config/none"] {
            assert!(matches!(ask(&app, path), Err(ApiError::AuditUnavailable(_))), "{path}");
        }
    }

    #[test]
    fn a_failing_store_is_audited_as_an_error() {
        let app = in_memory(true, MemoryAudit::default());
        assert!(matches!(ask(&app, "/config"), Err(ApiError::StoreUnavailable(_))));
        assert_eq!(app.audit.statuses(), [Status::Error]);
    }

    #[test]
    fn both_event_forms_are_answered_from_sqlite() {
        let folder = seeded();
        let (status, body, log) = send(&folder, "qa", &event_file("config-event.json"));
        assert_eq!((status, &body["configuration"]["currency.default"]), (200, &json!("USD")));
        assert!(!log.contains("550e"), "{log}");
        let (status, body, log) = send(&folder, "prod", &event_file("config-event-v2.json"));
        assert_eq!((status, body), (200, json!({"environment": "prod", "key": "currency.default", "value": "USD"})));
        assert!(!log.contains("550e") && !log.contains("currency.default"), "{log}");
        let rows = audit_rows(&folder.audit());
        let mut keys: Vec<_> = rows.iter().map(|row| row.configuration_key.as_deref().unwrap()).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["*", "currency.default"]);
        assert!(rows.iter().all(|row| row.action == "CONFIG_FETCH" && row.product.is_none()));
        // Only the answer under prod is kept for six years.
        assert_eq!(
            rows.iter().map(|row| row.ttl).max().unwrap() - rows.iter().map(|row| row.ttl).min().unwrap(),
            2102 * 86_400
        );
    }

    #[test]
    fn both_event_forms_are_answered_alike_on_both_stores() {
        let folder = seeded();
        let replay = Replay::of_items(tables("data"));
        let client = DynamoClient::new(replay.access(), OPERATION_TIMEOUT, Arc::new(FixedClock)).unwrap();
        let dynamodb = Arc::new(App {
            configuration: DynamoConfigurationStore::new(client.clone(), "Data_dev".into()),
            audit: DynamoAuditStore::new(client, "Audit_Logs_dev".into()),
            clock: FixedClock,
            environment: "dev".parse().unwrap(),
        });
        for expected in expectations().iter().filter(|expected| expected.function == "config-service") {
            for event in expected.events() {
                let (status, body, _) = send(&folder, "dev", &event);
                expected.is_met("SQLite", status, &body.to_string());
                let app = Arc::clone(&dynamodb);
                let handler = move |checked| {
                    let app = Arc::clone(&app);
                    async move { handle(&app, checked).await }
                };
                let answer = call(stack(Recorder::default().process(), handler), &event);
                expected.is_met("DynamoDB", answer.status_code, &answer.body);
            }
        }
    }

    #[test]
    fn an_environment_without_rows_and_a_broken_audit_are_told() {
        let folder = seeded();
        let (status, body, _) = send(&folder, "nowhere", &event_file("config-event.json"));
        assert_eq!((status, &body["error"]["code"]), (404, &json!("NOT_FOUND")));
        std::fs::remove_file(folder.audit()).unwrap();
        let (status, body, _) = send(&folder, "dev", &event_file("config-event.json"));
        assert_eq!((status, &body["error"]["code"]), (503, &json!("AUDIT_UNAVAILABLE")));
    }
}
