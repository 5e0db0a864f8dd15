//! The outermost layer: gives every request the ids by which its log line, its answer and its audit item are found.

use std::task::{Context, Poll};

use jiff::Timestamp;
use lambda_http::LambdaEvent;
use lambda_http::http::Method;
use tower::{Layer, Service};

use crate::constants::header;
use crate::middleware::{ApiResponse, Boxed, GatewayEvent};
use crate::models::{self, CorrelationId, TraceId};
use crate::types::{Invocation, Measures, Sent, Unchecked};

/// What goes through the layers. All that a client sent is as it was sent, and shows itself to nobody.
#[derive(Debug)]
pub struct ApiRequest {
    /// The HTTP method.
    pub method: Method,
    /// The path without the stage; empty if the event has none.
    pub path: Unchecked,
    /// What the gateway cut out of the path.
    pub path_parameters: Sent,
    /// Every query parameter with all its values, decoded.
    pub query: Sent,
    /// The header fields.
    pub headers: Sent,
    /// What the stores are told about this call.
    pub invocation: Invocation,
}

/// Makes [`RequestId`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestIdLayer;

/// Turns Lambda's event into an [`ApiRequest`], and sends the correlation id back with the answer.
#[derive(Clone, Debug)]
pub struct RequestId<S> {
    inner: S,
}

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestId<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestId { inner }
    }
}

impl<S> Service<LambdaEvent<GatewayEvent>> for RequestId<S>
where
    S: Service<ApiRequest, Response = ApiResponse>,
    S::Future: Send + 'static,
{
    type Response = ApiResponse;
    type Error = S::Error;
    type Future = Boxed<ApiResponse, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, event: LambdaEvent<GatewayEvent>) -> Self::Future {
        let invocation = invocation(&event);
        let correlation_id = invocation.correlation_id.clone();
        let GatewayEvent { method, path, path_parameters, query, headers, request_id: _ } = event.payload;
        let answer = self.inner.call(ApiRequest { method, path, path_parameters, query, headers, invocation });
        Box::pin(async move {
            let mut answer = answer.await?;
            answer.headers.correlation_id = Some(correlation_id);
            Ok(answer)
        })
    }
}

fn invocation(LambdaEvent { payload, context, .. }: &LambdaEvent<GatewayEvent>) -> Invocation {
    let lambda = models::RequestId::first_of([context.request_id.as_str()]);
    let gateway = payload.request_id.as_ref().and_then(|id| id.check().ok());
    let request_id: models::RequestId = gateway.unwrap_or_else(|| lambda.clone());
    let correlation_id = sent_id(payload).unwrap_or_else(|| CorrelationId::from(&request_id));
    let traced = context.xray_trace_id.as_deref().and_then(|trace| trace.parse().ok());
    let trace_id = traced.or_else(|| sent_trace(payload));
    // Milliseconds since 1970-01-01 UTC; 0 where nobody said.
    let deadline = i64::try_from(context.deadline).ok().filter(|deadline| *deadline != 0);
    let deadline = deadline.and_then(|deadline| Timestamp::from_millisecond(deadline).ok());
    let measures = Measures::default();
    Invocation { request_id, lambda_request_id: lambda, correlation_id, trace_id, deadline, measures }
}

/// The client's own id, if it sent one that looks like one. A user's id looks like one, too: what says the same as anything
/// else in the request is no id of a process.
fn sent_id(event: &GatewayEvent) -> Option<CorrelationId> {
    let [value] = event.headers.values(header::CORRELATION_ID) else { return None };
    let id: CorrelationId = value.check().ok()?;
    (!stands_elsewhere(event, id.as_str())).then_some(id)
}

fn sent_trace(event: &GatewayEvent) -> Option<TraceId> {
    let trace: TraceId = event.headers.values(header::TRACE_ID).first()?.check().ok()?;
    (!stands_elsewhere(event, trace.digits())).then_some(trace)
}

fn stands_elsewhere(event: &GatewayEvent, text: &str) -> bool {
    event.query.has_like(text) || event.path_parameters.has_like(text)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use lambda_http::Context;
    use serde_json::{Value, json};
    use tower::service_fn;

    use super::*;
    use crate::testing::{ALICE, block_on, event_file};

    /// What a handler is told about a call with this event, and the correlation id of the answer.
    fn handed(event: &str, context: Context) -> (Invocation, String) {
        let event = LambdaEvent::new(serde_json::from_str(event).unwrap(), context);
        let told = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&told);
        let inner = service_fn(move |request: ApiRequest| {
            *seen.lock().unwrap() = Some(request.invocation);
            async { Ok::<_, Infallible>(ApiResponse::ok(&"fine").unwrap()) }
        });
        let answer = block_on(RequestIdLayer.layer(inner).call(event)).unwrap();
        let invocation = told.lock().unwrap().take().unwrap();
        (invocation, answer.headers.correlation_id.unwrap().as_str().to_owned())
    }

    fn with_headers(name: &str, headers: &Value) -> String {
        let mut event: Value = serde_json::from_str(&event_file(name)).unwrap();
        event["headers"] = headers.clone();
        event.to_string()
    }

    fn context(request_id: &str) -> Context {
        let mut context = Context::default();
        request_id.clone_into(&mut context.request_id);
        context
    }

    #[test]
    fn the_invocations_deadline_reaches_the_handler() {
        let deadline = |deadline: u64| {
            let mut context = context("l-1");
            context.deadline = deadline;
            handed(&event_file("price-event.json"), context).0
        };
        let handed = deadline(1_769_169_605_250);
        assert_eq!(handed.deadline, Some("2026-01-23T12:00:05.25Z".parse().unwrap()));
        assert_eq!((handed.request_id.as_str(), handed.lambda_request_id.as_str()), ("local-test-id", "l-1"));
        assert_eq!(deadline(0).deadline, None);
    }

    #[test]
    fn a_clients_id_goes_through_and_comes_back_and_without_one_the_gateways_does() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        for name in ["price-event.json", "price-event-v2.json"] {
            let event = with_headers(name, &json!({ "X-Correlation-Id": id }));
            let (invocation, back) = handed(&event, context("l-1"));
            assert_eq!((invocation.correlation_id.as_str(), back.as_str()), (id, id), "{name}");
            let (invocation, back) = handed(&event_file(name), context("l-1"));
            assert_eq!(invocation.request_id.as_str(), back, "{name}");
        }
    }

    #[test]
    fn what_is_no_id_or_the_users_own_is_not_taken() {
        for bad in ["Alice", "alice@example.com", "", ALICE, &ALICE.to_uppercase(), &ALICE.replace('-', "")] {
            let event = with_headers("price-event-v2.json", &json!({ "x-correlation-id": bad }));
            assert_eq!(handed(&event, context("l-1")).1, "local-test-id-v2", "{bad:?}");
        }
        let event = event_file("price-event.json").replace("local-test-id", "alice@example.com");
        assert_eq!(handed(&event, context("l-1")).0.request_id.as_str(), "l-1");
        assert_eq!(handed(&event, context("")).0.request_id.as_str(), "unknown");
    }

    #[test]
    fn the_trace_is_lambdas_or_the_headers() {
        let trace = |header: &str, own: Option<&str>| {
            let mut context = context("l-1");
            context.xray_trace_id = own.map(str::to_owned);
            let event = with_headers("price-event-v2.json", &json!({ "x-amzn-trace-id": header }));
            serde_json::to_value(handed(&event, context).0.trace_id).unwrap()
        };
        let (one, two) = ("1-5759e988-bd862e3fe1be46a994272793", "1-67891233-abcdef012345678912345678");
        assert_eq!(trace(&format!("Root={one}"), None), one);
        assert_eq!(trace(&format!("Root={one}"), Some(&format!("Root={two};Sampled=1"))), two);
        let (first, rest) = ALICE.split_once('-').unwrap();
        for bad in ["Root=Alice".to_owned(), format!("Root=1-{first}-{}", rest.replace('-', ""))] {
            assert_eq!(trace(&bad, None), Value::Null, "{bad}");
        }
    }
}
