//! The words of the domain as types that cannot hold a wrong value.
//!
//! A rule stands once, as an attribute of its type that `garde` checks and the API's document repeats; a value that breaks it
//! cannot be made. No I/O stands here, and no type that holds personal data shows it.

mod audit;
mod configuration;
mod environment;
mod ids;
mod price;
mod problem;
mod product_id;
#[cfg(any(test, feature = "test-support"))]
mod schemas;
mod shape;
mod user_id;

pub use audit::{Action, AuditItem, Lookup, Purpose, Status, Subject};
pub use configuration::{Configuration, ConfigurationKey, InvalidConfigurationKey, Setting};
pub use environment::{Environment, InvalidEnvironment};
pub use ids::{CorrelationId, InvalidId, RequestId, TraceId};
pub use price::{Currency, InvalidPrice, Price, ProductPrice};
pub use problem::{ErrorBody, ErrorCode, FieldError, Problem};
pub use product_id::{InvalidProductId, ProductId};
pub use user_id::{InvalidUserId, UserId};
