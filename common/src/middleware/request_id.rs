//! The outermost layer: gives every request the ids by which its log line, its answer and its audit item are found.

use std::collections::BTreeMap;
use std::task::{Context, Poll};

use lambda_http::LambdaEvent;
use lambda_http::http::Method;
use tower::{Layer, Service};

use crate::middleware::GatewayEvent;

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
    /// The gateway's request id, or Lambda's where the gateway gave none.
    pub request_id: String,
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
        let lambda_request_id = event.context.request_id;
        let request_id = request_id.filter(|id| !id.is_empty()).unwrap_or_else(|| lambda_request_id.clone());
        self.inner.call(ApiRequest { method, path, path_parameters, query, request_id, lambda_request_id })
    }
}
