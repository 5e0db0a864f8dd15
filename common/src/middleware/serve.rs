//! Puts the layers around a handler and hands the whole to Lambda.

use std::convert::Infallible;
use std::env::VarError;
use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use lambda_http::{Error, LambdaEvent};
use serde_json::json;
use tokio::runtime::Builder;
use tower::{Service, ServiceBuilder, service_fn};

use super::log::write_line;
use crate::middleware::{
    ApiError, ApiRequest, ApiResponse, Checked, ErrorMappingLayer, GatewayEvent, HeadersLayer, LogSink, MetricsLayer,
    RequestIdLayer, RequestLogLayer, ValidationLayer, causes,
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
    /// Where log lines and metrics go.
    pub sink: LogSink,
}

/// `handler` with every layer around it, in the order that the table in [`crate::middleware`] gives reasons for.
pub fn stack<C, Q, H, F>(
    process: Process<C>,
    handler: H,
) -> impl Service<LambdaEvent<GatewayEvent>, Response = ApiResponse, Error = Infallible, Future: Send>
where
    C: Clock + 'static,
    Q: for<'r> TryFrom<&'r ApiRequest, Error = ApiError> + 'static,
    H: FnMut(Checked<Q>) -> F,
    F: Future<Output = Result<ApiResponse, ApiError>> + Send + 'static,
{
    let Process { function, environment, clock, sink } = process;
    let log = RequestLogLayer {
        function,
        environment: environment.clone(),
        clock: Arc::clone(&clock),
        sink: Arc::clone(&sink),
    };
    ServiceBuilder::new()
        .layer(RequestIdLayer)
        .layer(log)
        .layer(HeadersLayer)
        .layer(ErrorMappingLayer)
        .layer(MetricsLayer { function, environment, clock, sink })
        .layer(ValidationLayer::<Q>::default())
        .service(service_fn(handler))
}

/// Answers events on the machine's clock and standard output until Lambda ends the process.
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn serve<Q, H, F>(function: &'static str, environment: Environment, handler: H) -> Result<(), Error>
where
    Q: for<'r> TryFrom<&'r ApiRequest, Error = ApiError> + 'static,
    H: FnMut(Checked<Q>) -> F,
    F: Future<Output = Result<ApiResponse, ApiError>> + Send + 'static,
{
    let sink: LogSink = Arc::new(Mutex::new(std::io::stdout()));
    tell_panics(Arc::clone(&sink));
    let process = Process { function, environment, clock: Arc::new(SystemClock), sink };
    lambda_http::lambda_runtime::run(stack(process, handler)).await
}

/// Says of every panic from now on where it was, and nothing of what it said: that may hold anything.
pub fn tell_panics(sink: LogSink) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        write_line(&sink, &json!({ "level": "ERROR", "message": "panic", "place": place }));
    }));
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

    /// A request that names its user.
    struct Asked {
        user: UserId,
    }

    impl TryFrom<&ApiRequest> for Asked {
        type Error = ApiError;

        fn try_from(request: &ApiRequest) -> Result<Self, ApiError> {
            let user = request.query.values("userId").first().and_then(|user| user.check().ok());
            user.map(|user| Self { user }).ok_or(ApiError::NotFound("the user"))
        }
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Does {
        Answer,
        Fail,
        Panic,
    }

    async fn handle(checked: Checked<Asked>, does: Does) -> Result<ApiResponse, ApiError> {
        let user = checked.query.user;
        let source = format!("no table, said {user:?}").into();
        let error = StoreError::Unavailable { action: "append an item", store: "audit", source };
        match does {
            Does::Answer => ApiResponse::ok(&"fine"),
            Does::Fail => Err(ApiError::AuditUnavailable(error)),
            Does::Panic => panic!("of {}", user.expose()),
        }
    }

    /// The answer, the log line and the metrics.
    fn through_the_stack(does: Does) -> (ApiResponse, Value, Value) {
        let recorder = Recorder::default();
        let handler = move |checked: Checked<Asked>| handle(checked, does);
        let answer = call(stack(recorder.process(), handler), &event_file("price-event.json"));
        let text = recorder.text();
        assert!(!text.contains(ALICE) && !text.contains("PROD-101"), "{text}");
        let mut lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let (metrics, line) = (lines.next().unwrap(), lines.next().unwrap());
        assert_eq!(lines.next(), None, "{text}");
        (answer, line, metrics)
    }

    /// The layers' names, from the outermost in, as the compiler has put them together.
    fn order(service: impl Service<LambdaEvent<GatewayEvent>>) -> Vec<String> {
        let whole = std::any::type_name_of_val(&service).to_owned();
        // `common::middleware::request_id::RequestId<common::middleware::log::RequestLog<…`
        let names = whole.split('<').map(|path| path.rsplit("::").next().unwrap_or_default().to_owned());
        names.take_while(|name| !name.starts_with("ServiceFn")).collect()
    }

    #[test]
    fn the_layers_stand_in_the_documented_order() {
        let documented =
            include_str!("mod.rs").lines().filter_map(|line| line.strip_prefix("//! | `")?.split('`').next());
        let handler = |checked: Checked<Asked>| handle(checked, Does::Answer);
        let order = order(stack(Recorder::default().process(), handler));
        assert_eq!(order, ["RequestId", "RequestLog", "Headers", "ErrorMapping", "Metrics", "Validated"]);
        let documented: Vec<_> = documented.map(|name| name.replace("Validation", "Validated")).collect();
        assert_eq!(order, documented);
    }

    #[test]
    fn a_request_leaves_one_line_with_process_ids_only() {
        let (answer, line, _) = through_the_stack(Does::Answer);
        assert_eq!(answer.body, "\"fine\"");
        assert_eq!(line["requestId"], "local-test-id");
        assert_eq!((&line["status"], &line["level"]), (&200.into(), &"INFO".into()));
        assert_eq!(line["timestamp"], "2026-01-23T12:00:00.000Z");
        assert_eq!((&line["correlationId"], &line["lambdaRequestId"]), (&"local-test-id".into(), &"unknown".into()));
        assert!(line.get("cause").is_none());
    }

    #[test]
    fn a_failure_is_answered_and_its_cause_goes_to_the_log_only() {
        let (answer, line, metrics) = through_the_stack(Does::Fail);
        assert_eq!(answer.status_code, 503);
        assert!(!answer.body.contains("no table"));
        let expected = "cannot append an item in the audit store: no table, said UserId(redacted)";
        assert_eq!((&line["code"], &line["cause"]), (&"AUDIT_UNAVAILABLE".into(), &expected.into()));
        assert_eq!((&line["status"], &line["level"]), (&503.into(), &"ERROR".into()));
        assert_eq!((&metrics["Code"], &metrics["Function"]), (&"AUDIT_UNAVAILABLE".into(), &"under-test".into()));
    }

    #[test]
    fn a_panic_is_answered_logged_and_counted_without_its_words() {
        let (answer, line, metrics) = through_the_stack(Does::Panic);
        assert_eq!((answer.status_code, &line["status"], &line["code"]), (500, &500.into(), &"INTERNAL".into()));
        assert!(answer.body.contains(r#""code":"INTERNAL""#) && !answer.body.contains(ALICE), "{}", answer.body);
        assert_eq!((&metrics["Code"], &metrics["Faults"]), (&"INTERNAL".into(), &1.0.into()));
    }

    #[test]
    fn wrong_settings_end_the_process_before_it_serves() {
        let code = start(|_| Err(VarError::NotPresent), |_| async { panic!("must not serve") });
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
    }
}
