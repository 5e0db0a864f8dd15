//! What is found bad where it was verified before passes on to nowhere, until it is well again.

use std::{fs, time::Duration};

use serde_json::{Value, json};
use xtask::{
    engine::{audit, facts},
    model::{entry::ChainName, environment::EnvironmentEvent},
};

use super::{UAT_GATE, live, recovery::mirrored, waiting};
use crate::{
    reviews::audit::typed,
    support::{
        people::STAFF,
        project::Project,
        vaults::{append, entered, sealed},
        world::Hand,
    },
};

const UAT: [&str; 3] = ["promote", "--to", "uat"];
const QA: [&str; 3] = ["verify", "--env", "qa"];

/// Points an alias of qa to a version that is none, and says how to undo that.
fn broken(project: &Project, function: &str) -> impl FnOnce() + use<> {
    let path = project.local().join("fleet").join(function).join("aliases/live.json");
    let before = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    move || fs::write(path, before).unwrap()
}

fn kinds(project: &Project, environment: &str) -> Vec<Value> {
    let history = project.json(0, &["history", "--env", environment]);
    let kinds = history.as_array().unwrap().iter().rev().map(|entry| entry["kind"].clone());
    kinds.skip_while(|kind| kind != "verified").skip(1).collect()
}

async fn approved() -> Project {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    project
}

#[tokio::test]
async fn it_stays_until_it_is_well() {
    let project = approved().await;
    project.xtask(&QA).expect(0);
    let mend = broken(&project, "alpha-qa");
    project.xtask(&[&QA[..], &["--plan"]].concat()).expect(5);
    assert_eq!(kinds(&project, "qa"), [""; 0], "what is well, and a plan, write nothing");
    for _ in 0..2 {
        project.xtask(&QA).expect(5).says("alpha-qa (alias Missing");
    }
    assert_eq!(kinds(&project, "qa"), ["reverified"], "the same is said once");
    let found = "its newest verification in qa, at 2";
    let ran = project.xtask(&UAT).expect(4).says(&format!("- order: {found}"));
    ran.says("failed: alpha-qa (alias Missing: expected version 1, found nothing)").says("cargo xtask verify --env qa");
    let status = project.xtask(&["status"]).expect(0);
    assert!(status.stdout.contains("qa: its newest verification, at 2"), "{status:?}");
    assert!(status.stdout.contains("v1.0.0 waits at uat: order its newest verification in qa"), "{status:?}");
    assert_eq!(project.json(0, &["graveyard"]), json!([]), "it is not dead");
    // Nothing breaks that glass, and what is elsewhere is as it was.
    project.xtask(&["verify", "--env", "dev"]).expect(0);
    mend();
    project.xtask(&UAT).expect(4);
    project.xtask(&QA).expect(0);
    project.xtask(&QA).expect(0);
    assert_eq!(kinds(&project, "qa"), ["reverified"; 2]);
    let history = project.xtask(&["history", "--env", "qa"]).expect(0);
    assert!(history.stdout.contains("all is well again"), "{history:?}");
    project.xtask(&UAT).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
    let (folder, signers) = (project.repo().beside("packed"), project.repo().beside("signers"));
    project.xtask(&["audit", "pack", "v1.0.0", "--out", folder.as_str()]).expect(0);
    fs::write(&signers, project.xtask(&["audit", "signers"]).expect(0).stdout).unwrap();
    typed(&folder, &signers).expect(0);
}

/// Wrong answers do, too; and promoting it once more proves it as well as verifying does.
#[tokio::test]
async fn whatever_was_wrong() {
    let project = approved().await;
    project.spoil_data("qa");
    project.xtask(&QA).expect(10);
    project.xtask(&UAT).expect(4).says("check `answers` Incorrect");
    fs::remove_dir_all(project.local().join("data")).unwrap();
    project.xtask(&QA).expect(0);
    project.xtask(&[&UAT[..], &["--plan"]].concat()).expect(0);
    drop(broken(&project, "beta-qa"));
    project.xtask(&QA).expect(5);
    project.xtask(&UAT).expect(4);
    project.xtask(&["promote", "--to", "qa", "--release", "v1.0.0"]).expect(0);
    project.xtask(&UAT).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
}

/// Whoever cannot write it down is told so, and the verdict is the same.
#[tokio::test]
async fn without_the_key_it_is_told() {
    let project = approved().await;
    let key = project.local().join("keys/deployer-qa");
    let aside = project.repo().beside("key");
    fs::rename(&key, &aside).unwrap();
    let mend = broken(&project, "alpha-qa");
    let ran = project.xtask(&QA).expect(5).says("warning  what was found is not recorded, so the gate behind qa");
    ran.says("is not signed by deployer-qa").says("alpha-qa (alias Missing");
    project.xtask(&[&UAT[..], &["--plan"]].concat()).expect(0);
    fs::rename(&aside, &key).unwrap();
    // Nor does anyone write into somebody's promotion.
    let context = project.context();
    let release = "v1.0.0".parse().unwrap();
    let (_, manifest) = facts::manifest(&context, release).await.unwrap();
    let claimed = EnvironmentEvent::Claimed {
        machine: context.machine.clone(),
        expires: context.clock.now(),
        took_over: None,
        rollback: None,
    };
    append(&context, &ChainName::Environment("qa".parse().unwrap()), release, Some(manifest), claimed).await;
    project.xtask(&QA).expect(5).says("is not recorded").says("qa is being changed");
    mend();
}

/// The second region's chain is its own, and repeated in the first.
#[tokio::test]
async fn in_the_second_region() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    live(&project, "v1.0.0");
    project.xtask(&["dr-sync"]).expect(0);
    let path = project.local().join("dr/fleet/alpha-dr/aliases/live.json");
    let before = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    project.xtask(&["verify", "--env", "dr"]).expect(5);
    mirrored(&project);
    fs::write(&path, before).unwrap();
    project.xtask(&["verify", "--env", "dr"]).expect(0);
    mirrored(&project);
    assert_eq!(kinds(&project, "dr"), ["synced", "reverified", "reverified"]);
    // What goes there has to be well where it comes from.
    let mend = broken(&project, "alpha-prod");
    project.xtask(&["verify", "--env", "prod"]).expect(5);
    project.improve("alpha", "new");
    project.xtask(&["status"]).expect(0);
    mend();
    project.xtask(&["audit", "verify"]).expect(0);
}

/// Whoever holds the next deployer's key may let it in all the same; the audit says so, unless clocks explain it.
#[tokio::test]
async fn the_audit_asks_again() {
    for (minutes_after, mended, expected) in [(60, false, 1), (4, false, 0), (60, true, 0)] {
        let project = Project::new();
        project.people(&STAFF, "");
        let clock = Hand::new();
        let context = project.context_at(&clock, None);
        let version = "v1.0.0".parse().unwrap();
        let manifest = sealed(&context, version, project.repo().head(), Vec::new()).await;
        entered(&context, "dev", version, manifest).await;
        context.clock.sleep(Duration::from_secs(3600)).await;
        let dev = ChainName::Environment("dev".parse().unwrap());
        let found = |finding: Option<&str>| EnvironmentEvent::Reverified { finding: finding.map(str::to_owned) };
        append(&context, &dev, version, Some(manifest), found(Some("wrong bytes"))).await;
        if mended {
            append(&context, &dev, version, Some(manifest), found(None)).await;
        }
        context.clock.sleep(Duration::from_secs(60 * minutes_after)).await;
        entered(&context, "qa", version, manifest).await;
        let findings = audit::run(&context).await.unwrap().findings;
        assert_eq!(findings.len(), expected, "{minutes_after} {mended}: {findings:?}");
        let named = |finding: &audit::AuditFinding| {
            finding.object == "environments/qa/00000003.json" && finding.found.contains("failed: wrong bytes")
        };
        assert!(findings.iter().all(named), "{findings:?}");
    }
}
