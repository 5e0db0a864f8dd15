//! What people did to let a release in, elsewhere or by breaking the glass, is recorded under the claim, and the gate asked
//! again with it.

use crate::{
    engine::{gate, policy, promote::Promotion},
    failure::Failure,
    model::{
        environment::{EnvironmentEvent, Phase},
        manifest::Manifest,
        names::EnvName,
        review::Observation,
    },
    plan::gate as plan,
};

use super::claim::Claimed;
use crate::context::Context;

/// Whether reviews of the workflow run under way may let a release into an environment.
///
/// # Errors
/// Integrity or unfinished, as reading the policy goes.
pub(super) async fn observes(
    context: &Context,
    environment: &EnvName,
    manifest: &Manifest,
    broken: bool,
) -> anyhow::Result<bool> {
    if context.reviews.is_none() || context.in_recovery {
        return Ok(false);
    }
    let policy = policy::state(context).await?;
    let rules = plan::rules(manifest, context.config.stop(environment)?, &policy);
    Ok(rules.reviews.is_some() && (broken || !rules.approvals.is_empty()))
}

impl Promotion<'_> {
    /// Records what lets the release in and asks the gate with it. If that fails nothing was begun: the environment is given
    /// back.
    pub(super) async fn admit(&self, claimed: &Claimed, reason: Option<&str>) -> anyhow::Result<()> {
        if claimed.state.phase != Phase::Claimed || self.back.is_some() {
            return Ok(());
        }
        let broken = reason.is_some() || claimed.state.break_glass.is_some();
        let observes = observes(self.context, self.environment, self.manifest, broken).await?;
        let reason = reason.filter(|_| claimed.state.break_glass.is_none());
        if reason.is_none() && !observes {
            return Ok(());
        }
        let admitted = self.let_in(claimed, reason, observes).await;
        if let Err(error) = &admitted {
            let reason = format!("{error:#}");
            self.record(claimed, EnvironmentEvent::Abandoned { reason }).await?;
        }
        admitted
    }

    async fn let_in(&self, claimed: &Claimed, reason: Option<&str>, observes: bool) -> anyhow::Result<()> {
        if let Some(reason) = reason {
            self.context.story.warn(&format!("{}: the glass is broken: {reason}", self.environment));
            self.record(claimed, EnvironmentEvent::BrokeGlass { reason: reason.to_owned() }).await?;
        }
        if observes {
            self.observe(claimed).await?;
        }
        let gate = gate::judge(self.context, self.environment, self.manifest).await?;
        if gate.holds() { Ok(()) } else { Err(self.refused(&gate.refusals()).into()) }
    }

    async fn observe(&self, claimed: &Claimed) -> anyhow::Result<()> {
        let Some(reviews) = &self.context.reviews else { return Ok(()) };
        let phase = self.context.story.phase(&format!("{}: reading the reviews of this run", self.environment));
        let answers = reviews.answers().await?;
        let observation = Observation::of(answers, self.context.clock.now()).map_err(Failure::Integrity)?;
        let (release, run) = (self.manifest.release, &observation.run);
        run.is_about(release, self.digest).map_err(|why| {
            let (id, expected) = (run.id, self.digest.hex());
            Failure::Integrity(format!(
                "the name of run {id}, `{}`, {why}; its reviews would let {release} with the manifest {expected} in: \
                 start a run whose name carries both",
                run.name
            ))
        })?;
        phase.done(&format!("{} reviews in run {}", observation.reviews.len(), run.id));
        self.record(claimed, EnvironmentEvent::Observed { observation }).await?;
        Ok(())
    }
}
