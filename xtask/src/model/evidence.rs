//! Evidence: proof about a release that a gate may require, and what a test report says.

mod junit;

use serde::{Deserialize, Serialize};

pub use self::junit::{JunitError, junit};
use crate::model::{
    digest::Digest,
    names::{EnvName, EvidenceKind},
    time::Time,
    version::Version,
};

/// One piece of evidence, as it lies in the vault under `evidence/<version>/<sha256>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The form of this record: 1.
    pub schema: u32,
    /// The release that it is about.
    pub release: Version,
    /// That release's identity.
    pub manifest: Digest,
    /// Where it was gathered.
    pub environment: EnvName,
    /// What kind of proof it is.
    pub kind: EvidenceKind,
    /// The name of the file.
    pub file: String,
    /// What the file hashes to.
    pub sha256: Digest,
    /// What it says, if it is a test report.
    pub tests: Option<TestSummary>,
    /// When it was added.
    pub time: Time,
    /// Who added it.
    pub actor: String,
}

/// What a test report says: numbers of test cases.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestSummary {
    /// All, whatever became of them.
    pub tests: u64,
    /// Those whose assertion failed.
    pub failures: u64,
    /// Those that broke off.
    pub errors: u64,
    /// Those that did not run.
    pub skipped: u64,
}

impl TestSummary {
    /// Whether tests ran and all that ran passed.
    #[must_use]
    pub fn success(&self) -> bool {
        self.failures == 0 && self.errors == 0 && self.tests > self.skipped
    }
}
