//! The policy: who may decide, freezes, and the emergency stop.

use std::fs;

use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use super::{UAT_GATE, waiting};
use crate::support::{
    faults::{Fate, How},
    people::STAFF,
    project::{Project, RELEASE, put_back, tree},
    world::{code, promote_to, release},
};

#[tokio::test]
async fn a_stop_blocks_everything_until_it_is_resumed() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    let stopped = project.json(0, &["policy", "stop", "a leak"]);
    assert_eq!(stopped["reason"], "a leak");
    // A second one does not hide the first.
    assert_eq!(project.json(0, &["policy", "stop", "again"])["reason"], "a leak");
    let remedy = "when the emergency is over, run `cargo xtask policy resume \"<reason>\"`";
    project
        .xtask(&["promote", "--to", "uat"])
        .expect(4)
        .says("stop: emergency stop by ada@")
        .says(": a leak")
        .says(remedy);
    project.improve("alpha", "new");
    project.commit("fix: new");
    project.xtask(&["release"]).expect(4).says("the gate of dev refuses v1.0.1:\n  - stop:");
    // A new policy does not end it.
    project.staff(&STAFF, "[approvals]\nvalid_days = 2\n");
    for to in ["dev", "qa", "uat"] {
        project.xtask(&["promote", "--to", to, "--release", "v1.0.1"]).expect(4).says("emergency stop");
    }
    project.xtask(&["policy", "resume", "mended", "--plan"]).expect(2).says("has no plan");
    assert_eq!(project.json(0, &["policy", "resume", "mended"]), json!({ "stop": null }));
    project.xtask(&["promote", "--to", "uat", "--release", "v1.0.0"]).expect(0);
    project.people(&STAFF, "");
    project.xtask(&["release"]).expect(0);
    project.xtask(&["policy", "resume"]).expect(2);
    project.xtask(&["audit", "verify"]).expect(0);
}

/// The gate is asked again right before the shift: what holds then decides.
#[tokio::test]
async fn what_closes_the_gate_meanwhile_takes_the_promotion_back() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    let (uat, version) = ("uat".parse().unwrap(), "v1.0.0".parse().unwrap());
    let beginning = tree(project.local());
    let fate = Fate::new(How::Undisturbed, 0);
    promote_to(&fate.over(project.context()), &uat, version).await.unwrap();
    let staged = fate.place("create environments/uat/00000002.json");
    for (closes, says) in [
        (&["policy", "stop", "a leak"][..], "emergency stop"),
        (
            &["revoke", "--to", "uat", "--release", "v1.0.0", "--key", project.key("quinn").as_str()],
            "revoked by themselves",
        ),
        (&["reject", "--to", "uat", "--release", "v1.0.0", "--key", project.key("quinn").as_str()], "rejected for uat"),
    ] {
        put_back(project.local(), &beginning);
        promote_to(&Fate::new(How::KilledAfter, staged).over(project.context()), &uat, version).await.unwrap_err();
        project.xtask(closes).expect(0);
        let refused = promote_to(&project.context(), &uat, version).await;
        assert_eq!(code(&refused), 4, "{refused:?}");
        assert!(format!("{refused:?}").contains(says), "{refused:?}");
        let history = project.json(0, &["history", "--env", "uat"]);
        assert_eq!((&history[0]["kind"], &history[0]["live"]), (&json!("abandoned"), &json!(null)));
        assert!(!project.local().join("fleet/alpha-uat/aliases/live.json").exists());
        project.xtask(&["audit", "verify"]).expect(0);
    }
}

/// Under a stop one may still go back, and look.
#[tokio::test]
async fn a_stop_leaves_the_way_back_open() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.improve("alpha", "new");
    project.commit("fix: new");
    release(&project.context()).await.unwrap();
    project.xtask(&["policy", "stop", "a leak"]).expect(0);
    project.xtask(&["verify", "--env", "qa"]).expect(0);
    project.xtask(&["status"]).expect(0);
    let back = project.json(0, &["rollback", "--env", "qa"]);
    assert_eq!((&back["release"], &back["previous"]), (&json!("v1.0.0"), &json!("v1.0.1")));
    project.decide("quinn", "reject uat v1.0.0", &[]).expect(0);
}

#[tokio::test]
async fn a_freeze_blocks_what_it_names_while_it_lasts() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    let frozen = |from: i64, to: i64, form: &str, environments: &str| {
        let day =
            |days: i64| Timestamp::now().in_tz("UTC").unwrap().saturating_add(days.days()).strftime(form).to_string();
        let (from, to) = (day(from), day(to));
        format!(
            "[[freezes]]\nname = \"harvest\"\nenvironments = {environments}\nzone = \"UTC\"\nfrom = \"{from}\"\nto = \"{to}\"\n"
        )
    };
    for form in ["%a 00:00", "%Y-%m-%dT00:00"] {
        project.staff(&STAFF, &frozen(-1, 2, form, "[\"uat\", \"prod\"]"));
        let ran = project.xtask(&["promote", "--to", "uat"]).expect(4).says("freeze: `harvest` freezes uat until");
        ran.says("then run `cargo xtask promote --to uat --release v1.0.0`");
        project.xtask(&["promote", "--to", "qa"]).expect(0);
        project.staff(&STAFF, &frozen(-1, 2, form, "[\"prod\"]"));
        project.xtask(&["promote", "--to", "uat", "--plan"]).expect(0);
        project.staff(&STAFF, &frozen(2, 4, form, "[\"uat\"]"));
        project.xtask(&["promote", "--to", "uat", "--plan"]).expect(0);
    }
    project.people(&STAFF, &frozen(-1, 2, "%a 00:00", "[\"moon\"]"));
    project.xtask(&["policy", "apply"]).expect(2).says("the freeze `harvest`: unknown environment `moon`");
}

#[tokio::test]
async fn the_stricter_of_box_policy_and_configuration_holds() {
    // What the box froze stays, whatever release.toml says later.
    let project = waiting(r#"gate.approvals = [{ role = "qa-lead", count = 2 }]"#, &STAFF, "").await;
    let configure = |gate: &str| project.repo().write("release.toml", &RELEASE.replace(UAT_GATE, gate));
    configure("");
    project.xtask(&["policy", "apply"]).expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(4).says("0 of 2 by qa-lead");
    // A stricter policy holds for boxes that froze less, and still holds when release.toml asks less again.
    configure(r#"gate.approvals = [{ role = "qa-lead", count = 1 }, { role = "manager", count = 1 }]"#);
    project.xtask(&["promote", "--to", "uat"]).expect(4).says("0 of 2 by qa-lead").says("0 of 1 by manager");
    assert_eq!(project.json(0, &["policy", "apply"])["changed"], true);
    assert_eq!(project.json(0, &["policy", "apply"])["changed"], false);
    configure("");
    project.xtask(&["promote", "--to", "uat"]).expect(4).says("0 of 2 by qa-lead").says("0 of 1 by manager");
    // Nor does a path without uat lead to prod.
    let path = RELEASE.replace(&format!("[[environments]]\nname = \"uat\"\n{UAT_GATE}\n\n"), "");
    assert_ne!(path, RELEASE);
    project.repo().write("release.toml", &path);
    project
        .xtask(&["promote", "--to", "prod", "--release", "v1.0.0"])
        .expect(4)
        .says("order: it is not verified in uat");
}

#[tokio::test]
async fn only_the_administrator_changes_the_policy() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.people(&[("mallory", &["qa-lead", "manager", "product-owner"], "")], "");
    let keys = project.local().join("keys");
    let key = keys.join("policy-administrator");
    let own = fs::read(&key).unwrap();
    let lasting = || project.lasting().into_iter().filter(|(name, _)| name.starts_with("vault/")).collect::<Vec<_>>();
    // There must be a stop, or there would be nothing to end.
    project.xtask(&["policy", "stop", "x"]).expect(0);
    let aside = keys.join("aside");
    fs::rename(&key, &aside).unwrap();
    project.xtask(&["policy", "resume", "x"]).expect(8).says("failed to sign an entry of policy");
    fs::rename(&aside, &key).unwrap();
    project.xtask(&["policy", "resume", "x"]).expect(0);
    let before = lasting();
    fs::remove_file(&key).unwrap();
    for args in [&["policy", "apply"][..], &["policy", "stop", "x"]] {
        let ran = project.xtask(args).expect(8).says("failed to sign an entry of policy");
        ran.says("the key of policy-administrator is not in").says("put the key back");
    }
    assert!(lasting() == before);
    project.xtask(&["promote", "--to", "uat"]).expect(4).says("quinn can");
    // Somebody else's key signs: that would be in the chain for good, and nobody would believe it.
    fs::copy(project.key("mallory"), &key).unwrap();
    project.xtask(&["policy", "apply"]).expect(5).says("policy/00000004.json is not signed by policy-administrator");
    assert!(lasting() == before);
    fs::write(&key, own).unwrap();
    project.xtask(&["audit", "verify"]).expect(0);
}

#[test]
fn a_wrong_people_file_names_every_fault() {
    let project = Project::new();
    project.xtask(&["policy", "apply"]).expect(2).says("there is no people.toml beside release.toml");
    project.people(&[("quinn", &["qa-lead"], ", valid_until = \"tomorrow\"")], "");
    let text = fs::read_to_string(project.root().join("people.toml")).unwrap();
    project.repo().write("people.toml", &text.replace("quinn@example.com", "nobody"));
    let ran = project.xtask(&["policy", "apply"]).expect(2);
    ran.says("`people.quinn`: `nobody` is no e-mail").says("`valid_until`: `tomorrow` is not a time");
    project.repo().write("people.toml", "schema = 1\npersons = 1\n");
    project.xtask(&["policy", "apply"]).expect(2).says("persons");
    assert!(!project.local().join("vault").exists());
}

/// A policy that is stricter than `release.toml` stops a release where a person is asked for, and that is no failure.
#[test]
fn a_release_stops_at_the_gate_of_the_policy() {
    let project = Project::new();
    let gated = RELEASE.replace("name = \"qa\"", "name = \"qa\"\ngate.approvals = [{ role = \"qa-lead\", count = 1 }]");
    project.repo().write("release.toml", &gated);
    project.staff(&STAFF, "");
    project.repo().write("release.toml", RELEASE);
    project.commit("chore: people");
    let plan = project.json(0, &["release", "--plan"]);
    assert_eq!((&plan["through"], &plan["stops_at"]["environment"]), (&json!(["dev"]), &json!("qa")));
    project.xtask(&["release"]).expect(0);
    project.xtask(&["release"]).expect(3);
    project.xtask(&["promote", "--to", "qa"]).expect(4).says("0 of 1 by qa-lead");
    project.decide("quinn", "approve qa v1.0.0", &[]).expect(0);
    project.xtask(&["promote", "--to", "qa"]).expect(0);
}
