//! The fleet: one conformance suite of the port, run against every adapter, and what is special to this machine.

#[cfg(feature = "aws")]
mod aws;
pub(crate) mod bootstrap;
pub(crate) mod conformance;
mod host;
mod local;
