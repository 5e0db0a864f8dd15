//! How an environment stands: what the head of its chain carries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    canary::Canary,
    digest::Digest,
    environment::{AliasMove, Deployed, Rollback},
    names::FunctionName,
    time::Time,
    version::Version,
};

/// How an environment stands.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentState {
    /// Grows with every claim: a holder with an older number has lost it.
    pub fence: u64,
    /// Who holds the environment, for which release.
    pub holder: Option<Claim>,
    /// Where the holder's promotion stands.
    pub phase: Phase,
    /// What callers get.
    pub live: Option<Live>,
    /// What callers got while the release that is live now was not verified yet: where a finding leads back to.
    pub fallback: Option<Live>,
    /// The verified release that was live before the one that is.
    pub previous: Option<Live>,
    /// The versions that the holder staged.
    pub staged: BTreeMap<FunctionName, Deployed>,
    /// The moves of the shift, or of the way back.
    pub moves: Vec<AliasMove>,
    /// The release that a rollback pinned here.
    pub pin: Option<Version>,
    /// The rollback under way.
    pub rollback: Option<Rollback>,
    /// What the release was found bad for, while its aliases go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Why the release could not be proven, while its aliases go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    /// The canary under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// Why the glass was broken for the promotion under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
    /// The highest release that ever claimed this environment.
    pub highest: Option<Version>,
}

/// Where a promotion stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No promotion is under way.
    #[default]
    Closed,
    /// To be staged.
    Claimed,
    /// To be smoked.
    Staged,
    /// Aliases are moving.
    Shifting,
    /// To be verified.
    Shifted,
    /// Aliases are moving back.
    Failing,
}

/// Who holds an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Who.
    pub owner: String,
    /// The machine whose lock tells whether the owner still lives.
    pub machine: String,
    /// Since when.
    pub since: Time,
    /// After this, whoever comes may take over.
    pub expires: Time,
    /// The release being promoted.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// Whose claim this one took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_over: Option<String>,
}

/// A release that callers get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// The release.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// When all aliases had moved.
    pub since: Time,
    /// Whether it answered well through live.
    pub verified: bool,
    /// When it was Globally Synced; only ever set in the second region.
    pub synced: Option<Time>,
    /// Its functions there.
    pub functions: BTreeMap<FunctionName, Deployed>,
    /// Why the glass was broken to let it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
    /// That it was verified once more, and was not well; until it is again it passes on to nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<FailedCheck>,
}

/// A verification that found something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedCheck {
    /// When.
    pub at: Time,
    /// What, in one line.
    pub finding: String,
}
