//! The vault: one conformance suite of the port, run against every adapter, and what is special to this machine.

mod conformance;
mod local;
