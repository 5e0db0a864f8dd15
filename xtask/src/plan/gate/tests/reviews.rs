//! Reviews that were seen: who counts, and why the others do not.

use super::*;
use crate::model::{
    manifest::{ReviewRule, ReviewSource},
    review::ReviewState,
};

const RUN: &str = "run 7 of 2026-03-24T12:00:00.000Z, observed, not signed by the reviewer";

/// Nobody signed; Quinn's approval was seen.
fn seen() -> World {
    let mut world = uat();
    world.approvals.clear();
    let rule = || Some(ReviewRule { source: ReviewSource::Github, environment: None });
    for stop in &mut world.manifest.path {
        stop.gate.reviews = rule();
    }
    world.today.gate.reviews = rule();
    world.see("quinn-hub", ReviewState::Approved);
    world
}

impl World {
    /// One more look at the run, at which this review was there.
    fn see(&mut self, login: &str, state: ReviewState) {
        let environment = self.today.environment.clone();
        let run = Run {
            id: 7,
            attempt: 1,
            name: format!("promote v1.1.0 {}", self.digest.hex()),
            created: time("2026-03-24T11:00:00Z"),
            dispatched_by: vec!["ci-hub".to_owned()],
        };
        let (login, comment) = (Some(login.to_owned()), String::new());
        let review = Review { login, state, comment, environments: vec!["UAT".to_owned()] };
        self.observed.push(Observed {
            number: self.observed.len() as u64 + 2,
            environment,
            release: Some(self.manifest.release),
            manifest: Some(self.digest),
            at: time("2026-03-24T12:00:00Z"),
            run,
            reviews: vec![review],
            as_answered: true,
        });
    }

    fn look(&mut self) -> &mut Observed {
        &mut self.observed[0]
    }
}

/// What the gate says of Quinn's review after this change.
#[track_caller]
fn says(change: fn(&mut World), expected: &str) {
    let mut world = seen();
    change(&mut world);
    let gate = world.judge();
    let told: Vec<_> = gate.rules.iter().filter(|r| ["approval", "review"].contains(&&*r.rule)).collect();
    let told = told.iter().map(|r| format!("{} {}: {}", r.rule, r.holds, r.found)).collect::<Vec<_>>().join(" | ");
    assert_eq!(told.replace(RUN, "RUN"), expected);
}

#[test]
fn one_that_counts() {
    says(|_| {}, "approval true: 1 of 1 by qa-lead: Quinn (RUN)");
    says(|w| w.observed[0].run.created = w.now, "approval true: 1 of 1 by qa-lead: Quinn (RUN)");
    // Before what was signed by somebody else nothing is needed.
    says(
        |w| w.approve("rita", "qa-lead"),
        "approval true: 1 of 1 by qa-lead: Rita; the review by Quinn in RUN is not needed",
    );
}

#[test]
fn those_that_do_not() {
    const NONE: &str = "review true: the review by quinn-hub in RUN, does not count: ";
    type Change = fn(&mut World);
    let cases: [(Change, &str); 14] = [
        (|w| w.look().as_answered = false, "GitHub's answers that are kept with it do not say so"),
        (|w| w.look().manifest = None, "it was seen for another entry"),
        (|w| w.look().release = Some("v1.0.9".parse().unwrap()), "it was seen for another entry"),
        (|w| w.look().environment = "prod".parse().unwrap(), "it was seen for another entry"),
        (|w| w.look().run.name = "v1.1.0".to_owned(), "the name of the run carries no manifest digest"),
        (|w| w.look().reviews[0].state = ReviewState::Pending, "it is pending"),
        (|w| w.look().run.dispatched_by.push("QUINN-hub".to_owned()), "they dispatched the run"),
        (|w| w.person("quinn").github = None, "the policy knows no person with that GitHub login"),
        (
            |w| w.person("max").github = Some("Quinn-Hub".to_owned()),
            "the policy knows several people with that GitHub login",
        ),
        (|w| w.look().at = time("2026-03-25T12:06:00Z"), "it is dated in the future"),
        (|w| w.people().valid_days = 1, "it expired at 2026-03-25T12:00:00.000Z"),
        (|w| w.wrote("quinn@example.com", false), "they are an author of commit ababababab"),
        (|w| w.releaser.actor = "quinn-hub".to_owned(), "they released v1.1.0"),
        (|w| w.revoke("quinn", "qa-lead"), "it was revoked by themselves at 2026-03-24T12:00:00.000Z"),
    ];
    for (change, why) in cases {
        let mut world = seen();
        change(&mut world);
        let gate = world.judge();
        assert!(!gate.holds(), "{why}");
        let told = gate.rules.iter().find(|rule| rule.rule == "review").unwrap();
        let when = world.observed[0].at.to_string();
        let found = format!("review {}: {}", told.holds, told.found).replace(&when, "2026-03-24T12:00:00.000Z");
        assert_eq!(found.replace(RUN, "RUN"), format!("{NONE}{why}"));
    }
}

/// A second look at the same run makes nothing younger.
#[test]
fn a_review_is_as_old_as_its_first_sight() {
    let mut world = seen();
    world.see("quinn-hub", ReviewState::Approved);
    world.people().valid_days = 1;
    world.observed[1].at = world.now;
    assert!(world.judge().refusals().contains("0 of 1 by qa-lead"));
    world.observed[1].run.id = 8;
    assert_eq!(world.judge().refusals(), "");
}

/// Every rule set must say that reviews count, and which.
#[test]
fn one_that_no_rule_set_forbids() {
    let forbids: [fn(&mut World); 4] = [
        |w| w.today.gate.reviews = None,
        |w| w.manifest.path[2].gate.reviews = None,
        |w| drop(w.policy.gates.insert("uat".parse().unwrap(), GateRules::default())),
        |w| w.today.gate.reviews.as_mut().unwrap().environment = Some("other".to_owned()),
    ];
    for forbid in forbids {
        let mut world = seen();
        forbid(&mut world);
        assert!(
            world.judge().refusals().starts_with("  - approval: 0 of 1 by qa-lead"),
            "{}",
            world.judge().refusals()
        );
    }
}

#[test]
fn a_rejection_stands_until_its_giver_thinks_better() {
    let refused = "review false: stranger rejected it in RUN";
    says(
        |w| w.see("stranger", ReviewState::Rejected),
        &format!("{refused} | approval true: 1 of 1 by qa-lead: Quinn (RUN)"),
    );
    says(
        |w| {
            w.see("stranger", ReviewState::Rejected);
            w.see("Stranger", ReviewState::Approved);
        },
        "review true: the review by Stranger in RUN, does not count: the policy knows no person with that GitHub login \
         | approval true: 1 of 1 by qa-lead: Quinn (RUN)",
    );
}

/// One review counts in one role, unless one person may count in several.
#[test]
fn one_review_fills_one_place() {
    let places = |several: bool| {
        let mut world = seen();
        world.today.gate.approvals.push(ApprovalRule { role: "manager".parse().unwrap(), count: 1 });
        world.person("quinn").roles.insert("manager".parse().unwrap());
        world.people().several_roles = several;
        world.judge().rules.iter().filter(|rule| rule.rule == "approval" && rule.holds).count()
    };
    assert_eq!((places(false), places(true)), (1, 2));
}
