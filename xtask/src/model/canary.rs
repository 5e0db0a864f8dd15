//! Canaries: how a share of the calls proves a release before all of them get it, in the words of CodeDeploy and Lambda
//! (weight in percent, bake time). The rules as they are declared and frozen, and how far one is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{names::AlarmName, soak::Soak, time::Time};

/// How a release gets the calls of an environment, step by step. After the last step it gets all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryRules {
    /// The steps, with weights that grow.
    pub steps: Vec<CanaryStep>,
    /// How many requests each function's new version must have got within each step, 0 if not given.
    #[serde(default)]
    pub min_requests: u64,
    /// How long a step waits after its bake time for those requests, and for alarms that cannot tell yet, `1h` if not
    /// given. Then everything goes back, and the release is not dead.
    #[serde(default = "one_hour")]
    pub wait_at_most: Soak,
    /// The alarms that must be Ok. One that is raised kills the release.
    #[serde(default)]
    pub alarms: Vec<AlarmName>,
}

/// One step of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryStep {
    /// The share of the calls that the new versions get, in percent, 1 to 99.
    #[schemars(range(min = 1, max = 99))]
    pub weight: u8,
    /// How long the step lasts at least, for example `5m`.
    pub bake: Soak,
}

/// A canary under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// What it follows.
    pub rules: CanaryRules,
    /// The step that began last; `None` while the aliases still are as they were.
    pub step: Option<BegunStep>,
}

/// A step of a canary under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BegunStep {
    /// Which one: 1, 2, 3, …
    pub number: u32,
    /// Since when every alias gives this share.
    pub since: Time,
}

impl CanaryRules {
    /// A step by its number, which begins at 1; `None` after the last one.
    #[must_use]
    pub fn step(&self, number: u32) -> Option<CanaryStep> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.steps.get(at).copied()
    }

    /// The longest that this step can last.
    #[must_use]
    pub fn longest(&self, step: CanaryStep) -> Duration {
        step.bake.duration().saturating_add(self.wait_at_most.duration())
    }
}

impl std::fmt::Display for CanaryRules {
    /// `10% for 5m, 50% for 10m, then all`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for CanaryStep { weight, bake } in &self.steps {
            write!(f, "{weight}% for {bake}, ")?;
        }
        write!(f, "then all")
    }
}

fn one_hour() -> Soak {
    Soak::HOUR
}
