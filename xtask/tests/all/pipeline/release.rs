//! From a commit to a sealed box that is live in dev and qa.

use std::process::Command;

use serde_json::Value;

use crate::support::project::{Project, tree};

/// Everything that the vault holds after a first release, and nothing else.
const VAULT: [&str; 19] = [
    "environments/dev/00000001.json",
    "environments/dev/00000002.json",
    "environments/dev/00000003.json",
    "environments/dev/00000004.json",
    "environments/dev/00000005.json",
    "environments/qa/00000001.json",
    "environments/qa/00000002.json",
    "environments/qa/00000003.json",
    "environments/qa/00000004.json",
    "environments/qa/00000005.json",
    "releases/00000001.json",
    "releases/00000002.json",
    "v1.0.0/SHA256SUMS",
    "v1.0.0/alpha.zip",
    "v1.0.0/beta.zip",
    "v1.0.0/manifest.json",
    "v1.0.0/provenance.intoto.jsonl",
    "v1.0.0/sbom/alpha.cdx.json",
    "v1.0.0/sbom/beta.cdx.json",
];

#[test]
fn one_command_ships_and_the_same_again_changes_nothing() {
    let project = Project::new();
    let ran = project.xtask(&["release", "--json"]).expect(0);
    let receipt = ran.json();
    assert_eq!(receipt["release"], "v1.0.0");
    assert_eq!(receipt["commit"], project.repo().head().to_string());
    let promoted: Vec<&Value> = receipt["promoted"].as_array().unwrap().iter().map(|p| &p["environment"]).collect();
    assert_eq!(promoted, ["dev", "qa"]);
    assert_eq!(receipt["status"]["next"]["environment"], "uat", "it stops at the first gate that needs a person");

    let vault = project.local().join("vault");
    let objects = tree(&vault);
    assert_eq!(objects.keys().map(String::as_str).collect::<Vec<_>>(), VAULT);
    let tool = |name: &str, args: &[&str]| {
        let ran = Command::new(name).args(args).current_dir(vault.join("v1.0.0")).output();
        let ran =
            ran.unwrap_or_else(|error| panic!("these tests need `{name}`: install coreutils and unzip ({error})"));
        assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    assert_eq!(
        tool("sha256sum", &["--strict", "-c", "SHA256SUMS"]),
        "alpha.zip: OK\nbeta.zip: OK\nprovenance.intoto.jsonl: OK\nsbom/alpha.cdx.json: OK\nsbom/beta.cdx.json: OK\n"
    );
    for artifact in ["alpha.zip", "beta.zip"] {
        assert!(tool("unzip", &["-t", artifact]).contains("No errors detected"));
    }
    assert!(
        tool("sha256sum", &["manifest.json"]).starts_with(&receipt["manifest"].as_str().unwrap()["sha256:".len()..])
    );
    assert_eq!(project.tags(), "local/v1.0.0");
    assert_eq!(project.repo().git(&["rev-parse", "local/v1.0.0^{commit}"]), project.repo().head().to_string());

    let before = project.lasting();
    project.xtask(&["release"]).expect(3).says("v1.0.0 already holds this commit");
    assert_eq!(project.json(3, &["release", "--plan"])["action"]["do"], "nothing");
    assert!(project.lasting() == before, "the second release changed something");
    assert_eq!(project.tags(), "local/v1.0.0");

    shows_where_is_what(&project, &receipt["manifest"]);
    assert!(tree(&vault) == objects, "looking wrote to the vault");
    let before = project.lasting();
    refuses_what_it_may_not(&project);
    assert!(project.lasting() == before, "refusing changed something");
}

fn shows_where_is_what(project: &Project, manifest: &Value) {
    let status = project.json(0, &["status"]);
    let environments = status["environments"].as_array().unwrap();
    let names: Vec<_> = environments.iter().map(|e| e["environment"].as_str().unwrap()).collect();
    assert_eq!(names, ["dev", "qa", "uat", "prod", "dr"]);
    for environment in &environments[..2] {
        let live = &environment["live"];
        assert_eq!((&live["release"], &live["verified"]), (&"v1.0.0".into(), &true.into()));
        assert_eq!(&live["manifest"], manifest);
        assert_eq!(live["functions"]["alpha"]["code"], environments[0]["live"]["functions"]["alpha"]["code"]);
    }
    assert!(environments[2..].iter().all(|e| e["live"].is_null()));
    for environment in ["dev", "qa"] {
        let verified = project.json(0, &["verify", "--env", environment]);
        assert!(verified["functions"].as_array().unwrap().iter().all(|f| f["verdict"] == "Correct"));
        assert_eq!(verified["smoke"].as_array().unwrap().len(), 2);
        let history = project.json(0, &["history", "--env", environment]);
        let kinds: Vec<_> = history.as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["verified", "shifted", "shifting", "staged", "claimed"], "newest first");
        let at = history[0]["time"].as_str().unwrap();
        assert_eq!(project.json(0, &["history", "--env", environment, "--at", at])["live"], "v1.0.0");
        let early = project.json(0, &["history", "--env", environment, "--at", "2020-01-01T00:00:00Z"]);
        assert_eq!(early["live"], Value::Null);
    }
    let one = project.json(0, &["status", "--release", "v1.0.0"]);
    let standings: Vec<_> = one["environments"].as_array().unwrap().iter().map(|e| &e["standing"]).collect();
    assert_eq!(standings, ["verified", "verified", "not yet", "not yet", "not yet"]);
    let audit = project.json(0, &["audit", "verify"]);
    assert_eq!((&audit["objects"], &audit["entries"], &audit["releases"]), (&19.into(), &12.into(), &1.into()));
    for text in
        [&["status"][..], &["status", "--release", "v1.0.0"], &["history", "--env", "dev"], &["audit", "verify"]]
    {
        let ran = project.xtask(text).expect(0);
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty() == (text[0] != "audit"), "{ran:?}");
    }
}

fn refuses_what_it_may_not(project: &Project) {
    let refused = project.json(4, &["promote", "--to", "uat"]);
    assert_eq!(refused["error"]["code"], 4);
    assert!(refused["error"]["message"].as_str().unwrap().contains("approval: 0 of 1 by qa-lead"), "{refused}");
    project
        .xtask(&["promote", "--to", "prod", "--release", "v1.0.0"])
        .expect(4)
        .says("order: it is not verified in uat");
    project.xtask(&["promote", "--to", "dr", "--release", "v1.0.0"]).expect(4).says("dr is the second region");
    project.xtask(&["promote", "--to", "qa", "--release", "v9.9.9"]).expect(4).says("v9.9.9 is not a sealed release");
    project.xtask(&["promote", "--to", "nowhere"]).expect(2).says("dev, qa, uat, prod, dr");
    project.xtask(&["verify", "--env", "nowhere"]).expect(2).says("dev, qa, uat, prod, dr");
    project.xtask(&["history", "--env", "nowhere"]).expect(2).says("dev, qa, uat, prod, dr");
    project.xtask(&["verify", "--env", "uat"]).expect(4).says("nothing is live in uat");
    project.xtask(&["promote", "--to", "dev", "--release", "1.0"]).expect(2);
    project.xtask(&["status", "--release", "v9.9.9"]).expect(4).says("the newest is v1.0.0");
    let again = project.json(0, &["promote", "--to", "dev"]);
    assert_eq!((&again["release"], &again["changed"]), (&"v1.0.0".into(), &false.into()));
}

#[test]
fn a_plan_writes_nothing_and_is_what_then_runs() {
    let project = Project::new();
    let all = || (tree(project.root()), project.tags());
    // The folder of local state hides itself from git on first use.
    project.xtask(&["status"]).expect(0);
    let before = all();
    let plan = project.json(0, &["release", "--plan"]);
    let until = project.json(0, &["release", "--plan", "--until", "sealed"]);
    assert_eq!((&plan["action"]["do"], &plan["action"]["version"]), (&"release".into(), &"v1.0.0".into()));
    assert_eq!(plan["through"], serde_json::json!(["dev", "qa"]));
    assert_eq!(plan["stops_at"]["environment"], "uat");
    assert_eq!(until["through"], serde_json::json!([]), "what is not run is not planned");
    assert_eq!(without_locks(all()), without_locks(before));

    let sealed = project.json(0, &["release", "--until", "sealed"]);
    assert_eq!((&sealed["release"], &sealed["commit"]), (&plan["action"]["version"], &plan["commit"]));
    assert_eq!(sealed["promoted"], serde_json::json!([]));
    assert!(!project.local().join("fleet").exists() && !project.local().join("vault/environments").exists());

    project.xtask(&["promote", "--to", "qa"]).expect(4).says("no release is verified in dev");
    project.xtask(&["promote", "--to", "qa", "--release", "v1.0.0"]).expect(4).says("order: it is not verified in dev");
    for environment in ["dev", "qa"] {
        let before = all();
        let plan = project.json(0, &["promote", "--to", environment, "--plan"]);
        assert_eq!(without_locks(all()), without_locks(before));
        assert!(plan["functions"].as_array().unwrap().iter().all(|f| f["action"] == "create"), "{plan}");
        let promoted = project.json(0, &["promote", "--to", environment]);
        assert_eq!((&promoted["release"], &promoted["manifest"]), (&plan["release"], &plan["manifest"]));
        assert_eq!(promoted["changed"], true);
    }
    goes_forward_only(&project);
}

fn goes_forward_only(project: &Project) {
    project.improve("beta", "better");
    project.commit("fix: beta");
    let plan = project.json(0, &["release", "--plan"]);
    assert_eq!(plan["action"]["version"], "v1.0.1");
    project.xtask(&["release"]).expect(0);
    project.xtask(&["promote", "--to", "dev", "--release", "v1.0.0"]).expect(4).says("forward: v1.0.1 is live in dev");
    let status = project.json(0, &["status"]);
    let functions = &status["environments"][0]["live"]["functions"];
    assert_eq!((&functions["alpha"]["version"], &functions["beta"]["version"]), (&1.into(), &2.into()));
}

/// Locks are taken by a plan, too: it must know whether someone else is releasing.
fn without_locks<K>((mut files, tags): (std::collections::BTreeMap<String, Vec<u8>>, K)) -> (Vec<String>, K) {
    files.retain(|name, _| !name.starts_with(".local/locks/"));
    let name_and_bytes =
        |(name, bytes): (String, Vec<u8>)| format!("{name} {}", xtask::model::digest::Digest::of(&bytes));
    (files.into_iter().map(name_and_bytes).collect(), tags)
}

#[test]
fn what_is_not_there_yet_is_said() {
    let project = Project::new();
    assert_eq!(project.json(0, &["status"])["newest"], Value::Null);
    project.xtask(&["promote", "--to", "dev"]).expect(4).says("run `cargo xtask release`");
    project.xtask(&["promote", "--to", "dev", "--release", "v1.0.0"]).expect(4).says("nothing is released yet");
    project.xtask(&["verify", "--env", "dev"]).expect(4).says("nothing is live in dev");
    assert_eq!(project.json(0, &["history", "--env", "dev"]), serde_json::json!([]));
    assert_eq!(project.json(0, &["audit", "verify"])["objects"], 0);
    project.repo().write("functions/alpha/src/main.rs", "fn main() { no }");
    project.commit("feat: does not compile");
    project.xtask(&["release"]).expect(1).says("failed to build alpha, beta");
    project.xtask(&["status"]).expect(0);
}
