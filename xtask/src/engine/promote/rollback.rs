//! The way back: at once to the newest earlier release that was verified in an environment and is not dead. No gate is
//! asked; what is rolled back from is dead, and the environment stays pinned until a newer release is promoted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    context::Context,
    engine::{
        facts, ledger,
        promote::{Promoted, Promotion, survey},
        together,
    },
    failure::Failure,
    model::{
        digest::Digest,
        entry::ChainName,
        environment::{Deployed, EnvironmentEvent, EnvironmentState, Live, Phase, Rollback},
        manifest::Manifest,
        names::{EnvName, FunctionName},
        version::Version,
    },
    ports::fleet::{Fleet as _, FleetError},
};

/// A rollback: the very one that runs, printed by `--plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RollbackPlan {
    /// Where.
    pub environment: EnvName,
    /// What goes, and why. It is dead afterwards.
    pub from: Rollback,
    /// What comes back.
    pub to: Version,
    /// Its identity.
    pub manifest: Digest,
    /// The versions that it had.
    pub functions: BTreeMap<FunctionName, Deployed>,
    /// Whether it is back already: the same command again does not go further back.
    pub done: bool,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The release to leave; the one that is live, if none is named.
    pub from: Option<Version>,
    /// Why.
    pub reason: &'a str,
}

/// The plan of a rollback, and the seal of the release that comes back.
///
/// # Errors
/// Refused, if nothing is live, something else is, or nothing earlier is good; integrity or unfinished, as reading goes.
pub async fn plan(
    context: &Context,
    environment: &EnvName,
    request: Request<'_>,
) -> anyhow::Result<(RollbackPlan, Manifest)> {
    context.config.stop(environment)?;
    let state = survey::state(context, environment).await?;
    if let Some((from, live)) = back_already(context, environment, &state, request.from).await? {
        let (manifest, digest) = facts::manifest(context, live.release).await?;
        let (environment, to, functions) = (environment.clone(), live.release, live.functions);
        return Ok((RollbackPlan { environment, from, to, manifest: digest, functions, done: true }, manifest));
    }
    let from = leaves(environment, &state, request)?;
    let Some(target) = target(context, environment, from.release).await? else {
        let release = from.release;
        return Err(Failure::Refused(format!(
            "no release before {release} was verified in {environment} and is still alive; \
             fix forward: commit a fix and run `cargo xtask release`"
        ))
        .into());
    };
    let (manifest, digest) = facts::manifest(context, target.release).await?;
    let (environment, to, functions) = (environment.clone(), target.release, target.functions);
    Ok((RollbackPlan { environment, from, to, manifest: digest, functions, done: false }, manifest))
}

/// What has to go.
fn leaves(environment: &EnvName, state: &EnvironmentState, request: Request<'_>) -> Result<Rollback, Failure> {
    // A promotion that was interrupted while it moved aliases: what has to go is what came, not what was whole before.
    let came = state.holder.as_ref().filter(|_| !state.moves.is_empty()).map(|claim| claim.release);
    let from = match (&state.rollback, came.or(state.live.as_ref().map(|live| live.release))) {
        // An interrupted rollback goes on with what it began.
        (Some(under_way), _) => under_way.clone(),
        (None, Some(release)) => Rollback { release, reason: request.reason.to_owned() },
        (None, None) => {
            let text = format!("nothing is live in {environment}, so there is nothing to roll back from");
            return Err(Failure::Refused(text));
        }
    };
    match request.from.filter(|named| *named != from.release) {
        None => Ok(from),
        Some(named) => Err(Failure::Refused(format!(
            "{named} is not live in {environment}, {} is; see `cargo xtask history --env {environment}`",
            from.release
        ))),
    }
}

/// What was rolled back from, and what is live since, if nothing came after it. Whoever is unsure whether a rollback
/// went through runs it again, and must not lose a good release by that (DESIGN §5.9).
async fn back_already(
    context: &Context,
    environment: &EnvName,
    state: &EnvironmentState,
    named: Option<Version>,
) -> anyhow::Result<Option<(Rollback, Live)>> {
    let pinned = state.live.as_ref().filter(|live| state.pin == Some(live.release) && state.phase == Phase::Closed);
    let Some(live) = pinned.filter(|live| named != Some(live.release)) else { return Ok(None) };
    // A pinned release that died since has to go like any other.
    if facts::death(context, live.release).await?.is_some() {
        return Ok(None);
    }
    let chain = ChainName::Environment(environment.clone());
    let mut here = ledger::head::<EnvironmentEvent>(context, &chain).await?;
    while let Some(record) = here {
        if let EnvironmentEvent::RolledBack { from, .. } = &record.entry.event {
            let same = named.is_none_or(|named| named == from.release);
            return Ok(same.then(|| (from.clone(), live.clone())));
        }
        here = ledger::before(context, &chain, &record).await?;
    }
    Ok(None)
}

/// Carries out a rollback.
///
/// # Errors
/// Busy, unfinished or integrity, as DESIGN §8 tells them apart.
pub async fn run(context: &Context, plan: &RollbackPlan, manifest: &Manifest) -> anyhow::Result<Promoted> {
    let promoted = Promoted {
        environment: plan.environment.clone(),
        release: plan.to,
        manifest: plan.manifest,
        changed: !plan.done,
        previous: Some(plan.from.release),
    };
    if plan.done {
        let chain = ChainName::Environment(plan.environment.clone());
        ledger::witnessed::<EnvironmentEvent>(context, &chain).await?;
        return Ok(promoted);
    }
    let back = Some((plan.from.clone(), plan.functions.clone()));
    let (environment, digest) = (&plan.environment, plan.manifest);
    let promotion = Promotion { context, environment, manifest, digest, back, basis: None };
    let (claimed, lock) = promotion.claim().await?;
    promotion.carry_on(&claimed).await?;
    drop(lock);
    Ok(promoted)
}

/// The newest release before this one that was verified here and is not dead, as it was live then.
async fn target(context: &Context, environment: &EnvName, before: Version) -> anyhow::Result<Option<Live>> {
    let chain = ChainName::Environment(environment.clone());
    let mut here = ledger::head::<EnvironmentEvent>(context, &chain).await?;
    while let Some(record) = here {
        let entry = &record.entry;
        let closes = matches!(entry.event, EnvironmentEvent::Verified { .. } | EnvironmentEvent::RolledBack { .. });
        if let (true, Some(live)) = (closes && entry.release < Some(before), &entry.state.live)
            && facts::death(context, live.release).await?.is_none()
        {
            return Ok(Some(live.clone()));
        }
        here = ledger::before(context, &chain, &record).await?;
    }
    Ok(None)
}

impl Promotion<'_> {
    /// The versions that a rollback goes back to, if the fleet still has them as they were. Else they are staged anew.
    pub(super) async fn recorded(&self) -> anyhow::Result<Option<BTreeMap<FunctionName, Deployed>>> {
        let Some((_, functions)) = &self.back else { return Ok(None) };
        let fleet = self.context.fleet(self.environment)?;
        let has = async |(function, deployed): (&FunctionName, &Deployed)| -> anyhow::Result<bool> {
            let wanted = survey::artifact(self.manifest, function)?;
            match fleet.version(&deployed.name, deployed.version).await {
                Ok(found) => Ok(found.is_some_and(|state| state.code == wanted)),
                Err(FleetError::NotFound(_)) => Ok(false),
                Err(error) => Err(Failure::unfinished(format!("failed to look at {}", deployed.name), error).into()),
            }
        };
        let there = together::all(fleet.at_once(), functions.iter().map(has).collect()).await?;
        Ok(there.into_iter().all(|there| there).then(|| functions.clone()))
    }
}
