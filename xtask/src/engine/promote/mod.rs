//! Takes a release into an environment: claim → gate → stage → smoke → shift → verify → close (DESIGN §6).
//!
//! Every step begins and ends with an entry in the environment's chain, and the chain's head says which step is next.
//! A resumed promotion is therefore the same loop entered at another place.

mod admit;
mod canary;
mod claim;
mod fence;
mod keep;
mod layers;
pub mod rollback;
mod shift;
pub mod smoke;
mod stage;
pub mod survey;
mod takeover;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    context::Context,
    engine::{facts, ledger, promote::claim::Claimed},
    failure::Failure,
    model::{
        digest::Digest,
        entry::{ChainName, Record},
        environment::{AliasMove, Claim, Deployed, EnvironmentEvent, EnvironmentState, Phase, Rollback},
        manifest::Manifest,
        names::{EnvName, FunctionName},
        smoke::CheckResult,
        version::Version,
    },
    plan::promotion::{Basis, PromotionPlan},
};

/// What a promotion brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promoted {
    /// Where.
    pub environment: EnvName,
    /// What.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// Whether anything had to be done.
    pub changed: bool,
    /// What callers got before, if it was another release.
    pub previous: Option<Version>,
}

/// A finding: it kills the release (DESIGN §5.11).
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// In one line.
    text: String,
    /// What the checks answered, if checks found it.
    smoke: Vec<CheckResult>,
    /// The end of the function's own log.
    log: Option<String>,
}

/// How a step ends; errors are the world's, and leave the promotion unfinished.
pub(super) enum Turn {
    /// Well, and this is recorded.
    Event(Box<EnvironmentEvent>),
    /// The release is bad.
    Finding(Finding),
    /// The gate does not hold any more: these are its refusals.
    Refused(String),
    /// The release could not be proven, and why: it is not dead, but nothing of it stays.
    Unproven(String),
}

/// One promotion under way.
pub(super) struct Promotion<'a> {
    context: &'a Context,
    environment: &'a EnvName,
    manifest: &'a Manifest,
    digest: Digest,
    /// Set if this brings an earlier release back: in place of which one, and the versions that it had.
    back: Option<(Rollback, BTreeMap<FunctionName, Deployed>)>,
    /// What was seen when it was planned, if it was.
    basis: Option<&'a Basis>,
}

/// Carries out a promotion plan.
///
/// # Errors
/// Refused, busy, died, unfinished or integrity, as DESIGN §8 tells them apart.
pub async fn run(context: &Context, plan: &PromotionPlan, manifest: &Manifest) -> anyhow::Result<Promoted> {
    let (environment, digest, basis) = (&plan.environment, plan.manifest, Some(&plan.basis));
    let promotion = Promotion { context, environment, manifest, digest, back: None, basis };
    // What is missing may come with the reviews of this run.
    let broken = plan.break_glass.is_some();
    let may_come = plan.gate.lacks_people_only() && admit::observes(context, environment, manifest, broken).await?;
    if !plan.gate.holds() && plan.from_phase == Phase::Closed && !may_come {
        return Err(promotion.refused(&plan.gate.refusals()).into());
    }
    if let Some(why) = plan.refused() {
        return Err(Failure::usage(why).into());
    }
    let before = ledger::head::<EnvironmentEvent>(context, &promotion.chain()).await?.map(|h| h.entry.state);
    let live = before.as_ref().and_then(|state| state.live.as_ref());
    let closed = before.as_ref().is_some_and(|state| state.phase == Phase::Closed);
    let mut outcome = Promoted {
        environment: plan.environment.clone(),
        release: plan.release,
        manifest: plan.manifest,
        changed: true,
        previous: live.map(|live| live.release).filter(|release| *release != plan.release),
    };
    if closed && plan.changes_nothing() && live.is_some_and(|l| l.release == plan.release && l.verified) {
        ledger::witnessed::<EnvironmentEvent>(context, &promotion.chain()).await?;
        outcome.changed = false;
        return Ok(outcome);
    }
    let (claimed, lock) = promotion.claim().await?;
    promotion.admit(&claimed, plan.break_glass.as_deref()).await?;
    promotion.carry_on(&claimed).await?;
    drop(lock);
    Ok(outcome)
}

impl Promotion<'_> {
    /// Goes on from wherever the chain's head stands until the promotion is closed.
    async fn carry_on(&self, claimed: &Claimed) -> anyhow::Result<()> {
        let mut state = claimed.state.clone();
        loop {
            let step = match state.phase {
                Phase::Closed => return Ok(()),
                Phase::Claimed => self.stage(claimed).await,
                Phase::Staged => self.prove(&state).await,
                Phase::Shifting => self.shift(claimed, &state).await,
                Phase::Shifted => self.verify(&state).await,
                Phase::Failing => return self.fall_back(claimed, &state).await,
            };
            let event = match step? {
                Turn::Event(event) => *event,
                Turn::Finding(finding) => self.failed(&state, finding),
                Turn::Unproven(reason) => self.withdrawn(&state, reason),
                Turn::Refused(refusals) => {
                    let reason = format!("the gate did not hold any more:\n{refusals}");
                    self.record(claimed, EnvironmentEvent::Abandoned { reason }).await?;
                    return Err(self.refused(&refusals).into());
                }
            };
            state = self.record(claimed, event).await?.entry.state;
        }
    }

    /// The intent of the way back. Before the shift there is nothing to take back.
    fn failed(&self, state: &EnvironmentState, finding: Finding) -> EnvironmentEvent {
        let moves = way_back(state);
        self.context.story.warn(&format!("{} in {}: {}", self.manifest.release, self.environment, finding.text));
        EnvironmentEvent::Failed { finding: finding.text, smoke: finding.smoke, log: finding.log, moves }
    }

    /// The intent of the way back of a release that is not known to be bad.
    fn withdrawn(&self, state: &EnvironmentState, reason: String) -> EnvironmentEvent {
        self.context.story.warn(&format!("{} in {}: {reason}", self.manifest.release, self.environment));
        EnvironmentEvent::Withdrawn { reason, moves: way_back(state) }
    }

    /// Moves back what moved, proves that it is back, and closes with the release's death.
    async fn fall_back(&self, claimed: &Claimed, state: &EnvironmentState) -> anyhow::Result<()> {
        let phase = self.context.story.phase(&format!("{}: falling back", self.environment));
        self.apply(claimed, &state.moves).await?;
        let finding = state.withdrawn.as_ref().or(state.finding.as_ref()).cloned().unwrap_or_default();
        let end = self.end(state);
        let died = matches!(end, EnvironmentEvent::Died { .. });
        let closed = self.record(claimed, end).await?;
        let live = closed.entry.state.live.map_or_else(|| "nothing is".to_owned(), |l| format!("{} is", l.release));
        phase.done(&format!("{live} live"));
        if !died {
            let what =
                format!("{} did not get into {}: {finding}; {live} live", self.manifest.release, self.environment);
            return Err(Failure::Unfinished { what, source: None }.into());
        }
        Err(Failure::Died {
            release: self.manifest.release,
            environment: self.environment.clone(),
            finding: format!(
                "{finding}; {live} live in {}; commit a fix and run `cargo xtask release`",
                self.environment
            ),
        }
        .into())
    }

    /// How the way back ends a promotion: after a finding with the release's death. Not so in the second region, where it
    /// never kills what is live in the first, nor in a rollback, where the release was proven before (DESIGN §5.11).
    fn end(&self, state: &EnvironmentState) -> EnvironmentEvent {
        if let Some(reason) = state.withdrawn.clone() {
            return EnvironmentEvent::Abandoned { reason };
        }
        let finding = state.finding.clone().unwrap_or_default();
        let recovery = self.manifest.stop(self.environment).is_some_and(|stop| stop.recovery);
        if recovery || state.rollback.is_some() {
            EnvironmentEvent::Abandoned { reason: finding }
        } else {
            EnvironmentEvent::Died { finding }
        }
    }

    fn chain(&self) -> ChainName {
        ChainName::Environment(self.environment.clone())
    }

    fn refused(&self, refusals: &str) -> Failure {
        Failure::Refused(format!("the gate of {} refuses {}:\n{refusals}", self.environment, self.manifest.release))
    }

    /// Appends to the environment's chain, as long as it is still held under this claim.
    async fn record(&self, claimed: &Claimed, event: EnvironmentEvent) -> anyhow::Result<Record<EnvironmentEvent>> {
        let record = ledger::append::<EnvironmentEvent>(self.context, &self.chain(), |head| {
            let number = head.map_or(0, |record| record.entry.number);
            let state = head.map(|record| &record.entry.state);
            if number != claimed.last() || state.is_none_or(|s| s.fence != claimed.fence() || s.holder.is_none()) {
                return Err(self.lost(state.and_then(|state| state.holder.as_ref())).into());
            }
            Ok(ledger::Draft {
                release: Some(self.manifest.release),
                manifest: Some(self.digest),
                event: event.clone(),
            })
        })
        .await?;
        claimed.wrote(record.entry.number);
        Ok(record)
    }

    /// The failure of a holder whose chain went on without it.
    async fn taken_over(&self) -> anyhow::Result<Failure> {
        let head = ledger::head::<EnvironmentEvent>(self.context, &self.chain()).await?;
        Ok(self.lost(head.as_ref().and_then(|record| record.entry.state.holder.as_ref())))
    }

    fn lost(&self, holder: Option<&Claim>) -> Failure {
        let by = holder.map_or_else(
            || "someone else".to_owned(),
            |claim| format!("{} for {} at {}", claim.owner, claim.release, claim.since),
        );
        let what = format!(
            "the claim of {} was taken over by {by}: this run changed nothing more there; \
             see `cargo xtask history --env {}`",
            self.environment, self.environment
        );
        Failure::Unfinished { what, source: None }
    }
}

/// What has to move back, in the opposite order. Before the shift there is nothing.
fn way_back(state: &EnvironmentState) -> Vec<AliasMove> {
    let shifted = matches!(state.phase, Phase::Shifting | Phase::Shifted);
    let moves = state.moves.iter().rev().filter(|_| shifted);
    moves.map(AliasMove::back).collect()
}

/// The release to promote where none is named: the newest that is verified in the environment before.
///
/// # Errors
/// Refused, if there is none.
pub async fn default_release(context: &Context, environment: &EnvName) -> anyhow::Result<Version> {
    survey::own_region(context, environment)?;
    let at = context.config.path.iter().position(|stop| &stop.environment == environment);
    let before = at.and_then(|at| at.checked_sub(1)).and_then(|at| context.config.path.get(at));
    let Some(before) = before else {
        return facts::newest_sealed(context)
            .await?
            .ok_or_else(|| Failure::Refused("nothing is released yet: run `cargo xtask release`".to_owned()).into());
    };
    let chain = ChainName::Environment(before.environment.clone());
    let head = ledger::head::<EnvironmentEvent>(context, &chain).await?;
    let live = head.and_then(|record| record.entry.state.live).filter(|live| live.verified);
    live.map(|live| live.release).ok_or_else(|| {
        let before = &before.environment;
        Failure::Refused(format!(
            "no release is verified in {before}, so none can go on to {environment}; \
             run `cargo xtask promote --to {before}`"
        ))
        .into()
    })
}
