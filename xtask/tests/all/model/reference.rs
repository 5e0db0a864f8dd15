//! The rules, as a person would retell DESIGN: small, slow and without any of the toolchain's code.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

/// dev, qa, uat, prod, dr.
pub(super) const ENVIRONMENTS: [&str; 5] = ["dev", "qa", "uat", "prod", "dr"];
const PROD: usize = 3;
const DR: usize = 4;

/// Who decides; ada wrote and released everything, and holds every role.
pub(super) const PEOPLE: [(&str, &[&str]); 4] = [
    ("quinn", &["qa-lead"]),
    ("pia", &["product-owner"]),
    ("max", &["manager"]),
    ("ada", &["qa-lead", "product-owner", "manager"]),
];

/// What the commits of the history are good for: the environment that each dies in, if it does.
pub(super) const HISTORY: [Option<usize>; 6] = [None, Some(0), None, Some(1), None, None];
pub(super) const CLONES: usize = 3;

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Approve,
    Reject,
    Revoke,
}

/// One command, or a checkout before it.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Checkout { clone: usize, commit: usize },
    Release { clone: usize },
    Promote { to: usize, release: usize },
    Decide { who: usize, decision: Decision, to: usize, release: usize },
    Rollback { environment: usize },
    DrSync,
    Stop,
    Resume,
}

/// One environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// The release that callers get.
    pub(super) live: Option<usize>,
    /// Brought by a rollback.
    pub(super) pinned: bool,
    /// Every release that was verified, in order.
    verified: Vec<usize>,
    /// Those that a rollback took out.
    left: BTreeSet<usize>,
}

/// A sealed release; its number is its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    /// Which commit it was built from.
    pub(super) commit: usize,
    /// Whether it is dead.
    pub(super) dead: bool,
}

/// How everything stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    clones: [usize; CLONES],
    pub(super) releases: Vec<Release>,
    pub(super) environments: [Environment; 5],
    approvals: BTreeMap<(usize, usize), BTreeSet<usize>>,
    stopped: bool,
    /// What the last command ended with; nothing before the first.
    pub(super) code: Option<u8>,
}

impl ReferenceStateMachine for Rules {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let release = || prop_oneof![3 => Just(0_usize), 3 => Just(1), 2 => Just(2), 1 => Just(3)];
        let to = || prop_oneof![1 => Just(0_usize), 1 => Just(1), 4 => Just(2), 5 => Just(PROD), 1 => Just(DR)];
        let decision =
            prop_oneof![8 => Just(Decision::Approve), 1 => Just(Decision::Reject), 1 => Just(Decision::Revoke)];
        let hopeful = prop::sample::select(state.hopeful());
        prop_oneof![
            60 => hopeful,
            3 => (0..CLONES, 0..HISTORY.len()).prop_map(|(clone, commit)| Step::Checkout { clone, commit }),
            6 => (0..CLONES).prop_map(|clone| Step::Release { clone }),
            8 => (to(), release()).prop_map(|(to, release)| Step::Promote { to, release }),
            12 => (0..PEOPLE.len(), decision, to(), release())
                .prop_map(|(who, decision, to, release)| Step::Decide { who, decision, to, release }),
            2 => (0..ENVIRONMENTS.len()).prop_map(|environment| Step::Rollback { environment }),
            2 => Just(Step::DrSync),
            1 => Just(Step::Stop),
            1 => Just(Step::Resume),
        ]
        .boxed()
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        state.code = Some(match *step {
            Step::Checkout { clone, commit } => {
                state.clones[clone] = commit;
                0
            }
            Step::Release { clone } => state.release(state.clones[clone]),
            Step::Promote { to, release } => state.promote(to, release, false),
            Step::Decide { who, decision, to, release } => state.decide(who, decision, to, release),
            Step::Rollback { environment } => state.rollback(environment),
            Step::DrSync => match state.environments[PROD].live {
                Some(live) => state.promote(DR, live, true),
                None => 4,
            },
            Step::Stop => {
                state.stopped = true;
                0
            }
            Step::Resume => {
                state.stopped = false;
                0
            }
        });
        state
    }
}

impl Rules {
    /// What people who know what they do would do next: bring the newest living release on, or make another one.
    fn hopeful(&self) -> Vec<Step> {
        let clone = self.clones.iter().enumerate().max_by_key(|(_, commit)| **commit).map_or(0, |(clone, _)| clone);
        let next = (self.clones[clone] + 1).min(HISTORY.len() - 1);
        let mut steps = vec![Step::Release { clone }, Step::Checkout { clone, commit: next }];
        let Some(release) = self.releases.iter().rposition(|release| !release.dead) else { return steps };
        let Some(to) = (2..ENVIRONMENTS.len()).find(|to| !self.is_verified(*to, release)) else {
            steps.extend((2..ENVIRONMENTS.len()).map(|environment| Step::Rollback { environment }));
            return steps;
        };
        let approved = self.approvals.get(&(to, release));
        let asked = (0..PEOPLE.len() - 1).filter(|who| asked(to).iter().any(|role| PEOPLE[*who].1.contains(role)));
        let missing = asked.filter(|who| approved.is_none_or(|approved| !approved.contains(who)));
        let decisions = missing.map(|who| Step::Decide { who, decision: Decision::Approve, to, release });
        let mut best: Vec<Step> = decisions.collect();
        if best.is_empty() {
            best.push(if to == DR { Step::DrSync } else { Step::Promote { to, release } });
        }
        steps.extend(std::iter::repeat_n(best, 6).flatten());
        steps
    }

    fn release(&mut self, commit: usize) -> u8 {
        let living = self.releases.iter().rposition(|release| !release.dead);
        if let Some(living) = living {
            let released = self.releases[living].commit;
            if commit < released {
                return 4;
            }
            if commit == released {
                let missing: Vec<usize> = (0..2).filter(|at| !self.is_verified(*at, living)).collect();
                return if missing.is_empty() { 3 } else { self.carry(living, &missing) };
            }
        }
        if self.releases.last().is_some_and(|highest| commit <= highest.commit) {
            return 3;
        }
        self.releases.push(Release { commit, dead: false });
        self.carry(self.releases.len() - 1, &[0, 1])
    }

    fn carry(&mut self, release: usize, through: &[usize]) -> u8 {
        through.iter().map(|to| self.promote(*to, release, false)).find(|code| *code != 0).unwrap_or(0)
    }

    fn promote(&mut self, to: usize, release: usize, synchronised: bool) -> u8 {
        let Some(sealed) = self.releases.get(release) else { return 4 };
        let before = to.checked_sub(1).is_none_or(|before| self.is_verified(before, release));
        let newer = self.environments[to].live.filter(|live| *live > release);
        let forward = newer.is_none_or(|live| synchronised && self.releases[live].dead);
        let open = !sealed.dead && before && forward && !self.stopped && self.is_approved(to, release);
        if !open || (to == DR) != synchronised {
            return 4;
        }
        if HISTORY[sealed.commit] == Some(to) {
            self.releases[release].dead = true;
            return 6;
        }
        let environment = &mut self.environments[to];
        if environment.live != Some(release) {
            environment.live = Some(release);
            environment.pinned = false;
            environment.verified.push(release);
        }
        0
    }

    fn is_verified(&self, environment: usize, release: usize) -> bool {
        let Environment { verified, left, .. } = &self.environments[environment];
        verified.contains(&release) && !left.contains(&release)
    }

    fn is_approved(&self, to: usize, release: usize) -> bool {
        asked(to).iter().all(|role| {
            let approved = self.approvals.get(&(to, release));
            approved.is_some_and(|who| who.iter().any(|who| PEOPLE[*who].1.contains(role)))
        })
    }

    fn decide(&mut self, who: usize, decision: Decision, to: usize, release: usize) -> u8 {
        let (name, roles) = PEOPLE[who];
        let Some(sealed) = self.releases.get_mut(release) else { return 4 };
        if !asked(to).iter().any(|role| roles.contains(role)) {
            return 4;
        }
        let approvals = self.approvals.entry((to, release)).or_default();
        match decision {
            Decision::Approve if sealed.dead || name == "ada" => 4,
            Decision::Approve => {
                approvals.insert(who);
                0
            }
            Decision::Reject => {
                sealed.dead = true;
                // What somebody says last is what they can take back, and a rejection cannot be.
                approvals.remove(&who);
                0
            }
            Decision::Revoke if approvals.remove(&who) => 0,
            Decision::Revoke => 4,
        }
    }

    fn rollback(&mut self, at: usize) -> u8 {
        let environment = &self.environments[at];
        let Some(live) = environment.live else { return 4 };
        if environment.pinned && !self.releases[live].dead {
            return 0;
        }
        if at == DR && self.environments[PROD].live == Some(live) {
            return 4;
        }
        let alive = |release: &&usize| **release < live && !self.releases[**release].dead;
        let Some(target) = environment.verified.iter().rev().find(alive).copied() else { return 4 };
        self.releases[live].dead = true;
        let environment = &mut self.environments[at];
        environment.live = Some(target);
        environment.pinned = true;
        environment.left.insert(live);
        environment.verified.push(target);
        0
    }
}

/// The roles that a gate asks for, one person each.
fn asked(to: usize) -> &'static [&'static str] {
    match ENVIRONMENTS[to] {
        "uat" => &["qa-lead"],
        "prod" => &["product-owner", "manager"],
        _ => &[],
    }
}
