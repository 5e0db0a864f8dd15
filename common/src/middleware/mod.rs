//! The layers around a handler, from the gateway's event to the gateway's answer.
//!
//! `request id → error mapping → log line → handler`. They know HTTP and nothing of any function's business.

mod audited;
mod error;
mod event;
mod log;
mod request_id;
mod response;
mod serve;
mod validation;

pub use audited::{Auditor, audited};
pub use error::{ApiError, ErrorMapping, ErrorMappingLayer, FieldError};
pub use event::GatewayEvent;
pub use log::{LogSink, RequestLog, RequestLogLayer};
pub use request_id::{ApiRequest, RequestId, RequestIdLayer};
pub use response::ApiResponse;
pub use serve::{Process, serve, stack, start};
pub use validation::Validation;

/// What ends a function's process, whatever it is.
pub use lambda_http::Error;

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;

/// What a layer's service returns: the inner service's future with more done to its result.
type Boxed<R, E> = Pin<Box<dyn Future<Output = Result<R, E>> + Send>>;

/// The texts of the sources below `error`, nearest first.
fn causes(error: &dyn StdError) -> Vec<String> {
    std::iter::successors(error.source(), |cause| (*cause).source()).map(ToString::to_string).collect()
}
