//! Puts the layers around a handler and hands the whole to Lambda.

use std::convert::Infallible;
use std::env::VarError;
use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use lambda_http::{Error, LambdaEvent};
use tokio::runtime::Builder;
use tower::{Service, ServiceBuilder, service_fn};

use crate::middleware::{
    ApiError, ApiRequest, ApiResponse, ErrorMappingLayer, GatewayEvent, LogSink, RequestIdLayer, RequestLogLayer,
    causes,
};
use crate::models::Environment;
use crate::types::{Clock, Settings, SystemClock};

/// What the layers need from the process.
pub struct Process<C> {
    /// The function's name.
    pub function: &'static str,
    /// The environment that it serves.
    pub environment: Environment,
    /// The time.
    pub clock: Arc<C>,
    /// Where log lines go.
    pub sink: LogSink,
}

/// `handler` with every layer around it.
pub fn stack<C, H, F>(
    process: Process<C>,
    handler: H,
) -> impl Service<LambdaEvent<GatewayEvent>, Response = ApiResponse, Error = Infallible, Future: Send>
where
    C: Clock + 'static,
    H: FnMut(ApiRequest) -> F,
    F: Future<Output = Result<ApiResponse, ApiError>> + Send + 'static,
{
    let Process { function, environment, clock, sink } = process;
    ServiceBuilder::new()
        .layer(RequestIdLayer)
        .layer(ErrorMappingLayer)
        .layer(RequestLogLayer { function, environment, clock, sink })
        .service(service_fn(handler))
}

/// Answers events on the machine's clock and standard output until Lambda ends the process.
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn serve<H, F>(function: &'static str, environment: Environment, handler: H) -> Result<(), Error>
where
    H: FnMut(ApiRequest) -> F,
    F: Future<Output = Result<ApiResponse, ApiError>> + Send + 'static,
{
    let sink = Arc::new(Mutex::new(std::io::stdout()));
    let process = Process { function, environment, clock: Arc::new(SystemClock), sink };
    lambda_http::lambda_runtime::run(stack(process, handler)).await
}

/// A function's life: reads the settings through `variable`, then runs `serve` with them.
///
/// Wrong settings end it before it asks for work, with the reason on standard error and a code other than zero.
pub fn start<F>(
    variable: impl Fn(&'static str) -> Result<String, VarError>,
    serve: impl FnOnce(Settings) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), Error>>,
{
    let run = || {
        let settings = Settings::read(variable)?;
        // A sandbox serves one event at a time; more threads would only take longer to start.
        Builder::new_current_thread().enable_all().build()?.block_on(serve(settings))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let texts = [vec![error.to_string()], causes(error.as_ref())].concat();
            // Where standard error is closed the exit code still tells.
            drop(writeln!(std::io::stderr(), "error: {}", texts.join(": ")));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::models::UserId;
    use crate::testing::{ALICE, Recorder, call, event_file};
    use crate::types::StoreError;

    fn through_the_stack(fail: bool) -> (ApiResponse, Value) {
        let recorder = Recorder::default();
        let handler = move |request: ApiRequest| async move {
            let user: UserId = request.query["userId"][0].parse().unwrap();
            let source = format!("no table, said {user:?}").into();
            let error = StoreError::Unavailable { action: "append an item", store: "audit", source };
            if fail { Err(ApiError::AuditUnavailable(error)) } else { ApiResponse::ok(&"fine") }
        };
        let answer = call(stack(recorder.process(), handler), &event_file("price-event.json"));
        let text = recorder.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains(ALICE) && !text.contains("PROD-101"), "{text}");
        (answer, serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn a_request_leaves_one_line_with_process_ids_only() {
        let (answer, line) = through_the_stack(false);
        assert_eq!(answer.body, "\"fine\"");
        assert_eq!(line["requestId"], "local-test-id");
        assert_eq!((&line["status"], &line["level"]), (&200.into(), &"INFO".into()));
        assert_eq!(line["timestamp"], "2026-01-23T12:00:00.000Z");
        assert!(line.get("cause").is_none());
    }

    #[test]
    fn a_failure_is_answered_and_its_cause_goes_to_the_log_only() {
        let (answer, line) = through_the_stack(true);
        assert_eq!(answer.status_code, 503);
        assert!(!answer.body.contains("no table"));
        let expected = "cannot append an item in the audit store: no table, said UserId(redacted)";
        assert_eq!((&line["code"], &line["cause"]), (&"AUDIT_UNAVAILABLE".into(), &expected.into()));
        assert_eq!((&line["status"], &line["level"]), (&503.into(), &"ERROR".into()));
    }

    #[test]
    fn wrong_settings_end_the_process_before_it_serves() {
        let code = start(|_| Err(VarError::NotPresent), |_| async { panic!("must not serve") });
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
    }
}
