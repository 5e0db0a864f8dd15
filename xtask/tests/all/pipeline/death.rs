//! A bad version dies in dev: live goes back, the ledger says why, the next number carries the fix.

use serde_json::{Value, json};

use crate::support::project::{Bad, Project};

/// Each kind of badness, what its death says, and what the log's tail says.
const DEATHS: [(Bad, &str, &str); 6] = [
    (Bad::Start, "before traffic: the function failed", "told to panic at the start"),
    (Bad::Init, "before traffic: the function failed: Fixture.Init: told to give up", "starting"),
    (Bad::Answer, "before traffic: expected \"beta\" at `/from` of the body, got \"nobody\"", "serving"),
    (Bad::Hang, "before traffic: the function failed", "Task timed out"),
    (Bad::Slow, "before traffic: expected an answer within 1200 ms, it took", "serving"),
    (Bad::TwoFaced, "through live: the answer is no API Gateway response", "serving"),
];

#[test]
fn every_bad_version_dies_and_leaves_live_as_it_was() {
    // Most of the time they only wait, so they wait together.
    std::thread::scope(|scope| {
        for death in DEATHS {
            scope.spawn(move || dies_and_is_fixed(death));
        }
    });
}

fn dies_and_is_fixed((bad, finding, log): (Bad, &str, &str)) {
    let project = Project::new();
    project.xtask(&["release"]).expect(0);
    let live = |project: &Project| -> Value { project.json(0, &["status"])["environments"].clone() };
    let before = live(&project);
    project.break_function("beta", bad);
    project.improve("alpha", "new");
    project.commit("feat: bad beta");
    let ran = project.xtask(&["release"]).expect(6);
    assert!(ran.stderr.contains("v1.1.0 died in dev: beta: smoke check `answers`"), "{bad:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(finding), "{bad:?}: {}", ran.stderr);
    assert!(ran.stderr.contains("v1.0.0 is live in dev"), "{bad:?}: {}", ran.stderr);
    assert_eq!(live(&project), before, "{bad:?}");
    project.xtask(&["verify", "--env", "dev"]).expect(0);

    let history = project.json(0, &["history", "--env", "dev"]);
    assert_eq!((&history[0]["kind"], &history[1]["kind"]), (&json!("died"), &json!("failed")));
    assert_eq!(history[0]["event"]["finding"], history[1]["event"]["finding"]);
    let back = history[1]["event"]["moves"].as_array().unwrap().len();
    assert_eq!(back, if matches!(bad, Bad::TwoFaced) { 2 } else { 0 }, "{bad:?}: all go back, if they had moved");
    let tail = history[1]["event"]["log"].as_str().unwrap();
    assert!(tail.contains(log), "{bad:?}: the log's tail is {tail}");
    let status = project.json(0, &["status", "--release", "v1.1.0"]);
    assert_eq!(status["environments"][0]["standing"], "dead");
    assert_eq!(status["environments"][0]["death"][1], history[0]["event"]["finding"]);

    let lasting = project.lasting();
    project.xtask(&["release"]).expect(3).says("dead");
    project.xtask(&["promote", "--to", "dev", "--release", "v1.1.0"]).expect(4).says("alive: it died in dev");
    project.xtask(&["promote", "--to", "qa", "--release", "v1.1.0"]).expect(4).says("alive: it died in dev");
    assert!(project.lasting() == lasting, "{bad:?}: what is dead was touched");
    assert_eq!(project.json(0, &["status"])["next"]["waits_for"], "a commit that fixes it");

    project.improve("beta", "fixed");
    project.commit("fix: beta");
    assert_eq!(project.json(0, &["release"])["release"], "v1.1.1");
    let now = live(&project);
    assert_eq!((&now[0]["live"]["release"], &now[1]["live"]["release"]), (&json!("v1.1.1"), &json!("v1.1.1")));
    assert_eq!(now[0]["live"]["functions"]["alpha"]["code"], now[1]["live"]["functions"]["alpha"]["code"]);
    project.xtask(&["audit", "verify"]).expect(0);
}

#[test]
fn a_first_deployment_that_dies_leaves_no_alias() {
    let project = Project::new();
    project.break_function("alpha", Bad::Answer);
    project.commit("feat: bad from the start");
    project.xtask(&["release"]).expect(6).says("nothing is live in dev");
    assert_eq!(project.json(0, &["status"])["environments"][0]["live"], Value::Null);
    for function in ["alpha-dev", "beta-dev"] {
        assert!(!project.local().join("fleet").join(function).join("aliases/live.json").exists());
    }
    project.xtask(&["verify", "--env", "dev"]).expect(4);
    project.heal("alpha");
    project.commit("docs: any commit after a death releases");
    assert_eq!(project.json(0, &["release"])["release"], "v1.0.1");
    project.xtask(&["audit", "verify"]).expect(0);
}
