//! Gathers what a gate is judged by, from the chains; the judgement itself is `plan::gate`'s.

use crate::{
    context::Context,
    engine::{
        advisories, evidence,
        facts::{self, Standing},
        ledger::{self, statements},
        policy,
        promote::survey,
    },
    failure::Failure,
    model::{
        advisories::Scans,
        approval::ApprovalEvent,
        commit::CommitId,
        digest::Digest,
        entry::{ChainName, Head, Record},
        environment::{EnvironmentEvent, FailedCheck, Known},
        evidence::Evidence,
        manifest::{Change, Manifest, Stop},
        names::EnvName,
        policy::PolicyState,
        releases::ReleaseEvent,
        sshsig,
        time::Time,
        version::Version,
    },
    plan::gate::{self, Authors, Death, Facts, Gate, Observed, Releaser, Signed},
};

/// Everything that one gate is judged by for one release.
pub struct Gathered<'a> {
    manifest: &'a Manifest,
    digest: Digest,
    today: &'a Stop,
    policy: PolicyState,
    now: Time,
    death: Option<Death>,
    verified_before: Option<(Time, Head)>,
    policy_head: Option<Head>,
    last_decision: Option<Head>,
    failed_before: Option<FailedCheck>,
    live: Option<Version>,
    live_died: bool,
    /// The statements about this release for this environment.
    pub approvals: Vec<Signed>,
    /// The reviews that were seen of it there.
    pub observed: Vec<Observed>,
    break_glass: Option<String>,
    authors: Authors,
    releaser: Releaser,
    evidence: Vec<Evidence>,
    scans: Scans,
}

impl Gathered<'_> {
    /// What `plan::gate` judges.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            manifest: self.manifest,
            digest: self.digest,
            today: self.today,
            policy: &self.policy,
            now: self.now,
            death: self.death.as_ref(),
            verified_before: self.verified_before.map(|(since, _)| since),
            failed_before: self.failed_before.as_ref(),
            live: self.live,
            live_died: self.live_died,
            approvals: &self.approvals,
            observed: &self.observed,
            break_glass: self.break_glass.as_deref(),
            authors: &self.authors,
            releaser: &self.releaser,
            evidence: &self.evidence,
            scans: &self.scans,
            // The command that promotes refuses the second region before any gate is asked.
            synchronised: self.today.recovery,
        }
    }

    /// Where in the ledger that stands.
    #[must_use]
    pub fn known(&self) -> Known {
        Known {
            verified: self.verified_before.map(|(_, head)| head),
            policy: self.policy_head,
            decision: self.last_decision,
            evidence: self.evidence.iter().map(|piece| piece.sha256).collect(),
        }
    }
}

/// The gate of an environment for a release, judged with what holds now.
///
/// # Errors
/// Usage, if there is no such environment; integrity or unfinished, as reading goes.
pub async fn judge(context: &Context, environment: &EnvName, manifest: &Manifest) -> anyhow::Result<Gate> {
    Ok(gate::judge(&gather(context, environment, manifest).await?.facts()))
}

/// The same, as if somebody broke the glass for this reason, unless somebody did already.
///
/// # Errors
/// As `judge`.
pub async fn judge_breaking(
    context: &Context,
    environment: &EnvName,
    manifest: &Manifest,
    reason: &str,
) -> anyhow::Result<Gate> {
    let mut gathered = gather(context, environment, manifest).await?;
    gathered.break_glass.get_or_insert_with(|| reason.to_owned());
    Ok(gate::judge(&gathered.facts()))
}

/// Gathers what holds now.
///
/// # Errors
/// Usage, if there is no such environment; integrity or unfinished, as reading goes.
pub async fn gather<'a>(
    context: &'a Context,
    environment: &EnvName,
    manifest: &'a Manifest,
) -> anyhow::Result<Gathered<'a>> {
    let release = manifest.release;
    let state = survey::state(context, environment).await?;
    let holds = state.holder.as_ref().is_some_and(|claim| claim.release == release);
    let live = state.live.map(|live| live.release);
    let (verified_before, failed_before) = match manifest.stop_before(environment) {
        None => (None, None),
        Some(before) => verified_since(context, &before.environment, release).await?,
    };
    let policy = policy::head(context).await?;
    let decisions = approvals(context, release, environment).await?;
    let evidence = evidence::all(context, release).await?;
    Ok(Gathered {
        manifest,
        digest: Digest::of(&crate::model::canonical::to_vec(manifest)?),
        today: context.config.stop(environment)?,
        policy_head: policy.as_ref().map(Record::head),
        policy: policy.map(|record| record.entry.state).unwrap_or_default(),
        now: context.clock.now(),
        death: facts::death(context, release).await?,
        verified_before,
        failed_before,
        live,
        live_died: match live.filter(|live| *live > release) {
            Some(live) => facts::death(context, live).await?.is_some(),
            None => false,
        },
        last_decision: decisions.last().map(|(_, head)| *head),
        approvals: decisions.into_iter().map(|(signed, _)| signed).collect(),
        observed: observed(context, release, environment).await?,
        break_glass: state.break_glass.filter(|_| holds),
        authors: Authors::of(&brought(context, manifest, live).await?),
        releaser: releaser(context, release).await?,
        scans: advisories::scans(&*context.vault, manifest, &evidence).await?,
        evidence: evidence.into_iter().map(|signed| signed.evidence).collect(),
    })
}

/// Every statement about a release for an environment and where it stands, in order.
///
/// # Errors
/// Integrity or unfinished, as reading goes.
pub async fn approvals(
    context: &Context,
    release: Version,
    environment: &EnvName,
) -> anyhow::Result<Vec<(Signed, Head)>> {
    let chain = ChainName::Approvals { release, environment: environment.clone() };
    let statements = statements::read::<ApprovalEvent>(context, &chain).await?;
    let each = statements.made.into_iter().map(|made| {
        let head = made.record.head();
        Ok((signed(&chain, made.record, made.linked)?, head))
    });
    each.collect()
}

/// Every observation of reviews about a release in an environment, in order.
///
/// # Errors
/// Integrity or unfinished, as reading goes.
pub async fn observed(context: &Context, release: Version, environment: &EnvName) -> anyhow::Result<Vec<Observed>> {
    let chain = ChainName::Environment(environment.clone());
    let mut observed = Vec::new();
    let mut here = ledger::head::<EnvironmentEvent>(context, &chain).await?;
    while let Some(record) = here.filter(|record| record.entry.state.highest >= Some(release)) {
        if record.entry.release == Some(release) {
            observed.extend(Observed::of(&record.entry));
        }
        here = ledger::before(context, &chain, &record).await?;
    }
    observed.reverse();
    Ok(observed)
}

/// A statement as the gate judges it.
///
/// # Errors
/// If its canonical bytes cannot be made.
pub fn signed(chain: &ChainName, record: Record<ApprovalEvent>, linked: bool) -> anyhow::Result<Signed> {
    let signer = sshsig::signer(&record.signature, &record.signed_bytes()?, &chain.namespace());
    let named = &record.entry.event.statement().key;
    let signature_ok = signer.is_ok_and(|key| key.fingerprint(ssh_key::HashAlg::Sha256).to_string() == *named);
    Ok(Signed { entry: record.entry, signature_ok, linked })
}

/// Since when, and by which entry, a release is verified in an environment, `None` if it is not; and what its newest verification
/// there found.
async fn verified_since(
    context: &Context,
    environment: &EnvName,
    release: Version,
) -> anyhow::Result<(Option<(Time, Head)>, Option<FailedCheck>)> {
    if facts::standing(context, environment, release).await? != Standing::Verified {
        return Ok((None, None));
    }
    let chain = ChainName::Environment(environment.clone());
    let mut here = ledger::head::<EnvironmentEvent>(context, &chain).await?;
    let (mut since, mut newest) = (None, None);
    // The first time counts: promoting the same release again does not make it wait again.
    while let Some(record) = here.filter(|record| record.entry.state.highest >= Some(release)) {
        if let Some(checked) = FailedCheck::of(&record.entry).filter(|_| record.entry.release == Some(release)) {
            if !matches!(record.entry.event, EnvironmentEvent::Reverified { .. }) {
                since = Some((record.entry.time, record.head()));
            }
            newest.get_or_insert(checked);
        }
        here = ledger::before(context, &chain, &record).await?;
    }
    Ok((since, newest.flatten()))
}

/// The commits that a release brings into an environment: those of every release since the one that is live there.
async fn brought(context: &Context, manifest: &Manifest, live: Option<Version>) -> anyhow::Result<Vec<Change>> {
    let mut changes = manifest.changes.clone();
    let mut previous = manifest.previous.clone();
    while let Some(before) = previous.filter(|before| Some(before.release) > live) {
        let (manifest, _) = facts::manifest(context, before.release).await?;
        changes.extend(manifest.changes);
        previous = manifest.previous;
    }
    // A later release may bring commits again that an earlier, dead one listed first.
    let mut seen = std::collections::BTreeSet::<CommitId>::new();
    changes.retain(|change| seen.insert(change.commit));
    Ok(changes)
}

async fn releaser(context: &Context, release: Version) -> anyhow::Result<Releaser> {
    let mut here = ledger::head::<ReleaseEvent>(context, &ChainName::Releases).await?;
    while let Some(record) = here.filter(|record| record.entry.release >= Some(release)) {
        if let (ReleaseEvent::Reserved { email, .. }, true) =
            (&record.entry.event, record.entry.release == Some(release))
        {
            return Ok(Releaser { actor: record.entry.actor.clone(), email: email.clone() });
        }
        here = ledger::before(context, &ChainName::Releases, &record).await?;
    }
    Err(Failure::Integrity(format!("{release} is sealed, but its reservation is missing from `releases`")).into())
}
