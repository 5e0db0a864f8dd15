//! The layers around a handler, from the gateway's event to the gateway's answer. They know HTTP and nothing of any function's
//! business.
//!
//! This is the chain, the outermost layer first; [`stack`] puts it together, and a test compares it with this table. Each
//! layer stands where it does for a reason:
//!
//! | layer | does | stands there because |
//! | --- | --- | --- |
//! | `RequestId` | reads request, correlation and trace id out of the event | every line and answer carries them |
//! | `RequestLog` | writes one line about the answer | nothing is answered without one, panics included |
//! | `Headers` | normalises headers, and drops credentials | nothing below ever holds a credential |
//! | `ErrorMapping` | turns errors and panics into answers | above it nothing fails any more |
//! | `Metrics` | counts and measures | it sees the error itself, and a panic passing through |
//! | `Validation` | turns the request into a checked query | the handler is given nothing unchecked |

mod audited;
mod error;
mod event;
mod headers;
mod log;
mod mapping;
mod metrics;
mod request_id;
mod response;
mod serve;
mod validated;
mod validation;

pub use audited::{Auditor, audited};
pub use error::ApiError;
pub use event::GatewayEvent;
pub use headers::{Headers, HeadersLayer};
pub use log::{LogSink, RequestLog, RequestLogLayer};
pub use mapping::{ErrorMapping, ErrorMappingLayer};
pub use metrics::{Metrics, MetricsLayer};
pub use request_id::{ApiRequest, RequestId, RequestIdLayer};
pub use response::ApiResponse;
pub use serve::{Process, serve, stack, start, tell_panics};
pub use validated::{Checked, Validated, ValidationLayer};
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
