//! The release board: the whole story of every release, computed from the ledger's entries alone. Pure, so that one vault
//! and one moment always give the same board. How it looks is `output::html`'s.

mod figures;
mod journey;
mod traffic;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::{
    figures::{Figures, Week},
    journey::{Cell, Line, Mark, Standing, Story},
};
use crate::{
    model::{
        approval::ApprovalEvent,
        commit::CommitId,
        digest::Digest,
        entry::Entry,
        environment::{EnvironmentEvent, EnvironmentState, Phase},
        manifest::{Manifest, Stop},
        names::EnvName,
        policy,
        releases::{ReleaseEvent, Reservation},
        time::Time,
        version::Version,
    },
    plan::{
        board::journey::Journeys,
        gate::{Death, Gate},
    },
};

/// Everything that a board is computed from, each chain from its first entry on.
#[derive(Debug, Default)]
pub struct Facts {
    /// Today's promotion path.
    pub path: Vec<Stop>,
    /// The chain of numbers.
    pub releases: Vec<Entry<ReleaseEvent>>,
    /// Every sealed release's identity and seal.
    pub manifests: BTreeMap<Version, (Digest, Manifest)>,
    /// The chain of each environment: of today's path, and of those that releases froze.
    pub environments: BTreeMap<EnvName, Vec<Entry<EnvironmentEvent>>>,
    /// What people stated about each release, chain by chain.
    pub statements: BTreeMap<Version, Vec<Judged>>,
    /// The gates of releases that wait.
    pub waiting: Vec<Waiting>,
    /// The emergency stop, if there is one.
    pub stop: Option<policy::Stop>,
    /// What cannot be believed, and is left out.
    pub faults: Vec<String>,
    /// What lies among the decisions and counts for nothing.
    pub notices: Vec<String>,
    /// When commits were made, of those that git knows here.
    pub committed: BTreeMap<CommitId, Time>,
}

/// A statement by a person, judged by the policy of its time.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What was stated.
    pub entry: Entry<ApprovalEvent>,
    /// Why nobody who could have stated it; `None` if it is sound.
    pub unsound: Option<String>,
    /// The death that it is, if it is a rejection that counts.
    pub death: Option<Death>,
}

/// A release that may be the next to enter an environment, and what the gate says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The release.
    pub release: Version,
    /// Every rule and whether it holds.
    pub gate: Gate,
}

/// The board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Board {
    /// The form of this document: 1.
    pub schema: u32,
    /// What time it was.
    pub time: Time,
    /// What cannot be believed, and is left out.
    pub faults: Vec<String>,
    /// What lies among the decisions and counts for nothing.
    pub notices: Vec<String>,
    /// The emergency stop, if there is one.
    pub stop: Option<policy::Stop>,
    /// A release that is being built.
    pub open: Option<Reservation>,
    /// Every environment, in the order of the path.
    pub environments: Vec<Place>,
    /// Every sealed release, the newest first.
    pub releases: Vec<Story>,
    /// Every dead release and burned number, the newest first.
    pub graveyard: Vec<Grave>,
    /// The four figures of delivery.
    pub figures: Figures,
}

/// One environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its name.
    pub environment: EnvName,
    /// It is the second region.
    pub recovery: bool,
    /// The people that its gate asks for: a role and how many.
    pub people: Vec<(String, u32)>,
    /// What callers get.
    pub live: Option<LiveHere>,
    /// Who holds it, for what.
    pub holder: Option<Held>,
    /// Who waits at its gate.
    pub waiting: Option<Waiting>,
}

/// What callers get in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveHere {
    /// The release.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// Since when.
    pub since: Time,
    /// Whether it answered well through live.
    pub verified: bool,
    /// When it was Globally Synced.
    pub synced: Option<Time>,
    /// Whether a rollback pinned it.
    pub pinned: bool,
    /// Why the glass was broken to let it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
}

/// Who holds an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// For which release.
    pub release: Version,
    /// Who.
    pub owner: String,
    /// Since when.
    pub since: Time,
    /// Where the promotion stands.
    pub phase: Phase,
}

/// One grave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grave {
    /// The dead release, or the number that never became one.
    pub release: Version,
    /// Where it died; `None` if it was burned before it was sealed.
    pub environment: Option<EnvName>,
    /// When.
    pub time: Time,
    /// Why, in one line.
    pub finding: String,
    /// Who ran the command that found it, or decided it.
    pub actor: String,
    /// The next sealed release.
    pub replaced_by: Option<Version>,
}

impl Board {
    /// The board at this time.
    #[must_use]
    pub fn of(facts: &Facts, now: Time) -> Self {
        let journeys = Journeys::of(facts);
        let mut releases: Vec<Story> = facts.manifests.keys().map(|release| journeys.story(*release)).collect();
        releases.reverse();
        let figures = Figures::of(facts, now);
        for story in &mut releases {
            story.lead_time_s = figures.lead_times.get(&story.release).copied();
        }
        Self {
            schema: 1,
            time: now,
            faults: facts.faults.iter().map(|fault| plain(fault)).collect(),
            notices: facts.notices.iter().map(|notice| plain(notice)).collect(),
            stop: facts.stop.clone(),
            open: facts.releases.last().and_then(|entry| entry.state.open.clone()),
            environments: facts.path.iter().map(|stop| place(facts, stop)).collect(),
            releases,
            graveyard: graveyard(facts, &journeys),
            figures,
        }
    }
}

/// For each environment the newest release that is verified in the one before, lives, and was not there yet.
#[must_use]
pub fn candidates(facts: &Facts) -> Vec<(EnvName, Version)> {
    let journeys = Journeys::of(facts);
    let pairs = facts.path.iter().zip(facts.path.iter().skip(1));
    let candidate = |(before, stop): (&Stop, &Stop)| {
        let state = state(facts, &stop.environment);
        let highest = state.and_then(|state| state.live.as_ref()).map(|live| live.release);
        let mut newest = facts.manifests.keys().rev().take_while(|release| Some(**release) > highest);
        let waits = newest.find(|release| {
            journeys.is_verified(**release, &before.environment) && journeys.death(**release).is_none()
        });
        waits.map(|release| (stop.environment.clone(), *release))
    };
    pairs.filter_map(candidate).collect()
}

fn state<'a>(facts: &'a Facts, environment: &EnvName) -> Option<&'a EnvironmentState> {
    facts.environments.get(environment)?.last().map(|entry| &entry.state)
}

fn place(facts: &Facts, stop: &Stop) -> Place {
    let state = state(facts, &stop.environment);
    let live = state.and_then(|state| state.live.as_ref().map(|live| (state.pin, live)));
    let holder = state.and_then(|state| state.holder.as_ref().map(|claim| (state.phase, claim)));
    Place {
        environment: stop.environment.clone(),
        recovery: stop.recovery,
        people: stop.gate.approvals.iter().map(|rule| (rule.role.to_string(), rule.count)).collect(),
        live: live.map(|(pin, live)| LiveHere {
            release: live.release,
            manifest: live.manifest,
            since: live.since,
            verified: live.verified,
            synced: live.synced,
            pinned: pin == Some(live.release),
            break_glass: live.break_glass.as_ref().map(|reason| plain(reason)),
        }),
        holder: holder.map(|(phase, claim)| Held {
            release: claim.release,
            owner: plain(&claim.owner),
            since: claim.since,
            phase,
        }),
        waiting: facts.waiting.iter().find(|waiting| waiting.gate.environment == stop.environment).cloned(),
    }
}

fn graveyard(facts: &Facts, journeys: &Journeys<'_>) -> Vec<Grave> {
    let next = |dead: Version| facts.manifests.keys().copied().find(|release| *release > dead);
    let grave = |entry: &Entry<ReleaseEvent>| {
        let release = entry.release?;
        let (environment, time, finding, actor) = match &entry.event {
            ReleaseEvent::Burned { reason, .. } => {
                (None, entry.time, format!("burned before it was sealed: {reason}"), entry.actor.clone())
            }
            ReleaseEvent::Sealed { .. } => {
                let death = journeys.death(release)?;
                (Some(death.environment), death.time, death.finding, death.actor)
            }
            ReleaseEvent::Reserved { .. } => return None,
        };
        let (finding, actor) = (plain(&finding), plain(&actor));
        Some(Grave { release, environment, time, finding, actor, replaced_by: next(release) })
    };
    facts.releases.iter().rev().filter_map(grave).collect()
}

/// People's words in one line: control characters, and those that turn the direction of writing, could make a page say
/// what nobody wrote.
fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect();
    clean.trim().to_owned()
}
