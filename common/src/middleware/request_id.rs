//! The outermost layer: gives every request the ids by which its log line, its answer and its audit item are found.

use std::collections::BTreeMap;
use std::task::{Context, Poll};

use jiff::Timestamp;
use lambda_http::LambdaEvent;
use lambda_http::http::Method;
use tower::{Layer, Service};

use crate::middleware::GatewayEvent;
use crate::types::Invocation;

/// What a handler is given. It has no `Debug`, because its query holds a user's id.
pub struct ApiRequest {
    /// The HTTP method.
    pub method: Method,
    /// The path without the stage; empty if the event has none.
    pub path: String,
    /// What the gateway cut out of the path.
    pub path_parameters: BTreeMap<String, String>,
    /// Every query parameter with all its values, decoded.
    pub query: BTreeMap<String, Vec<String>>,
    /// What the stores are told about this call.
    pub invocation: Invocation,
    /// Lambda's id of the invocation.
    pub lambda_request_id: String,
}

/// Makes [`RequestId`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestIdLayer;

/// Turns Lambda's event into an [`ApiRequest`].
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

impl<S: Service<ApiRequest>> Service<LambdaEvent<GatewayEvent>> for RequestId<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, event: LambdaEvent<GatewayEvent>) -> Self::Future {
        let GatewayEvent { method, path, path_parameters, query, request_id } = event.payload;
        // Milliseconds since 1970-01-01 UTC; 0 where nobody said.
        let deadline = i64::try_from(event.context.deadline).ok().filter(|deadline| *deadline != 0);
        let deadline = deadline.and_then(|deadline| Timestamp::from_millisecond(deadline).ok());
        let lambda_request_id = event.context.request_id;
        let request_id = request_id.filter(|id| !id.is_empty()).unwrap_or_else(|| lambda_request_id.clone());
        let invocation = Invocation { request_id, deadline };
        self.inner.call(ApiRequest { method, path, path_parameters, query, invocation, lambda_request_id })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use lambda_http::Context;
    use tower::service_fn;

    use super::*;
    use crate::testing::{block_on, event_file};

    #[test]
    fn the_invocations_deadline_reaches_the_handler() {
        let handed = |deadline: u64| {
            let mut context = Context::default();
            context.deadline = deadline;
            let event = LambdaEvent::new(serde_json::from_str(&event_file("price-event.json")).unwrap(), context);
            let inner = service_fn(|request: ApiRequest| async move { Ok::<_, Infallible>(request.invocation) });
            block_on(RequestIdLayer.layer(inner).call(event)).unwrap()
        };
        assert_eq!(handed(1_769_169_605_250).deadline, Some("2026-01-23T12:00:05.25Z".parse().unwrap()));
        assert_eq!(handed(0), Invocation { request_id: "local-test-id".into(), deadline: None });
    }
}
