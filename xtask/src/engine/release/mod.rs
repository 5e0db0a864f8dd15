//! Turns a commit into a sealed box: reserve → build → upload, read back and hash → seal → tag (DESIGN §5.2).
//!
//! The number is reserved before the build and final only when the manifest is written. A crash anywhere leaves a
//! reservation that the same command resumes.

mod attest;
pub mod preflight;
mod seal;
pub mod survey;
mod upload;

use std::time::Duration;

use serde::Serialize;

use crate::{
    config::smoke::AllChecks,
    context::Context,
    engine::{ledger, provenance},
    failure::Failure,
    model::{
        commit::CommitId,
        digest::Digest,
        entry::{ChainName, Record},
        environment::EnvironmentEvent,
        manifest::{MANIFEST, Manifest, box_key},
        releases::{Difference, ReleaseEvent, Reservation},
        version::Version,
    },
    plan::release::{ReleaseAction, ReleasePlan},
    ports::{
        cargo::{BuildRequest, Purpose},
        git::Tagged,
        lock::Guard,
    },
};

/// How long a reservation holds against people on other machines: longer than any build should take.
const HOLD: Duration = Duration::from_secs(60 * 60);

/// A sealed release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// The release.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// What it was built from.
    pub commit: CommitId,
}

/// This machine's lock on releasing.
///
/// # Errors
/// Busy, if another process of this machine is releasing.
pub async fn lock(context: &Context) -> anyhow::Result<Guard> {
    let guard = context.locks.try_lock("releases");
    if let Some(guard) = guard.map_err(|error| ledger::unfinished("failed to hold the releases".to_owned(), error))? {
        return Ok(guard);
    }
    let open = survey::state(context).await?.open;
    let what = open.map_or_else(
        || "another process of this machine is releasing; wait for it to end".to_owned(),
        |open| format!("{} is being released by {} since {}; wait for it to end", open.version, open.owner, open.since),
    );
    Err(Failure::Busy(what).into())
}

/// Carries out a release plan up to the seal. The caller holds the lock on releasing, and has read the smoke checks
/// that the box will carry before minutes are spent on a build.
///
/// # Errors
/// Nothing to release, busy, integrity or unfinished, as DESIGN §8 tells them apart.
pub async fn run(context: &Context, plan: &ReleasePlan, checks: &AllChecks) -> anyhow::Result<Sealed> {
    ledger::witnessed::<ReleaseEvent>(context, &ChainName::Releases).await?;
    for environment in &plan.through {
        ledger::witnessed::<EnvironmentEvent>(context, &ChainName::Environment(environment.clone())).await?;
    }
    if let Some(sealed) = &plan.record {
        record(context, sealed.version, sealed.commit, sealed.manifest).await?;
    }
    let version = match &plan.action {
        ReleaseAction::Nothing { reason, .. } => return Err(Failure::NothingToRelease(reason.clone()).into()),
        ReleaseAction::CarryOn { version, manifest } => {
            tag(context, *version, plan.commit, *manifest);
            return Ok(Sealed { release: *version, manifest: *manifest, commit: plan.commit });
        }
        ReleaseAction::Resume { version } => {
            context.story.note(&format!("going on with {version}, whose release was interrupted"));
            *version
        }
        ReleaseAction::Release { version, burn, .. } => {
            if let Some(abandoned) = burn {
                let reason = "its builder is gone, and another commit is released instead".to_owned();
                burn_number(context, *abandoned, reason, Vec::new()).await?;
            }
            reserve(context, *version, plan.commit).await?;
            *version
        }
    };
    let manifest = match sealed_already(context, version, plan.commit).await? {
        Some(manifest) => manifest,
        None => build(context, plan, checks, version).await?,
    };
    record(context, version, plan.commit, manifest).await?;
    Ok(Sealed { release: version, manifest, commit: plan.commit })
}

/// Records a seal and tags the release.
async fn record(context: &Context, version: Version, commit: CommitId, manifest: Digest) -> anyhow::Result<()> {
    let versions = seal::versions(context, version, manifest).await?;
    ledger::append(context, &ChainName::Releases, |head| {
        let open = open(head);
        if open.is_none_or(|open| open.version != version || open.commit != commit) {
            return Err(Failure::Busy(format!("the reservation of {version} was burned by someone else")).into());
        }
        let event = ReleaseEvent::Sealed { versions: versions.clone() };
        Ok(ledger::Draft { release: Some(version), manifest: Some(manifest), event })
    })
    .await?;
    tag(context, version, commit, manifest);
    Ok(())
}

async fn reserve(context: &Context, version: Version, commit: CommitId) -> anyhow::Result<()> {
    let phase = context.story.phase(&format!("reserving {version}"));
    let machine = context.machine.clone();
    ledger::append::<ReleaseEvent>(context, &ChainName::Releases, |head| {
        let state = head.map(|record| &record.entry.state);
        let highest = state.and_then(|state| state.highest.as_ref()).map(|number| number.version);
        if let Some(open) = open(head) {
            return Err(Failure::Busy(format!("{} is being released by {}", open.version, open.owner)).into());
        }
        if highest >= Some(version) {
            let highest = highest.map(|h| h.to_string()).unwrap_or_default();
            return Err(Failure::Busy(format!("{highest} was released meanwhile; run the same command again")).into());
        }
        let expires = context.clock.now().after(HOLD);
        let event = ReleaseEvent::Reserved { commit, machine: machine.clone(), expires, email: context.email.clone() };
        Ok(ledger::Draft { release: Some(version), manifest: None, event })
    })
    .await?;
    phase.done(&format!("for commit {}", commit.short()));
    Ok(())
}

/// Takes a number out of use for good.
async fn burn_number(
    context: &Context,
    version: Version,
    reason: String,
    differences: Vec<Difference>,
) -> anyhow::Result<()> {
    ledger::append(context, &ChainName::Releases, |head| {
        if open(head).is_none_or(|open| open.version != version) {
            return Err(Failure::Busy(format!("{version} was settled by someone else meanwhile")).into());
        }
        let event = ReleaseEvent::Burned { reason: reason.clone(), differences: differences.clone() };
        Ok(ledger::Draft { release: Some(version), manifest: None, event })
    })
    .await?;
    context.story.warn(&format!("{version} is burned: {reason}"));
    Ok(())
}

fn open(head: Option<&Record<ReleaseEvent>>) -> Option<&Reservation> {
    head.and_then(|record| record.entry.state.open.as_ref())
}

/// An interrupted run may have got as far as the manifest: then it is read and verified, not made again.
async fn sealed_already(context: &Context, version: Version, commit: CommitId) -> anyhow::Result<Option<Digest>> {
    let key = box_key(version, MANIFEST)?;
    let read = context.vault.read(&key).await;
    let Some(bytes) = read.map_err(|error| error.failed(format!("failed to read {key}")))? else {
        return Ok(None);
    };
    let manifest: Manifest = crate::model::canonical::from_slice(&bytes)
        .map_err(|error| Failure::Integrity(format!("{key} is not a manifest: {error}")))?;
    if (manifest.release, manifest.commit) != (version, commit) {
        return Err(Failure::Integrity(format!("{key} seals {} of {}", manifest.release, manifest.commit)).into());
    }
    for (name, object) in &manifest.objects {
        upload::read_back(context, version, name, object).await?;
    }
    Ok(Some(Digest::of(&bytes)))
}

async fn build(context: &Context, plan: &ReleasePlan, checks: &AllChecks, version: Version) -> anyhow::Result<Digest> {
    let phase = context.story.phase("building");
    let out = context.local.join("build/release");
    let request = BuildRequest {
        root: &context.root,
        functions: &plan.functions,
        profile: &context.config.cargo_profile,
        target: context.config.target.as_deref(),
        glibc: context.config.glibc.as_ref(),
        out: &out,
        purpose: Purpose::Seal,
    };
    let built = context.cargo.build(&request, &|text| phase.now(text))?;
    phase.done(&format!("{} functions with {}", built.artifacts.len(), built.toolchain.rustc));
    // Whoever edits while the compiler runs would get a box that is not what the commit says.
    if survey::head(context)?.commit != plan.commit {
        return Err(Failure::Refused("HEAD moved during the build; run the same command again".to_owned()).into());
    }
    preflight::check(&context.config, &built, context.story.as_ref())?;
    let phase = context.story.phase("uploading");
    let objects = match upload::artifacts(context, version, plan.commit, &built, &|text| phase.now(text)).await? {
        Ok(objects) => objects,
        Err(differences) => {
            let names = differences.iter().map(|d| d.object.clone()).collect::<Vec<_>>().join(", ");
            let reason = format!("a second build of {names} differs from the one that was uploaded");
            burn_number(context, version, reason.clone(), differences).await?;
            return Err(Failure::Integrity(format!(
                "{version} is burned: {reason}; run `cargo xtask release` again for the next number"
            ))
            .into());
        }
    };
    phase.done(&format!("{} objects, each read back and hashed", objects.len()));
    let phase = context.story.phase("sealing");
    let manifest = seal::manifest(context, plan, version, &built, checks, objects).await?;
    // What lies there as the provenance stays there, so that such a number can never be sealed. It is burned for good: one
    // wrong answer must not do.
    if provenance::wrong(context, &manifest).await?.is_some()
        && let Some(why) = provenance::wrong(context, &manifest).await?
    {
        burn_number(context, version, why.clone(), Vec::new()).await?;
        let next = "run `cargo xtask release` again for the next number";
        return Err(Failure::Integrity(format!("{version} is burned: {why}; {next}")).into());
    }
    let digest = seal::write(context, &manifest).await?;
    phase.done(&format!("{version} is {digest}"));
    Ok(digest)
}

/// Tags mark the release for people; numbers never come from them, so a tag that cannot be made only is a warning.
fn tag(context: &Context, version: Version, commit: CommitId, manifest: Digest) {
    let name = format!("local/{version}");
    let message = format!("{version}\n\nmanifest {manifest}\n");
    match context.git.tag(&name, commit, &message, context.clock.now()) {
        Ok(Tagged::Created | Tagged::AlreadyThere) => {}
        Ok(Tagged::Elsewhere(_)) => context.story.warn(&format!(
            "the tag {name} stands at another commit and was left there; remove it with `git tag -d {name}`"
        )),
        Err(error) => context.story.warn(&format!("the tag {name} was not made: {:#}", anyhow::Error::from(error))),
    }
}
