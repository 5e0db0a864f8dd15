//! The gate, judged once more for every entry of a release into an environment, with what held when it was written. Whoever
//! had a deployer's key could write such an entry; what people decided, the policy and the environments before it are
//! others' chains.
//!
//! What an entry says that it knew of other chains was there before it. Of everything else only clocks tell what came before
//! what, and they differ: an entry is a finding only if there is no order, within that difference, in which its gate held.

use std::collections::BTreeMap;

use super::{
    Audit,
    story::{Kind, Past, Step, Story},
};
use crate::{
    model::{
        advisories::Scans,
        approval::ApprovalEvent,
        digest::Digest,
        entry::{ChainName, Head},
        environment::FailedCheck,
        evidence::Evidence,
        manifest::{Change, Manifest, Stop},
        names::EnvName,
        policy::PolicyState,
        time::Time,
        verdict::Verdict,
        version::Version,
    },
    plan::gate::{self, Authors, Death, Facts, Gate, Releaser, Signed},
};

/// What was found of a release in the vault, and is sound.
pub(super) struct Release {
    pub(super) manifest: Manifest,
    pub(super) digest: Digest,
    pub(super) statements: BTreeMap<EnvName, Vec<Signed>>,
    /// Which entries those are.
    pub(super) decisions: BTreeMap<EnvName, Vec<Head>>,
    pub(super) evidence: Vec<Evidence>,
    /// What the snapshots of advisory databases among that say.
    pub(super) scans: Scans,
}

/// The commits of each release and the release before it, for who wrote what a release brings along.
#[derive(Debug, Default)]
pub(super) struct Authorship(BTreeMap<Version, (Option<Version>, Vec<Change>)>);

impl Authorship {
    /// Notes what a release brings.
    pub(super) fn note(&mut self, manifest: &Manifest) {
        let previous = manifest.previous.as_ref().map(|previous| previous.release);
        let own = manifest.changes.iter().filter(|change| !change.merge);
        let changes = own.map(|change| Change { subject: String::new(), ..change.clone() }).collect();
        self.0.insert(manifest.release, (previous, changes));
    }

    /// Who wrote what a release brings where this one is live.
    fn since(&self, release: Version, live: Option<Version>) -> Authors {
        let (mut here, mut changes) = (Some(release), Vec::new());
        while let Some((previous, brought)) =
            here.filter(|here| *here == release || Some(*here) > live).and_then(|here| self.0.get(&here))
        {
            changes.extend(brought);
            // Only downwards, whatever a manifest says.
            here = previous.filter(|previous| Some(*previous) < here);
        }
        Authors::of(changes)
    }
}

/// Judges every step of a release again.
///
/// # Errors
/// Never for names of entries that are there.
pub(super) fn judge(
    audit: &mut Audit,
    story: &Story,
    release: &Release,
    authorship: &Authorship,
    replaced_may_be_dead: &dyn Fn(Version) -> bool,
) -> anyhow::Result<()> {
    let version = release.manifest.release;
    let none = Past::default();
    let past = story.past.get(&version).unwrap_or(&none);
    for step in &past.steps {
        let (environment, entered) = (&step.environment, Entered { story, release, past, step });
        let found = match &step.kind {
            Kind::Claims => entered.claims(),
            Kind::ComesBack(from) => entered.comes_back(*from),
            Kind::Enters => match past.died.get(environment).filter(|(died, _)| *died < step.number) {
                Some((died, _)) => Some((
                    format!("nothing more of {version}, which is dead"),
                    format!("it went live after its death in entry {died}"),
                )),
                None => entered.untrue().or_else(|| entered.refused(authorship, replaced_may_be_dead)),
            },
        };
        if let Some((expected, found)) = found {
            let key = ChainName::Environment(environment.clone()).key(step.number)?;
            audit.find(key, Verdict::Incorrect, expected, found);
        }
    }
    Ok(())
}

/// What must be there, and what is.
type Found = Option<(String, String)>;

/// One step, and what is known about its release.
struct Entered<'a> {
    story: &'a Story,
    release: &'a Release,
    past: &'a Past,
    step: &'a Step,
}

impl Entered<'_> {
    fn claims(&self) -> Found {
        let Step { environment, .. } = self.step;
        let before = &self.release.manifest.stop_before(environment)?.environment;
        let expected = format!("{} verified in {before} first", self.release.manifest.release);
        (!self.past.verified.contains_key(before)).then(|| (expected, format!("it claimed {environment} without")))
    }

    /// A rollback asks no gate, so it must be one: in place of a release that came here, back to an earlier one that was
    /// good here and is not dead.
    fn comes_back(&self, from: Version) -> Found {
        let Step { environment, number, .. } = self.step;
        let release = self.release.manifest.release;
        let proven = self.past.verified.get(environment).is_some_and(|(proven, _)| proven.number < *number);
        let came = self.story.past.get(&from).is_some_and(|past| {
            let mut steps = past.steps.iter().filter(|step| !matches!(step.kind, Kind::Claims));
            steps.any(|step| step.environment == *environment && step.number < *number)
        });
        let found = match self.death() {
            _ if !came => format!("it came back in place of {from}, which never came here"),
            _ if release >= from => format!("it came back in place of {from}, which is not newer"),
            _ if !proven => format!("it came back in place of {from}, and was never verified in {environment} before"),
            Some(death) => format!("it came back though it died in {} at {}", death.environment, death.time),
            None => return None,
        };
        Some((format!("{release} coming back as a rollback may"), found))
    }

    /// What its writer said of other chains must be so.
    fn untrue(&self) -> Found {
        let known = self.step.known.as_ref()?;
        let named = |what: &str, head: Option<Head>, there: bool| {
            let head = head.filter(|_| !there)?;
            let found = format!("it names entry {} with {} as {what}", head.number, head.sha256);
            Some((format!("{what} as it is in the ledger"), found))
        };
        let decision = known.decision.is_none_or(|head| self.decided(head).is_some());
        let policy = known.policy.is_none_or(|head| self.policy(head).is_some());
        let verified = known.verified.is_none_or(|head| self.verified().is_some_and(|(own, _)| own == head));
        named("what verified it in the environment before", known.verified, verified)
            .or_else(|| named("the policy", known.policy, policy))
            .or_else(|| named("the last decision", known.decision, decision))
    }

    /// The policy that this entry put in force.
    fn policy(&self, head: Head) -> Option<&PolicyState> {
        self.story.policy.iter().find(|(_, own, _)| *own == head).map(|(.., state)| state)
    }

    /// How many decisions there were with this one.
    fn decided(&self, head: Head) -> Option<usize> {
        let decisions = self.release.decisions.get(&self.step.environment)?;
        decisions.iter().position(|own| *own == head).map(|at| at + 1)
    }

    /// What verified it in the environment before, and when.
    fn verified(&self) -> Option<(Head, Time)> {
        let before = &self.release.manifest.stop_before(&self.step.environment)?.environment;
        self.past.verified.get(before).copied()
    }

    fn refused(&self, authorship: &Authorship, replaced_may_be_dead: &dyn Fn(Version) -> bool) -> Found {
        let Step { environment, live, .. } = self.step;
        let manifest = &self.release.manifest;
        let release = manifest.release;
        let expected = format!("an entry of {release} that the gate of {environment} allowed then");
        let Some(stop) = manifest.stop(environment) else {
            return Some((expected, format!("{environment} is not on the path that {release} froze")));
        };
        let authors = authorship.since(release, *live);
        let unknown = Releaser { actor: String::new(), email: None };
        let reserved = self.story.releases.get(&release).and_then(|number| number.reserved.as_ref());
        let death = self.death();
        let statements = self.release.statements.get(environment).map(Vec::as_slice).unwrap_or_default();
        // What was seen there stands in the same chain, so that its order is certain.
        let observed = self.past.observed.get(environment).map(Vec::as_slice).unwrap_or_default();
        let seen = observed.iter().take_while(|observed| observed.number < self.step.number).count();
        let facts = Facts {
            manifest,
            digest: self.release.digest,
            // What release.toml said then is nowhere; it could only make the gate stricter.
            today: stop,
            policy: &self.story.none,
            now: self.step.time,
            death: death.as_ref(),
            verified_before: self.verified_before(),
            failed_before: self.failed_before(),
            live: *live,
            live_died: live.is_some_and(replaced_may_be_dead),
            approvals: statements,
            observed: observed.get(..seen).unwrap_or_default(),
            break_glass: self.step.break_glass.as_deref(),
            authors: &authors,
            releaser: reserved.map_or(&unknown, |(_, releaser)| releaser),
            evidence: &self.release.evidence,
            scans: &self.release.scans,
            synchronised: stop.recovery,
        };
        let gate = self.views(&facts).err()?;
        let refusals = gate.rules.iter().filter(|rule| !rule.holds);
        let refusals = refusals.map(|rule| format!("{}: {}", rule.rule, rule.found)).collect::<Vec<_>>().join("; ");
        Some((expected, format!("the gate refused it: {refusals}")))
    }

    /// Whether the gate held in one of the orders that there may have been; if in none, how it stood by the clocks.
    fn views(&self, facts: &Facts<'_>) -> Result<(), Gate> {
        let time = self.step.time;
        let mut by_the_clocks = None;
        for policy in self.policies() {
            for approvals in self.approvals(facts.approvals) {
                for evidence in self.evidence(facts.evidence) {
                    for now in [time, time.before(gate::SKEW).max(self.step.after).min(time), self.step.not_before] {
                        let seen = Facts { policy, approvals, evidence: &evidence, now, ..facts.clone() };
                        let judged = gate::judge(&seen);
                        if judged.holds() {
                            return Ok(());
                        }
                        by_the_clocks.get_or_insert(judged);
                    }
                }
            }
        }
        by_the_clocks.map_or(Ok(()), Err)
    }

    /// Before this, whatever anybody wrote was there. The second region judges by what it was brought when it began.
    fn surely(&self) -> Time {
        let recovery = self.release.manifest.stop(&self.step.environment).is_some_and(|stop| stop.recovery);
        let seen = if recovery { self.step.claimed.min(self.step.time) } else { self.step.time };
        seen.before(gate::SKEW)
    }

    /// After this, nothing that anybody wrote can have been there.
    fn possibly(&self) -> Time {
        self.step.not_before.after(gate::SKEW)
    }

    /// The policy by the clocks first, then the others that may have been in force.
    fn policies(&self) -> Vec<&PolicyState> {
        let known = self.step.known.as_ref().and_then(|known| known.policy).and_then(|head| self.policy(head));
        let by_the_clocks = self.story.in_force(self.step.time, self.step.time).last();
        let possible = self.story.in_force(self.surely(), self.possibly());
        by_the_clocks.into_iter().chain(known).chain(possible).collect()
    }

    /// The statements that may have stood: those by the clocks first. The order within their chain is certain.
    fn approvals<'s>(&self, all: &'s [Signed]) -> Vec<&'s [Signed]> {
        let until = |time: Time| all.iter().rposition(|signed| signed.entry.time <= time).map_or(0, |at| at + 1);
        let after = all.iter().position(|signed| signed.entry.time > self.possibly()).unwrap_or(all.len());
        let known = self.step.known.as_ref().and_then(|known| known.decision).and_then(|head| self.decided(head));
        let least = until(self.surely()).min(after).max(known.unwrap_or(0));
        let most = until(self.possibly()).max(after).max(least);
        let by_the_clocks = until(self.step.time).max(known.unwrap_or(0));
        let lengths = std::iter::once(by_the_clocks).chain((least..=most).rev());
        lengths.filter_map(|length| all.get(..length)).collect()
    }

    /// The evidence that may have been there.
    fn evidence(&self, all: &[Evidence]) -> Vec<Vec<Evidence>> {
        let known = |piece: &Evidence| self.step.known.as_ref().is_some_and(|k| k.evidence.contains(&piece.sha256));
        let there = |piece: &&Evidence, time: Time| piece.time <= time || known(piece);
        let until = |time: Time| all.iter().filter(|piece| there(piece, time)).cloned().collect::<Vec<_>>();
        let mut sets = vec![until(self.step.time), until(self.surely()), until(self.possibly())];
        sets.dedup();
        sets
    }

    fn verified_before(&self) -> Option<Time> {
        let (head, time) = self.verified()?;
        let known = self.step.known.as_ref().is_some_and(|known| known.verified == Some(head));
        (known || self.step.not_before > self.step.time || time <= self.possibly()).then_some(time)
    }

    /// What the newest verification in the environment before had found, unless there is an order in which it was well.
    fn failed_before(&self) -> Option<&FailedCheck> {
        let before = &self.release.manifest.stop_before(&self.step.environment)?.environment;
        let checked = self.past.checked.get(before).filter(|_| self.step.not_before <= self.step.time)?;
        let until = |time: Time| checked.iter().rposition(|(at, _)| *at <= time).map_or(0, |at| at + 1);
        let (least, most) = (until(self.surely()), until(self.possibly()));
        // Before anything was known of it, it was not known to be bad.
        let found = |length: usize| checked.get(length.checked_sub(1)?)?.1.as_deref();
        (least..=most).map(found).reduce(|one, other| one.and(other)).flatten()
    }

    /// The death that was known: earlier in this chain, or so much earlier in another that no clock explains it.
    fn death(&self) -> Option<Death> {
        let known = |environment: &EnvName, number: u64, time: Time| {
            if *environment == self.step.environment { number < self.step.number } else { time <= self.surely() }
        };
        let died = self.past.died.iter().find(|(at, (number, death))| known(at, *number, death.time));
        died.map(|(_, (_, death))| death.clone()).or_else(|| self.rejection())
    }

    fn rejection(&self) -> Option<Death> {
        let manifest = &self.release.manifest;
        manifest.path.iter().find_map(|stop| {
            let statements = self.release.statements.get(&stop.environment)?;
            let rejections = statements.iter().filter(|s| matches!(s.entry.event, ApprovalEvent::Rejected { .. }));
            rejections.filter(|signed| signed.entry.time <= self.surely()).find_map(|signed| self.kills(stop, signed))
        })
    }

    /// A rejection is judged by the policy of its time: dead stays dead, whatever becomes of the person or the key.
    fn kills(&self, stop: &Stop, signed: &Signed) -> Option<Death> {
        let (manifest, time) = (&self.release.manifest, signed.entry.time);
        let mut policies = self.story.in_force(time, time.after(gate::SKEW));
        let finding = policies.find_map(|policy| {
            gate::rejection(&Facts::when_signed(manifest, self.release.digest, stop, policy, signed), signed).ok()
        })?;
        let before = manifest.stop_before(&stop.environment).unwrap_or(stop);
        Some(Death { environment: before.environment.clone(), time, finding, actor: signed.entry.actor.clone() })
    }
}
