//! Vaults with a past that was never lived: releases written into the ledger as the toolchain itself writes them, without
//! a build and without a fleet.

use std::collections::BTreeMap;

use xtask::{
    context::Context,
    engine::{ledger, release::survey},
    model::{
        canonical,
        commit::CommitId,
        digest::Digest,
        entry::{ChainName, Event},
        environment::{EnvironmentEvent, Known},
        manifest::{Change, MANIFEST, Manifest, PreviousRelease, Toolchain, box_key},
        releases::ReleaseEvent,
        version::Version,
    },
    ports::vault::Body,
};

/// A release that is verified in dev and qa, and waits at the gate of uat.
pub(crate) async fn living(context: &Context, version: Version, commit: CommitId) {
    let manifest = sealed(context, version, commit, Vec::new()).await;
    for environment in ["dev", "qa"] {
        entered(context, environment, version, manifest).await;
    }
}

/// Writes that a release entered an environment and is verified there, as whoever holds its deployer's key can: no gate is
/// asked.
pub(crate) async fn entered(context: &Context, environment: &str, version: Version, manifest: Digest) {
    entered_with(context, environment, (version, manifest), None, None).await;
}

/// The same, with something that happened between the claim and the rest, and with what it says that it knew of other chains.
pub(crate) async fn entered_with(
    context: &Context,
    environment: &str,
    (version, manifest): (Version, Digest),
    between: Option<EnvironmentEvent>,
    known: Option<Known>,
) {
    let chain = ChainName::Environment(environment.parse().unwrap());
    let rest = [
        EnvironmentEvent::Staged { functions: BTreeMap::new() },
        EnvironmentEvent::Shifting { moves: Vec::new(), smoke: Vec::new(), canary: None, known },
        EnvironmentEvent::Shifted,
        EnvironmentEvent::Verified { smoke: Vec::new() },
    ];
    for event in [claimed(context)].into_iter().chain(between).chain(rest) {
        append(context, &chain, version, Some(manifest), event).await;
    }
}

/// A release that is sealed and died in dev.
pub(crate) async fn dead(context: &Context, version: Version, commit: CommitId) {
    let manifest = Some(sealed(context, version, commit, Vec::new()).await);
    let dev = ChainName::Environment("dev".parse().unwrap());
    append(context, &dev, version, manifest, claimed(context)).await;
    append(context, &dev, version, manifest, EnvironmentEvent::Died { finding: "told to die".to_owned() }).await;
}

/// A number that was burned.
pub(crate) async fn burned(context: &Context, version: Version, commit: CommitId) {
    reserved(context, version, commit).await;
    let burned = ReleaseEvent::Burned { reason: "told to burn".to_owned(), differences: Vec::new() };
    append(context, &ChainName::Releases, version, None, burned).await;
}

/// Seals a release without artifacts that brings these commits; its identity.
pub(crate) async fn sealed(context: &Context, version: Version, commit: CommitId, changes: Vec<Change>) -> Digest {
    reserved(context, version, commit).await;
    let previous = survey::state(context).await.unwrap().sealed;
    let none = || "none".to_owned();
    let manifest = Manifest {
        schema: 1,
        release: version,
        commit,
        previous: previous.map(|sealed| PreviousRelease { release: sealed.version, manifest: sealed.manifest }),
        toolchain: Toolchain { rustc: none(), cargo: none(), host: none(), target: none(), profile: none(), zig: None },
        lockfile: Digest::of(b""),
        dependencies: BTreeMap::new(),
        objects: BTreeMap::new(),
        functions: BTreeMap::new(),
        layers: BTreeMap::new(),
        path: context.config.path.clone(),
        changes,
    };
    let bytes = canonical::to_vec(&manifest).unwrap();
    context.vault.create(&box_key(version, MANIFEST).unwrap(), Body::Bytes(&bytes)).await.unwrap();
    let sealed = ReleaseEvent::Sealed { versions: BTreeMap::new() };
    append(context, &ChainName::Releases, version, Some(Digest::of(&bytes)), sealed).await;
    Digest::of(&bytes)
}

async fn reserved(context: &Context, version: Version, commit: CommitId) {
    let (machine, expires) = (context.machine.clone(), context.clock.now());
    append(
        context,
        &ChainName::Releases,
        version,
        None,
        ReleaseEvent::Reserved { commit, machine, expires, email: None },
    )
    .await;
}

fn claimed(context: &Context) -> EnvironmentEvent {
    let machine = context.machine.clone();
    EnvironmentEvent::Claimed { machine, expires: context.clock.now(), took_over: None, rollback: None }
}

/// Appends what is said, whatever it says.
pub(crate) async fn append<E: Event>(
    context: &Context,
    chain: &ChainName,
    of: Version,
    manifest: Option<Digest>,
    event: E,
) {
    let draft = ledger::Draft { release: Some(of), manifest, event };
    ledger::append(context, chain, |_| Ok(draft.clone())).await.unwrap();
}
