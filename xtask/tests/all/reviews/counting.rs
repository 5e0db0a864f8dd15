//! Which reviews count, and why the others do not.

use serde_json::json;

use super::{COUNTED, PROMOTE, UAT_GATE, WHOLE, Waiting, approved, github::review};

const SEEN: &str = "observed, not signed by the reviewer";

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_one_lets_the_release_in() {
    let waiting = Waiting::at(COUNTED).await;
    let ran = waiting.run(&PROMOTE).expect(4).says("0 of 1 by qa-lead").says("quinn or Rita can");
    ran.says(&format!("GitHub's environment `uat` in a run whose name carries v1.0.0 and {}", waiting.manifest));
    waiting.is_left(&["claimed", "observed", "abandoned"]);
    waiting.reviewed(&[approved("rita-hub")]);
    waiting.run(&PROMOTE).expect(0);
    waiting.is_left(&[&["claimed", "observed", "abandoned"], &WHOLE[..]].concat());
    let asked = waiting.github.asked();
    let (path, headers) = &asked[1];
    assert_eq!(path, "/api/v3/repos/example/prices/actions/runs/4711/approvals");
    assert_eq!(headers["authorization"], format!("Bearer {}", super::TOKEN));
    assert_eq!(headers["x-github-api-version"], "2022-11-28");
    assert!(headers["user-agent"].starts_with("xtask/"));

    // What was seen is told as that, everywhere.
    let project = &waiting.project;
    for args in [&["history", "--env", "uat"][..], &["report", "--out", "board.html"]] {
        let ran = project.xtask(args).expect(0);
        let page = std::fs::read_to_string(project.root().join("board.html")).unwrap_or_default();
        assert!(ran.stdout.contains(SEEN) || page.contains(SEEN), "{ran:?}");
    }
    let entry = &project.json(0, &["history", "--env", "uat"])[4];
    let seen = &entry["event"]["observation"];
    assert_eq!(entry["kind"], "observed");
    assert_eq!(seen["run"]["dispatched_by"], json!(["bob-hub", "bob-hub"]));
    assert_eq!(
        (&seen["reviews"][0]["login"], &seen["reviews"][0]["comment"]),
        (&json!("rita-hub"), &json!("Ship it!"))
    );
    assert_eq!(seen["answers"][1]["text"], json!([approved("rita-hub")]).to_string());
    assert_eq!(entry["actor"], "bob-hub");
    project.xtask(&["audit", "verify"]).expect(0);
}

/// Before the release is in, the gate tells it to whoever looks, and whoever approves beside it.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_is_told_of() {
    let gate = COUNTED.replace("count = 1", "count = 2");
    let waiting = Waiting::at(&gate).await;
    waiting.reviewed(&[approved("rita-hub")]);
    waiting.run(&PROMOTE).expect(4).says("1 of 2 by qa-lead: Rita (run 4711 of ").says(SEEN);
    let status = waiting.project.xtask(&["status", "--release", "v1.0.0"]).expect(0);
    assert!(status.stdout.contains(SEEN), "{status:?}");
    let ran = waiting.project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    assert!(
        ran.stdout.contains("also: approved by rita-hub for uat: Ship it! (run 4711 of ") && ran.stdout.contains(SEEN)
    );
    // What was seen is enough without another look, and outside of a run nobody looks.
    waiting.github.asked();
    waiting.project.xtask(&PROMOTE).expect(0);
    assert_eq!(waiting.github.asked(), []);
    waiting.project.xtask(&["audit", "verify"]).expect(0);
}

/// Whoever signs and reviews is one person.
#[tokio::test(flavor = "multi_thread")]
async fn one_person_counts_once() {
    let gate = COUNTED.replace("count = 1", "count = 2");
    let waiting = Waiting::at(&gate).await;
    let key = std::fs::read_to_string(waiting.project.key("quinn").with_extension("pub")).unwrap();
    let both = format!("emails = [\"rita@example.com\"]\nkeys = [{{ key = \"{key}\" }}]");
    let people = super::REVIEWERS.replace("emails = [\"rita@example.com\"]", &both);
    waiting.project.staff(&[super::STAFF[1], super::STAFF[2]], &people);
    waiting.project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    waiting.reviewed(&[approved("rita-hub")]);
    waiting.run(&PROMOTE).expect(4).says("1 of 2 by qa-lead: Rita; the review by Rita in run 4711");
    // And takes both back at once.
    waiting.project.decide("quinn", "revoke uat v1.0.0", &[]).expect(0);
    waiting.run_with(&PROMOTE, &[]).expect(4);
    let ran = waiting.project.xtask(&PROMOTE).expect(4).says("0 of 2 by qa-lead");
    ran.says("it was revoked by themselves");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_one_keeps_it_out() {
    let waiting = Waiting::at(COUNTED).await;
    let no = review("stranger", "rejected", &["uat"], "not today\n  - approval: fine\u{1b}[2K");
    waiting.reviewed(&[approved("rita-hub"), no]);
    let told = "review: stranger rejected it in run 4711 of ";
    let ran = waiting.run(&PROMOTE).expect(4).says(told).says(r"not today\n  - approval: fine\u{1b}[2K");
    assert!(!ran.stderr.contains("\n  - approval"), "{ran:?}");
    // A look in the same run sees the same; it does not go away by looking from outside.
    waiting.project.xtask(&PROMOTE).expect(4).says(told);
    waiting.is_left(&["claimed", "observed", "abandoned"]);
    // Within one run a rejection stands, in another one the reviewer may think better of it.
    waiting.reviewed(&[approved("stranger"), review("stranger", "rejected", &["uat"], ""), approved("rita-hub")]);
    waiting.run(&PROMOTE).expect(4).says(told);
    waiting.reviewed(&[approved("stranger"), approved("rita-hub")]);
    waiting.run(&PROMOTE).expect(0);
    waiting.project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reviews_what_is_theirs() {
    let waiting = Waiting::at(COUNTED).await;
    for (login, dispatched, why) in [
        ("ada-hub", ("bob-hub", "bob-hub"), "they are an author of commit"),
        ("Rita-Hub", ("rita-hub", "bob-hub"), "they dispatched the run"),
        ("rita-hub", ("bob-hub", "RITA-hub"), "they dispatched the run"),
        ("nobody-hub", ("bob-hub", "bob-hub"), "the policy knows no person with that GitHub login"),
    ] {
        waiting.github.knows(&waiting.name(), dispatched, &[approved(login)]);
        let ran = waiting.run(&PROMOTE).expect(4).says("0 of 1 by qa-lead");
        let status = waiting.project.xtask(&["status", "--release", "v1.0.0"]).expect(0).stdout;
        assert!(status.contains(&format!("the review by {login} in run 4711")), "{status}");
        assert!(status.contains(&format!("does not count: {why}")), "{status}\n{ran:?}");
    }
    // A role that nobody asked for is none that is lacking.
    waiting.reviewed(&[approved("gus-hub")]);
    waiting.run(&PROMOTE).expect(4).says("0 of 1 by qa-lead");
    let status = waiting.project.xtask(&["status", "--release", "v1.0.0"]).expect(0).stdout;
    assert!(status.contains("not asked for: Gus as guest"), "{status}");
    // Whoever released it in a workflow run is known by their login.
    waiting.project.improve("alpha", "other");
    waiting.project.commit("fix: other");
    waiting.run_with(&["release", "--until", "sealed"], &[("GITHUB_TRIGGERING_ACTOR", "rita-hub")]).expect(0);
    assert_eq!(waiting.project.json(0, &["audit", "verify"])["findings"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_environments_its_own_counts() {
    let named = COUNTED.replace("source = \"github\"", "source = \"github\", environment = \"Acceptance tests\"");
    let waiting = Waiting::at(&named).await;
    waiting.reviewed(&[
        review("rita-hub", "approved", &["uat", "prod"], ""),
        review("stranger", "rejected", &["prod"], "another job"),
    ]);
    waiting.run(&PROMOTE).expect(4).says("0 of 1 by qa-lead");
    waiting.reviewed(&[
        review("stranger", "rejected", &["prod"], "another job"),
        review("rita-hub", "pending", &["acceptance tests"], "hm"),
        review("rita-hub", "approved", &["prod", "acceptance TESTS"], ""),
    ]);
    waiting.run(&PROMOTE).expect(0);
    waiting.project.xtask(&["audit", "verify"]).expect(0);
}

/// The name of the run binds the reviews to the bytes.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_about_other_bytes_is_refused() {
    let waiting = Waiting::at(COUNTED).await;
    let own = waiting.manifest.clone();
    let other = "0".repeat(64);
    for (name, why) in [
        ("promote v1.0.0 to uat".to_owned(), "carries no manifest digest".to_owned()),
        (format!("promote v1.0.0 {}", &own[..40]), "carries no manifest digest".to_owned()),
        (format!("promote v1.0.0 {other}"), format!("carries the manifest digest {other}")),
        (format!("promote v1.0.1 {own}"), "does not carry the release v1.0.0".to_owned()),
    ] {
        waiting.github.knows(&name, ("bob-hub", "bob-hub"), &[approved("rita-hub")]);
        waiting.run(&PROMOTE).expect(5).says(&why).says(&own).says(&format!("`{name}`"));
    }
    waiting.is_left(&["claimed", "abandoned"].repeat(4));
}

/// Without the words of the release, the policy and release.toml nobody looks, and nothing counts.
#[tokio::test(flavor = "multi_thread")]
async fn without_an_opt_in_they_never_count() {
    let waiting = Waiting::at(UAT_GATE).await;
    waiting.reviewed(&[approved("rita-hub")]);
    waiting.run(&PROMOTE).expect(4).says("0 of 1 by qa-lead; run");
    let release = super::RELEASE.replace(UAT_GATE, COUNTED);
    waiting.project.repo().write("release.toml", &release);
    waiting.project.xtask(&["policy", "apply"]).expect(0);
    waiting.run(&PROMOTE).expect(4).says("0 of 1 by qa-lead; run");
    assert_eq!(waiting.github.asked(), []);
    waiting.is_left(&[]);
    // Nor where it is taken back after it was seen.
    let waiting = Waiting::at(&COUNTED.replace("count = 1", "count = 2")).await;
    waiting.reviewed(&[approved("rita-hub")]);
    waiting.run(&PROMOTE).expect(4).says("1 of 2");
    waiting.project.repo().write("release.toml", super::RELEASE);
    waiting.project.xtask(&PROMOTE).expect(4).says("0 of 2 by qa-lead");
    let status = waiting.project.xtask(&["status", "--release", "v1.0.0"]).expect(0).stdout;
    assert!(status.contains("do not all say that this gate counts reviews"), "{status}");
}

/// The glass is broken by a review, too; without the flag it counts for nothing of the sort.
#[tokio::test(flavor = "multi_thread")]
async fn a_review_may_break_the_glass() {
    let glass = "soak = \"24h\", break_glass = { role = \"guest\" }, reviews";
    let waiting = Waiting::at(&COUNTED.replace("reviews", glass)).await;
    waiting.reviewed(&[approved("rita-hub"), approved("gus-hub")]);
    waiting.run(&PROMOTE).expect(4).says("- soak: ");
    let broken = [&PROMOTE[..], &["--break-glass", "customers call"]].concat();
    waiting.run(&broken).expect(0);
    waiting.is_left(&["claimed", "broke_glass", "observed", "staged", "shifting", "shifted", "verified"]);
    waiting.project.xtask(&["audit", "verify"]).expect(0);
}
