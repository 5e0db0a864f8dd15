//! Holding an environment: one writer at a time, by a claim with owner, expiry and fencing number (DESIGN §5.8).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{
    context::Context,
    engine::{
        gate, ledger,
        promote::{Promotion, survey},
    },
    failure::Failure,
    model::{
        entry::Record,
        environment::{Claim, EnvironmentEvent, EnvironmentState, Known, Phase},
    },
    plan,
    ports::lock::Guard,
};

/// How long a claim holds against people on other machines: longer than any promotion should take.
pub(super) const HOLD: Duration = Duration::from_secs(30 * 60);

/// A claim that holds.
pub(super) struct Claimed {
    /// The environment's state when the claim was taken, or taken up again.
    pub(super) state: EnvironmentState,
    /// The number of the chain's last entry; as long as none follows, the claim holds.
    last: AtomicU64,
}

impl Claimed {
    /// A claim whose last entry this is.
    fn at(record: Record<EnvironmentEvent>) -> Self {
        Self { last: AtomicU64::new(record.entry.number), state: record.entry.state }
    }

    /// The fencing number: whoever finds another one in the chain has lost the claim.
    pub(super) fn fence(&self) -> u64 {
        self.state.fence
    }

    /// The number of the last entry that was written under this claim.
    pub(super) fn last(&self) -> u64 {
        self.last.load(Ordering::SeqCst)
    }

    /// Notes that this entry was written under this claim.
    pub(super) fn wrote(&self, number: u64) {
        self.last.store(number, Ordering::SeqCst);
    }
}

impl Promotion<'_> {
    /// Holds the environment for this release: anew, or where an interrupted promotion of it stands.
    pub(super) async fn claim(&self) -> anyhow::Result<(Claimed, Guard)> {
        survey::own_region(self.context, self.environment)?;
        let name = format!("environment-{}", self.environment);
        let head = ledger::head::<EnvironmentEvent>(self.context, &self.chain()).await?;
        let lock = self.context.locks.try_lock(&name);
        let lock = lock.map_err(|error| ledger::unfinished(format!("failed to hold {}", self.environment), error))?;
        let Some(lock) = lock else {
            return Err(self.busy(head.as_ref().and_then(|h| h.entry.state.holder.as_ref())).into());
        };
        // What the head says now was written by a process that lives no longer, or by one on another machine.
        let Some(head) = ledger::head::<EnvironmentEvent>(self.context, &self.chain()).await? else {
            return Ok((self.take().await?, lock));
        };
        let Some(claim) = head.entry.state.holder.clone() else { return Ok((self.take().await?, lock)) };
        self.may_take(&claim)?;
        if claim.release != self.manifest.release {
            settle(self, head, &claim).await?;
            return Ok((self.take().await?, lock));
        }
        if !self.is_own(&claim) {
            return Ok((self.take().await?, lock));
        }
        self.context.story.note(&format!(
            "{}: going on with the promotion of {} that was interrupted",
            self.environment, claim.release
        ));
        let claimed = Claimed::at(head);
        self.lock_out(&claimed).await?;
        Ok((claimed, lock))
    }

    fn is_own(&self, claim: &Claim) -> bool {
        claim.machine == self.context.machine && claim.owner == self.context.actor
    }

    /// Takes the claim, from whoever had it. Only the chain decides who gets it.
    async fn take(&self) -> anyhow::Result<Claimed> {
        let record = ledger::append::<EnvironmentEvent>(self.context, &self.chain(), |head| {
            let holder = head.and_then(|record| record.entry.state.holder.as_ref());
            if let Some(claim) = holder {
                self.may_take(claim)?;
            }
            Ok(ledger::Draft {
                release: Some(self.manifest.release),
                manifest: Some(self.digest),
                event: EnvironmentEvent::Claimed {
                    machine: self.context.machine.clone(),
                    expires: self.context.clock.now().after(HOLD),
                    took_over: holder.map(|claim| claim.owner.clone()),
                    rollback: self.back.as_ref().map(|(from, _)| from.clone()),
                },
            })
        })
        .await?;
        let claimed = Claimed::at(record);
        self.lock_out(&claimed).await?;
        Ok(claimed)
    }

    /// A claim of this machine is free as soon as its lock is, and we hold that; another's when it has expired.
    fn may_take(&self, claim: &Claim) -> Result<(), Failure> {
        let ours = claim.machine == self.context.machine;
        if ours || claim.expires < self.context.clock.now() { Ok(()) } else { Err(self.busy(Some(claim))) }
    }

    fn busy(&self, claim: Option<&Claim>) -> Failure {
        let environment = self.environment;
        Failure::Busy(match claim {
            Some(claim) => format!(
                "{environment} is held by {} for {} since {}, until {} at the latest; wait for it to end",
                claim.owner, claim.release, claim.since, claim.expires
            ),
            None => format!("{environment} is being claimed by another process of this machine; wait for it to end"),
        })
    }
}

/// Brings an interrupted promotion of another release to an end: a death that began is completed, anything else goes
/// back to where it was. Someone else's is taken over first.
async fn settle(next: &Promotion<'_>, head: Record<EnvironmentEvent>, claim: &Claim) -> anyhow::Result<()> {
    let context: &Context = next.context;
    let (manifest, digest) = crate::engine::facts::manifest(context, claim.release).await?;
    let environment = next.environment;
    let old = Promotion { context, environment, manifest: &manifest, digest, back: None, basis: None };
    let claimed = if old.is_own(claim) { Claimed::at(head) } else { old.take().await? };
    let state = &claimed.state;
    if state.phase == Phase::Failing {
        old.apply(&claimed, &state.moves).await?;
        old.record(&claimed, old.end(state)).await?;
        return Ok(());
    }
    old.apply(&claimed, &super::way_back(state)).await?;
    let reason = format!("interrupted in {:?}; {} went in instead", state.phase, next.manifest.release).to_lowercase();
    old.record(&claimed, EnvironmentEvent::Abandoned { reason }).await?;
    context.story.note(&format!("{}: the interrupted promotion of {} was taken back", next.environment, claim.release));
    Ok(())
}

impl Promotion<'_> {
    /// The gate, judged again with what holds now: what it was judged by, or its refusals.
    pub(super) async fn gate_still_holds(&self) -> anyhow::Result<Result<Known, String>> {
        let gathered = gate::gather(self.context, self.environment, self.manifest).await?;
        let gate = plan::gate::judge(&gathered.facts());
        Ok(if gate.holds() { Ok(gathered.known()) } else { Err(gate.refusals()) })
    }
}
