//! The manifest: the seal of a box. Its own SHA-256 is the release's identity.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{
    binary::Glibc,
    canary::CanaryRules,
    commit::CommitId,
    configuration::Configuration,
    digest::Digest,
    key::{KeyError, VaultKey},
    layer::Layer,
    names::{EnvName, EvidenceKind, FunctionName, LayerName, RoleName},
    smoke::Check,
    soak::Soak,
    version::Version,
};

/// Everything that a release is. It holds no time, so that the same build seals the same bytes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of this record: 1.
    pub schema: u32,
    /// The release.
    pub release: Version,
    /// What it was built from.
    pub commit: CommitId,
    /// The release sealed before it, dead or not; `None` for the first.
    pub previous: Option<PreviousRelease>,
    /// The compiler.
    pub toolchain: Toolchain,
    /// The SHA-256 of `Cargo.lock`.
    pub lockfile: Digest,
    /// The packages that the functions are linked with, each with its versions.
    pub dependencies: BTreeMap<String, BTreeSet<String>>,
    /// Every object in the box but this one, by its name in the box.
    pub objects: BTreeMap<String, Object>,
    /// Every function.
    pub functions: BTreeMap<FunctionName, Function>,
    /// What the functions' layers hold.
    // What is not declared is not written, so that the seals of older manifests keep their bytes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub layers: BTreeMap<LayerName, Layer>,
    /// The promotion path, in order, with each environment's gate.
    pub path: Vec<Stop>,
    /// The commits that are in this release and were not in the one before.
    pub changes: Vec<Change>,
}

/// The release before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousRelease {
    /// Its version.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
}

/// What compiled the artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    /// `rustc --version`.
    pub rustc: String,
    /// `cargo --version`.
    pub cargo: String,
    /// The machine that compiled, as a target triple.
    pub host: String,
    /// What was compiled for, as a target triple.
    pub target: String,
    /// The cargo profile.
    pub profile: String,
    /// What compiled C and linked, where that was not this machine's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zig: Option<Zig>,
}

/// cargo-zigbuild, which builds for another processor than its machine's or for an older glibc.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zig {
    /// `cargo-zigbuild --version`.
    pub cargo_zigbuild: String,
    /// `zig version`.
    pub zig: String,
    /// The glibc that was built for; zig's own default if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc: Option<Glibc>,
}

/// One object of the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Its SHA-256.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// One function of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// The name of its artifact in the box.
    pub artifact: String,
    /// Its declared configuration in each environment.
    pub configuration: BTreeMap<EnvName, Configuration>,
    /// Its smoke checks in each environment.
    pub smoke: BTreeMap<EnvName, Vec<Check>>,
}

/// One stop of the promotion path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// The environment.
    pub environment: EnvName,
    /// Only checks declared safe run there.
    pub safe_smoke_only: bool,
    /// It is the second region: fed by synchronisation after the stop before it, not by promotion.
    pub recovery: bool,
    /// What must hold before a release may enter.
    pub gate: GateRules,
    /// How it gets the calls there; all at once if not given.
    // What is not asked for is not written, so that the seals of older manifests keep their bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryRules>,
}

/// What a gate demands beside the order of the path.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRules {
    /// Approvals by people in roles. None of them: the gate needs no person.
    #[serde(default)]
    pub approvals: Vec<ApprovalRule>,
    /// How long the release must have been verified in the environment before, for example `24h`.
    // What is not demanded is not written, so that the seals of older manifests keep their bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<Soak>,
    /// Proof that must have been added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceRule>,
    /// That no vulnerability may be known of what the release is linked with, but those that the policy excepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vulnerabilities: Option<VulnerabilityRule>,
    /// Whether reviews of a workflow run count as approvals, too, though nobody but the deployer signs them. Not given: they
    /// never do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviews: Option<ReviewRule>,
    /// Who may break the glass: let a release in through a freeze, and before it has soaked. Not given: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlass>,
}

/// How well it must be known that there is no vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VulnerabilityRule {
    /// How old the database of advisories may be at most, for example `168h` for a week.
    pub max_age: Soak,
}

/// Who may break the glass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlass {
    /// The role in which somebody must approve, beside all other approvals.
    pub role: RoleName,
}

/// Whose reviews count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRule {
    /// Who is asked for them.
    pub source: ReviewSource,
    /// The name that the environment has there, its own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

impl ReviewRule {
    /// The name that an environment of ours has there.
    #[must_use]
    pub fn environment<'a>(&'a self, own: &'a EnvName) -> &'a str {
        self.environment.as_deref().unwrap_or(own.as_str())
    }
}

/// Who is asked for reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewSource {
    /// GitHub's API: the required reviewers of a deployment environment.
    Github,
}

/// How many people of a role must approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    /// The role.
    pub role: RoleName,
    /// How many different people.
    pub count: u32,
}

/// One kind of proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRule {
    /// The kind.
    pub kind: EvidenceKind,
    /// Whether it must be a test report.
    #[serde(default)]
    pub tests: bool,
}

/// One commit of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The commit.
    pub commit: CommitId,
    /// The first line of its message.
    pub subject: String,
    /// E-mails of its author and co-authors.
    pub authors: Vec<String>,
    /// Whether it is a merge: merges are nobody's authorship.
    pub merge: bool,
}

impl Manifest {
    /// The rules of one environment, `None` if it is not on the path.
    #[must_use]
    pub fn stop(&self, environment: &EnvName) -> Option<&Stop> {
        self.path.iter().find(|stop| &stop.environment == environment)
    }

    /// The stop before this one, `None` for the first.
    #[must_use]
    pub fn stop_before(&self, environment: &EnvName) -> Option<&Stop> {
        let at = self.path.iter().position(|stop| &stop.environment == environment)?;
        self.path.get(at.checked_sub(1)?)
    }
}

/// The name of the seal in a box.
pub const MANIFEST: &str = "manifest.json";
/// The name of the checksum file in a box; `sha256sum -c` reads it.
pub const SUMS: &str = "SHA256SUMS";

/// The key of an object in a release's box.
///
/// # Errors
/// If the name is not one segment of a key.
pub fn box_key(release: Version, name: &str) -> Result<VaultKey, KeyError> {
    format!("{release}/{name}").parse()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::canonical;

    /// A box that was sealed before these rules existed must still read as the bytes that were sealed.
    #[test]
    fn a_gate_writes_only_what_it_demands() {
        let old = br#"{"approvals":[{"count":1,"role":"qa-lead"}]}"#;
        let rules: GateRules = canonical::from_slice(old).unwrap();
        assert_eq!((rules.soak, rules.evidence.len()), (None, 0));
        let new = br#"{"approvals":[],"evidence":[{"kind":"e2e","tests":true}],"soak":"24h"}"#;
        assert_eq!(canonical::from_slice::<GateRules>(new).unwrap().evidence.len(), 1);
    }

    #[test]
    fn a_stop_writes_a_canary_only_where_there_is_one() {
        let old = br#"{"environment":"prod","gate":{"approvals":[]},"recovery":false,"safe_smoke_only":true}"#;
        let stop: Stop = canonical::from_slice(old).unwrap();
        assert_eq!((stop.canary.is_none(), canonical::to_vec(&stop).unwrap().as_slice()), (true, old.as_slice()));
        // What is frozen is whole: a default that changes later changes no sealed canary.
        let text = r#"{"steps":[{"bake":"5m","weight":10}]}"#;
        let rules: CanaryRules = serde_json::from_str(text).unwrap();
        let frozen = r#"{"alarms":[],"min_requests":0,"steps":[{"bake":"5m","weight":10}],"wait_at_most":"1h"}"#;
        assert_eq!(canonical::to_vec(&rules).unwrap(), frozen.as_bytes());
    }
}
