//! What the ledger knows of one release: sealed as what, verified where, dead or not.

use std::collections::BTreeMap;

use crate::{
    context::Context,
    engine::{gate, ledger, policy},
    failure::Failure,
    model::{
        approval::ApprovalEvent,
        digest::Digest,
        entry::{ChainName, Entry, Record},
        environment::EnvironmentEvent,
        manifest::{MANIFEST, Manifest, Stop, box_key},
        names::EnvName,
        releases::ReleaseEvent,
        version::Version,
    },
    plan::gate::{self as plan, Death, Facts},
};

/// How a release stands in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It never was there, or only began.
    Unproven,
    /// It was verified there.
    Verified,
    /// It died there.
    Dead(Death),
}

/// How a release stands in one environment, read backwards. A death is the last word, whatever was written after it. The
/// highest release that ever claimed the environment is part of each entry's state, so that the search ends where the
/// release cannot have been.
///
/// # Errors
/// Integrity or unfinished, as reading the chain goes.
pub async fn standing(context: &Context, environment: &EnvName, release: Version) -> anyhow::Result<Standing> {
    let chain = ChainName::Environment(environment.clone());
    let mut here = ledger::head::<EnvironmentEvent>(context, &chain).await?;
    let mut standing = Standing::Unproven;
    while let Some(record) = here {
        let entry = &record.entry;
        if entry.state.highest < Some(release) {
            break;
        }
        match word(environment, entry, release) {
            Some(Standing::Dead(death)) => return Ok(Standing::Dead(death)),
            Some(found) => standing = found,
            None => {}
        }
        here = ledger::before(context, &chain, &record).await?;
    }
    Ok(standing)
}

/// What one entry says about a release, if it settles anything.
fn word(environment: &EnvName, entry: &Entry<EnvironmentEvent>, release: Version) -> Option<Standing> {
    let dead = |finding: String| {
        let actor = entry.actor.clone();
        Some(Standing::Dead(Death { environment: environment.clone(), time: entry.time, finding, actor }))
    };
    match &entry.event {
        EnvironmentEvent::RolledBack { from, .. } if from.release == release => {
            dead(format!("rolled back: {}", from.reason))
        }
        _ if entry.release != Some(release) => None,
        EnvironmentEvent::Died { finding } => dead(finding.clone()),
        EnvironmentEvent::Verified { .. } | EnvironmentEvent::RolledBack { .. } => Some(Standing::Verified),
        _ => None,
    }
}

/// Where the release died, if it did: by a finding, by a rollback, or by a rejection.
///
/// # Errors
/// Integrity or unfinished, as reading the chains goes.
pub async fn death(context: &Context, release: Version) -> anyhow::Result<Option<Death>> {
    let path = path(context, release).await?;
    for stop in &path {
        if let Standing::Dead(death) = standing(context, &stop.environment, release).await? {
            return Ok(Some(death));
        }
    }
    for stop in &path {
        if let Some(death) = rejection(context, stop, release).await? {
            return Ok(Some(death));
        }
    }
    Ok(None)
}

/// Every environment in which something may have happened to a release: those of the path that it froze, and today's.
/// Whoever takes an environment out of `release.toml` must not bring the dead back.
async fn path(context: &Context, release: Version) -> anyhow::Result<Vec<Stop>> {
    let mut path = context.config.path.clone();
    if seal(context, release).await?.is_some() {
        let (manifest, _) = manifest(context, release).await?;
        let known = |stop: &Stop| path.iter().any(|today| today.environment == stop.environment);
        let gone: Vec<Stop> = manifest.path.iter().filter(|stop| !known(stop)).cloned().collect();
        path.extend(gone);
    }
    Ok(path)
}

/// A rejection for an environment kills the release in the one before. It is judged by the policy that held when it was
/// signed: dead stays dead, whatever becomes of the person or the key.
async fn rejection(context: &Context, stop: &Stop, release: Version) -> anyhow::Result<Option<Death>> {
    let statements = gate::approvals(context, release, &stop.environment).await?;
    let statements = statements.iter().map(|(signed, _)| signed);
    for signed in statements.filter(|s| matches!(s.entry.event, ApprovalEvent::Rejected { .. })) {
        let (manifest, digest) = manifest(context, release).await?;
        let policies = policy::around(context, signed.entry.time).await?;
        let judged = policies.iter().find_map(|policy| {
            plan::rejection(&Facts::when_signed(&manifest, digest, stop, policy, signed), signed).ok()
        });
        if let Some(finding) = judged {
            let before = manifest.stop_before(&stop.environment).map_or(stop, |before| before);
            let (environment, actor) = (before.environment.clone(), signed.entry.actor.clone());
            return Ok(Some(Death { environment, time: signed.entry.time, finding, actor }));
        }
    }
    Ok(None)
}

/// The seal of a release: its manifest, proven by the `sealed` entry, and its identity.
///
/// # Errors
/// Refused, if no such release is sealed; integrity, if the manifest is not the sealed one.
pub async fn manifest(context: &Context, release: Version) -> anyhow::Result<(Manifest, Digest)> {
    let Some(sealed) = seal(context, release).await?.and_then(|record| record.entry.manifest) else {
        let known = newest_sealed(context).await?.map_or_else(
            || "nothing is released yet: run `cargo xtask release`".to_owned(),
            |newest| format!("the newest is {newest}"),
        );
        return Err(Failure::Refused(format!("{release} is not a sealed release; {known}")).into());
    };
    Ok((sealed_as(context, release, sealed).await?, sealed))
}

/// The seal of a release whose `sealed` entry says that this is its identity.
///
/// # Errors
/// Integrity, if the manifest is not that one; unfinished, if it cannot be read.
pub async fn sealed_as(context: &Context, release: Version, sealed: Digest) -> anyhow::Result<Manifest> {
    let key = box_key(release, MANIFEST)?;
    let bytes = context.vault.read(&key).await.map_err(|e| e.failed(format!("failed to read {key}")))?;
    let Some(bytes) = bytes else {
        return Err(Failure::Integrity(format!("{key} is missing from the vault")).into());
    };
    let found = Digest::of(&bytes);
    if found != sealed {
        return Err(Failure::Integrity(format!(
            "{key} is not the manifest that was sealed: expected {sealed}, found {found}; \
             run `cargo xtask audit verify`"
        ))
        .into());
    }
    let manifest = crate::model::canonical::from_slice(&bytes);
    Ok(manifest
        .map_err(|error| Failure::Integrity(format!("{key} is not a manifest that this tool can read: {error}")))?)
}

/// The newest sealed release, dead or not.
///
/// # Errors
/// Integrity or unfinished, as reading the chain goes.
pub async fn newest_sealed(context: &Context) -> anyhow::Result<Option<Version>> {
    let head = ledger::head::<ReleaseEvent>(context, &ChainName::Releases).await?;
    Ok(head.and_then(|record| record.entry.state.sealed).map(|sealed| sealed.version))
}

/// The store's own names for the versions of a box's objects, as they were recorded when it was sealed; empty where the
/// store has none.
///
/// # Errors
/// Integrity or unfinished, as reading the chain goes.
pub async fn object_versions(context: &Context, release: Version) -> anyhow::Result<BTreeMap<String, String>> {
    Ok(match seal(context, release).await?.map(|record| record.entry.event) {
        Some(ReleaseEvent::Sealed { versions }) => versions,
        _ => BTreeMap::new(),
    })
}

/// The entry with which a release was sealed. Numbers only grow along `releases/`, so halving finds it; the newest is
/// asked for most, and stands at the head or right before a number that was taken since.
async fn seal(context: &Context, release: Version) -> anyhow::Result<Option<Record<ReleaseEvent>>> {
    let Some(head) = ledger::head::<ReleaseEvent>(context, &ChainName::Releases).await? else { return Ok(None) };
    let is_seal = |record: &Record<ReleaseEvent>| {
        record.entry.release == Some(release) && matches!(record.entry.event, ReleaseEvent::Sealed { .. })
    };
    if is_seal(&head) {
        return Ok(Some(head));
    }
    if let Some(before) = ledger::before(context, &ChainName::Releases, &head).await?.filter(is_seal) {
        return Ok(Some(before));
    }
    let read = async |number: u64| -> anyhow::Result<Record<ReleaseEvent>> {
        ledger::entry(context, &ChainName::Releases, number).await
    };
    let (mut low, mut high) = (1, head.entry.number + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if read(middle).await?.entry.release < Some(release) { low = middle + 1 } else { high = middle }
    }
    for number in low..=head.entry.number {
        let record = read(number).await?;
        match (&record.entry.event, record.entry.release) {
            (_, found) if found != Some(release) => break,
            (ReleaseEvent::Sealed { .. }, _) => return Ok(Some(record)),
            _ => {}
        }
    }
    Ok(None)
}
