//! What every function shares: its models, its ports, its clients and the layers around its handler.
//!
//! It must not know any single function, and it must not read the environment, the clock or a file on its own: a
//! function's `main` passes those in.

pub mod clients;
pub mod constants;
pub mod middleware;
pub mod models;
#[cfg(any(test, feature = "test-support"))]
pub mod testing;
pub mod types;
