//! The innermost layer: a handler gets a checked query, and a request that is none never reaches it.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::task::{Context, Poll};

use futures_util::future::Either;
use tower::{Layer, Service};

use crate::middleware::{ApiError, ApiRequest, ApiResponse};
use crate::types::Invocation;

/// What a handler is given: nothing in it is as it was sent.
#[derive(Debug)]
pub struct Checked<Q> {
    /// The request, checked.
    pub query: Q,
    /// What the stores are told about this call.
    pub invocation: Invocation,
}

/// Makes [`Validated`] services for requests that are a `Q`.
#[derive(Debug)]
pub struct ValidationLayer<Q>(PhantomData<fn() -> Q>);

/// Checks requests.
#[derive(Debug)]
pub struct Validated<S, Q> {
    inner: S,
    query: PhantomData<fn() -> Q>,
}

impl<Q> Default for ValidationLayer<Q> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Q: for<'r> TryFrom<&'r ApiRequest, Error = ApiError>> TryFrom<ApiRequest> for Checked<Q> {
    type Error = ApiError;

    fn try_from(request: ApiRequest) -> Result<Self, ApiError> {
        Ok(Self { query: Q::try_from(&request)?, invocation: request.invocation })
    }
}

impl<S, Q> Layer<S> for ValidationLayer<Q> {
    type Service = Validated<S, Q>;

    fn layer(&self, inner: S) -> Self::Service {
        Validated { inner, query: PhantomData }
    }
}

impl<S, Q> Service<ApiRequest> for Validated<S, Q>
where
    S: Service<Checked<Q>, Response = ApiResponse, Error = ApiError>,
    Q: for<'r> TryFrom<&'r ApiRequest, Error = ApiError>,
{
    type Response = ApiResponse;
    type Error = ApiError;
    type Future = Either<S::Future, Ready<Result<ApiResponse, ApiError>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ApiError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: ApiRequest) -> Self::Future {
        match Checked::try_from(request) {
            Ok(checked) => Either::Left(self.inner.call(checked)),
            Err(error) => Either::Right(ready(Err(error))),
        }
    }
}
