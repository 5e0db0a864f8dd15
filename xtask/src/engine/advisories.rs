//! Known vulnerabilities of a release: recording what a database of advisories says of its packages, and reading such
//! records against the bills of materials in its box.

use std::collections::BTreeSet;

use crate::{
    context::Context,
    engine::evidence::{self, SignedEvidence},
    failure::Failure,
    model::{
        advisories::{Bills, KIND, Scan, Scans, Snapshot},
        canonical,
        digest::Digest,
        evidence::Evidence,
        key::VaultKey,
        manifest::{Manifest, box_key},
        names::EnvName,
        sbom,
    },
    ports::vault::Vault,
};

/// A snapshot that was taken of a release, and what it says.
#[derive(Debug)]
pub struct Taken {
    snapshot: Snapshot,
    /// What it says.
    pub scan: Scan,
}

/// Asks the newest commit of a database about everything that a release is linked with.
///
/// # Errors
/// Integrity, if a bill of materials is not the sealed one; usage or unfinished, as the database can be read.
pub async fn take(context: &Context, manifest: &Manifest, database: &str) -> anyhow::Result<Taken> {
    let bills = bills(&*context.vault, manifest).await?;
    let packages: BTreeSet<String> = bills.values().flatten().map(|package| package.name.clone()).collect();
    let phase = context.story.phase(&format!("reading the advisories of {database} about {} packages", packages.len()));
    let snapshot = context.advisories.snapshot(database, &packages)?;
    let scan = snapshot.scan(&bills).map_err(|why| Failure::usage(format!("{database} tells nothing: {why}")))?;
    phase.done(&format!("{} found, commit {} of {}", scan.found.len(), scan.commit.short(), scan.date));
    Ok(Taken { snapshot, scan })
}

/// Adds what was taken to the release's evidence.
///
/// # Errors
/// As adding evidence goes.
pub async fn record(
    context: &Context,
    taken: &Taken,
    (manifest, digest): (&Manifest, Digest),
    environment: EnvName,
) -> anyhow::Result<VaultKey> {
    let content = String::from_utf8(canonical::to_vec(&taken.snapshot)?)?;
    let evidence = Evidence {
        schema: 1,
        release: manifest.release,
        manifest: digest,
        environment,
        kind: KIND.parse()?,
        file: format!("{KIND}.json"),
        sha256: Digest::of(content.as_bytes()),
        tests: None,
        time: context.clock.now(),
        actor: context.actor.clone(),
    };
    evidence::add(context, &evidence, content).await
}

/// What the snapshots among a release's evidence say about it.
///
/// # Errors
/// Integrity, if a bill of materials is not the sealed one; unfinished, if the vault cannot be read.
pub(super) async fn scans(vault: &dyn Vault, manifest: &Manifest, all: &[SignedEvidence]) -> anyhow::Result<Scans> {
    let snapshots: Vec<_> = all.iter().filter(|signed| signed.evidence.kind.as_str() == KIND).collect();
    // Without a snapshot nobody needs the bills.
    let bills = if snapshots.is_empty() { Bills::new() } else { bills(vault, manifest).await? };
    let scan = |signed: &&SignedEvidence| {
        let scanned = Snapshot::of(&signed.content).and_then(|snapshot| snapshot.scan(&bills));
        (signed.evidence.sha256, scanned)
    };
    Ok(snapshots.iter().map(scan).collect())
}

async fn bills(vault: &dyn Vault, manifest: &Manifest) -> anyhow::Result<Bills> {
    let mut bills = Bills::new();
    for function in manifest.functions.keys() {
        let name = sbom::object_name(function);
        let key = box_key(manifest.release, &name)?;
        let wrong = |why: String| Failure::Integrity(format!("{key} {why}; run `cargo xtask audit verify`"));
        let sealed = manifest.objects.get(&name).ok_or_else(|| wrong("is sealed by no manifest".to_owned()))?;
        let bytes = vault.read(&key).await.map_err(|error| error.failed(format!("failed to read {key}")))?;
        let bytes = bytes.ok_or_else(|| wrong("is missing from the vault".to_owned()))?;
        let found = Digest::of(&bytes);
        if found != sealed.sha256 {
            return Err(wrong(format!("is not what was sealed: expected {}, found {found}", sealed.sha256)).into());
        }
        bills.insert(function.clone(), sbom::packages(&bytes).map_err(wrong)?);
    }
    Ok(bills)
}
