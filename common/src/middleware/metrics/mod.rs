//! The layer that counts and measures: one document of CloudWatch's embedded metric format per invocation, on the log's own way
//! out. No call of any API, so it costs nothing while nobody calls, and there is nothing to fail.

mod emf;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use jiff::Timestamp;
use tower::{Layer, Service};

use self::emf::{Directive, Document, Metric, Unit};
use super::log::write_line;
use crate::middleware::{ApiError, ApiRequest, ApiResponse, Boxed, LogSink};
use crate::models::{Environment, ErrorCode};
use crate::types::{Clock, Invocation, between};

/// The namespace of every metric.
const NAMESPACE: &str = "Functions";

/// Makes [`Metrics`] services.
#[derive(Clone)]
pub struct MetricsLayer<C> {
    /// The function's name.
    pub function: &'static str,
    /// The environment that it serves.
    pub environment: Environment,
    /// For durations.
    pub clock: Arc<C>,
    /// Where documents go.
    pub sink: LogSink,
}

/// Writes a document when the handler is done, even if it panics.
#[derive(Clone)]
pub struct Metrics<S, C> {
    inner: S,
    layer: MetricsLayer<C>,
    served: Arc<AtomicBool>,
}

impl<S, C> Layer<S> for MetricsLayer<C> {
    type Service = Metrics<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Metrics { inner, layer: self.shared(), served: Arc::default() }
    }
}

impl<S, C> Service<ApiRequest> for Metrics<S, C>
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
        let layer = self.layer.shared();
        let cold = !self.served.swap(true, Ordering::Relaxed);
        let begun = layer.clock.now();
        // Whoever panics leaves this without having said how it ended.
        let failure = Some(ErrorCode::Internal);
        let mut running = Running { layer, cold, begun, failure, invocation: request.invocation.clone() };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let result = answer.await;
            running.ended(&result);
            result
        })
    }
}

impl<C> MetricsLayer<C> {
    fn shared(&self) -> Self {
        let Self { function, environment, clock, sink } = self;
        Self { function, environment: environment.clone(), clock: Arc::clone(clock), sink: Arc::clone(sink) }
    }
}

/// An invocation that is under way; its end writes the document.
struct Running<C: Clock> {
    layer: MetricsLayer<C>,
    cold: bool,
    begun: Timestamp,
    failure: Option<ErrorCode>,
    invocation: Invocation,
}

impl<C: Clock> Drop for Running<C> {
    fn drop(&mut self) {
        let now = self.layer.clock.now();
        // Every dimension's value is one of ours and within the format's limits, so there always is a document.
        if let Ok(document) = self.document(now) {
            write_line(&self.layer.sink, &document);
        }
    }
}

impl<C: Clock> Running<C> {
    /// A method, so that the future holds all of it and not this one field.
    fn ended(&mut self, result: &Result<ApiResponse, ApiError>) {
        self.failure = result.as_ref().err().map(ApiError::code);
    }

    fn document(&self, now: Timestamp) -> Result<Document, emf::OutOfBounds> {
        let taken = self.invocation.measures.taken();
        let count = |name, happened: bool| Metric { name, unit: Unit::Count, value: f64::from(u8::from(happened)) };
        let time = |name, taken: std::time::Duration| Metric {
            name,
            unit: Unit::Milliseconds,
            value: taken.as_secs_f64() * 1000.0,
        };
        let fault = self.failure.is_some_and(|code| code.status() >= 500);
        let mut metrics = vec![
            count("Requests", true),
            count("Found", taken.found),
            count("Faults", fault),
            count("ColdStarts", self.cold),
            time("Latency", between(self.begun, now)),
        ];
        metrics.extend(taken.store.map(|store| time("StoreLatency", store)));
        metrics.extend(taken.audit.map(|audit| time("AuditLatency", audit)));
        let mut directives = vec![Directive { dimensions: vec!["Function", "Environment"], metrics }];
        let mut dimensions =
            vec![("Function", self.layer.function.to_owned()), ("Environment", self.layer.environment.to_string())];
        if let Some(code) = self.failure {
            let dimensions_of_errors = vec!["Function", "Environment", "Code"];
            directives.push(Directive { dimensions: dimensions_of_errors, metrics: vec![count("Errors", true)] });
            dimensions.push(("Code", code.as_str().to_owned()));
        }
        let properties = vec![("requestId", self.invocation.request_id.as_str().to_owned())];
        Document::new(NAMESPACE, now, directives, dimensions, properties)
    }
}

#[cfg(test)]
mod tests;
