//! The second region: a vault of its own that mirrors the first, and a fleet that is staged, smoked, shifted and
//! verified like any environment's. Only then is a release Globally Synced.
//!
//! The second region's vault owns its environment's chain; everything else in it is a verified mirror. That chain is
//! mirrored back, so that the first vault tells the whole story.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    context::Context,
    engine::{
        facts::{self, Standing},
        ledger, mirror,
        promote::{
            self, Promoted,
            rollback::{self, Request, RollbackPlan},
            survey,
        },
    },
    failure::Failure,
    model::{
        entry::ChainName,
        environment::{EnvironmentEvent, Live},
        manifest::{Manifest, Stop},
        names::EnvName,
        policy::PolicyEvent,
        version::Version,
    },
    plan::promotion::PromotionPlan,
    ports::vault::Listed,
};

/// A synchronisation: the very one that runs, printed by `--plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncPlan {
    /// The second region's environment.
    pub environment: EnvName,
    /// The environment that it follows.
    pub follows: EnvName,
    /// What goes there.
    pub release: Version,
    /// Verified releases in between that are passed over.
    pub passes_over: Vec<Version>,
    /// Whether it is Globally Synced already.
    pub synced: bool,
}

/// What a synchronisation brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Synced {
    /// The release, now Globally Synced.
    pub release: Version,
    /// The second region's environment.
    pub environment: EnvName,
    /// How long after the environment that it follows, in seconds.
    pub lag_s: u64,
    /// Whether anything had to be done.
    pub changed: bool,
}

/// The plan of a synchronisation; without a named release, of the newest one that is live and verified before it.
///
/// # Errors
/// Usage, if there is no second region; refused, if nothing is eligible; integrity or unfinished, as reading goes.
pub async fn plan(context: &Context, named: Option<Version>) -> anyhow::Result<SyncPlan> {
    let (follows, recovery) = region(context)?;
    let state = survey::state(context, &follows.environment).await?;
    let live = state.live.filter(|live| live.verified).map(|live| live.release);
    let Some(release) = named.or(live) else {
        let before = &follows.environment;
        let text = format!("nothing is verified in {before} yet; run `cargo xtask promote --to {before}`");
        return Err(Failure::Refused(text).into());
    };
    if facts::standing(context, &follows.environment, release).await? != Standing::Verified {
        let before = &follows.environment;
        let text = format!(
            "{release} is not verified in {before}; run `cargo xtask promote --to {before} --release {release}`"
        );
        return Err(Failure::Refused(text).into());
    }
    let there = survey::state(&context.at_recovery(), &recovery.environment).await?.live;
    Ok(SyncPlan {
        environment: recovery.environment.clone(),
        follows: follows.environment.clone(),
        release,
        passes_over: between(context, &follows.environment, there.as_ref().map(|live| live.release), release).await?,
        synced: there.is_some_and(|live| live.release == release && live.synced.is_some()),
    })
}

/// Carries out a synchronisation. Interrupted anywhere it resumes; it never touches the first region's fleet.
///
/// # Errors
/// Refused, busy, unfinished or integrity, as DESIGN §8 tells them apart. A finding leaves it unfinished: nothing that
/// happens in the second region kills what is live in the first.
pub async fn run(context: &Context, plan: &SyncPlan) -> anyhow::Result<Synced> {
    let there = context.at_recovery();
    let phase = context.story.phase(&format!("{}: mirroring the vault", plan.environment));
    let objects = bring(context, &there, &plan.environment, &|text| phase.now(text)).await?;
    // What goes live there is looked at once more, whenever it came.
    mirror::release(context, &there, plan.release, &|text| phase.now(text)).await?;
    phase.done(&format!("{objects} entries and what they speak of, each verified"));
    let result = promoted(&there, plan).await;
    // What happened there is told here whether it went well or not.
    let chain = ChainName::Environment(plan.environment.clone());
    mirror::chain::<EnvironmentEvent>(&there, context, &chain).await?;
    let promoted = result?;
    let lag_s = lag(context, &there, plan).await?;
    let state = survey::state(&there, &plan.environment).await?;
    let synced = state.live.is_some_and(|live| live.release == plan.release && live.synced.is_some());
    if !synced {
        ledger::append(&there, &chain, |_| {
            let event = EnvironmentEvent::Synced { lag_s };
            Ok(ledger::Draft { release: Some(plan.release), manifest: Some(promoted.manifest), event })
        })
        .await?;
        mirror::chain::<EnvironmentEvent>(&there, context, &chain).await?;
    }
    let (release, environment) = (plan.release, plan.environment.clone());
    Ok(Synced { release, environment, lag_s, changed: promoted.changed || !synced })
}

/// The plan of the second region's way back. What is live in the environment that it follows stays: a rollback kills.
///
/// # Errors
/// Refused, if that would kill what is live in the first region, and as a rollback's plan is.
pub async fn plan_back(context: &Context, request: Request<'_>) -> anyhow::Result<(RollbackPlan, Manifest)> {
    let (follows, recovery) = region(context)?;
    let planned = rollback::plan(context, &recovery.environment, request).await;
    if planned.as_ref().is_ok_and(|(plan, _)| plan.done) {
        return planned;
    }
    let here = survey::state(context, &recovery.environment).await?;
    let before = survey::state(context, &follows.environment).await?;
    let goes = here.live.filter(|_| here.rollback.is_none()).map(|live| live.release);
    if let Some(release) = goes.filter(|goes| before.live.is_some_and(|live| live.release == *goes)) {
        let (before, here) = (&follows.environment, &recovery.environment);
        return Err(Failure::Refused(format!(
            "{release} is live in {before}, which {here} follows: going back kills it; \
             run `cargo xtask rollback --env {before}` first"
        ))
        .into());
    }
    planned
}

/// Takes the second region back. Its own vault is the authority for what happens there, so that is where it is decided
/// and recorded; the first is told.
///
/// # Errors
/// As the plan, and as a rollback goes.
pub async fn run_back(context: &Context, request: Request<'_>) -> anyhow::Result<Promoted> {
    let there = context.at_recovery();
    let chain = ChainName::Environment(region(context)?.1.environment.clone());
    bring(context, &there, &region(context)?.1.environment, &|_| {}).await?;
    // Whoever was interrupted before did not tell.
    mirror::chain::<EnvironmentEvent>(&there, context, &chain).await?;
    let (plan, manifest) = plan_back(&there, request).await?;
    let result = rollback::run(&there, &plan, &manifest).await;
    mirror::chain::<EnvironmentEvent>(&there, context, &chain).await?;
    result
}

async fn promoted(there: &Context, plan: &SyncPlan) -> anyhow::Result<Promoted> {
    let (promotion, manifest): (PromotionPlan, Manifest) = survey::plan(there, &plan.environment, plan.release).await?;
    promote::run(there, &promotion, &manifest).await
}

/// Brings everything but the second region's own chain: what is spoken of always before what speaks of it.
async fn bring(
    context: &Context,
    there: &Context,
    environment: &EnvName,
    now: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<u64> {
    let mut brought = 0;
    now("releases");
    brought += mirror::releases(context, there, now).await?;
    now("policy");
    brought += mirror::chain::<PolicyEvent>(context, there, &ChainName::Policy).await?;
    for chain in folders(context, "approvals").await? {
        now(&chain.to_string());
        brought += mirror::decisions(context, there, &chain).await?;
    }
    for chain in folders(context, "evidence").await? {
        now(&chain.to_string());
        brought += mirror::evidence(context, there, &chain).await?;
    }
    // What let a release into an environment is there before the entry that says so.
    for stop in context.config.path.iter().filter(|stop| &stop.environment != environment) {
        let chain = ChainName::Environment(stop.environment.clone());
        now(&chain.to_string());
        brought += mirror::chain::<EnvironmentEvent>(context, there, &chain).await?;
    }
    Ok(brought)
}

/// The chains whose entries lie in a folder of the vault and below, by what the vault lists and by what the witness saw:
/// a listing that is not whole must not leave a hole in the mirror.
pub(super) async fn folders(context: &Context, folder: &str) -> anyhow::Result<BTreeSet<ChainName>> {
    let listed = context.vault.list(Some(&folder.parse()?)).await;
    let listed = listed.map_err(|error| error.failed(format!("failed to list {folder}")))?;
    chains(context, folder, &listed).await
}

/// The same of what was listed already.
pub(super) async fn chains(context: &Context, folder: &str, listed: &[Listed]) -> anyhow::Result<BTreeSet<ChainName>> {
    let chain = |item: &Listed| {
        let name = item.name.strip_suffix(".json").unwrap_or(&item.name);
        let of_entry = name.rsplit_once('/').and_then(|(folder, _)| folder.parse().ok());
        // A piece of evidence is a chain of its own.
        name.parse().ok().or(of_entry)
    };
    let listed = listed.iter().filter_map(chain);
    let noted = ledger::heads(context).await?.unwrap_or_default().into_keys();
    let below = format!("{folder}/");
    Ok(listed.chain(noted.filter(|chain| chain.to_string().starts_with(&below))).collect())
}

/// From the moment the release was live in the environment before to the moment it was live here.
async fn lag(context: &Context, there: &Context, plan: &SyncPlan) -> anyhow::Result<u64> {
    let since = |live: Option<Live>| live.filter(|live| live.release == plan.release).map(|live| live.since);
    let before = since(survey::state(context, &plan.follows).await?.live);
    let after = since(survey::state(there, &plan.environment).await?.live);
    Ok(before.zip(after).map_or(0, |(before, after)| after.since(before).as_secs()))
}

/// The second region and the environment that it follows.
fn region(context: &Context) -> Result<(&Stop, &Stop), Failure> {
    let path = &context.config.path;
    let at = path.iter().position(|stop| stop.recovery);
    let pair = at.and_then(|at| Some((path.get(at.checked_sub(1)?)?, path.get(at)?)));
    pair.ok_or_else(|| Failure::usage("release.toml has no environment with `recovery = true`"))
}

/// Releases that were verified in the environment before, newer than what is there and older than what goes there.
async fn between(
    context: &Context,
    follows: &EnvName,
    there: Option<Version>,
    release: Version,
) -> anyhow::Result<Vec<Version>> {
    let mut passed = Vec::new();
    let mut here = facts::manifest(context, release).await?.0.previous;
    while let Some(previous) = here.filter(|previous| Some(previous.release) > there) {
        if facts::standing(context, follows, previous.release).await? == Standing::Verified {
            passed.push(previous.release);
        }
        here = facts::manifest(context, previous.release).await?.0.previous;
    }
    Ok(passed)
}
