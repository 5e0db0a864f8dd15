//! One release's way along the path: where it stands in each environment, and what happened to it, in order.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    model::{
        approval::ApprovalEvent,
        commit::CommitId,
        digest::Digest,
        entry::{Entry, Event as _},
        environment::EnvironmentEvent,
        names::EnvName,
        releases::ReleaseEvent,
        review::{NOT_SIGNED, Review},
        time::Time,
        version::Version,
    },
    plan::{
        board::{Facts, plain},
        gate::Death,
    },
};

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Its version.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// What it was built from.
    pub commit: CommitId,
    /// When it was sealed.
    pub sealed: Option<Time>,
    /// How it stands as a whole.
    pub standing: Standing,
    /// How it stands in each environment of today's path.
    pub journey: Vec<Cell>,
    /// The commits that it brought: short id, subject, authors.
    pub changes: Vec<(String, String, String)>,
    /// Why it is dead, if it is.
    pub finding: Option<String>,
    /// Everything that was recorded about it, in order.
    pub lines: Vec<Line>,
    /// From its changes' commits to their verification in production, in seconds: the median.
    pub lead_time_s: Option<u64>,
}

/// How a release stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Production's callers get it.
    Live,
    /// It is on its way: callers before production get it, it waits at a gate, or nothing newer is there.
    OnItsWay,
    /// A newer one took its place.
    Replaced,
    /// It is in the graveyard.
    Dead,
}

/// How a release stands in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The environment.
    pub environment: EnvName,
    /// In one word.
    pub mark: Mark,
    /// Since when.
    pub time: Option<Time>,
}

/// How a release stands in one environment, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It never was there.
    NotYet,
    /// The environment is held for it.
    UnderWay,
    /// It began there, and was given up; it lives.
    GivenUp,
    /// It may be the next to enter.
    Waits,
    /// It was verified there; callers get another one.
    Verified,
    /// Callers get it, and it did not answer well yet.
    Unverified,
    /// Callers get it.
    Live,
    /// Callers get it, and the second region has what the first has.
    Synced,
    /// A person kept it out.
    Rejected,
    /// It died there.
    Dead,
}

/// Something that was recorded about a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When.
    pub time: Time,
    /// Where; for a decision the environment that it is about.
    pub environment: Option<EnvName>,
    /// The entry's own word, as in the ledger.
    pub what: &'static str,
    /// Whether a person decided it.
    pub decision: bool,
    /// Who: an actor, or a person and the role.
    pub who: String,
    /// What is said with it.
    pub detail: Option<String>,
    /// Why nobody who could have decided it; `None` if it is sound.
    pub unsound: Option<String>,
}

/// What an environment's chain settles about one release.
#[derive(Debug, Default)]
struct Seen {
    verified: Option<Time>,
    gave_up: Option<Time>,
    death: Option<Death>,
    lines: Vec<Line>,
}

/// All journeys: every chain is read once.
pub(super) struct Journeys<'a> {
    facts: &'a Facts,
    seen: BTreeMap<(Version, &'a EnvName), Seen>,
    sealed: BTreeMap<Version, &'a Entry<ReleaseEvent>>,
}

impl<'a> Journeys<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let mut seen: BTreeMap<(Version, &EnvName), Seen> = BTreeMap::new();
        for (environment, entries) in &facts.environments {
            for entry in entries {
                if let EnvironmentEvent::RolledBack { from, .. } = &entry.event {
                    let left = seen.entry((from.release, environment)).or_default();
                    left.dies(environment, entry, format!("rolled back: {}", from.reason));
                }
                if let Some(release) = entry.release {
                    seen.entry((release, environment)).or_default().happens(environment, entry);
                }
            }
        }
        let seals = facts.releases.iter().filter(|entry| matches!(entry.event, ReleaseEvent::Sealed { .. }));
        let sealed = seals.filter_map(|entry| Some((entry.release?, entry))).collect();
        Self { facts, seen, sealed }
    }

    pub(super) fn is_verified(&self, release: Version, environment: &EnvName) -> bool {
        self.seen.get(&(release, environment)).is_some_and(|seen| seen.verified.is_some() && seen.death.is_none())
    }

    /// Where the release died, if it did: by a finding or a rollback, or by a rejection.
    pub(super) fn death(&self, release: Version) -> Option<Death> {
        let today = self.facts.path.iter().map(|stop| &stop.environment);
        let all = today.chain(self.facts.environments.keys());
        let found = all.filter_map(|environment| self.seen.get(&(release, environment))?.death.clone());
        found.chain(self.rejections(release).map(|(_, death)| death.clone())).next()
    }

    fn rejections(&self, release: Version) -> impl Iterator<Item = (&EnvName, &Death)> {
        let statements = self.facts.statements.get(&release).into_iter().flatten();
        statements.filter_map(|judged| Some((&judged.entry.event.statement().environment, judged.death.as_ref()?)))
    }

    pub(super) fn story(&self, release: Version) -> Story {
        let (manifest, seal) = &self.facts.manifests[&release];
        let death = self.death(release);
        let journey: Vec<Cell> =
            self.facts.path.iter().map(|stop| self.cell(release, &stop.environment, death.as_ref())).collect();
        let changes = seal.changes.iter().filter(|change| !change.merge);
        let changes = changes.map(|c| (c.commit.short(), plain(&c.subject), plain(&c.authors.join(", "))));
        Story {
            release,
            manifest: *manifest,
            commit: seal.commit,
            sealed: self.sealed.get(&release).map(|entry| entry.time),
            standing: self.standing(release, &journey, death.is_some()),
            journey,
            changes: changes.collect(),
            finding: death.map(|death| plain(&death.finding)),
            lines: self.lines(release),
            lead_time_s: None,
        }
    }

    fn standing(&self, release: Version, journey: &[Cell], dead: bool) -> Standing {
        let live = |cell: &Cell| matches!(cell.mark, Mark::Live | Mark::Synced | Mark::Unverified);
        let moving = |cell: &Cell| live(cell) || matches!(cell.mark, Mark::Waits | Mark::UnderWay);
        let production = self.facts.path.iter().rposition(|stop| !stop.recovery);
        let newest = || self.facts.manifests.keys().next_back() == Some(&release);
        match () {
            () if dead => Standing::Dead,
            () if production.and_then(|at| journey.get(at)).is_some_and(live) => Standing::Live,
            () if journey.iter().any(moving) || newest() => Standing::OnItsWay,
            () => Standing::Replaced,
        }
    }

    fn cell(&self, release: Version, environment: &EnvName, death: Option<&Death>) -> Cell {
        let seen = self.seen.get(&(release, environment));
        let state = super::state(self.facts, environment);
        let live = state.and_then(|state| state.live.as_ref()).filter(|live| live.release == release);
        let claim = state.and_then(|state| state.holder.as_ref()).filter(|claim| claim.release == release);
        let waits = |w: &&super::Waiting| w.release == release && &w.gate.environment == environment;
        let rejected = self.rejections(release).find(|(there, _)| *there == environment);
        let verified = seen.and_then(|seen| seen.verified);
        let gave_up = seen.and_then(|seen| seen.gave_up);
        let (mark, time) = match () {
            () if death.is_some_and(|death| &death.environment == environment) => {
                (Mark::Dead, death.map(|death| death.time))
            }
            () if rejected.is_some() => (Mark::Rejected, rejected.map(|(_, death)| death.time)),
            () if live.is_some() => live.map_or((Mark::Live, None), |live| match live.synced {
                Some(time) => (Mark::Synced, Some(time)),
                None => (if live.verified { Mark::Live } else { Mark::Unverified }, Some(live.since)),
            }),
            () if claim.is_some() => (Mark::UnderWay, claim.map(|claim| claim.since)),
            () if verified.is_some() => (Mark::Verified, verified),
            () if self.facts.waiting.iter().any(|w| waits(&w)) => (Mark::Waits, None),
            () if gave_up.is_some() => (Mark::GivenUp, gave_up),
            () => (Mark::NotYet, None),
        };
        Cell { environment: environment.clone(), mark, time }
    }

    fn lines(&self, release: Version) -> Vec<Line> {
        let sealed = self.sealed.get(&release).map(|entry| Line {
            time: entry.time,
            environment: None,
            what: entry.event.kind(),
            decision: false,
            who: plain(&entry.actor),
            detail: None,
            unsound: None,
        });
        let here = self.facts.environments.keys().filter_map(|environment| self.seen.get(&(release, environment)));
        let stated = self.facts.statements.get(&release).into_iter().flatten().map(stated);
        let mut lines: Vec<Line> =
            sealed.into_iter().chain(here.flat_map(|seen| seen.lines.iter().cloned())).chain(stated).collect();
        lines.sort_by_key(|line| line.time);
        lines
    }
}

impl Seen {
    fn happens(&mut self, environment: &EnvName, entry: &Entry<EnvironmentEvent>) {
        let detail = match &entry.event {
            EnvironmentEvent::Verified { .. } => {
                self.verified.get_or_insert(entry.time);
                None
            }
            EnvironmentEvent::RolledBack { from, .. } => {
                self.verified.get_or_insert(entry.time);
                Some(format!("in place of {}: {}", from.release, from.reason))
            }
            EnvironmentEvent::Observed { observation } => {
                self.lines.extend(observation.reviews.iter().map(|review| reviewed(environment, entry, review)));
                return;
            }
            EnvironmentEvent::Reverified { finding } => {
                Some(finding.clone().unwrap_or_else(|| "all is well again".to_owned()))
            }
            EnvironmentEvent::BrokeGlass { reason } => Some(format!("BREAK-GLASS: {reason}")),
            EnvironmentEvent::Synced { lag_s } => Some(format!("Globally Synced, {lag_s} s behind")),
            EnvironmentEvent::Died { finding } => {
                self.dies(environment, entry, finding.clone());
                return;
            }
            EnvironmentEvent::Abandoned { reason } => {
                self.gave_up = Some(entry.time);
                Some(reason.clone())
            }
            _ => return,
        };
        self.tell(environment, entry, entry.event.kind(), detail);
    }

    /// The first death counts, whatever was written after it.
    fn dies(&mut self, environment: &EnvName, entry: &Entry<EnvironmentEvent>, finding: String) {
        self.tell(environment, entry, "died", Some(finding.clone()));
        let actor = entry.actor.clone();
        self.death.get_or_insert(Death { environment: environment.clone(), time: entry.time, finding, actor });
    }

    fn tell(
        &mut self,
        environment: &EnvName,
        entry: &Entry<EnvironmentEvent>,
        what: &'static str,
        detail: Option<String>,
    ) {
        self.lines.push(Line {
            time: entry.time,
            environment: Some(environment.clone()),
            what,
            decision: false,
            who: plain(&entry.actor),
            detail: detail.map(|text| plain(&text)),
            unsound: None,
        });
    }
}

/// A review that a deployer saw. Whether it counts the gate says.
fn reviewed(environment: &EnvName, entry: &Entry<EnvironmentEvent>, review: &Review) -> Line {
    Line {
        time: entry.time,
        environment: Some(environment.clone()),
        what: "observed",
        decision: true,
        who: plain(review.login.as_deref().unwrap_or("nobody whom GitHub still knows")),
        detail: Some(plain(&format!("{review} ({NOT_SIGNED})"))),
        unsound: None,
    }
}

fn stated(judged: &super::Judged) -> Line {
    let statement = judged.entry.event.statement();
    let about_bytes = judged.entry.manifest.map(|manifest| manifest.short()).unwrap_or_default();
    let comment = statement.comment.as_ref().map(|text| plain(text)).filter(|text| !text.is_empty());
    let expires = match judged.entry.event {
        ApprovalEvent::Approved { .. } => {
            format!("for manifest {about_bytes}, until {}", statement.expires.timestamp().strftime("%Y-%m-%d"))
        }
        _ => format!("for manifest {about_bytes}"),
    };
    Line {
        time: judged.entry.time,
        environment: Some(statement.environment.clone()),
        what: judged.entry.event.kind(),
        decision: true,
        who: format!("{} as {}", statement.person, statement.role),
        detail: Some(comment.map_or_else(|| expires.clone(), |comment| format!("“{comment}” ({expires})"))),
        unsound: judged.unsound.as_ref().map(|why| plain(why)),
    }
}
