//! The `policy/` chain: the people, gates and freezes that hold today, and the emergency stop.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    entry::{About, Event},
    manifest::GateRules,
    names::EnvName,
    people::People,
    time::Time,
};

/// What the policy administrator does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PolicyEvent {
    /// These people and gates hold from now on.
    Applied {
        /// Everyone who may decide, with the freezes.
        people: People,
        /// The gates that `release.toml` had then.
        gates: BTreeMap<EnvName, GateRules>,
    },
    /// Emergency stop: nothing enters anywhere.
    Stopped {
        /// Why.
        reason: String,
    },
    /// The emergency is over.
    Resumed {
        /// Why.
        reason: String,
    },
}

/// The policy that holds.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyState {
    /// Everyone who may decide; `None` until a policy is applied.
    pub people: Option<People>,
    /// The gates, by environment.
    pub gates: BTreeMap<EnvName, GateRules>,
    /// The emergency stop, if there is one.
    pub stop: Option<Stop>,
}

/// An emergency stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Why.
    pub reason: String,
    /// Who stopped.
    pub by: String,
    /// Since when.
    pub since: Time,
}

impl Event for PolicyEvent {
    type State = PolicyState;

    fn advance(&self, before: &PolicyState, about: &About) -> PolicyState {
        let mut after = before.clone();
        match self {
            Self::Applied { people, gates } => {
                after.people = Some(people.clone());
                after.gates = gates.clone();
            }
            Self::Stopped { reason } => {
                // A second stop does not hide who stopped first.
                after.stop.get_or_insert(Stop { reason: reason.clone(), by: about.actor.clone(), since: about.time });
            }
            Self::Resumed { .. } => after.stop = None,
        }
        after
    }

    fn may_follow(&self, _before: &PolicyState, _about: &About) -> bool {
        true
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Stopped { .. } => "stopped",
            Self::Resumed { .. } => "resumed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_outlives_a_new_policy_and_ends_when_resumed() {
        let about = |actor: &str| About {
            release: None,
            manifest: None,
            time: "2026-01-23T12:00:00Z".parse().unwrap(),
            actor: actor.to_owned(),
        };
        let stop = |reason: &str| PolicyEvent::Stopped { reason: reason.to_owned() };
        let people = People {
            throwaway: true,
            persons: BTreeMap::new(),
            several_roles: false,
            valid_days: 14,
            freezes: vec![],
            exceptions: vec![],
        };
        let stopped = stop("leak").advance(&PolicyState::default(), &about("alice"));
        let applied = PolicyEvent::Applied { people: people.clone(), gates: BTreeMap::new() };
        let after = stop("again").advance(&applied.advance(&stopped, &about("bob")), &about("carol"));
        assert_eq!(after.people, Some(people));
        let held = after.stop.clone().unwrap();
        assert_eq!((held.reason.as_str(), held.by.as_str()), ("leak", "alice"));
        assert_eq!(PolicyEvent::Resumed { reason: "mended".to_owned() }.advance(&after, &about("alice")).stop, None);
    }
}
