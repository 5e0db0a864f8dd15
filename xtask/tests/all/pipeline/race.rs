//! Many at once: one wins, the others are told, and the vault stays sound.

use std::{process::Stdio, sync::Arc};

use xtask::{
    context::Context,
    ports::lock::{Guard, Locks},
};

use crate::support::{
    project::{Project, Ran},
    world::{code, release},
};

const RACERS: usize = 8;

#[test]
fn of_many_releases_at_once_one_wins() {
    let project = Project::new();
    let clones: Vec<_> = (0..RACERS).map(|n| project.in_clone(&format!("clone-{n}"))).collect();
    let racing: Vec<_> = clones
        .iter()
        .map(|clone| {
            let mut command = project.command(clone, &["release", "--json"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let ran: Vec<Ran> = racing.into_iter().map(|racer| Ran::of(racer.wait_with_output().unwrap())).collect();
    // Whoever comes when all is done, but not yet seen to be done, has nothing left to do: that is no second winner.
    let won = ran.iter().filter(|ran| ran.code == 0 && ran.json()["promoted"] != serde_json::json!([])).count();
    assert_eq!(won, 1, "{ran:#?}");
    for lost in ran.iter().filter(|ran| ran.code != 0) {
        assert!([3, 4, 7].contains(&lost.code), "{lost:?}");
        assert!(lost.stderr.contains("released") || lost.stderr.contains("wait for it to end"), "{}", lost.stderr);
    }
    let status = project.json(0, &["status"]);
    assert_eq!((&status["newest"]["version"], &status["open"]), (&"v1.0.0".into(), &serde_json::Value::Null));
    let audit = project.json(0, &["audit", "verify"]);
    assert_eq!((&audit["releases"], &audit["entries"]), (&1.into(), &12.into()), "nothing was done twice");
    project.xtask(&["release"]).expect(3);
}

#[test]
fn of_many_promotions_into_one_environment_one_wins() {
    let project = Project::new();
    let releases: Vec<String> = (0..RACERS)
        .map(|n| {
            project.improve("alpha", &n.to_string());
            project.commit("fix: alpha");
            project.json(0, &["release", "--until", "sealed"])["release"].as_str().unwrap().to_owned()
        })
        .collect();
    let racing: Vec<_> = releases
        .iter()
        .map(|release| {
            let clone = project.in_clone(release);
            let mut command = project.command(&clone, &["promote", "--to", "dev", "--release", release, "--json"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let ran: Vec<Ran> = racing.into_iter().map(|racer| Ran::of(racer.wait_with_output().unwrap())).collect();
    let won: Vec<&String> = releases.iter().zip(&ran).filter(|(_, ran)| ran.code == 0).map(|(won, _)| won).collect();
    // Whoever came when the first was done already, with a newer release, is no second winner of the same race.
    let entries = project.json(0, &["history", "--env", "dev"]).as_array().unwrap().len();
    assert!(!won.is_empty() && entries == 5 * won.len(), "{won:?} won, with {entries} entries: {ran:#?}");
    for lost in ran.iter().filter(|ran| ran.code != 0) {
        assert!([4, 7].contains(&lost.code), "{lost:?}");
        let told = ["is newer", "dev is held by ada@", "dev is being claimed by another process"];
        assert!(told.iter().any(|told| lost.stderr.contains(told)), "{}", lost.stderr);
    }
    let status = project.json(0, &["status"]);
    assert_eq!(status["environments"][0]["live"]["release"], won.last().unwrap().as_str());
    project.xtask(&["verify", "--env", "dev"]).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
}

/// The locks of a machine of one's own: nobody else is there.
struct Alone;

impl Locks for Alone {
    fn try_lock(&self, _name: &str) -> anyhow::Result<Option<Guard>> {
        Ok(Some(Guard::new(())))
    }

    fn is_held(&self, _name: &str) -> anyhow::Result<bool> {
        Ok(false)
    }
}

/// Without a common lock only the vault itself is between them.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_many_machines_at_once_one_wins() {
    for _ in 0..5 {
        let project = Project::new();
        let machines: Vec<_> = (0..RACERS)
            .map(|n| {
                let machine = format!("machine-{n}");
                let actor = format!("ada@{machine}");
                let context = Context { machine, actor, locks: Arc::new(Alone), ..project.context() };
                tokio::spawn(async move { release(&context).await })
            })
            .collect();
        let mut won = 0;
        for machine in machines {
            let ended = machine.await.unwrap();
            assert!([0, 3, 7].contains(&code(&ended)), "{ended:?}");
            won += u32::from(ended.is_ok());
        }
        assert!(won >= 1);
        project.xtask(&["release"]).expect(3);
        let audit = project.json(0, &["audit", "verify"]);
        assert_eq!((&audit["releases"], &audit["entries"]), (&1.into(), &12.into()), "nothing was done twice");
    }
}
