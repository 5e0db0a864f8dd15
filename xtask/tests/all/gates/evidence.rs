//! Evidence and soak times: what opens a gate that asks for proof, and what does not.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use xtask::context::Context;

use super::waiting;
use crate::support::{
    people::STAFF,
    project::{Project, Ran},
    world::{Ago, promote_to, release},
};

const GREEN: &str = r#"<testsuite tests="2"><testcase name="a"/><testcase name="b"/></testsuite>"#;
const RED: &str = r#"<testsuite tests="2"><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>"#;
const SKIPPED: &str = r#"<testsuite tests="1"><testcase name="a"><skipped/></testcase></testsuite>"#;

/// Adds a file of this content as evidence, `about` being the release, the environment and the kind.
fn add(project: &Project, about: &str, content: impl AsRef<[u8]>) -> Ran {
    let [release, env, kind] = about.split(' ').collect::<Vec<_>>()[..] else { panic!("{about}?") };
    let file = project.repo().beside("report.xml");
    std::fs::write(&file, content).unwrap();
    project.xtask(&["evidence", "add", release, "--env", env, "--kind", kind, "--file", file.as_str(), "--json"])
}

#[tokio::test]
async fn a_gate_that_asks_for_tests_opens_for_green_ones_only() {
    let project = waiting(r#"gate.evidence = [{ kind = "e2e", tests = true }, { kind = "drill" }]"#, &STAFF, "").await;
    let refused = |says: &str| drop(project.xtask(&["promote", "--to", "uat"]).expect(4).says(says));
    refused(
        "evidence: e2e: there is none; add a JUnit report: `cargo xtask evidence add v1.0.0 --env qa --kind e2e --file <file>`",
    );
    refused("evidence: drill: there is none; add a file");

    let added = add(&project, "v1.0.0 qa e2e", RED).expect(0).json();
    assert_eq!(added["tests"], json!({ "tests": 2, "failures": 1, "errors": 0, "skipped": 0 }));
    refused("is none: of 2 tests 1 failed and 0 broke off");
    add(&project, "v1.0.0 qa e2e", SKIPPED).expect(0);
    refused("is none: all 1 tests were skipped");
    add(&project, "v1.0.0 qa e2e", "<testsuite/>").expect(0);
    refused("is none: no test ran");
    add(&project, "v1.0.0 qa e2e", "all is well").expect(0);
    refused("is none: it is not a test report");
    add(&project, "v1.0.0 dev e2e", GREEN).expect(0);
    refused("is none: it is not a test report");
    // The same file was about dev; it cannot be about qa, too.
    add(&project, "v1.0.0 qa e2e", GREEN)
        .expect(4)
        .says("is evidence of kind e2e for dev already; one file proves one thing");
    let other = GREEN.replace("\"a\"", "\"c\"");
    add(&project, "v1.0.0 qa load", &other).expect(0);
    refused("is none: it is not a test report");
    add(&project, "v1.0.0 qa e2e", GREEN.replace("\"a\"", "\"d\"")).expect(0);
    refused("evidence: drill: there is none");
    add(&project, "v1.0.0 qa drill", RED).expect(4).says("already");
    add(&project, "v1.0.0 qa drill", "it burned, and we put it out").expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test]
async fn the_newest_report_counts_and_only_for_its_release() {
    let project = waiting(r#"gate.evidence = [{ kind = "e2e", tests = true }]"#, &STAFF, "").await;
    add(&project, "v1.0.0 qa e2e", GREEN).expect(0);
    let lasting = project.lasting();
    add(&project, "v1.0.0 qa e2e", GREEN).expect(0);
    assert!(project.lasting() == lasting, "the same file again is the same piece");
    add(&project, "v1.0.0 qa e2e", RED).expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(4).says("of 2 tests 1 failed");
    add(&project, "v1.0.0 qa e2e", format!("{GREEN}\n")).expect(0);
    project.xtask(&["promote", "--to", "uat", "--plan"]).expect(0);
    project.improve("alpha", "other");
    project.commit("fix: other");
    release(&project.context()).await.unwrap();
    project.xtask(&["promote", "--to", "uat"]).expect(4).says("evidence: e2e: there is none");
    project.xtask(&["promote", "--to", "uat", "--release", "v1.0.0"]).expect(0);
}

#[tokio::test]
async fn what_is_no_evidence_is_refused_and_nothing_is_written() {
    let project = waiting(super::UAT_GATE, &STAFF, "").await;
    let lasting = project.lasting();
    for (about, content, code, says) in [
        ("v1.0.0 qa e2e", "<testsuite tests=\"1\"><testcase".as_bytes(), 2, "is no JUnit report that can be read"),
        ("v1.0.0 qa e2e", b"<!DOCTYPE a><testsuite/>", 2, "it has a document type"),
        ("v1.0.0 qa e2e", b"\xff\xfe\x00", 2, "is not text in UTF-8"),
        ("v1.0.1 qa e2e", GREEN.as_bytes(), 4, "v1.0.1 is not a sealed release; the newest is v1.0.0"),
        ("v1.0.0 moon e2e", GREEN.as_bytes(), 2, "there is no environment `moon`"),
        ("v1.0.0 qa E2E!", GREEN.as_bytes(), 2, "E2E!"),
        ("v1 qa e2e", GREEN.as_bytes(), 2, "v1"),
    ] {
        add(&project, about, content).expect(code).says(says);
    }
    let args = ["evidence", "add", "v1.0.0", "--env", "qa", "--kind", "e2e", "--file"];
    project.xtask(&[&args[..], &["nowhere.xml"]].concat()).expect(2).says("failed to read");
    project.xtask(&[&args[..], &["release.toml", "--plan"]].concat()).expect(2).says("has no plan");
    assert!(project.lasting() == lasting);
}

#[tokio::test]
async fn a_release_soaks_before_it_goes_on() {
    let project = Project::new();
    let day = r#"gate.soak = "24h""#;
    project.repo().write("release.toml", &crate::support::project::RELEASE.replace(super::UAT_GATE, day));
    project.commit("chore: soak");
    let hours = |hours: u64| Ago(Duration::from_secs(hours * 60 * 60));
    let yesterday = Context { clock: Arc::new(hours(25)), ..project.context() };
    release(&yesterday).await.unwrap();
    // To be promoted again does not start it anew.
    promote_to(&project.context(), &"qa".parse().unwrap(), "v1.0.0".parse().unwrap()).await.unwrap();
    project.xtask(&["promote", "--to", "uat", "--plan"]).expect(0);
    project.improve("alpha", "new");
    project.commit("fix: new");
    release(&Context { clock: Arc::new(hours(23)), ..project.context() }).await.unwrap();
    let ran = project
        .xtask(&["promote", "--to", "uat"])
        .expect(4)
        .says("soak: verified in qa since")
        .says("of 24h remain, until");
    let ran = ran.says("then run `cargo xtask promote --to uat --release v1.0.1`");
    assert!(ran.stderr.contains("; 59m") || ran.stderr.contains("; 1h of"), "{ran:?}");
    project.xtask(&["promote", "--to", "uat", "--release", "v1.0.0"]).expect(0);
    project.xtask(&["promote", "--to", "prod"]).expect(4).says("approval: 0 of 1 by product-owner");
}

/// What `release` cannot bring about by itself it waits for, as it waits for people.
#[test]
fn release_stops_where_proof_or_patience_is_asked_for() {
    for (gate, waits_for) in [
        (r#"gate.evidence = [{ kind = "e2e" }]"#, "evidence (e2e)"),
        (r#"gate.soak = "24h""#, "soak (24h)"),
        (
            "gate.soak = \"1h\"\ngate.approvals = [{ role = \"qa-lead\", count = 2 }]",
            "approval (2 by qa-lead), soak (1h)",
        ),
    ] {
        let project = Project::new();
        project.repo().write("release.toml", &crate::support::project::RELEASE.replace(super::UAT_GATE, gate));
        project.commit("chore: gate");
        let plan = project.json(0, &["release", "--plan"]);
        assert_eq!(
            (&plan["stops_at"]["environment"], &plan["stops_at"]["waits_for"]),
            (&json!("uat"), &json!(waits_for))
        );
        let released = project.json(0, &["release"]);
        assert_eq!(released["promoted"].as_array().unwrap().len(), 2, "{released}");
        project.xtask(&["release"]).expect(3);
    }
}
