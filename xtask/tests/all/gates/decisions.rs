//! Approvals, rejections and revocations: who counts, for what, and for how long.

use std::{collections::BTreeMap, process::Command, sync::Arc, time::Duration};

use serde_json::{Value, json};
use xtask::{
    adapters::ssh,
    context::Context,
    engine::decide::{self, Request, Verdict},
};

use super::{UAT_GATE, waiting};
use crate::support::{
    people::STAFF,
    project::Project,
    world::{Ago, release},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What `promote` says about approvals when it refuses.
fn refused(project: &Project, to: &str) -> String {
    let ran = project.xtask(&["promote", "--to", to]).expect(4);
    ran.stderr.lines().filter(|line| line.contains("- approval:")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn two_of_many_and_nobody_twice() {
    let gate = r#"gate.approvals = [{ role = "qa-lead", count = 2 }]"#;
    let people = [("quinn", &["qa-lead"][..], ""), ("quirin", &["qa-lead"], ""), ("pia", &["product-owner"], "")];
    let project = waiting(gate, &people, "").await;
    let found = refused(&project, "uat");
    assert!(
        found.contains("0 of 2 by qa-lead; run `cargo xtask approve --to uat --release v1.0.0 --as qa-lead`"),
        "{found}"
    );
    assert!(found.ends_with("2 of quinn, quirin can"), "{found}");

    let approved = project.decide("quinn", "approve uat v1.0.0", &["--json", "--comment", "seen"]).expect(0).json();
    let expected = json!({ "decision": "approved", "environment": "uat", "person": "quinn", "release": "v1.0.0",
        "role": "qa-lead", "throwaway": false, "namespace": "xtask-approval-uat",
        "entry": "approvals/v1.0.0/uat/00000001.json" });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&approved[field], value, "{field}");
    }
    let statement: Value = serde_json::from_str(approved["statement"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&statement["event"]["statement"]["comment"], &statement["manifest"]),
        (&json!("seen"), &approved["manifest"])
    );
    let found = refused(&project, "uat");
    assert!(found.contains("1 of 2 by qa-lead: quinn;") && found.ends_with("quirin can"), "{found}");

    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    let found = refused(&project, "uat");
    assert!(found.contains("1 of 2 by qa-lead: quinn; the approval by quinn of"), "{found}");
    assert!(found.contains("does not count: they are counted as qa-lead already"), "{found}");

    project.decide("quirin", "approve uat v1.0.0", &[]).expect(0);
    project.decide("quinn", "revoke uat v1.0.0", &["--json"]).expect(0);
    let found = refused(&project, "uat");
    assert_eq!(
        found.matches("does not count: it was revoked by themselves at").count(),
        2,
        "one takes all back: {found}"
    );
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0).says("");
    let promoted = project.json(0, &["promote", "--to", "uat"]);
    assert_eq!((&promoted["release"], &promoted["changed"]), (&json!("v1.0.0"), &json!(true)));
    project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test]
async fn an_approval_is_for_one_release_and_one_environment() {
    let project = waiting(UAT_GATE, &[("quinn", &["qa-lead", "manager"], ""), STAFF[1]], "").await;
    project.decide("quinn", "approve prod v1.0.0", &["--as", "qa-lead"]).expect(0);
    assert!(refused(&project, "uat").contains("0 of 1 by qa-lead; run"));
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    project.improve("alpha", "other");
    project.commit("fix: other");
    release(&project.context()).await.unwrap();
    assert!(refused(&project, "uat").contains("0 of 1 by qa-lead; run"), "what was approved is not what is newest");
    project.xtask(&["promote", "--to", "uat", "--release", "v1.0.0"]).expect(0);
    // One person counts in one role, and the other one is still lacking.
    project.decide("quinn", "approve prod v1.0.0", &[]).expect(0);
    let ran = project.xtask(&["promote", "--to", "prod"]).expect(4);
    let ran = ran.says("0 of 1 by product-owner").says("pia can");
    assert!(!ran.stderr.contains("by manager"), "{ran:?}");
    project.decide("pia", "approve prod v1.0.0", &[]).expect(0);
    project.xtask(&["promote", "--to", "prod"]).expect(0);
}

/// Nobody needs this tool to check who approved what.
#[tokio::test]
async fn openssh_believes_an_approval() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    let approved = project.decide("quinn", "approve uat v1.0.0", &["--json"]).expect(0).json();
    let signers = project.xtask(&["policy", "allowed-signers"]).expect(0).stdout;
    let aside = |name: &str, text: &str| {
        let path = project.repo().beside(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (signers, signature) = (aside("signers", &signers), aside("sig", approved["signature"].as_str().unwrap()));
    let statement = approved["statement"].as_str().unwrap();
    let believes = |who: &str, namespace: &str, statement: &str| {
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "verify", "-f", signers.as_str(), "-I", who, "-n", namespace, "-s", signature.as_str()]);
        let input = std::fs::File::open(aside("statement", statement)).unwrap();
        command.stdin(input).output().expect("these tests need `ssh-keygen`: install OpenSSH").status.success()
    };
    assert!(believes("quinn", "xtask-approval-uat", statement));
    assert!(!believes("pia", "xtask-approval-uat", statement));
    assert!(!believes("quinn", "xtask-approval-prod", statement));
    assert!(!believes("quinn", "xtask-approval-uat", &statement.replace("v1.0.0", "v1.0.1")));
}

/// What somebody decides, seen by a clock that is behind by so much.
async fn approve_ago(project: &Project, who: &str, ago: Duration) {
    let context = Context { clock: Arc::new(Ago(ago)), ..project.context() };
    let request = Request {
        environment: "uat".parse().unwrap(),
        release: "v1.0.0".parse().unwrap(),
        verdict: Verdict::Approve,
        role: None,
        comment: None,
    };
    let key = ssh::open(&project.key(who), &BTreeMap::new()).unwrap();
    decide::run(&context, &request, &*key).await.unwrap();
}

#[tokio::test]
async fn an_approval_expires() {
    let project = waiting(UAT_GATE, &STAFF, "[approvals]\nvalid_days = 3\n").await;
    approve_ago(&project, "quinn", DAY * 4).await;
    let found = refused(&project, "uat");
    assert!(
        found.contains("0 of 1 by qa-lead; the approval by quinn of") && found.contains("it expired at"),
        "{found}"
    );
    approve_ago(&project, "quinn", DAY * 2).await;
    project.xtask(&["promote", "--to", "uat", "--plan"]).expect(0);
    // Today's policy shortens what was signed under a more patient one.
    project.staff(&STAFF, "[approvals]\nvalid_days = 1\n");
    assert_eq!(refused(&project, "uat").matches("it expired at").count(), 2);
}

#[tokio::test]
async fn a_key_that_is_revoked_or_past_its_time_counts_no_more() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    let with = |of_key: &str| project.staff(&[("quinn", &["qa-lead"], of_key), STAFF[1], STAFF[2]], "");
    with(", revoked_at = \"2026-01-01T00:00:00Z\"");
    assert!(refused(&project, "uat").contains("is revoked since 2026-01-01T00:00:00.000Z"));
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(4).says("is revoked since");
    with(", valid_until = \"2026-01-01T00:00:00Z\"");
    assert!(refused(&project, "uat").contains("was not valid when it signed"));
    project.staff(&STAFF[1..], "");
    let found = refused(&project, "uat");
    assert!(found.contains("the policy knows no person `quinn`"), "{found}");
    assert!(
        found.contains("1 more with the role qa-lead who neither wrote nor released it must be in people.toml"),
        "{found}"
    );
    with("");
    project.xtask(&["promote", "--to", "uat"]).expect(0);
}
