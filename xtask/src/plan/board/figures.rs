//! The four figures by which DORA tells how well a team delivers, each from the ledger. The page says how each is counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    time::Duration,
};

use serde::Serialize;

use crate::{
    model::{names::EnvName, time::Time, version::Version},
    plan::board::{
        Facts,
        traffic::{Deployment, deployments},
    },
};

/// How far the figures look back, in days.
const WINDOW: u64 = 90;
/// How many weeks are drawn.
const WEEKS: u64 = 26;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The four figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Production: the last environment that is not the second region.
    pub environment: Option<EnvName>,
    /// How many days are counted, back from now.
    pub days: u64,
    /// Releases that were verified in production in these days.
    pub deployments: usize,
    /// From a commit to its verification in production, in seconds: the median of the changes that got there in these
    /// days.
    pub lead_time_s: Option<u64>,
    /// How many changes that is the median of, and of how many git did not tell here when they were committed.
    pub changes: (usize, usize),
    /// Releases that got production's calls in these days.
    pub began: usize,
    /// Of those, the ones that died there or were rolled back there.
    pub failed: usize,
    /// From finding to a good release for callers, in seconds: the median of those.
    pub restore_s: Option<u64>,
    /// The last weeks, the oldest first.
    pub weeks: Vec<Week>,
    /// The median lead time of each release's own changes.
    #[serde(skip)]
    pub lead_times: BTreeMap<Version, u64>,
}

/// Seven days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Week {
    /// When they begin.
    pub begins: Time,
    /// Releases that were verified in production and stayed good.
    pub good: usize,
    /// Releases that got production's calls and were bad.
    pub bad: usize,
}

impl Figures {
    pub(super) fn of(facts: &Facts, now: Time) -> Self {
        let all = deployments(facts);
        let begins = now.before(DAY * u32::try_from(WINDOW).unwrap_or(u32::MAX));
        let recent = |time: Time| time >= begins && time <= now;
        let waits = lead_times(facts, &all);
        let counted = waits.iter().filter(|(deployment, _)| deployment.verified.is_some_and(recent));
        let counted: Vec<Option<u64>> = counted.flat_map(|(_, waits)| waits.iter().copied()).collect();
        let began: Vec<&Deployment> = all.iter().filter(|deployment| recent(deployment.began)).collect();
        let failures: Vec<_> = began.iter().filter_map(|deployment| deployment.failure).collect();
        Self {
            environment: facts.path.iter().rfind(|stop| !stop.recovery).map(|stop| stop.environment.clone()),
            days: WINDOW,
            deployments: all.iter().filter(|deployment| deployment.verified.is_some_and(recent)).count(),
            lead_time_s: median(counted.iter().flatten().copied()),
            changes: (counted.iter().flatten().count(), counted.iter().filter(|wait| wait.is_none()).count()),
            began: began.len(),
            failed: failures.len(),
            restore_s: median(failures.iter().map(|failure| failure.restored.since(failure.found).as_secs())),
            weeks: weeks(&all, now),
            lead_times: waits
                .iter()
                .filter_map(|(deployment, waits)| Some((deployment.release, median(waits.iter().flatten().copied())?)))
                .collect(),
        }
    }
}

/// For each release that was verified in production how long each change that it brought there took, `None` where the
/// commit's time is not known. What a release passed over comes with it; a change counts where it came first.
fn lead_times(facts: &Facts, all: &[Deployment]) -> Vec<(Deployment, Vec<Option<u64>>)> {
    let mut seen = BTreeSet::new();
    let mut last = None;
    let mut waits = Vec::new();
    for deployment in all {
        let Some(verified) = deployment.verified.filter(|_| last < Some(deployment.release)) else { continue };
        let after = last.map_or(Bound::Unbounded, Bound::Excluded);
        let brought = facts.manifests.range((after, Bound::Included(deployment.release)));
        let changes = brought.flat_map(|(_, (_, manifest))| &manifest.changes).filter(|change| !change.merge);
        let fresh = changes.filter(|change| seen.insert(change.commit));
        let took = fresh.map(|change| facts.committed.get(&change.commit).map(|at| verified.since(*at).as_secs()));
        waits.push((*deployment, took.collect()));
        last = Some(deployment.release);
    }
    waits
}

fn weeks(all: &[Deployment], now: Time) -> Vec<Week> {
    let begin = |back: u64| now.before(DAY * 7 * u32::try_from(back).unwrap_or(u32::MAX));
    let week = |back: u64| {
        let (begins, ends) = (begin(back), begin(back - 1));
        let here = all.iter().filter(|deployment| deployment.began >= begins && deployment.began < ends);
        let (bad, good): (Vec<&Deployment>, Vec<&Deployment>) = here.partition(|d| d.failure.is_some());
        Week { begins, good: good.iter().filter(|d| d.verified.is_some()).count(), bad: bad.len() }
    };
    (1..=WEEKS).rev().map(week).collect()
}

/// The middle one; of an even number the mean of the two in the middle.
fn median(values: impl Iterator<Item = u64>) -> Option<u64> {
    let mut sorted: Vec<u64> = values.collect();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    match sorted.len() % 2 {
        1 => Some(upper),
        _ => Some(u64::midpoint(*sorted.get(middle - 1)?, upper)),
    }
}
