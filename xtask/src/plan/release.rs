//! What `release` does next: the very plan that runs, printed by `--plan`.

use serde::Serialize;

use crate::{
    model::{
        commit::CommitId,
        digest::Digest,
        manifest::{GateRules, Stop},
        names::{EnvName, FunctionName},
        releases::SealedRelease,
        version::Version,
    },
    plan::next_version::NextVersion,
};

/// A release, from the commit to the last environment whose gate needs no person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleasePlan {
    /// A release that is sealed, but whose builder ended before it could record that: to be recorded first. A number is
    /// final with its manifest, so it is not burned.
    pub record: Option<SealedRelease>,
    /// What to do.
    pub action: ReleaseAction,
    /// What is checked out.
    pub commit: CommitId,
    /// The functions to build, all in one resolution.
    pub functions: Vec<FunctionName>,
    /// The environments to carry it through.
    pub through: Vec<EnvName>,
    /// Where it stops, and why.
    pub stops_at: Option<StopsAt>,
    /// Functions that do not exist in those environments and must not be made there, and what would allow it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum ReleaseAction {
    /// Reserve a number, build, seal.
    Release {
        /// The number.
        version: Version,
        /// A number whose builder is gone, to be burned first.
        burn: Option<Version>,
        /// Why this number.
        why: NextVersion,
        /// The release notes, in Markdown.
        notes: String,
    },
    /// Build and seal under the number that an interrupted run reserved for this commit.
    Resume {
        /// The number.
        version: Version,
    },
    /// This commit is sealed; take it through the environments that it has not reached.
    CarryOn {
        /// The release.
        version: Version,
        /// Its identity.
        manifest: Digest,
    },
    /// Nothing.
    Nothing {
        /// Why, in one sentence.
        reason: String,
        /// Commit by commit.
        why: Option<NextVersion>,
    },
}

impl ReleaseAction {
    /// The release that this is about, if it is about one.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Release { version, .. } | Self::Resume { version } | Self::CarryOn { version, .. } => Some(*version),
            Self::Nothing { .. } => None,
        }
    }
}

/// The gate at which a release waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StopsAt {
    /// The environment.
    pub environment: EnvName,
    /// What it waits for.
    pub waits_for: String,
}

/// The environments whose gates ask for nothing but the order, and the gate at which a release waits: for people, for
/// proof that they add, or for time.
#[must_use]
pub fn route(path: &[Stop]) -> (Vec<&Stop>, Option<StopsAt>) {
    let through: Vec<&Stop> =
        path.iter().take_while(|stop| stop.gate == GateRules::default() && !stop.recovery).collect();
    let stops_at = path.get(through.len()).map(|stop| StopsAt {
        environment: stop.environment.clone(),
        waits_for: if stop.recovery { "synchronisation".to_owned() } else { demands(&stop.gate) },
    });
    (through, stops_at)
}

fn demands(gate: &GateRules) -> String {
    let approvals: Vec<String> = gate.approvals.iter().map(|rule| format!("{} by {}", rule.count, rule.role)).collect();
    let evidence: Vec<&str> = gate.evidence.iter().map(|rule| rule.kind.as_str()).collect();
    let approvals = (!approvals.is_empty()).then(|| format!("approval ({})", approvals.join(", ")));
    let evidence = (!evidence.is_empty()).then(|| format!("evidence ({})", evidence.join(", ")));
    let soak = gate.soak.map(|soak| format!("soak ({soak})"));
    [approvals, evidence, soak].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
