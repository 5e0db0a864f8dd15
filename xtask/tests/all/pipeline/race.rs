//! Many at once: one wins, the others are told, and the vault stays sound.

use std::sync::Arc;

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
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
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
