//! Building a release once more from its commit, in a clean place, and comparing every byte with the vault.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::{
    context::Context,
    engine::{facts, release::survey},
    failure::Failure,
    model::{
        commit::CommitId,
        digest::Digest,
        manifest::{Manifest, Toolchain, Zig, box_key},
        names::FunctionName,
        verdict::Verdict,
        version::Version,
    },
    ports::cargo::{BuildRequest, Built, Purpose},
};

/// What came of building a release once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reproduction {
    /// The release.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// What it was built from; `None` if from a folder that someone gave.
    pub commit: Option<CommitId>,
    /// What compiled it now.
    pub toolchain: Toolchain,
    /// Every artifact.
    pub artifacts: BTreeMap<FunctionName, Rebuilt>,
    /// What differs in the source and in what it was built with, and explains the rest.
    pub reasons: Vec<String>,
}

/// One artifact, built once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// `Correct` if every byte is equal.
    pub verdict: Verdict,
    /// What was sealed.
    pub sealed: Digest,
    /// What was built now.
    pub rebuilt: Digest,
    /// Where they differ.
    pub differences: Vec<String>,
}

impl Reproduction {
    /// How many artifacts are not what was sealed.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.artifacts.values().filter(|artifact| artifact.verdict != Verdict::Correct).count()
    }

    /// The failure that this ends with, if anything differs.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let wrong = self.artifacts.iter().filter(|(_, artifact)| artifact.verdict != Verdict::Correct);
        let list =
            wrong.map(|(function, artifact)| format!("\n  - {function}.zip: {}", artifact.differences.join("; ")));
        let list = list.chain(self.reasons.iter().map(|reason| format!("\n  - {reason}"))).collect::<String>();
        (self.differing() > 0)
            .then(|| Failure::Integrity(format!("{} does not come out of its source again:{list}", self.release)))
    }
}

/// Builds a release once more: from its commit, or from a folder that someone gives, such as an auditor's own copy.
///
/// # Errors
/// Usage, if the compiler is another one; integrity, if the vault has not what was sealed; refused, if the commit is
/// not in this repository; unfinished, as reading the vault goes.
pub async fn run(context: &Context, release: Version, folder: Option<&Utf8Path>) -> anyhow::Result<Reproduction> {
    let (manifest, digest) = facts::manifest(context, release).await?;
    let place = context.local.join("build/reproduce");
    let checkout = place.join("source");
    if folder.is_none() {
        context.git.export(manifest.commit, &checkout).map_err(survey::git_failure)?;
    }
    let source = folder.map_or_else(|| checkout.clone(), Utf8Path::to_owned);
    let functions: Vec<FunctionName> = manifest.functions.keys().cloned().collect();
    let out = place.join("artifacts");
    let request = BuildRequest {
        root: &source,
        functions: &functions,
        profile: &manifest.toolchain.profile,
        target: Some(&manifest.toolchain.target),
        glibc: manifest.toolchain.zig.as_ref().and_then(|zig| zig.glibc.as_ref()),
        out: &out,
        purpose: Purpose::Seal,
    };
    same_compiler(&manifest, &context.cargo.toolchain(&request)?)?;
    let phase = context.story.phase(&format!("building {release} once more"));
    let built = context.cargo.build(&request, &|text| phase.now(text))?;
    phase.done(&format!("{} functions with {}", built.artifacts.len(), built.toolchain.rustc));
    let phase = context.story.phase("comparing with the vault");
    let mut artifacts = BTreeMap::new();
    for (function, artifact) in &built.artifacts {
        phase.now(function.as_str());
        let sealed = fetch(context, &manifest, function, &place).await?;
        let differences = context.cargo.difference(&sealed.0, artifact)?;
        let verdict = if differences.is_empty() { Verdict::Correct } else { Verdict::Incorrect };
        let rebuilt = Rebuilt { verdict, sealed: sealed.1, rebuilt: artifact.sha256, differences };
        artifacts.insert(function.clone(), rebuilt);
    }
    let mut reasons = reasons(&manifest, &built);
    if let Some(folder) = folder {
        let changed = context.git.changed(manifest.commit, folder).map_err(survey::git_failure)?;
        reasons.extend(changed.iter().map(|path| format!("{path} is not as the commit has it")));
    }
    let commit = folder.is_none().then_some(manifest.commit);
    let toolchain = built.toolchain;
    let reproduction = Reproduction { release, manifest: digest, commit, toolchain, artifacts, reasons };
    phase.done(&format!("{} of {} differ", reproduction.differing(), reproduction.artifacts.len()));
    Ok(reproduction)
}

/// Another compiler makes other bytes: nothing would be learnt.
fn same_compiler(manifest: &Manifest, here: &Toolchain) -> Result<(), Failure> {
    let sealed = &manifest.toolchain;
    if sealed.zig != here.zig {
        let show = |zig: Option<&Zig>| {
            zig.map_or_else(
                || "without cargo-zigbuild".to_owned(),
                |zig| format!("by {} with zig {}", zig.cargo_zigbuild, zig.zig),
            )
        };
        let (then, now) = (show(sealed.zig.as_ref()), show(here.zig.as_ref()));
        return Err(Failure::usage(format!(
            "{} was linked {then}, and here it would be {now}: install that one",
            manifest.release
        )));
    }
    if (&sealed.rustc, &sealed.host) == (&here.rustc, &here.host) {
        return Ok(());
    }
    let version = sealed.rustc.split(' ').nth(1).unwrap_or(&sealed.rustc);
    let release = manifest.release;
    Err(Failure::usage(format!(
        "{release} was built by {} on {}, and this is {} on {}: run `rustup toolchain install {version}`, then \
         `RUSTUP_TOOLCHAIN={version} cargo xtask reproduce {release}`",
        sealed.rustc, sealed.host, here.rustc, here.host
    )))
}

/// The sealed artifact as a file, its bytes checked.
async fn fetch(
    context: &Context,
    manifest: &Manifest,
    function: &FunctionName,
    place: &Utf8Path,
) -> anyhow::Result<(Utf8PathBuf, Digest)> {
    let artifact = manifest.functions.get(function).map(|function| function.artifact.as_str()).unwrap_or_default();
    let key = box_key(manifest.release, artifact)?;
    let file = place.join(format!("sealed-{function}.zip"));
    let found = context.vault.fetch(&key, Some(&file)).await;
    let found = found.map_err(|error| error.failed(format!("failed to read {key}")))?;
    let sealed = manifest.objects.get(artifact).map(|object| object.sha256);
    match (found, sealed) {
        (Some((found, _)), Some(sealed)) if found == sealed => Ok((file, sealed)),
        (found, sealed) => {
            let show = |digest: Option<Digest>| digest.map_or_else(|| "nothing".to_owned(), |d| d.to_string());
            let (expected, found) = (show(sealed), show(found.map(|(digest, _)| digest)));
            let text = format!("{key} in the vault is not what was sealed: expected {expected}, found {found}");
            Err(Failure::Integrity(format!("{text}; run `cargo xtask audit verify`")).into())
        }
    }
}

/// What was built with something else than the manifest says.
fn reasons(manifest: &Manifest, built: &Built) -> Vec<String> {
    let mut reasons = Vec::new();
    if manifest.toolchain.cargo != built.toolchain.cargo {
        reasons.push(format!("it was built by {}, and this is {}", manifest.toolchain.cargo, built.toolchain.cargo));
    }
    if manifest.lockfile != built.lockfile {
        reasons.push(format!("Cargo.lock is {}, it was {}", built.lockfile.short(), manifest.lockfile.short()));
    }
    let now = built.dependencies();
    let names: BTreeSet<_> = manifest.dependencies.keys().chain(now.keys()).collect();
    for name in names {
        let (then, now) = (manifest.dependencies.get(name), now.get(name));
        if then != now {
            let show = |versions: Option<&BTreeSet<String>>| {
                versions.map_or_else(|| "nothing".to_owned(), |v| v.iter().cloned().collect::<Vec<_>>().join(", "))
            };
            reasons.push(format!("{name} is {}, it was {}", show(now), show(then)));
        }
    }
    reasons
}
