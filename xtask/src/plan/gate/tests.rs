//! The gate's cases: each rule alone, pairs that interact, and that nothing loosens it. Every case states the exact
//! words of the rule it is about, and of every other rule that refuses.

mod approvals;
mod clock;
mod evidence;
mod monotone;
mod pairs;
mod reviews;
mod separation;
mod stricter;
mod vulnerabilities;
mod way;

use std::collections::{BTreeMap, BTreeSet};

use ssh_key::{PublicKey, public::Ed25519PublicKey};

use super::*;
use crate::model::{
    approval::Statement,
    entry::{ChainName, Writer},
    evidence::TestSummary,
    freeze::{Freeze, Span},
    manifest::{ApprovalRule, EvidenceRule, GateRules, Toolchain},
    people::{People, Person, PersonKey, SshKey},
    policy,
};

/// What it is, the rule to show, what differs from a world in which the gate holds, and what the gate says.
type Case = (&'static str, &'static str, fn(&mut World), &'static str);

#[track_caller]
fn check(world: fn() -> World, cases: &[Case]) {
    let mut wrong = String::new();
    for (name, rule, change, expected) in cases {
        let mut world = world();
        change(&mut world);
        let said = said(&world.judge(), rule);
        if said != *expected {
            wrong.push_str(&format!("--- {name}\n{said}\n"));
        }
    }
    assert!(wrong.is_empty(), "these cases say something else:\n{wrong}");
}

/// The rules of this name, and all others that refuse.
fn said(gate: &Gate, shown: &str) -> String {
    let rules = gate.rules.iter().filter(|rule| rule.rule == shown || !rule.holds);
    let lines = rules.map(|rule| {
        let verdict = if rule.holds { "holds" } else { "REFUSES" };
        let remedy = rule.remedy.as_ref().map(|remedy| format!(" -> {remedy}")).unwrap_or_default();
        format!("{} {verdict}: {}{remedy}", rule.rule, rule.found)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Everything that a gate is judged by.
#[derive(Debug)]
struct World {
    manifest: Manifest,
    digest: Digest,
    today: Stop,
    policy: PolicyState,
    now: Time,
    death: Option<Death>,
    verified_before: Option<Time>,
    failed_before: Option<FailedCheck>,
    live: Option<Version>,
    live_died: bool,
    approvals: Vec<Signed>,
    observed: Vec<Observed>,
    break_glass: Option<&'static str>,
    authors: Authors,
    releaser: Releaser,
    evidence: Vec<Evidence>,
    scans: Scans,
    synchronised: bool,
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn stop(name: &str, roles: &[&str], soak: Option<&str>, evidence: &[&str]) -> Stop {
    let approvals = roles.iter().map(|role| ApprovalRule { role: role.parse().unwrap(), count: 1 });
    let kinds = evidence.iter().map(|kind| EvidenceRule { kind: kind.parse().unwrap(), tests: true });
    let gate = GateRules {
        approvals: approvals.collect(),
        soak: soak.map(|soak| soak.parse().unwrap()),
        evidence: kinds.collect(),
        ..GateRules::default()
    };
    Stop { environment: name.parse().unwrap(), safe_smoke_only: false, recovery: name == "dr", gate, canary: None }
}

fn manifest() -> Manifest {
    let text = || "x".to_owned();
    Manifest {
        schema: 1,
        release: "v1.1.0".parse().unwrap(),
        commit: CommitId::from_bytes([7; 20]),
        previous: None,
        toolchain: Toolchain { rustc: text(), cargo: text(), host: text(), target: text(), profile: text(), zig: None },
        lockfile: Digest::of(b"lock"),
        dependencies: std::collections::BTreeMap::new(),
        objects: BTreeMap::new(),
        functions: BTreeMap::new(),
        layers: BTreeMap::new(),
        path: vec![
            stop("dev", &[], None, &[]),
            stop("qa", &[], None, &[]),
            stop("uat", &["qa-lead"], None, &["e2e"]),
            stop("prod", &["product-owner", "manager"], Some("24h"), &[]),
            stop("dr", &[], None, &[]),
        ],
        changes: vec![],
    }
}

fn key(number: u8) -> SshKey {
    PublicKey::from(Ed25519PublicKey([number; 32])).to_openssh().unwrap().parse().unwrap()
}

fn person(number: u8, name: &str, roles: &[&str]) -> (crate::model::names::PersonId, Person) {
    let id = name.to_lowercase();
    let person = Person {
        name: name.to_owned(),
        emails: vec![format!("{id}@example.com")],
        github: Some(format!("{id}-hub")),
        logins: vec![format!("{id}@laptop")],
        roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
        keys: vec![PersonKey { key: key(number), valid_from: None, valid_until: None, revoked_at: None }],
    };
    (id.parse().unwrap(), person)
}

/// Wednesday noon; everything is there that the gate of this environment asks for.
fn world(environment: &str) -> World {
    let manifest = manifest();
    let today = manifest.stop(&environment.parse().unwrap()).unwrap().clone();
    let persons = [
        person(1, "Quinn", &["qa-lead"]),
        person(2, "Rita", &["qa-lead"]),
        person(3, "Pia", &["product-owner"]),
        person(4, "Max", &["manager"]),
        person(5, "Bea", &["product-owner", "manager"]),
    ];
    let people = People {
        throwaway: false,
        persons: persons.into_iter().collect(),
        several_roles: false,
        valid_days: 14,
        freezes: vec![],
        exceptions: vec![],
    };
    let mut world = World {
        digest: Digest::of(b"manifest"),
        manifest,
        today,
        policy: PolicyState { people: Some(people), gates: BTreeMap::new(), stop: None },
        now: time("2026-03-25T12:00:00Z"),
        death: None,
        verified_before: Some(time("2026-03-23T12:00:00Z")),
        failed_before: None,
        live: Some("v1.0.0".parse().unwrap()),
        live_died: false,
        approvals: vec![],
        observed: vec![],
        break_glass: None,
        authors: Authors::default(),
        releaser: Releaser { actor: "ci".to_owned(), email: None },
        evidence: vec![],
        scans: Scans::new(),
        synchronised: false,
    };
    for role in world.today.gate.approvals.clone() {
        let who = match role.role.as_str() {
            "qa-lead" => "quinn",
            "manager" => "max",
            _ => "pia",
        };
        world.approve(who, role.role.as_str());
    }
    if environment == "uat" {
        world.prove("2026-03-24T12:00:00Z", Some((12, 0, 0, 0)));
    }
    world
}

fn uat() -> World {
    world("uat")
}

fn prod() -> World {
    world("prod")
}

impl World {
    fn judge(&self) -> Gate {
        judge(&Facts {
            manifest: &self.manifest,
            digest: self.digest,
            today: &self.today,
            policy: &self.policy,
            now: self.now,
            death: self.death.as_ref(),
            verified_before: self.verified_before,
            failed_before: self.failed_before.as_ref(),
            live: self.live,
            live_died: self.live_died,
            approvals: &self.approvals,
            observed: &self.observed,
            break_glass: self.break_glass,
            authors: &self.authors,
            releaser: &self.releaser,
            evidence: &self.evidence,
            scans: &self.scans,
            synchronised: self.synchronised,
        })
    }

    fn approve(&mut self, who: &str, role: &str) {
        self.state(who, role, |statement| ApprovalEvent::Approved { statement });
    }

    fn reject(&mut self, who: &str, role: &str) {
        self.state(who, role, |statement| ApprovalEvent::Rejected { statement });
    }

    fn revoke(&mut self, who: &str, role: &str) {
        self.state(who, role, |statement| ApprovalEvent::Revoked { statement });
    }

    /// A statement of yesterday about this release and environment, with the person's first key.
    fn state(&mut self, who: &str, role: &str, event: fn(Statement) -> ApprovalEvent) {
        let environment = self.today.environment.clone();
        let known = self.policy.people.as_ref().and_then(|people| people.persons.get(&who.parse().unwrap()));
        let key = known.map_or_else(|| key(99).fingerprint(), |person| person.keys[0].key.fingerprint());
        let statement = Statement {
            environment: environment.clone(),
            person: who.parse().unwrap(),
            role: role.parse().unwrap(),
            expires: time("2026-04-01T12:00:00Z"),
            comment: None,
            key,
        };
        let entry = Entry {
            schema: 1,
            chain: ChainName::Approvals { release: self.manifest.release, environment },
            number: self.approvals.len() as u64 + 1,
            previous: None,
            time: time("2026-03-24T12:00:00Z"),
            actor: format!("{who}@laptop"),
            writer: Writer::Approver,
            tool: "xtask".to_owned(),
            release: Some(self.manifest.release),
            manifest: Some(self.digest),
            event: event(statement),
            state: crate::model::approval::ApprovalsState::default(),
        };
        self.approvals.push(Signed { entry, signature_ok: true, linked: true });
    }

    /// An `e2e` report with these numbers of tests, failures, errors and skipped ones.
    fn prove(&mut self, when: &str, report: Option<(u64, u64, u64, u64)>) {
        self.evidence.push(Evidence {
            schema: 1,
            release: self.manifest.release,
            manifest: self.digest,
            environment: "qa".parse().unwrap(),
            kind: "e2e".parse().unwrap(),
            file: "report.xml".to_owned(),
            sha256: Digest::of(b"report"),
            tests: report.map(|(tests, failures, errors, skipped)| TestSummary { tests, failures, errors, skipped }),
            time: time(when),
            actor: "ci".to_owned(),
        });
    }

    fn first(&mut self) -> &mut Entry<ApprovalEvent> {
        &mut self.approvals[0].entry
    }

    fn first_statement(&mut self) -> &mut Statement {
        statement(&mut self.approvals[0])
    }

    fn person(&mut self, id: &str) -> &mut Person {
        self.people().persons.get_mut(&id.parse::<crate::model::names::PersonId>().unwrap()).unwrap()
    }

    fn people(&mut self) -> &mut People {
        self.policy.people.as_mut().unwrap()
    }

    fn freeze(&mut self, zone: &str, from: &str, to: &str) {
        let (environments, zone) = (vec![self.today.environment.clone()], zone.parse().unwrap());
        let span = Span::between(from, to).unwrap();
        let name = format!("freeze {}", self.people().freezes.len() + 1);
        self.people().freezes.push(Freeze { name, environments, zone, span });
    }

    fn wrote(&mut self, email: &str, merge: bool) {
        let commit = CommitId::from_bytes([0xab; 20]);
        let change = Change { commit, subject: "feat: x".to_owned(), authors: vec![email.to_owned()], merge };
        self.authors = Authors::of([&change]);
    }
}

fn statement(signed: &mut Signed) -> &mut Statement {
    match &mut signed.entry.event {
        ApprovalEvent::Approved { statement }
        | ApprovalEvent::Rejected { statement }
        | ApprovalEvent::Revoked { statement } => statement,
    }
}

fn rules_of(approvals: &[(&str, u32)], soak: Option<&str>, evidence: &[(&str, bool)]) -> GateRules {
    let approval = |(role, count): &(&str, u32)| ApprovalRule { role: role.parse().unwrap(), count: *count };
    let kind = |(kind, tests): &(&str, bool)| EvidenceRule { kind: kind.parse().unwrap(), tests: *tests };
    GateRules {
        approvals: approvals.iter().map(approval).collect(),
        soak: soak.map(|soak| soak.parse().unwrap()),
        evidence: evidence.iter().map(kind).collect(),
        ..GateRules::default()
    }
}

#[test]
fn every_rule_is_listed_with_its_verdict() {
    let names = |world: World| world.judge().rules.into_iter().map(|rule| rule.rule).collect::<Vec<_>>().join(" ");
    assert_eq!(names(world("dev")), "alive order forward path stop freeze");
    assert_eq!(names(uat()), "alive order forward path stop freeze evidence approval");
    assert_eq!(names(prod()), "alive order forward path stop freeze soak approval approval");
    for environment in ["dev", "qa", "uat", "prod"] {
        assert_eq!(world(environment).judge().refusals(), "", "{environment}");
    }
}

#[test]
fn the_keys_of_the_people_differ() {
    let numbers: BTreeSet<_> = (1..=5).map(|number| key(number).fingerprint()).collect();
    assert_eq!(numbers.len(), 5);
}
