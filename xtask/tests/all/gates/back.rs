//! The way back: at once, pinned, and what it leaves behind is dead.

use serde_json::json;
use xtask::engine::promote::rollback;

use super::{UAT_GATE, live, recovery::mirrored, waiting};
use crate::support::{
    faults::{Fate, How},
    people::STAFF,
    project::{Project, put_back, tree},
    world::{promote_to, release},
};

/// v1.0.0 to `last` were live in prod, one after the other; each differs in alpha.
async fn in_prod(last: u32) -> Project {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    live(&project, "v1.0.0");
    for patch in 1..=last {
        next(&project, &format!("v1.0.{patch}")).await;
        live(&project, &format!("v1.0.{patch}"));
    }
    project
}

/// Another release, in qa.
async fn next(project: &Project, version: &str) {
    project.improve("alpha", version);
    project.commit("fix: alpha");
    assert_eq!(release(&project.context()).await.unwrap().release.to_string(), version);
}

fn cells(project: &Project) -> serde_json::Value {
    let status = project.json(0, &["status"]);
    let rows = status["releases"].as_array().unwrap().iter().map(|row| (row["release"].clone(), row["cells"].clone()));
    rows.map(|(release, cells)| json!([release, cells])).collect()
}

#[tokio::test]
async fn it_goes_to_the_newest_earlier_living_release_and_pins_it() {
    let project = in_prod(2).await;
    let before = project.lasting();
    let plan = project.json(0, &["rollback", "--env", "prod", "--reason", "prices are wrong", "--plan"]);
    assert_eq!(
        (&plan["to"], &plan["from"]),
        (&json!("v1.0.1"), &json!({ "release": "v1.0.2", "reason": "prices are wrong" }))
    );
    assert!(project.lasting() == before, "a plan writes nothing");
    let ran = project.xtask(&["rollback", "--env", "prod", "--reason", "prices are wrong"]).expect(0);
    assert!(ran.stdout.starts_with("v1.0.1 is back in prod; v1.0.2 is dead\n"), "{ran:?}");
    project.xtask(&["verify", "--env", "prod"]).expect(0);
    assert_eq!(
        cells(&project),
        json!([
            ["v1.0.2", ["live", "live", "live", "dead", "-"]],
            ["v1.0.1", ["verified", "verified", "verified", "pinned", "-"]],
            ["v1.0.0", ["verified", "verified", "verified", "verified", "-"]],
        ])
    );
    let grave = &project.json(0, &["graveyard"])[0];
    assert_eq!(
        (&grave["release"], &grave["environment"], &grave["replaced_by"]),
        (&json!("v1.0.2"), &json!("prod"), &json!(null))
    );
    assert_eq!(grave["finding"], "rolled back: prices are wrong");
    for to in ["dev", "qa", "uat", "prod"] {
        project.xtask(&["promote", "--to", to, "--release", "v1.0.2"]).expect(4).says("alive: it died in prod");
    }
    project.decide("pia", "approve prod v1.0.2", &[]).expect(4).says("dead stays dead");

    // The same command again goes no further back: who is unsure may repeat it.
    let lasting = project.lasting();
    for args in [&["rollback", "--env", "prod"][..], &["rollback", "--env", "prod", "--from", "v1.0.2"]] {
        let ran = project.xtask(args).expect(0);
        assert!(ran.stdout.starts_with("v1.0.1 is back in prod already, in place of v1.0.2"), "{ran:?}");
    }
    project.xtask(&["rollback", "--env", "prod", "--from", "v1.0.0"]).expect(4).says("v1.0.0 is not live in prod");
    assert!(project.lasting() == lasting);
    project.xtask(&["rollback", "--env", "prod", "--from", "v1.0.1"]).expect(0);
    let ran = project.xtask(&["rollback", "--env", "prod", "--from", "v1.0.0"]).expect(4);
    let ran = ran.says("no release before v1.0.0 was verified in prod and is still alive");
    ran.says("fix forward: commit a fix and run `cargo xtask release`");
    project.xtask(&["promote", "--to", "prod"]).expect(4).says("alive: it died in prod");

    // A newer release takes the pin away.
    next(&project, "v1.0.3").await;
    live(&project, "v1.0.3");
    let status = project.json(0, &["status"]);
    assert_eq!(status["environments"][3]["pin"], json!(null));
    assert_eq!(cells(&project)[0], json!(["v1.0.3", ["live", "live", "live", "live", "-"]]));
    // The way back from there jumps over the dead ones.
    assert_eq!(project.json(0, &["rollback", "--env", "prod", "--plan"])["to"], "v1.0.0");
    project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test]
async fn where_nothing_is_behind_there_is_no_way_back() {
    let project = in_prod(0).await;
    let before = project.lasting();
    let ran = project.xtask(&["rollback", "--env", "prod"]).expect(4);
    ran.says("no release before v1.0.0 was verified in prod and is still alive; fix forward");
    project.xtask(&["rollback", "--env", "dr"]).expect(4).says("nothing is live in dr");
    project.xtask(&["rollback", "--env", "moon"]).expect(2).says("there is no environment `moon`");
    assert!(project.lasting() == before);
    project.xtask(&["verify", "--env", "prod"]).expect(0);
}

/// The way back is proven like the way forward. What fails on it kills nothing more than what had to go.
#[tokio::test]
async fn what_fails_on_the_way_back_is_unfinished() {
    let project = in_prod(1).await;
    project.spoil_data("prod");
    project.xtask(&["rollback", "--env", "prod"]).expect(8).says("run the same command again");
    assert_eq!(project.json(0, &["status"])["environments"][3]["live"]["release"], "v1.0.1");
    assert_eq!(project.json(0, &["graveyard"]), json!([]));
    std::fs::remove_dir_all(project.local().join("data")).unwrap();
    project.xtask(&["rollback", "--env", "prod"]).expect(0);
    project.xtask(&["verify", "--env", "prod"]).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
}

/// In the mixed window callers get some of each. The way back leads to what was whole, which does not die of it.
#[tokio::test]
async fn it_leads_out_of_an_interrupted_shift() {
    let project = in_prod(1).await;
    next(&project, "v1.0.2").await;
    project.decide("quinn", "approve uat v1.0.2", &[]).expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(0);
    project.decide("pia", "approve prod v1.0.2", &[]).expect(0);
    project.decide("max", "approve prod v1.0.2", &[]).expect(0);
    let (prod, version) = ("prod".parse().unwrap(), "v1.0.2".parse().unwrap());
    let beginning = tree(project.local());
    let fate = Fate::new(How::Undisturbed, 0);
    promote_to(&fate.over(project.context()), &prod, version).await.unwrap();
    put_back(project.local(), &beginning);
    let fate = Fate::new(How::KilledAfter, fate.place("update alias of alpha-prod"));
    promote_to(&fate.over(project.context()), &prod, version).await.unwrap_err();

    let context = project.context();
    let (plan, manifest) =
        rollback::plan(&context, &prod, rollback::Request { from: None, reason: "half of it" }).await.unwrap();
    assert_eq!((plan.from.release, plan.to.to_string().as_str()), (version, "v1.0.1"));
    rollback::run(&context, &plan, &manifest).await.unwrap();
    assert_eq!(cells(&project)[0], json!(["v1.0.2", ["live", "live", "live", "dead", "-"]]));
    assert_eq!(cells(&project)[1][1][3], "pinned");
    project.xtask(&["verify", "--env", "prod"]).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
}

/// The second region follows prod on its way back, too, and then forward again. Its own vault tells that as the first does.
#[tokio::test]
async fn the_second_region_follows() {
    let project = in_prod(1).await;
    project.xtask(&["dr-sync", "--release", "v1.0.0"]).expect(0);
    project.xtask(&["dr-sync"]).expect(0);
    let lasting = project.lasting();
    let ran = project.xtask(&["rollback", "--env", "dr"]).expect(4);
    ran.says("v1.0.1 is live in prod, which dr follows").says("run `cargo xtask rollback --env prod` first");
    assert!(project.lasting() == lasting, "what is live in prod must not die by what is done in dr");
    project.xtask(&["rollback", "--env", "prod"]).expect(0);
    assert_eq!(project.json(0, &["rollback", "--env", "dr", "--plan"])["to"], "v1.0.0");
    let beginning = tree(project.local());
    for way in [&["rollback", "--env", "dr"][..], &["dr-sync"]] {
        put_back(project.local(), &beginning);
        project.xtask(way).expect(0);
        mirrored(&project);
        project.xtask(&["verify", "--env", "dr"]).expect(0);
        project.xtask(&["dr-sync"]).expect(0);
    }
    let told = [["v1.0.1", "dead", "verified"], ["v1.0.0", "pinned", "synced"]];
    let cells = cells(&project);
    for (row, [release, prod, dr]) in told.iter().enumerate() {
        assert_eq!(json!([cells[row][0], cells[row][1][3], cells[row][1][4]]), json!([release, prod, dr]));
    }
    mirrored(&project);
    next(&project, "v1.0.2").await;
    live(&project, "v1.0.2");
    project.xtask(&["dr-sync"]).expect(0);
    mirrored(&project);
    project.xtask(&["audit", "verify"]).expect(0);
}
