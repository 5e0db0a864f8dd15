//! Alarms: one conformance suite, run against every adapter.

mod conformance;
mod local;
