//! The seal: the manifest, made from what was built and written last.

use std::collections::BTreeMap;

use crate::{
    config::smoke::AllChecks,
    context::Context,
    engine::release::survey,
    failure::Failure,
    model::{
        canonical,
        commit::Commit,
        configuration::Architecture,
        digest::Digest,
        manifest::{Change, Function, MANIFEST, Manifest, Object, PreviousRelease, box_key},
        version::Version,
    },
    plan::release::ReleasePlan,
    ports::{
        cargo::Built,
        vault::{Body, VaultError},
    },
};

/// Makes the manifest.
///
/// # Errors
/// Usage, if the target is none that Lambda runs; as reading the vault and the repository goes.
pub(super) async fn manifest(
    context: &Context,
    plan: &ReleasePlan,
    version: Version,
    built: &Built,
    checks: &AllChecks,
    objects: BTreeMap<String, Object>,
) -> anyhow::Result<Manifest> {
    let architecture = architecture(&built.toolchain.target)?;
    let previous = survey::state(context).await?.sealed;
    let base: Vec<_> = previous.iter().map(|sealed| sealed.commit).collect();
    let functions = context.config.functions.iter().map(|(name, function)| {
        let configuration = function.settings.iter().map(|(env, settings)| (env.clone(), settings.on(architecture)));
        let sealed = Function {
            artifact: format!("{name}.zip"),
            configuration: configuration.collect(),
            smoke: checks.get(name).cloned().unwrap_or_default(),
        };
        (name.clone(), sealed)
    });
    Ok(Manifest {
        schema: 1,
        release: version,
        commit: plan.commit,
        previous: previous.map(|sealed| PreviousRelease { release: sealed.version, manifest: sealed.manifest }),
        toolchain: built.toolchain.clone(),
        lockfile: built.lockfile,
        dependencies: built.dependencies(),
        objects,
        functions: functions.collect(),
        layers: context.config.layers.clone(),
        path: context.config.path.clone(),
        changes: survey::commits(context, plan.commit, &base)?.iter().map(change).collect(),
    })
}

/// Writes the seal. One that is there already must be this very one.
///
/// # Errors
/// Integrity, if another manifest is there; unfinished, if the vault cannot be reached.
pub(super) async fn write(context: &Context, manifest: &Manifest) -> anyhow::Result<Digest> {
    let key = box_key(manifest.release, MANIFEST)?;
    let bytes = canonical::to_vec(manifest)?;
    match context.vault.create(&key, Body::Bytes(&bytes)).await {
        Ok(()) | Err(VaultError::Exists(_)) => {}
        Err(error) => return Err(error.failed(format!("failed to write {key}")).into()),
    }
    let digest = Digest::of(&bytes);
    let found = context.vault.fetch(&key, None).await;
    let found = found.map_err(|error| error.failed(format!("failed to read {key} back")))?;
    if found.is_none_or(|(found, _)| found != digest) {
        let found = found.map_or_else(|| "nothing".to_owned(), |(found, _)| found.to_string());
        return Err(Failure::Integrity(format!("{key} is already there and differs: {found}, not {digest}")).into());
    }
    Ok(digest)
}

/// The store's own names for the versions of all objects in a box that lies there whole, if it has such names.
pub(super) async fn versions(
    context: &Context,
    version: Version,
    sealed: Digest,
) -> anyhow::Result<BTreeMap<String, String>> {
    let key = box_key(version, MANIFEST)?;
    let bytes = context.vault.read(&key).await.map_err(|error| error.failed(format!("failed to read {key}")))?;
    let Some(bytes) = bytes.filter(|bytes| Digest::of(bytes) == sealed) else {
        return Err(Failure::Integrity(format!("{key} is not the manifest that is being sealed")).into());
    };
    let manifest: Manifest = canonical::from_slice(&bytes)?;
    let mut versions = BTreeMap::new();
    for name in manifest.objects.keys().map(String::as_str).chain([MANIFEST]) {
        let key = box_key(version, name)?;
        let known = context.vault.object_version(&key).await;
        let known = known.map_err(|error| error.failed(format!("failed to look for {key}")))?;
        versions.extend(known.map(|known| (name.to_owned(), known)));
    }
    Ok(versions)
}

fn change(commit: &Commit) -> Change {
    Change {
        commit: commit.id,
        subject: commit.subject(),
        authors: commit.authors().into_iter().map(|identity| identity.email).collect(),
        merge: commit.is_merge(),
    }
}

/// The processor that a target triple is for.
///
/// # Errors
/// Usage, if Lambda does not run it.
pub(super) fn architecture(target: &str) -> Result<Architecture, Failure> {
    match target.split('-').next() {
        Some("x86_64") => Ok(Architecture::X86_64),
        Some("aarch64") => Ok(Architecture::Arm64),
        _ => Err(Failure::usage(format!("Lambda runs x86_64 and aarch64, not {target}; set `build.target`"))),
    }
}
