//! The broken glass: through a freeze and before the soak time, by whoever may, and for nothing else.

use std::fs;

use serde_json::{Value, json};
use xtask::{
    engine::{audit, facts},
    model::environment::EnvironmentEvent,
};

use super::waiting;
use crate::{
    reviews::audit::typed,
    support::{
        people::{Person, STAFF},
        project::{Project, Ran},
        vaults::entered_with,
    },
};

const GATE: &str =
    r#"gate = { approvals = [{ role = "qa-lead", count = 1 }], soak = "24h", break_glass = { role = "commander" } }"#;
const PEOPLE: [Person<'_>; 4] = [STAFF[0], STAFF[1], STAFF[2], ("carl", &["commander", "qa-lead"], "")];
const FREEZE: &str = "[[freezes]]\nname = \"audit\"\nzone = \"UTC\"\nenvironments = [\"uat\"]\n\
                      from = \"2026-01-01T00:00\"\nto = \"2099-01-01T00:00\"\n";

fn promote(project: &Project, more: &[&str]) -> Ran {
    project.xtask(&[&["promote", "--to", "uat", "--release", "v1.0.0"], more].concat())
}

const BREAK: [&str; 2] = ["--break-glass", "customers cannot pay"];

fn kinds(project: &Project) -> Vec<Value> {
    let history = project.json(0, &["history", "--env", "uat"]);
    history.as_array().unwrap().iter().rev().map(|entry| entry["kind"].clone()).collect()
}

#[tokio::test]
async fn lets_a_release_in_early_and_stands_out() {
    let project = waiting(GATE, &PEOPLE, FREEZE).await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    promote(&project, &[]).expect(4).says("freeze: `audit` freezes uat").says("soak: verified in qa since");
    // Whoever may break it must say so.
    let ran = promote(&project, &BREAK).expect(4);
    let ran = ran.says("break-glass: “customers cannot pay”: 0 of 1 by commander; run `cargo xtask approve --to uat");
    assert!(!ran.stderr.contains("- freeze") && !ran.stderr.contains("- soak"), "{ran:?}");
    assert_eq!(kinds(&project), [""; 0], "nothing was begun");
    project.decide("carl", "approve uat v1.0.0", &["--as", "commander"]).expect(0);
    promote(&project, &[]).expect(4).says("- freeze: ").says("- soak: ");
    let plan = project.xtask(&[&["promote", "--to", "uat", "--release", "v1.0.0", "--plan"], &BREAK[..]].concat());
    assert!(plan.expect(0).stdout.contains("overridden by break-glass: `audit` freezes uat"));
    promote(&project, &BREAK).expect(0).says("uat: the glass is broken: customers cannot pay");
    assert_eq!(kinds(&project), ["claimed", "broke_glass", "staged", "shifting", "shifted", "verified"]);

    let told = "BREAK-GLASS: customers cannot pay";
    assert!(project.xtask(&["status"]).expect(0).stdout.contains(&format!(", let in by {told}")));
    assert_eq!(project.json(0, &["status"])["environments"][2]["live"]["break_glass"], "customers cannot pay");
    assert!(project.xtask(&["history", "--env", "uat"]).expect(0).stdout.contains("break-glass: customers cannot pay"));
    project.xtask(&["report", "--out", "board.html"]).expect(0);
    let page = fs::read_to_string(project.root().join("board.html")).unwrap();
    assert_eq!(page.matches(told).count(), 2, "where it is live, and in its story");
    project.xtask(&["audit", "verify"]).expect(0);
    let folder = project.repo().beside("packed");
    project.xtask(&["audit", "pack", "v1.0.0", "--out", folder.as_str()]).expect(0);
    let page: Value = serde_json::from_slice(&fs::read(folder.join("break-glass.json")).unwrap()).unwrap();
    assert_eq!((&page[0]["reason"], &page[0]["environment"]), (&json!("customers cannot pay"), &json!("uat")));
    let signers = project.repo().beside("signers");
    fs::write(&signers, project.xtask(&["audit", "signers"]).expect(0).stdout).unwrap();
    typed(&folder, &signers).expect(0);
    // It is broken for that one promotion.
    promote(&project, &[]).expect(4).says("- soak: ");
}

/// Order, approvals, evidence, death and the emergency stop stand.
#[tokio::test]
async fn overrides_nothing_else() {
    let gate = GATE.replace("soak", "evidence = [{ kind = \"e2e\" }], soak");
    let project = waiting(&gate, &PEOPLE, FREEZE).await;
    project.decide("carl", "approve uat v1.0.0", &["--as", "commander"]).expect(0);
    let ran = promote(&project, &BREAK).expect(4);
    let ran = ran.says("- approval: 0 of 1 by qa-lead").says("- evidence: e2e: there is none");
    assert!(!ran.stderr.contains("- break-glass"), "{ran:?}");
    project.xtask(&["policy", "stop", "a leak"]).expect(0);
    promote(&project, &BREAK).expect(4).says("- stop: emergency stop");
    project.improve("alpha", "new");
    project.commit("fix: new");
    project.xtask(&["release", "--until", "sealed"]).expect(0);
    let next = ["promote", "--to", "uat", "--release", "v1.0.1"];
    project.xtask(&[&next, &BREAK[..]].concat()).expect(4).says("- order: it is not verified in qa");
    project.xtask(&["policy", "resume", "mended"]).expect(0);
    project.decide("quinn", "reject uat v1.0.0", &[]).expect(0);
    promote(&project, &BREAK).expect(4).says("- alive: ");
    assert_eq!(kinds(&project), [""; 0]);
}

/// Nobody may break what no rule names, and one person counts once.
#[tokio::test]
async fn is_broken_by_whom_every_rule_names() {
    let project = waiting(&GATE.replace(", break_glass = { role = \"commander\" }", ""), &PEOPLE, "").await;
    promote(&project, &BREAK).expect(2).says("nobody may break the glass of uat for v1.0.0: write `gate.break_glass");
    promote(&project, &["--break-glass", ""]).expect(2);
    let project = waiting(GATE, &PEOPLE, "").await;
    project.decide("carl", "approve uat v1.0.0", &["--as", "commander"]).expect(0);
    project.decide("carl", "approve uat v1.0.0", &["--as", "qa-lead"]).expect(0);
    promote(&project, &BREAK).expect(4).says("they are counted as");
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    // Today's rules may take it away, and what was sealed without it does not get it.
    let release = fs::read_to_string(project.root().join("release.toml")).unwrap();
    project.repo().write("release.toml", &release.replace("\"commander\"", "\"manager\""));
    promote(&project, &BREAK).expect(2).says("nobody may break the glass");
    project.repo().write("release.toml", &release);
    promote(&project, &BREAK).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
}

/// Where nothing has to be overridden nothing is broken.
#[tokio::test]
async fn stays_whole_without_need() {
    let project = waiting(&GATE.replace("soak = \"24h\", ", ""), &PEOPLE, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    promote(&project, &BREAK).expect(0).says("there is no freeze or soak time to break the glass for");
    assert_eq!(kinds(&project), ["claimed", "staged", "shifting", "shifted", "verified"]);
}

/// Whoever holds the deployer's key may write that it was broken; the audit asks for whom.
#[tokio::test]
async fn cannot_be_broken_by_a_deployer_alone() {
    for (approves, expected) in [(false, 1), (true, 0)] {
        let project = waiting(GATE, &PEOPLE, "").await;
        project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
        if approves {
            project.decide("carl", "approve uat v1.0.0", &["--as", "commander"]).expect(0);
        }
        let context = project.context();
        let release = "v1.0.0".parse().unwrap();
        let (_, manifest) = facts::manifest(&context, release).await.unwrap();
        let broken = EnvironmentEvent::BrokeGlass { reason: "because".to_owned() };
        entered_with(&context, "uat", (release, manifest), Some(broken), None).await;
        let findings = audit::run(&context).await.unwrap().findings;
        assert_eq!(findings.len(), expected, "{findings:?}");
        let named =
            |finding: &audit::AuditFinding| finding.found.contains("break-glass: “because”: 0 of 1 by commander");
        assert!(findings.iter().all(named), "{findings:?}");
    }
}
