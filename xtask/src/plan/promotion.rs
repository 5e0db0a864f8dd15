//! What a promotion changes: for each function, from what the box declares and what the fleet has.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    model::{
        canary::CanaryRules,
        configuration::Configuration,
        digest::Digest,
        environment::{AliasMove, Deployed, Phase},
        names::{AliasName, EnvName, FleetName, FunctionName},
        version::Version,
    },
    plan::gate::Gate,
    ports::fleet::{AliasState, AliasTarget, FleetVersion, FunctionState},
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
    /// Why the glass is broken, where something has to be overridden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
    /// Where an interrupted promotion goes on; `closed` for a new one.
    pub from_phase: Phase,
    /// What changes.
    pub functions: Vec<FunctionPlan>,
    /// The steps in which the new versions get the calls; at once if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryRules>,
    /// Functions in the environment that the release no longer has: reported, never deleted.
    pub orphans: Vec<FunctionName>,
    /// What was seen, so that it need not be looked at again.
    #[serde(skip)]
    pub basis: Basis,
}

impl PromotionPlan {
    /// Whether the environment already is as this promotion would leave it.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.functions.iter().all(|function| function.action == Action::Keep)
    }

    /// Why functions cannot be made, if some must not be.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        let refused: Vec<_> = self.functions.iter().filter_map(|function| function.refused.as_deref()).collect();
        (!refused.is_empty()).then(|| refused.join("\n"))
    }
}

/// What a plan was made from: it may be acted on for as long as nobody else has held the environment since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basis {
    /// The last entry of the environment's chain; 0 if there was none.
    pub head: u64,
    /// Every function of the release.
    pub functions: Vec<Seen>,
}

/// One function: what the box wants, what the fleet has, what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What the box wants.
    pub wanted: Wanted,
    /// What the fleet has.
    pub observed: Observed,
    /// What follows.
    pub plan: FunctionPlan,
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
    /// Why it cannot be made, and what would allow it, if it would have to be made and must not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl Wanted {
    /// Whether a function's configuration has to be written, but for the processor, which goes with the code.
    #[must_use]
    pub fn declares_other_than(&self, found: &Configuration) -> bool {
        let declared = Configuration { architecture: found.architecture, ..self.configuration.clone() };
        declared != *found
    }
}

/// What a fleet has of one function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
            code: latest.code != wanted.code || latest.configuration.architecture != wanted.configuration.architecture,
            configuration: wanted.declares_other_than(&latest.configuration),
        },
    };
    FunctionPlan {
        function: wanted.function.clone(),
        name: wanted.name.clone(),
        code: wanted.code,
        action,
        live,
        checks: wanted.checks,
        refused: None,
    }
}

/// The moves of a shift: every alias that does not point to its staged version yet, or not with all calls.
#[must_use]
pub fn moves(
    staged: &BTreeMap<FunctionName, Deployed>,
    live: &BTreeMap<FunctionName, Option<AliasTarget>>,
    alias: &AliasName,
) -> Vec<AliasMove> {
    let moved = staged.iter().filter_map(|(function, deployed)| {
        let live = live.get(function).and_then(Option::as_ref);
        let from = live.map(|target| target.version);
        let shared = live.is_some_and(|target| target.canary.is_some());
        (from != Some(deployed.version) || shared).then(|| AliasMove {
            function: function.clone(),
            name: deployed.name.clone(),
            alias: alias.clone(),
            from,
            to: Some(deployed.version),
        })
    });
    moved.collect()
}

/// Whether a move is still to be done, by where the alias points now: it is done when all calls go to where it goes. A share
/// that another version gets on the way says nothing.
///
/// # Errors
/// If it points to neither end: someone else moved it, and nobody may guess what they meant.
pub fn remaining(step: &AliasMove, now: Option<&AliasTarget>) -> Result<bool, Option<FleetVersion>> {
    let shared = now.is_some_and(|target| target.canary.is_some());
    let now = now.map(|target| target.version);
    if now == step.to {
        Ok(shared)
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
        ports::fleet::{LastUpdate, Revision, State},
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
        let at = |version, canary: Option<u64>| AliasTarget {
            version: FleetVersion(version),
            canary: canary.map(|canary| (FleetVersion(canary), 100)),
            description: String::new(),
        };
        assert_eq!(remaining(&step, Some(&at(1, None))), Ok(true));
        assert_eq!(remaining(&step, Some(&at(2, None))), Ok(false));
        assert_eq!(remaining(&step, Some(&at(3, None))), Err(Some(FleetVersion(3))));
        assert_eq!(remaining(&step, None), Err(None));
        assert_eq!(remaining(&step.back(), Some(&at(2, None))), Ok(true));
        // A share that another version has is something left to do, in both directions.
        assert_eq!(remaining(&step, Some(&at(1, Some(2)))), Ok(true));
        assert_eq!(remaining(&step.back(), Some(&at(1, Some(2)))), Ok(true));
        assert_eq!(remaining(&step, Some(&at(2, Some(1)))), Ok(true));
    }

    #[test]
    fn a_share_left_on_an_alias_is_a_move() {
        let function: FunctionName = "f".parse().unwrap();
        let (name, version, code) = ("f-dev".parse().unwrap(), FleetVersion(2), Digest::of(b""));
        let staged =
            [(function.clone(), Deployed { name, version, code, variables: code, object_version: None })].into();
        let moved = |version, canary: Option<(FleetVersion, u16)>| {
            let target = AliasTarget { version: FleetVersion(version), canary, description: String::new() };
            moves(&staged, &[(function.clone(), Some(target))].into(), &"live".parse().unwrap()).len()
        };
        assert_eq!([moved(2, None), moved(1, None), moved(2, Some((FleetVersion(1), 500)))], [0, 1, 1]);
    }
}
