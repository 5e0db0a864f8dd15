//! The way back: at once to the newest earlier release that was verified in an environment and is not dead. No gate is
//! asked; what is rolled back from is dead, and the environment stays pinned until a newer release is promoted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    context::Context,
    engine::{
        facts, ledger,
        promote::{Promoted, Promotion, survey},
    },
    failure::Failure,
    model::{
        digest::Digest,
        entry::ChainName,
        environment::{Deployed, EnvironmentEvent, Live, Rollback},
        manifest::Manifest,
        names::{EnvName, FunctionName},
        version::Version,
    },
    ports::fleet::FleetError,
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
    /// Whether it came back already: then nothing is left to do.
    pub done: bool,
}

/// The plan of a rollback, and the seal of the release that comes back. `from` names what must go; without it that is
/// what is live, unless a rollback brought it: the same command, given again because its answer was lost, must not go
/// back one more.
///
/// # Errors
/// Refused, if nothing is live, something else is, or nothing earlier is good; integrity or unfinished, as reading goes.
pub async fn plan(
    context: &Context,
    environment: &EnvName,
    from: Option<Version>,
    reason: &str,
) -> anyhow::Result<(RollbackPlan, Manifest)> {
    context.config.stop(environment)?;
    let state = survey::state(context, environment).await?;
    let from = match (&state.rollback, &state.live) {
        // An interrupted rollback goes on with what it began.
        (Some(under_way), _) => under_way.clone(),
        (None, Some(live)) => {
            if let Some(done) = done(context, environment, live, from).await? {
                return Ok(done);
            }
            if let Some(named) = from.filter(|named| *named != live.release) {
                let text = format!("{named} is not live in {environment}, {} is", live.release);
                return Err(Failure::Refused(format!("{text}; name that one by --from, if it must go")).into());
            }
            Rollback { release: live.release, reason: reason.to_owned() }
        }
        (None, None) => {
            let text = format!("nothing is live in {environment}, so there is nothing to roll back from");
            return Err(Failure::Refused(text).into());
        }
    };
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

/// The rollback that brought what is live, unless another one is asked for.
async fn done(
    context: &Context,
    environment: &EnvName,
    live: &Live,
    from: Option<Version>,
) -> anyhow::Result<Option<(RollbackPlan, Manifest)>> {
    let chain = ChainName::Environment(environment.clone());
    let mut here = ledger::head::<EnvironmentEvent>(context, &chain).await?;
    // What was rolled back and then failed to be replaced is still what the rollback brought.
    while let Some(record) = here.filter(|record| record.entry.state.pin == Some(live.release)) {
        if let EnvironmentEvent::RolledBack { from: gone, .. } = &record.entry.event {
            if from.is_some_and(|from| from != gone.release) {
                return Ok(None);
            }
            let (manifest, digest) = facts::manifest(context, live.release).await?;
            let (environment, from, functions) = (environment.clone(), gone.clone(), live.functions.clone());
            let plan = RollbackPlan { environment, from, to: live.release, manifest: digest, functions, done: true };
            return Ok(Some((plan, manifest)));
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
    let back = Some((plan.from.clone(), plan.functions.clone()));
    let promotion = Promotion { context, environment: &plan.environment, manifest, digest: plan.manifest, back };
    if plan.done {
        ledger::witnessed::<EnvironmentEvent>(context, &promotion.chain()).await?;
    } else {
        let (claimed, lock) = promotion.claim().await?;
        promotion.carry_on(&claimed).await?;
        drop(lock);
    }
    Ok(Promoted {
        environment: plan.environment.clone(),
        release: plan.to,
        manifest: plan.manifest,
        changed: !plan.done,
        previous: Some(plan.from.release),
    })
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
        for (function, deployed) in functions {
            let wanted = survey::artifact(self.manifest, function)?;
            let version = fleet.version(&deployed.name, deployed.version).await;
            match version {
                Ok(Some(state)) if state.code == wanted => {}
                Ok(_) | Err(FleetError::NotFound(_)) => return Ok(None),
                Err(error) => {
                    return Err(Failure::unfinished(format!("failed to look at {}", deployed.name), error).into());
                }
            }
        }
        Ok(Some(functions.clone()))
    }
}
