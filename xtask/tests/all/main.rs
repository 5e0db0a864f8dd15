//! The integration tests: one binary.
#![expect(clippy::disallowed_methods, reason = "tests run the real git on repositories of their own")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's helpers fail with the test")]

mod again;
mod alarms;
mod audit;
#[cfg(feature = "aws")]
mod aws;
mod canary;
mod config;
mod debug;
mod events;
mod expectations;
mod fleet;
mod gates;
mod git;
mod golden;
mod mistakes;
mod model;
mod new;
mod notify;
mod ownership;
mod pipeline;
mod places;
mod policies;
mod policy;
mod pretty;
mod readme;
mod report;
mod reviews;
mod ring;
mod seed;
mod serve;
mod ssh;
mod supply;
mod support;
mod tidy;
mod trail;
mod troubleshooting;
mod vault;
