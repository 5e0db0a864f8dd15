//! The release and deployment toolchain behind `cargo xtask`: it turns a commit into one sealed box and carries
//! that same box from environment to environment, leaving a ledger that an auditor can check without it.
//!
//! Read in this order: `model` (what things are), `plan` (what to do about them, decided without touching the
//! world), `ports` (the narrow doors to the world), `engine` (carries plans out through the ports), `adapters`
//! (the only code that touches the world), `config`, `output`, `cmd`.

pub mod adapters;
pub mod cmd;
pub mod config;
pub mod context;
pub mod engine;
pub mod failure;
pub mod model;
pub mod output;
pub mod plan;
pub mod ports;
