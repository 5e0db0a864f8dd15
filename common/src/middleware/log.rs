//! One JSON line per request, with process ids only: neither query, path nor any value of the request goes in.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use jiff::Timestamp;
use serde::Serialize;
use tower::{Layer, Service};

use crate::middleware::{ApiError, ApiRequest, ApiResponse, Boxed, causes};
use crate::models::Environment;
use crate::types::Clock;

/// Where log lines go: standard output in a real process, a buffer in a test.
pub type LogSink = Arc<Mutex<dyn Write + Send>>;

/// Makes [`RequestLog`] services.
#[derive(Clone)]
pub struct RequestLogLayer<C> {
    /// The function's name.
    pub function: &'static str,
    /// The environment that it serves.
    pub environment: Environment,
    /// For the time of the line and the duration in it.
    pub clock: Arc<C>,
    /// Where the line goes.
    pub sink: LogSink,
}

/// Writes a line when the handler is done, whatever came of it.
#[derive(Clone)]
pub struct RequestLog<S, C> {
    inner: S,
    layer: RequestLogLayer<C>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    function: &'static str,
    environment: &'a Environment,
    request_id: &'a str,
    lambda_request_id: &'a str,
    status: u16,
    duration_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

impl<C> RequestLogLayer<C> {
    fn write(&self, ids: (&str, &str), started: Timestamp, now: Timestamp, result: &Result<ApiResponse, ApiError>) {
        let failure = result.as_ref().err();
        let status = result.as_ref().map_or_else(|error| error.status().as_u16(), |answer| answer.status_code);
        let line = Line {
            timestamp: format!("{now:.3}"),
            level: if status < 500 { "INFO" } else { "ERROR" },
            message: "request",
            function: self.function,
            environment: &self.environment,
            request_id: ids.0,
            lambda_request_id: ids.1,
            status,
            // A wall clock that is set back must not make a negative duration.
            duration_ms: i64::try_from(now.duration_since(started).as_millis()).unwrap_or_default().max(0),
            code: failure.map(ApiError::code),
            // Sources come from the stores, whose texts hold no values.
            cause: failure
                .and_then(|error| causes(error).into_iter().reduce(|chain, cause| format!("{chain}: {cause}"))),
        };
        let Ok(mut text) = serde_json::to_vec(&line) else { return };
        text.push(b'\n');
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        // There is nowhere left to report a log that cannot be written, and the answer must not suffer from it.
        drop(sink.write_all(&text).and_then(|()| sink.flush()));
    }
}

impl<S, C> Layer<S> for RequestLogLayer<C> {
    type Service = RequestLog<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { function, environment, clock, sink } = self;
        let layer = Self { function, environment: environment.clone(), clock: clock.clone(), sink: sink.clone() };
        RequestLog { inner, layer }
    }
}

impl<S, C> Service<ApiRequest> for RequestLog<S, C>
where
    S: Service<ApiRequest, Response = ApiResponse, Error = ApiError>,
    S::Future: Send + 'static,
    C: Clock + 'static,
{
    type Response = ApiResponse;
    type Error = ApiError;
    type Future = Boxed<ApiResponse, ApiError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ApiError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: ApiRequest) -> Self::Future {
        let log = self.layer.layer(()).layer;
        let started = log.clock.now();
        let (request_id, lambda_request_id) =
            (request.invocation.request_id.clone(), request.lambda_request_id.clone());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let result = answer.await;
            log.write((&request_id, &lambda_request_id), started, log.clock.now(), &result);
            result
        })
    }
}
