//! The entry point behind the layers: request in, answer out.

use common::middleware::{ApiError, ApiRequest, ApiResponse};
use common::types::{AuditStore, Clock};

use crate::dto::ProductQuery;
use crate::repository_product::ProductStore;
use crate::service::App;

/// Answers `GET /__name__`. The path is not looked at: the gateway routes.
///
/// # Errors
/// Anything but a 200; the layers turn it into an answer.
pub(crate) async fn handle<P: ProductStore, A: AuditStore, C: Clock>(
    app: &App<P, A, C>,
    request: &ApiRequest,
) -> Result<ApiResponse, ApiError> {
    let query = ProductQuery::try_from(request)?;
    ApiResponse::ok(&app.product(query, &request.invocation).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use common::clients::{Access, SqliteAuditStore, SqliteClient};
    use common::middleware::stack;
    use common::testing::{ALICE, FixedClock, Folder, Recorder, audit_rows, call, event_file, seeded};
    use serde_json::{Value, json};

    use super::*;
    use crate::repository_product::SqlProductStore;

    /// The event that `invoke` is tried with, too.
    const EVENT: &str = "__name__-event.json";

    /// Sends `event` through `lambda_http` and every layer to the function on seeded SQLite; the log goes along.
    fn send(folder: &Folder, event: &str) -> (u16, Value, String) {
        let app = Arc::new(App {
            products: SqlProductStore::new(SqliteClient::new("product", folder.data(), Access::Read)),
            audit: SqliteAuditStore::new(folder.audit()),
            clock: FixedClock,
            environment: "dev".parse().unwrap(),
        });
        let recorder = Recorder::default();
        let handler = move |request| {
            let app = Arc::clone(&app);
            async move { handle(&app, &request).await }
        };
        let answer = call(stack(recorder.process(), handler), event);
        (answer.status_code, serde_json::from_str(&answer.body).unwrap(), recorder.text())
    }

    #[test]
    fn the_event_is_answered_and_audited_without_a_trace_in_the_log() {
        let folder = seeded();
        let (status, body, log) = send(&folder, &event_file(EVENT));
        assert_eq!((status, body), (200, json!({ "productId": "PROD-101", "currency": "USD" })));
        assert!(!log.contains(ALICE) && !log.contains("PROD-101"), "{log}");
        let rows = audit_rows(&folder.audit());
        assert_eq!(rows.iter().map(|row| row.status.as_str()).collect::<Vec<_>>(), ["SUCCESS"]);
    }

    #[test]
    fn a_bad_request_is_named_and_is_no_lookup() {
        let folder = seeded();
        let (status, body, log) = send(&folder, &json!({ "httpMethod": "GET" }).to_string());
        assert_eq!((status, &body["error"]["code"]), (400, &json!("VALIDATION_FAILED")));
        assert!(log.contains("VALIDATION_FAILED"), "{log}");
        assert_eq!(audit_rows(&folder.audit()), []);
    }

    #[test]
    fn without_its_stores_there_is_503() {
        let folder = seeded();
        std::fs::remove_file(folder.audit()).unwrap();
        let (status, body, _) = send(&folder, &event_file(EVENT));
        assert_eq!((status, &body["error"]["code"]), (503, &json!("AUDIT_UNAVAILABLE")));
    }
}
