//! Benchmarks: what this tool does beside what people use for it, on the same input in the same run. Only ratios mean
//! anything on another machine.

pub mod handlers;
pub mod node;
pub mod packaging;
pub mod stores;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike as _,
};
use serde::Serialize;

/// One contestant's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// What was run.
    pub contestant: String,
    /// From start to end, in milliseconds.
    pub wall_ms: u64,
    /// On all processors together, in milliseconds.
    pub cpu_ms: u64,
    /// What came out, in bytes.
    pub bytes: u64,
}

/// Runs something to its end and measures it; processes that it starts and waits for count as its own.
fn measured<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Duration, Duration)> {
    let (cpu, begun) = (used()?, Instant::now());
    let done = work()?;
    Ok((done, begun.elapsed(), used()?.saturating_sub(cpu)))
}

/// The processor time of this process and of those that it waited for.
fn used() -> anyhow::Result<Duration> {
    let mut microseconds = 0;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who).context("failed to ask how long this process was on a processor")?;
        microseconds += usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    }
    Ok(Duration::from_micros(u64::try_from(microseconds).unwrap_or_default()))
}

/// Whole milliseconds.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
