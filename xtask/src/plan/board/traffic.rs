//! What production's callers went through: which releases they got, which of those were bad, and for how long.

use crate::{
    model::{entry::Entry, environment::EnvironmentEvent, time::Time, version::Version},
    plan::board::Facts,
};

/// A release that got calls in production for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deployment {
    pub(super) release: Version,
    /// When the calls began to move.
    pub(super) began: Time,
    /// When it was verified there; `None` if it never was.
    pub(super) verified: Option<Time>,
    pub(super) failure: Option<Failure>,
}

/// A release that was bad with production's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// When it was found, or the rollback began.
    pub(super) found: Time,
    /// When callers got a good release again.
    pub(super) restored: Time,
}

/// Every release that got calls in production, in order.
pub(super) fn deployments(facts: &Facts) -> Vec<Deployment> {
    let production = facts.path.iter().rfind(|stop| !stop.recovery).map(|stop| &stop.environment);
    let entries = production.and_then(|environment| facts.environments.get(environment));
    let mut told = Telling::default();
    for entry in entries.into_iter().flatten() {
        told.hear(entry);
    }
    told.deployments
}

#[derive(Default)]
struct Telling {
    deployments: Vec<Deployment>,
    /// The holder's release and since when it holds, over takeovers.
    claimed: Option<(Version, Time)>,
    found: Option<Time>,
}

impl Telling {
    fn hear(&mut self, entry: &Entry<EnvironmentEvent>) {
        let Some(release) = entry.release else { return };
        match &entry.event {
            EnvironmentEvent::Claimed { .. } if self.claimed.is_none_or(|(held, _)| held != release) => {
                (self.claimed, self.found) = (Some((release, entry.time)), None);
            }
            // A rollback's shift brings back what was deployed before.
            EnvironmentEvent::Shifting { .. } if self.of(release).is_none() => {
                let began = entry.time;
                self.deployments.push(Deployment { release, began, verified: None, failure: None });
            }
            EnvironmentEvent::Verified { .. } => {
                if let Some(deployment) = self.of(release) {
                    deployment.verified.get_or_insert(entry.time);
                }
                self.claimed = None;
            }
            EnvironmentEvent::Failed { .. } => self.found = Some(entry.time),
            EnvironmentEvent::Died { .. } => {
                self.fails(release, self.found.unwrap_or(entry.time), entry.time);
                self.claimed = None;
            }
            EnvironmentEvent::RolledBack { from, .. } => {
                self.fails(from.release, self.claimed.map_or(entry.time, |(_, since)| since), entry.time);
                self.claimed = None;
            }
            EnvironmentEvent::Abandoned { .. } => self.claimed = None,
            _ => {}
        }
    }

    fn of(&mut self, release: Version) -> Option<&mut Deployment> {
        self.deployments.iter_mut().rfind(|deployment| deployment.release == release)
    }

    /// A release that died before it got calls is none of production's failures.
    fn fails(&mut self, release: Version, found: Time, restored: Time) {
        if let Some(deployment) = self.of(release) {
            deployment.failure.get_or_insert(Failure { found, restored });
        }
    }
}
