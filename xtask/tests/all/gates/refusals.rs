//! What somebody may not decide is refused before it is signed, and nothing is written.

use super::{UAT_GATE, waiting};
use crate::support::{people::STAFF, project::Project, world::release};

/// A decision, as `verdict environment release`, that must be refused with this code and these words.
#[track_caller]
fn refused(project: &Project, who: &str, what: &str, more: &[&str], code: i32, says: &str) {
    let before = project.lasting();
    project.decide(who, what, more).expect(code).says(says);
    let json = project.decide(who, what, &[more, &["--json"]].concat()).expect(code).json();
    assert_eq!(json["error"]["code"], code, "{json}");
    assert!(json["error"]["message"].as_str().unwrap().contains(says), "{json}");
    assert!(project.lasting() == before, "{who}: {what}: something was written");
}

#[tokio::test]
async fn who_may_not_decide_is_told_why() {
    let people = [STAFF[0], STAFF[1], ("ada", &["qa-lead"][..], ""), ("carl", &["qa-lead"], "")];
    let project = waiting(UAT_GATE, &people, "").await;
    let refused =
        |who: &str, what: &str, more: &[&str], code: i32, says: &str| refused(&project, who, what, more, code, says);
    refused(
        "ada",
        "approve uat v1.0.0",
        &[],
        4,
        "ada cannot decide about v1.0.0 for uat: they are an author of commit",
    );
    refused("pia", "approve uat v1.0.0", &[], 4, "the gate of uat asks for qa-lead, and pia holds none of it");
    refused("pia", "approve uat v1.0.0", &["--as", "qa-lead"], 4, "they do not hold the role qa-lead");
    refused("pia", "reject uat v1.0.0", &["--as", "qa-lead"], 4, "they do not hold the role qa-lead");
    refused("quinn", "approve uat v1.0.0", &["--as", "jester"], 4, "they do not hold the role jester");
    for verdict in ["approve", "reject", "revoke"] {
        let says =
            "is not the key of one person in the policy; add it to people.toml and run `cargo xtask policy apply`";
        refused("mallory", &format!("{verdict} uat v1.0.0"), &[], 4, says);
        refused(
            "quinn",
            &format!("{verdict} uat v7.0.0"),
            &[],
            4,
            "v7.0.0 is not a sealed release; the newest is v1.0.0",
        );
        refused("quinn", &format!("{verdict} moon v1.0.0"), &[], 2, "there is no environment `moon`");
        refused("quinn", &format!("{verdict} uat v1.0.0"), &["--plan"], 2, "a decision has no plan");
        refused("quinn", &format!("{verdict} dev v1.0.0"), &[], 4, "the gate of dev asks for nobody");
    }
    refused("quinn", "revoke uat v1.0.0", &[], 4, "quinn has approved nothing here");
    // A rejection may come from whoever wrote it.
    project.decide("ada", "reject uat v1.0.0", &[]).expect(0);
    refused("quinn", "approve uat v1.0.0", &[], 4, "rejected for uat by ada");
    refused("ada", "revoke uat v1.0.0", &[], 4, "dead stays dead: a rejection cannot be taken back");
}

#[tokio::test]
async fn nobody_approves_what_they_wrote_with_others_or_released() {
    // In process, ada releases; zoe and carl write.
    let people = [STAFF[0], ("ada", &["qa-lead"][..], ""), ("carl", &["qa-lead"], ""), ("zoe", &["qa-lead"], "")];
    let project = waiting(UAT_GATE, &people, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(0);
    project.repo().git(&["config", "user.email", "Zoe@Example.com"]);
    project.improve("alpha", "better");
    project.commit("fix: better\n\nCo-authored-by: Carl <carl@example.com>");
    release(&project.context()).await.unwrap();
    for who in ["zoe", "carl"] {
        refused(&project, who, "approve uat v1.0.1", &[], 4, "they are an author of commit");
    }
    refused(&project, "ada", "approve uat v1.0.1", &[], 4, "they released v1.0.1");
    let ran = project.xtask(&["promote", "--to", "uat"]).expect(4);
    assert!(ran.stderr.trim_end().ends_with("--as qa-lead`: quinn can"), "nobody else is offered: {ran:?}");
}

#[tokio::test]
async fn a_rejection_kills_and_what_is_live_stays() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(0);
    let fleet = || project.lasting().into_iter().filter(|(name, _)| name.starts_with("fleet/")).collect::<Vec<_>>();
    let before = fleet();
    project.decide("quinn", "reject uat v1.0.0", &["--comment", "I was wrong"]).expect(0);
    assert!(fleet() == before, "what is live stays");
    project.xtask(&["verify", "--env", "uat"]).expect(0);
    let status = project.json(0, &["status"]);
    assert_eq!(status["releases"][0]["cells"], serde_json::json!(["live", "live, dead", "live", "-", "-"]));
    assert_eq!(status["environments"][2]["live"]["release"], "v1.0.0");
    for to in ["dev", "qa", "uat", "prod"] {
        project
            .xtask(&["promote", "--to", to])
            .expect(4)
            .says("rejected for uat by quinn as qa-lead")
            .says("I was wrong");
    }
    refused(&project, "quinn", "approve uat v1.0.0", &[], 4, "dead stays dead");
    refused(&project, "pia", "approve prod v1.0.0", &[], 4, "dead stays dead");
    // Nor does it live again when the one who rejected it is gone.
    project.staff(&STAFF[1..], "");
    project.xtask(&["promote", "--to", "prod"]).expect(4).says("rejected for uat by quinn");
    project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test]
async fn questions_about_what_is_not_there_are_answered() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    let before = project.lasting();
    let asked = |args: &[&str], code: i32| project.xtask(args).expect(code);
    assert_eq!(asked(&["graveyard"], 0).stdout, "the graveyard is empty\n");
    assert_eq!(project.json(0, &["graveyard"]), serde_json::json!([]));
    asked(&["history", "--env", "moon"], 2).says("there is no environment `moon`");
    asked(&["history", "--env", "qa", "--at", "2026-01-01"], 2).says("is not a time: write RFC 3339 with a zone");
    let at = project.json(0, &["history", "--env", "qa", "--at", "2020-01-01T01:00:00+01:00"]);
    assert_eq!(at, serde_json::json!({ "environment": "qa", "at": "2020-01-01T00:00:00.000Z", "live": null }));
    asked(&["diff", "v1.0.0", "v1.0.1"], 4).says("v1.0.1 is not a sealed release; the newest is v1.0.0");
    asked(&["diff", "v0.9.0", "v1.0.0"], 4).says("v0.9.0 is not a");
    let same = "from v1.0.0 to v1.0.0\n\ncommits: 0\n\nfunctions, configuration, dependencies: no difference\n";
    assert_eq!(asked(&["diff", "v1.0.0", "v1.0.0"], 0).stdout, same);
    asked(&["status", "--release", "v1.0.1"], 4).says("v1.0.1 is not a sealed release; the newest is v1.0.0");
    asked(&["rollback", "--env", "prod"], 4).says("nothing is live in prod, so there is nothing to roll back from");
    assert!(project.lasting() == before);
}

#[tokio::test]
async fn without_people_nobody_decides() {
    let project = Project::new();
    release(&project.context()).await.unwrap();
    let remedy = "run `cargo xtask doctor --fix`, or write people.toml and run `cargo xtask policy apply`";
    refused(&project, "quinn", "approve uat v1.0.0", &[], 4, "no policy is applied, so nobody may decide yet");
    project.xtask(&["promote", "--to", "uat"]).expect(4).says(remedy);
    let args = ["approve", "--to", "uat", "--release", "v1.0.0"];
    project.xtask(&args).expect(2).says("there is no throwaway key for qa-lead; name your own with --key");
    project.xtask(&[&args[..], &["--key", "nowhere"]].concat()).expect(2).says("there is no key file");

    // Throwaway people walk the whole path, and are named as such.
    project.xtask(&["doctor", "--fix"]).expect(0);
    let walk = |args: &[&str]| project.xtask(args).expect(0).stdout;
    let approve = |to: &str| walk(&["approve", "--to", to, "--release", "v1.0.0"]);
    assert!(approve("uat").starts_with("v1.0.0 approved for uat by throwaway-qa-lead-1 (throwaway) as qa-lead\n"));
    walk(&["promote", "--to", "uat"]);
    assert!(approve("prod").contains("by throwaway-product-owner-1 (throwaway) as product-owner\n"));
    assert!(approve("prod").contains("by throwaway-manager-1 (throwaway) as manager\n"));
    walk(&["promote", "--to", "prod"]);
    assert!(walk(&["dr-sync"]).starts_with("v1.0.0 is Globally Synced"));
}
