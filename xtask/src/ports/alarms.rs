//! Alarms and the requests that a version got: what a canary looks at, as CloudWatch offers it.

use async_trait::async_trait;

use crate::{
    model::{
        names::{AlarmName, AliasName, FleetName},
        time::Time,
    },
    ports::fleet::FleetVersion,
};

/// Watches one environment.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// How an alarm stands (CloudWatch's `DescribeAlarms`).
    async fn alarm(&self, alarm: &AlarmName) -> Result<Alarm, AlarmsError>;

    /// How many requests an alias gave to a version, from this time on (CloudWatch's metric `Invocations` by `Resource` and
    /// `ExecutedVersion`). A store that counts per minute may count the rest of the first minute, too.
    async fn requests(
        &self,
        name: &FleetName,
        alias: &AliasName,
        version: FleetVersion,
        since: Time,
    ) -> Result<u64, AlarmsError>;
}

/// How an alarm stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its state.
    pub state: AlarmState,
    /// Why, in one line for people.
    pub reason: String,
}

/// The state of an alarm (CloudWatch's `StateValue`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// All is well.
    Ok,
    /// It is raised.
    Alarm,
    /// It cannot tell yet.
    InsufficientData,
}

/// Why an alarm was not told.
#[derive(Debug, thiserror::Error)]
pub enum AlarmsError {
    /// There is no such alarm.
    #[error("there is no alarm `{0}`; define it, or take it out of the canary")]
    NotFound(AlarmName),
    /// What watches could not be asked.
    #[error("the alarms cannot be reached: {what}")]
    Unreachable {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
