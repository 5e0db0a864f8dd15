//! The layer that normalises headers: below it a handler finds them by their lower-case name, and finds no credentials.

use std::task::{Context, Poll};

use tower::{Layer, Service};

use crate::constants::header;
use crate::middleware::{ApiRequest, ApiResponse};

/// Makes [`Headers`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadersLayer;

/// Normalises the headers of a request.
#[derive(Clone, Debug)]
pub struct Headers<S> {
    inner: S,
}

impl<S> Layer<S> for HeadersLayer {
    type Service = Headers<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Headers { inner }
    }
}

impl<S: Service<ApiRequest, Response = ApiResponse>> Service<ApiRequest> for Headers<S> {
    type Response = ApiResponse;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: ApiRequest) -> Self::Future {
        let headers = request.headers.as_headers().without(&header::CREDENTIALS);
        self.inner.call(ApiRequest { headers, ..request })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::service_fn;

    use super::*;
    use crate::testing::{block_on, request};

    #[test]
    fn names_are_in_lower_case_and_credentials_gone() {
        let mut sent = request("GET", &[]);
        let pairs =
            [("Accept", "a"), ("ACCEPT", " b "), ("Authorization", "Bearer x"), ("Cookie", "y"), ("X-Api-Key", "z")];
        sent.headers = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let inner = service_fn(|request: ApiRequest| async move {
            let values = request.headers.values("accept").iter().map(|value| value.check::<String>().unwrap());
            assert_eq!(values.collect::<Vec<_>>(), ["b", "a"]);
            assert!(!request.headers.has_others_than(&["accept"]));
            Ok::<_, Infallible>(ApiResponse::ok(&"fine").unwrap())
        });
        assert_eq!(block_on(HeadersLayer.layer(inner).call(sent)).unwrap().status_code, 200);
    }
}
