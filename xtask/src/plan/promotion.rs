//! What a promotion changes: for each function, from what the box declares and what the fleet has.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    model::{
        configuration::Configuration,
        digest::Digest,
        environment::{AliasMove, Deployed, Phase},
        names::{AliasName, EnvName, FleetName, FunctionName},
        version::Version,
    },
    plan::gate::Gate,
    ports::fleet::{AliasState, FleetVersion, FunctionState},
};

/// A promotion: the very one that runs, printed by `--plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromotionPlan {
    /// Where to.
    pub environment: EnvName,
    /// What.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// Whether it may.
    pub gate: Gate,
    /// Where an interrupted promotion goes on; `closed` for a new one.
    pub from_phase: Phase,
    /// What changes.
    pub functions: Vec<FunctionPlan>,
    /// Functions in the environment that the release no longer has: reported, never deleted.
    pub orphans: Vec<FunctionName>,
}

impl PromotionPlan {
    /// Whether the environment already is as this promotion would leave it.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.functions.iter().all(|function| function.action == Action::Keep)
    }
}

/// What changes for one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionPlan {
    /// The function.
    pub function: FunctionName,
    /// Its name in the fleet.
    pub name: FleetName,
    /// The artifact's digest.
    pub code: Digest,
    /// What to do.
    pub action: Action,
    /// The version that live points to; `None` if there is none yet.
    pub live: Option<FleetVersion>,
    /// How many smoke checks it must pass.
    pub checks: usize,
}

/// What to do about a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Live already has these bytes, this configuration and today's variables.
    Keep,
    /// It does not exist yet.
    Create,
    /// Change what differs, and publish.
    Update {
        /// The code.
        code: bool,
        /// The declared configuration.
        configuration: bool,
    },
}

/// What the box wants of one function.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The function.
    pub function: FunctionName,
    /// Its name in the fleet.
    pub name: FleetName,
    /// The artifact's digest.
    pub code: Digest,
    /// Its declared configuration.
    pub configuration: Configuration,
    /// How many smoke checks it must pass.
    pub checks: usize,
}

/// What a fleet has of one function.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The unpublished state.
    pub latest: Option<FunctionState>,
    /// The live alias.
    pub alias: Option<AliasState>,
    /// The version that it points to.
    pub live: Option<FunctionState>,
}

/// Decides about one function.
#[must_use]
pub fn function(wanted: &Wanted, observed: &Observed) -> FunctionPlan {
    let live = observed.alias.as_ref().map(|alias| alias.target.version);
    let settled = observed.alias.as_ref().is_some_and(|alias| alias.target.canary.is_none());
    let action = match (&observed.latest, &observed.live) {
        (None, _) => Action::Create,
        (Some(latest), Some(live))
            if settled
                && live.code == wanted.code
                && live.configuration == wanted.configuration
                && live.variables == latest.variables =>
        {
            Action::Keep
        }
        (Some(latest), _) => Action::Update {
            code: latest.code != wanted.code,
            configuration: latest.configuration != wanted.configuration,
        },
    };
    FunctionPlan {
        function: wanted.function.clone(),
        name: wanted.name.clone(),
        code: wanted.code,
        action,
        live,
        checks: wanted.checks,
    }
}

/// The moves of a shift: every alias that does not point to its staged version yet.
#[must_use]
pub fn moves(
    staged: &BTreeMap<FunctionName, Deployed>,
    live: &BTreeMap<FunctionName, Option<FleetVersion>>,
    alias: &AliasName,
) -> Vec<AliasMove> {
    let moved = staged.iter().filter_map(|(function, deployed)| {
        let from = live.get(function).copied().flatten();
        (from != Some(deployed.version)).then(|| AliasMove {
            function: function.clone(),
            name: deployed.name.clone(),
            alias: alias.clone(),
            from,
            to: Some(deployed.version),
        })
    });
    moved.collect()
}

/// What is left of a move, by where the alias points now.
///
/// # Errors
/// If it points to neither end: someone else moved it, and nobody may guess what they meant.
pub fn remaining(step: &AliasMove, now: Option<FleetVersion>) -> Result<bool, Option<FleetVersion>> {
    if now == step.to {
        Ok(false)
    } else if now == step.from {
        Ok(true)
    } else {
        Err(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::configuration::{Architecture, Tracing},
        ports::fleet::{AliasTarget, LastUpdate, Revision, State},
    };

    fn state(code: &str, memory_mb: u32, variable: &str) -> FunctionState {
        FunctionState {
            version: None,
            code: Digest::of(code.as_bytes()),
            configuration: Configuration {
                architecture: Architecture::X86_64,
                memory_mb,
                timeout_s: 3,
                layers: vec![],
                tracing: Tracing::PassThrough,
                log_retention_days: 7,
            },
            variables: [("V".to_owned(), variable.to_owned())].into(),
            revision: Revision("r".to_owned()),
            state: State::Active,
            last_update: LastUpdate::Successful,
        }
    }

    fn action(latest: Option<FunctionState>, live: Option<FunctionState>) -> Action {
        let wanted = Wanted {
            function: "f".parse().unwrap(),
            name: "f-dev".parse().unwrap(),
            code: Digest::of(b"new"),
            configuration: state("new", 128, "").configuration,
            checks: 1,
        };
        let target = AliasTarget { version: FleetVersion(1), canary: None, description: String::new() };
        let alias = live.as_ref().map(|_| AliasState { target, revision: Revision("a".to_owned()) });
        function(&wanted, &Observed { latest, alias, live }).action
    }

    #[test]
    fn only_what_differs_is_written() {
        let new = || state("new", 128, "v");
        assert_eq!(action(None, None), Action::Create);
        assert_eq!(action(Some(new()), Some(new())), Action::Keep);
        assert_eq!(action(Some(new()), None), Action::Update { code: false, configuration: false });
        assert_eq!(
            action(Some(state("old", 128, "v")), Some(state("old", 128, "v"))),
            Action::Update { code: true, configuration: false }
        );
        assert_eq!(
            action(Some(state("new", 256, "v")), Some(new())),
            Action::Keep,
            "what is unpublished does not matter while live is right"
        );
        // New variables reach callers only by publishing again.
        assert_eq!(
            action(Some(state("new", 128, "other")), Some(new())),
            Action::Update { code: false, configuration: false }
        );
    }

    #[test]
    fn a_shift_resumes_and_never_overrules_a_stranger() {
        let step = AliasMove {
            function: "f".parse().unwrap(),
            name: "f-dev".parse().unwrap(),
            alias: "live".parse().unwrap(),
            from: Some(FleetVersion(1)),
            to: Some(FleetVersion(2)),
        };
        assert_eq!(remaining(&step, Some(FleetVersion(1))), Ok(true));
        assert_eq!(remaining(&step, Some(FleetVersion(2))), Ok(false));
        assert_eq!(remaining(&step, Some(FleetVersion(3))), Err(Some(FleetVersion(3))));
        assert_eq!(remaining(&step, None), Err(None));
        assert_eq!(remaining(&step.back(), Some(FleetVersion(2))), Ok(true));
    }
}
