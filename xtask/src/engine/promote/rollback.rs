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
}

/// The plan of a rollback, and the seal of the release that comes back.
///
/// # Errors
/// Refused, if nothing is live or nothing earlier is good; integrity or unfinished, as reading goes.
pub async fn plan(context: &Context, environment: &EnvName, reason: &str) -> anyhow::Result<(RollbackPlan, Manifest)> {
    context.config.stop(environment)?;
    let state = survey::state(context, environment).await?;
    // A promotion that was interrupted while it moved aliases: what has to go is what came, not what was whole before.
    let came = state.holder.as_ref().filter(|_| !state.moves.is_empty()).map(|claim| claim.release);
    let from = match (&state.rollback, came.or(state.live.as_ref().map(|live| live.release))) {
        // An interrupted rollback goes on with what it began.
        (Some(under_way), _) => under_way.clone(),
        (None, Some(release)) => Rollback { release, reason: reason.to_owned() },
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
    Ok((RollbackPlan { environment, from, to, manifest: digest, functions }, manifest))
}

/// Carries out a rollback.
///
/// # Errors
/// Busy, unfinished or integrity, as DESIGN §8 tells them apart.
pub async fn run(context: &Context, plan: &RollbackPlan, manifest: &Manifest) -> anyhow::Result<Promoted> {
    let back = Some((plan.from.clone(), plan.functions.clone()));
    let promotion = Promotion { context, environment: &plan.environment, manifest, digest: plan.manifest, back };
    let (claimed, lock) = promotion.claim().await?;
    promotion.carry_on(&claimed).await?;
    drop(lock);
    Ok(Promoted {
        environment: plan.environment.clone(),
        release: plan.to,
        manifest: plan.manifest,
        changed: true,
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
