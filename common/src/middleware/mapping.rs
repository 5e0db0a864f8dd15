//! The layer that turns failures and panics into answers, so that no failed request becomes a failed invocation.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use tower::{Layer, Service};

use crate::middleware::{ApiError, ApiRequest, ApiResponse, Boxed};

/// Makes [`ErrorMapping`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorMappingLayer;

/// Answers failures. What a panic said is dropped unread: it may hold anything, and its place is told by the process's hook.
#[derive(Clone, Debug)]
pub struct ErrorMapping<S> {
    inner: S,
}

impl<S> Layer<S> for ErrorMappingLayer {
    type Service = ErrorMapping<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ErrorMapping { inner }
    }
}

impl<S> Service<ApiRequest> for ErrorMapping<S>
where
    S: Service<ApiRequest, Response = ApiResponse, Error = ApiError>,
    S::Future: Send + 'static,
{
    type Response = ApiResponse;
    type Error = Infallible;
    type Future = Boxed<ApiResponse, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A service that is not ready says so again when it is called; there is no request yet to answer.
        self.inner.poll_ready(context).map(|_| Ok(()))
    }

    fn call(&mut self, request: ApiRequest) -> Self::Future {
        let request_id = request.invocation.request_id.clone();
        // Nothing of ours is left half done by a panic: the stores keep a whole connection or none.
        let begun = catch_unwind(AssertUnwindSafe(|| self.inner.call(request)));
        Box::pin(async move {
            let result = match begun {
                Ok(answer) => AssertUnwindSafe(answer).catch_unwind().await.unwrap_or(Err(ApiError::Panicked)),
                Err(_what_it_said) => Err(ApiError::Panicked),
            };
            Ok(result.unwrap_or_else(|error| error.into_response(&request_id)))
        })
    }
}
