//! What the chains say happened, as much of it as the cross-checks need: small, whatever the entries hold.

use std::collections::BTreeMap;

use super::{
    Audit,
    chains::{self, Followed},
    source::Desk,
};
use crate::{
    model::{
        commit::CommitId,
        digest::Digest,
        entry::{ChainName, Head, Record},
        environment::{EnvironmentEvent, FailedCheck, Known},
        names::EnvName,
        policy::{PolicyEvent, PolicyState},
        releases::{Difference, ReleaseEvent},
        time::Time,
        verdict::Verdict,
        version::Version,
    },
    plan::gate::{Death, Observed, Releaser},
};

/// What the chains say happened.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) releases: BTreeMap<Version, Number>,
    /// Each policy, by the entry that put it in force, and from when on it held.
    pub(super) policy: Vec<(Time, Head, PolicyState)>,
    pub(super) past: BTreeMap<Version, Past>,
    /// The latest time that each environment's entries carry so far.
    latest: BTreeMap<EnvName, Time>,
    /// What held before the first policy.
    pub(super) none: PolicyState,
}

/// A number of `releases/`.
#[derive(Debug, Default)]
pub(super) struct Number {
    /// For which commit, and by whom.
    pub(super) reserved: Option<(CommitId, Releaser)>,
    pub(super) sealed: Option<Digest>,
    /// When it was sealed.
    pub(super) at: Option<Time>,
    /// Whether that is the last that is said of it.
    pub(super) burned: bool,
    pub(super) differences: Vec<Difference>,
}

/// What happened to a release in the environments.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) steps: Vec<Step>,
    /// The entry that verified it first, by environment, and when.
    pub(super) verified: BTreeMap<EnvName, (Head, Time)>,
    /// When it was verified, first or once more, by environment and in order, and what that found.
    pub(super) checked: BTreeMap<EnvName, Vec<Checked>>,
    /// The entry in which it died, by environment. Only the order within one chain is certain: clocks may be wrong.
    pub(super) died: BTreeMap<EnvName, (u64, Death)>,
    /// The reviews that were seen of it, by environment, in order.
    pub(super) observed: BTreeMap<EnvName, Vec<Observed>>,
}

/// A verification: when, and what it found. Few find anything, and all are kept.
type Checked = (Time, Option<Box<FailedCheck>>);

/// A step that only a gate, or what happened before, allows.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) environment: EnvName,
    pub(super) number: u64,
    pub(super) time: Time,
    /// The latest time that an entry up to this one carries. If it is later than this one's the clock was wrong, and tells
    /// nothing of other chains.
    pub(super) not_before: Time,
    /// When the entry before it was written.
    pub(super) after: Time,
    /// When the environment was claimed for it.
    pub(super) claimed: Time,
    /// What was live.
    pub(super) live: Option<Version>,
    /// What its gate was judged by, as its writer said. Few steps have it, and all are kept.
    pub(super) known: Option<Box<Known>>,
    /// Why the glass was broken for it, if it was.
    pub(super) break_glass: Option<String>,
    pub(super) kind: Kind,
}

/// Which step.
#[derive(Debug)]
pub(super) enum Kind {
    Claims,
    /// The intent of a shift: it enters.
    Enters,
    /// The same in a rollback, in place of this release.
    ComesBack(Version),
}

impl Story {
    /// Follows `releases/`, `policy/` and every environment, in this order.
    ///
    /// # Errors
    /// What cannot be told as a finding.
    pub(super) async fn follow(
        desk: &std::sync::Arc<Desk>,
        audit: &mut Audit,
        now: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<Self> {
        let mut story = Self::default();
        for chain in desk.inventory.chains.keys() {
            if matches!(chain, ChainName::Releases | ChainName::Environment(_) | ChainName::Policy) {
                now(&format!("{chain}: {} entries", desk.inventory.chains.get(chain).map_or(0, Vec::len)));
            }
            // The order of the names is the one that is needed: seals are known before what is said about them.
            match chain {
                ChainName::Releases => {
                    chains::verify(desk, audit, chain, |_, Followed { record, .. }| {
                        story.numbered(record);
                        Ok(())
                    })
                    .await?;
                }
                ChainName::Policy => {
                    chains::verify(desk, audit, chain, |_, Followed { record, .. }: Followed<'_, PolicyEvent>| {
                        // No entry is older than the one before it, whatever a clock said.
                        let before = story.policy.last().map_or(record.entry.time, |(time, ..)| *time);
                        let since = record.entry.time.max(before);
                        story.policy.push((since, record.head(), record.entry.state.clone()));
                        Ok(())
                    })
                    .await?;
                }
                ChainName::Environment(environment) => {
                    chains::verify(desk, audit, chain, |audit, Followed { record, before, .. }| {
                        story.happened(audit, environment, record, before)
                    })
                    .await?;
                }
                ChainName::Approvals { .. } | ChainName::Evidence { .. } => {}
            }
        }
        Ok(story)
    }

    /// The release that was sealed right before this one.
    pub(super) fn sealed_before(&self, release: Version) -> Option<(Version, Digest)> {
        let mut before = self.releases.range(..release).rev();
        before.find_map(|(version, number)| Some((*version, number.sealed?)))
    }

    fn numbered(&mut self, record: &Record<ReleaseEvent>) {
        let entry = &record.entry;
        let Some(release) = entry.release else { return };
        let number = self.releases.entry(release).or_default();
        number.burned = false;
        match &entry.event {
            ReleaseEvent::Reserved { commit, email, .. } => {
                let releaser = Releaser { actor: entry.actor.clone(), email: email.clone() };
                number.reserved.get_or_insert((*commit, releaser));
            }
            ReleaseEvent::Sealed { .. } => {
                number.sealed = entry.manifest.or(number.sealed);
                number.at = Some(entry.time);
            }
            ReleaseEvent::Burned { differences, .. } => {
                number.burned = true;
                number.differences.extend(differences.iter().cloned());
            }
        }
    }

    fn happened(
        &mut self,
        audit: &mut Audit,
        environment: &EnvName,
        record: &Record<EnvironmentEvent>,
        before: Option<&Record<EnvironmentEvent>>,
    ) -> anyhow::Result<()> {
        let entry = &record.entry;
        // No entry is older than the one before it, whatever a clock said.
        let latest = self.latest.entry(environment.clone()).or_insert(entry.time);
        *latest = entry.time.max(*latest);
        let not_before = *latest;
        let dead = match &entry.event {
            EnvironmentEvent::RolledBack { from, .. } => Some((from.release, format!("rolled back: {}", from.reason))),
            EnvironmentEvent::Died { finding } => entry.release.map(|release| (release, finding.clone())),
            _ => None,
        };
        if let Some((release, finding)) = dead {
            let (time, actor) = (not_before, entry.actor.clone());
            let death = Death { environment: environment.clone(), time, finding, actor };
            let past = self.past.entry(release).or_default();
            past.died.entry(environment.clone()).or_insert((entry.number, death));
        }
        let Some(release) = entry.release else { return Ok(()) };
        let known = self.releases.get(&release).and_then(|number| number.sealed);
        if known != entry.manifest {
            let show = |digest: Option<Digest>| digest.map_or_else(|| "no seal".to_owned(), |d| d.to_string());
            audit.find(entry.chain.key(entry.number)?, Verdict::Incorrect, show(known), show(entry.manifest));
        }
        let past = self.past.entry(release).or_default();
        if let Some(found) = FailedCheck::of(entry) {
            past.checked.entry(environment.clone()).or_default().push((not_before, found.map(Box::new)));
        }
        if let Some(observed) = Observed::of(entry) {
            past.observed.entry(environment.clone()).or_default().push(observed);
        }
        let (kind, known) = match &entry.event {
            EnvironmentEvent::Verified { .. } | EnvironmentEvent::RolledBack { .. } => {
                past.verified.entry(environment.clone()).or_insert((record.head(), entry.time));
                return Ok(());
            }
            EnvironmentEvent::Claimed { .. } => (Kind::Claims, None),
            EnvironmentEvent::Shifting { known, .. } => match &entry.state.rollback {
                None => (Kind::Enters, known.clone()),
                Some(rollback) => (Kind::ComesBack(rollback.release), None),
            },
            _ => return Ok(()),
        };
        past.steps.push(Step {
            environment: environment.clone(),
            number: entry.number,
            time: entry.time,
            not_before,
            after: before.map_or(entry.time, |before| before.entry.time),
            claimed: entry.state.holder.as_ref().map_or(entry.time, |claim| claim.since),
            live: entry.state.live.as_ref().map(|live| live.release),
            known: known.map(Box::new),
            break_glass: entry.state.break_glass.clone(),
            kind,
        });
        Ok(())
    }
}
