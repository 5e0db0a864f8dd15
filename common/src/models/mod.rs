//! The words of the domain as types that cannot hold a wrong value.
//!
//! No I/O stands here, and no type that holds personal data shows it.

mod audit;
mod environment;
mod price;
mod product_id;
mod user_id;

pub use audit::{Action, AuditItem, Lookup, Purpose, Status, Subject};
pub use environment::{Environment, InvalidEnvironment};
pub use price::{Currency, InvalidPrice, Price};
pub use product_id::{InvalidProductId, ProductId};
pub use user_id::{InvalidUserId, UserId};
