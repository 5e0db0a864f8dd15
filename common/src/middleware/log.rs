//! One JSON line per request, with process ids only: neither query, path nor any value of the request goes in.

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use jiff::Timestamp;
use serde::Serialize;
use tower::{Layer, Service};

use crate::middleware::{ApiRequest, ApiResponse, Boxed};
use crate::models::{CorrelationId, Environment, ErrorCode, RequestId, TraceId};
use crate::types::{Clock, Invocation, between};

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
    request_id: &'a RequestId,
    lambda_request_id: &'a RequestId,
    correlation_id: &'a CorrelationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a TraceId>,
    status: u16,
    duration_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
}

impl<C> RequestLogLayer<C> {
    fn write(&self, invocation: &Invocation, (started, now): (Timestamp, Timestamp), answer: &ApiResponse) {
        let status = answer.status_code;
        let line = Line {
            timestamp: format!("{now:.3}"),
            level: if status < 500 { "INFO" } else { "ERROR" },
            message: "request",
            function: self.function,
            environment: &self.environment,
            request_id: &invocation.request_id,
            lambda_request_id: &invocation.lambda_request_id,
            correlation_id: &invocation.correlation_id,
            trace_id: invocation.trace_id.as_ref(),
            status,
            duration_ms: between(started, now).as_millis(),
            code: answer.failure.as_ref().map(|failure| failure.code),
            cause: answer.failure.as_ref().and_then(|failure| failure.cause.as_deref()),
        };
        write_line(&self.sink, &line);
    }
}

/// One JSON document on a line of its own.
pub(super) fn write_line(sink: &LogSink, document: &impl Serialize) {
    let Ok(mut text) = serde_json::to_vec(document) else { return };
    text.push(b'\n');
    let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
    // There is nowhere left to report a log that cannot be written, and the answer must not suffer from it.
    drop(sink.write_all(&text).and_then(|()| sink.flush()));
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
    S: Service<ApiRequest, Response = ApiResponse, Error = Infallible>,
    S::Future: Send + 'static,
    C: Clock + 'static,
{
    type Response = ApiResponse;
    type Error = Infallible;
    type Future = Boxed<ApiResponse, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: ApiRequest) -> Self::Future {
        let log = self.layer.layer(()).layer;
        let started = log.clock.now();
        let invocation = request.invocation.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            log.write(&invocation, (started, log.clock.now()), &answer);
            Ok(answer)
        })
    }
}
