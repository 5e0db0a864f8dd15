//! What the steps of a promotion speak of: functions as they stand in a fleet, aliases that move, releases that have to go.

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        digest::Digest,
        names::{AliasName, FleetName, FunctionName},
        version::Version,
    },
    ports::fleet::FleetVersion,
};

/// What a rollback takes out of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The release that was live.
    pub release: Version,
    /// Why it had to go.
    pub reason: String,
}

/// One function as it stands in a fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployed {
    /// Its name there.
    pub name: FleetName,
    /// The published version.
    pub version: FleetVersion,
    /// What its code hashes to.
    pub code: Digest,
    /// A keyed digest of the variables that the infrastructure team had set when the version was published.
    pub variables: Digest,
    /// The store's own version of the artifact that was staged, if it names versions and one was staged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_version: Option<String>,
}

/// One alias, and where it moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasMove {
    /// The function.
    pub function: FunctionName,
    /// Its name in the fleet.
    pub name: FleetName,
    /// The alias.
    pub alias: AliasName,
    /// Where it pointed; `None` if there was none.
    pub from: Option<FleetVersion>,
    /// Where it will point; `None` to remove it.
    pub to: Option<FleetVersion>,
}

impl AliasMove {
    /// The way back.
    #[must_use]
    pub fn back(&self) -> Self {
        Self { from: self.to, to: self.from, ..self.clone() }
    }
}
