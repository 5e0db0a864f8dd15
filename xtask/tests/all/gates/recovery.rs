//! The second region: an equal mirror, fed again and again, and no danger to the first.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use xtask::{
    context::Context,
    engine::{dr, promote::rollback::Request},
};

use super::{UAT_GATE, live, waiting};
use crate::support::{
    faults::{Fate, How},
    people::STAFF,
    project::{Project, put_back, tree},
    world::{code, release},
};

/// Every object of a vault. The second region's own chain is in both.
fn vault(project: &Project, region: &str) -> BTreeMap<String, Vec<u8>> {
    tree(&project.local().join(region))
}

/// Whether the second region's vault equals the first's, byte by byte.
#[track_caller]
pub(super) fn mirrored(project: &Project) {
    let (first, second) = (vault(project, "vault"), vault(project, "dr/vault"));
    let names = |vault: &BTreeMap<String, _>| vault.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&first), names(&second));
    assert!(first == second, "some bytes differ");
}

#[tokio::test]
async fn the_mirror_is_equal_and_a_second_time_changes_nothing() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.xtask(&["dr-sync"]).expect(4).says("nothing is verified in prod yet; run `cargo xtask promote --to prod`");
    project.xtask(&["dr-sync", "--release", "v1.0.0"]).expect(4).says("v1.0.0 is not verified in prod; run");
    project.xtask(&["promote", "--to", "dr"]).expect(4).says("run `cargo xtask dr-sync`");
    live(&project, "v1.0.0");
    let before = project.lasting();
    let plan = project.json(0, &["dr-sync", "--plan"]);
    let expected =
        json!({ "environment": "dr", "follows": "prod", "release": "v1.0.0", "passes_over": [], "synced": false });
    assert_eq!(plan, expected);
    assert!(project.lasting() == before, "a plan writes nothing");
    let synced = project.json(0, &["dr-sync"]);
    assert_eq!((&synced["release"], &synced["changed"]), (&json!("v1.0.0"), &json!(true)));
    mirrored(&project);
    let after = project.lasting();
    assert_eq!(project.json(0, &["dr-sync"])["changed"], false);
    assert!(project.lasting() == after, "a second time changes something");
    assert_eq!(project.json(0, &["dr-sync", "--plan"])["synced"], true);
    assert_eq!(project.json(0, &["status"])["releases"][0]["cells"], json!(["live", "live", "live", "live", "synced"]));
    project.xtask(&["verify", "--env", "dr"]).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test]
async fn several_behind_it_goes_to_the_newest() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    live(&project, "v1.0.0");
    project.xtask(&["dr-sync"]).expect(0);
    for version in ["v1.0.1", "v1.0.2"] {
        project.improve("alpha", version);
        project.commit("fix: alpha");
        release(&project.context()).await.unwrap();
        live(&project, version);
    }
    assert_eq!(project.json(0, &["dr-sync", "--plan"])["passes_over"], json!(["v1.0.1"]));
    let ran = project.xtask(&["dr-sync"]).expect(0).says("v1.0.1 is passed over: v1.0.2 goes straight there");
    assert!(ran.stdout.starts_with("v1.0.2 is Globally Synced"));
    mirrored(&project);
    project.xtask(&["dr-sync", "--release", "v1.0.1"]).expect(4).says("forward: v1.0.2 is live in dr, which is newer");
    mirrored(&project);
    project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test]
async fn what_fails_there_kills_nothing_and_is_tried_again() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    live(&project, "v1.0.0");
    project.spoil_data("dr");
    for _ in 0..2 {
        let ran =
            project.xtask(&["dr-sync"]).expect(8).says("v1.0.0 did not get into dr: alpha: smoke check `answers`");
        ran.says("run the same command again");
        assert_eq!(project.json(0, &["graveyard"]), json!([]));
        project.xtask(&["verify", "--env", "prod"]).expect(0);
        assert_eq!(project.json(0, &["status"])["releases"][0]["cells"][3], "live");
        mirrored(&project);
    }
    std::fs::remove_dir_all(project.local().join("data")).unwrap();
    project.xtask(&["dr-sync"]).expect(0);
    project.xtask(&["verify", "--env", "dr"]).expect(0);
    mirrored(&project);
    let kinds = project.json(0, &["history", "--env", "dr"]);
    let kinds: Vec<_> = kinds.as_array().unwrap().iter().filter_map(|entry| entry["kind"].as_str()).rev().collect();
    let failed = ["claimed", "staged", "failed", "abandoned"];
    assert_eq!(kinds[..8], [failed, failed].concat());
    assert_eq!(kinds.last(), Some(&"synced"));
    project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test]
async fn what_fails_there_leaves_the_one_before_live() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    live(&project, "v1.0.0");
    project.xtask(&["dr-sync"]).expect(0);
    project.improve("alpha", "new");
    project.commit("fix: new");
    release(&project.context()).await.unwrap();
    live(&project, "v1.0.1");
    project.spoil_data("dr");
    project.xtask(&["dr-sync"]).expect(8).says("v1.0.0 is live");
    let status = project.json(0, &["status"]);
    assert_eq!(status["releases"][0]["cells"], json!(["live", "live", "live", "live", "-"]));
    assert_eq!(status["releases"][1]["cells"][4], "synced");
}

/// Whatever happens in the second region itself, once; of what is brought there and back, the first of each folder.
fn telling(fate: &Fate) -> Vec<usize> {
    let (mut calls, mut folders) = (BTreeSet::new(), BTreeSet::new());
    let telling = |at: &usize| {
        let call = fate.called(*at);
        let folder = call.rsplit_once('/').map_or_else(|| call.clone(), |(folder, _)| folder.to_owned());
        let there = !call.starts_with("note") && call.contains("dr");
        let again = !calls.insert(call);
        (there && !again) || folders.insert((folder, again))
    };
    fate.effects().into_iter().filter(telling).collect()
}

/// Killed after each thing that it does to the world, the same command ends as if nothing had been.
async fn killed_anywhere(project: &Project, command: impl AsyncFn(&Context) -> anyhow::Result<()>, again: &[u8]) {
    let beginning = tree(project.local());
    let fate = Fate::new(How::Undisturbed, 0);
    command(&fate.over(project.context())).await.unwrap();
    let effects = telling(&fate);
    assert!((10..40).contains(&effects.len()), "{} effects", effects.len());
    let names = |project: &Project| vault(project, "dr/vault").into_keys().collect::<Vec<_>>();
    let expected = names(project);
    for at in effects {
        put_back(project.local(), &beginning);
        let fate = Fate::new(How::KilledAfter, at);
        let killed = command(&fate.over(project.context())).await;
        let what = format!("killed after {}", fate.struck());
        assert!(killed.is_err(), "{what}");
        let next = command(&project.context()).await;
        assert!(again.contains(&code(&next)), "{what}: {next:?}");
        assert_eq!(names(project), expected, "{what}");
        mirrored(project);
    }
}

#[tokio::test]
async fn a_synchronisation_is_killed_anywhere() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    live(&project, "v1.0.0");
    let sync = async |context: &Context| {
        let plan = dr::plan(context, None).await?;
        dr::run(context, &plan).await.map(drop)
    };
    killed_anywhere(&project, sync, &[0]).await;
}

#[tokio::test]
async fn the_way_back_there_is_killed_anywhere() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    live(&project, "v1.0.0");
    project.xtask(&["dr-sync"]).expect(0);
    project.improve("alpha", "new");
    project.commit("fix: new");
    release(&project.context()).await.unwrap();
    live(&project, "v1.0.1");
    project.xtask(&["dr-sync"]).expect(0);
    project.xtask(&["rollback", "--env", "prod"]).expect(0);
    let back =
        async |context: &Context| dr::run_back(context, Request { from: None, reason: "because" }).await.map(drop);
    killed_anywhere(&project, back, &[0]).await;
}
