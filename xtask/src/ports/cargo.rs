//! Cargo: building every function in one call, each packed as an artifact.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{
    binary::{Binary, Glibc},
    digest::Digest,
    manifest::Toolchain,
    names::FunctionName,
    sbom::Linked,
};

/// The build tool.
pub trait Cargo: Send + Sync {
    /// Builds all functions in one resolution and packs each into its artifact.
    ///
    /// # Errors
    /// If cargo fails (its own words are in the error), or does not make an executable for one of the functions.
    fn build(&self, request: &BuildRequest<'_>, progress: &dyn Fn(&str)) -> anyhow::Result<Built>;

    /// What would compile this request.
    ///
    /// # Errors
    /// If the compiler cannot be asked.
    fn toolchain(&self, request: &BuildRequest<'_>) -> anyhow::Result<Toolchain>;

    /// Where an artifact differs from the sealed one, for a person to act on; empty if both are the same bytes.
    ///
    /// # Errors
    /// If either cannot be read.
    fn difference(&self, sealed: &Utf8Path, artifact: &Artifact) -> anyhow::Result<Vec<String>>;
}

/// What to build.
#[derive(Debug, Clone)]
pub struct BuildRequest<'a> {
    /// The workspace.
    pub root: &'a Utf8Path,
    /// The packages, each with one executable of the same name.
    pub functions: &'a [FunctionName],
    /// The cargo profile.
    pub profile: &'a str,
    /// The target triple; `None` for this machine's own.
    pub target: Option<&'a str>,
    /// The glibc to build for, at most; `None` for what the linker finds.
    pub glibc: Option<&'a Glibc>,
    /// The folder for the artifacts, `<function>.zip` each.
    pub out: &'a Utf8Path,
    /// What the artifacts are for.
    pub purpose: Purpose,
}

/// What artifacts are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be sealed: nothing of this machine may get in, so the environment is scrubbed and paths are remapped.
    Seal,
    /// To be run here at once: with the developer's own settings and target folder, so that little is built anew.
    Run,
    /// The same, with all that a debugger shows: lines alone are not enough to see what a variable holds.
    Debug,
}

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Each function's artifact.
    pub artifacts: BTreeMap<FunctionName, Artifact>,
    /// What compiled them.
    pub toolchain: Toolchain,
    /// The SHA-256 of `Cargo.lock`.
    pub lockfile: Digest,
    /// What each function is linked with.
    pub linked: BTreeMap<FunctionName, Linked>,
}

impl Built {
    /// The packages from outside of the workspace, of all functions together, each with its versions.
    #[must_use]
    pub fn dependencies(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let packages = self.linked.values().flat_map(|linked| &linked.0);
        for (name, _) in packages.filter(|(_, package)| package.external) {
            all.entry(name.name.clone()).or_default().insert(name.version.clone());
        }
        all
    }
}

/// One function's zip: `bootstrap` at its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where it lies.
    pub path: Utf8PathBuf,
    /// The executable that was packed.
    pub executable: Utf8PathBuf,
    /// Its SHA-256.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What is inside.
    pub binary: Binary,
}
