//! The handbook's graveyard, played: v1.0.0 dies in qa by a check, v1.0.1 by a person, v1.0.2 is Globally Synced. What
//! the commands then tell is compared as a whole.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{people::STAFF, project::Project};

/// What differs from run to run, replaced: times, digests, commits, this machine, and the width of a column.
fn mask(text: &str) -> String {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ';', ':']);
        let masked = match bare {
            _ if bare.len() == 24 && bare.ends_with('Z') && bare.as_bytes()[10] == b'T' => "TIME",
            _ if bare.strip_prefix("sha256:").is_some_and(hex) => "DIGEST",
            _ if [10, 12, 40].contains(&bare.len()) && hex(bare) => "HEX",
            _ if bare.starts_with("ada@") => "ada@HERE",
            _ => bare,
        };
        format!("{masked}{}", &word[bare.len()..])
    };
    let line = |line: &str| line.split(' ').filter(|w| !w.is_empty()).map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Alpha answers, in this currency if there is one.
fn alpha(project: &Project, currency: Option<&str>, note: &str) {
    let mut body = json!({ "from": "alpha" });
    body["currency"] = currency.into();
    let answer = json!({ "statusCode": 200, "body": body.to_string() });
    project.behave("alpha", &json!({ "answer": answer, "note": note }));
}

const QA_ASKS_MORE: &str = r#"
[[environments.qa.check]]
name = "tells the currency"
[environments.qa.check.request]
event = "apigw-v2"
path = "/"
[environments.qa.check.expect]
status = 200
json = { "/currency" = "EUR" }
"#;

#[test]
fn the_graveyard_of_the_handbook() {
    let project = Project::new();
    let smoke = std::fs::read_to_string(project.root().join("functions/alpha/smoke.toml")).unwrap();
    project.repo().write("functions/alpha/smoke.toml", &(smoke + QA_ASKS_MORE));
    project.people(&STAFF, "");
    alpha(&project, None, "");
    project.commit("feat: prices");
    project.xtask(&["policy", "apply"]).expect(0);
    project.xtask(&["release"]).expect(6).says("v1.0.0 died in qa: alpha: smoke check `tells the currency`");

    alpha(&project, Some("EUR"), "a red button");
    project.commit("fix: tell the currency");
    project.xtask(&["release"]).expect(0);
    project.decide("quinn", "reject uat v1.0.1", &["--comment", "the button is red"]).expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(4).says("rejected for uat by quinn");

    alpha(&project, Some("EUR"), "a green button");
    project.commit("fix: a green button");
    project.xtask(&["release"]).expect(0);
    let before_prod = project.json(0, &["history", "--env", "qa"])[0]["time"].as_str().unwrap().to_owned();
    project.decide("quinn", "approve uat v1.0.2", &[]).expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(0);
    project.decide("pia", "approve prod v1.0.2", &[]).expect(0);
    project.xtask(&["promote", "--to", "prod"]).expect(4).says("0 of 1 by manager");
    project.decide("max", "approve prod v1.0.2", &[]).expect(0);
    project.xtask(&["promote", "--to", "prod"]).expect(0);
    project.xtask(&["dr-sync"]).expect(0);
    stays_dead(&project);
    tells_it(&project, &before_prod);
}

fn tells_it(project: &Project, before_prod: &str) {
    let told = |args: &[&str]| mask(&project.xtask(args).expect(0).stdout);
    assert_snapshot!(told(&["graveyard"]), @r#"
    release died in when replaced by who why
    v1.0.0 qa TIME v1.0.1 ada@HERE alpha: smoke check `tells the currency` before traffic: expected "EUR" at `/currency` of the body, got null
    v1.0.1 qa TIME v1.0.2 ada@HERE rejected for uat by quinn as qa-lead at TIME: the button is red
    "#);
    assert_snapshot!(told(&["history", "--env", "qa"]), @r#"
    entry time what release live after who detail
    14 TIME verified v1.0.2 v1.0.2 ada@HERE
    13 TIME shifted v1.0.2 v1.0.2 ada@HERE
    12 TIME shifting v1.0.2 v1.0.1 ada@HERE
    11 TIME staged v1.0.2 v1.0.1 ada@HERE
    10 TIME claimed v1.0.2 v1.0.1 ada@HERE
    9 TIME verified v1.0.1 v1.0.1 ada@HERE
    8 TIME shifted v1.0.1 v1.0.1 ada@HERE
    7 TIME shifting v1.0.1 - ada@HERE
    6 TIME staged v1.0.1 - ada@HERE
    5 TIME claimed v1.0.1 - ada@HERE
    4 TIME died v1.0.0 - ada@HERE alpha: smoke check `tells the currency` before traffic: expected "EUR" at `/currency` of the body, got null
    3 TIME failed v1.0.0 - ada@HERE alpha: smoke check `tells the currency` before traffic: expected "EUR" at `/currency` of the body, got null
    2 TIME staged v1.0.0 - ada@HERE
    1 TIME claimed v1.0.0 - ada@HERE
    "#);
    assert_snapshot!(told(&["history", "--env", "prod"]), @"
    entry time what release live after who detail
    5 TIME verified v1.0.2 v1.0.2 ada@HERE
    4 TIME shifted v1.0.2 v1.0.2 ada@HERE
    3 TIME shifting v1.0.2 - ada@HERE
    2 TIME staged v1.0.2 - ada@HERE
    1 TIME claimed v1.0.2 - ada@HERE
    ");
    assert_snapshot!(told(&["history", "--env", "dr"]), @"
    entry time what release live after who detail
    6 TIME synced v1.0.2 v1.0.2 ada@HERE
    5 TIME verified v1.0.2 v1.0.2 ada@HERE
    4 TIME shifted v1.0.2 v1.0.2 ada@HERE
    3 TIME shifting v1.0.2 - ada@HERE
    2 TIME staged v1.0.2 - ada@HERE
    1 TIME claimed v1.0.2 - ada@HERE
    ");
    assert_snapshot!(told(&["history", "--env", "prod", "--at", before_prod]), @"nothing was live in prod at TIME");
    assert_snapshot!(told(&["history", "--env", "qa", "--at", before_prod]), @"v1.0.2 was live in qa at TIME");
    assert_snapshot!(told(&["status"]), @"
    release dev qa uat prod dr
    v1.0.2 live live live live synced
    v1.0.1 verified dead - - -
    v1.0.0 verified dead - - -

    dev: v1.0.2 since TIME
    qa: v1.0.2 since TIME
    uat: v1.0.2 since TIME
    prod: v1.0.2 since TIME
    dr: v1.0.2 since TIME, Globally Synced at TIME

    v1.0.2 is everywhere; it waits for the next commit
    next: cargo xtask release
    ");
    assert_snapshot!(told(&["status", "--release", "v1.0.0"]), @r#"
    v1.0.0
    DIGEST
    commit HEX

    environment standing detail
    dev verified
    qa dead TIME: alpha: smoke check `tells the currency` before traffic: expected "EUR" at `/currency` of the body, got null
    uat not yet
    prod not yet
    dr not yet

    the gate of uat:
    rule found remedy
    gate: alive refuses it died in qa at TIME: alpha: smoke check `tells the currency` before traffic: expected "EUR" at `/currency` of the body, got null dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it
    gate: order refuses it is not verified in qa run `cargo xtask promote --to qa --release v1.0.0`
    gate: forward refuses v1.0.2 is live in uat, which is newer to go back, run `cargo xtask rollback --env uat`
    gate: path holds uat is on the promotion path
    gate: stop holds there is no emergency stop
    gate: freeze holds there is no freeze now
    gate: approval refuses 0 of 1 by qa-lead run `cargo xtask approve --to uat --release v1.0.0 --as qa-lead`: quinn can
    "#);
    assert_snapshot!(told(&["status", "--release", "v1.0.1"]), @"
    v1.0.1
    DIGEST
    commit HEX

    environment standing detail
    dev verified
    qa dead TIME: rejected for uat by quinn as qa-lead at TIME: the button is red
    uat not yet
    prod not yet
    dr not yet

    the gate of uat:
    rule found remedy
    gate: alive refuses it died in qa at TIME: rejected for uat by quinn as qa-lead at TIME: the button is red dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it
    gate: order holds verified in qa
    gate: forward refuses v1.0.2 is live in uat, which is newer to go back, run `cargo xtask rollback --env uat`
    gate: path holds uat is on the promotion path
    gate: stop holds there is no emergency stop
    gate: freeze holds there is no freeze now
    gate: approval refuses 0 of 1 by qa-lead run `cargo xtask approve --to uat --release v1.0.1 --as qa-lead`: quinn can
    ");
    assert_snapshot!(told(&["status", "--release", "v1.0.2"]), @"
    v1.0.2
    DIGEST
    commit HEX

    environment standing detail
    dev verified
    qa verified
    uat verified
    prod verified
    dr verified
    ");
    tells_scripts(project);
    assert_snapshot!(told(&["diff", "v1.0.0", "v1.0.2"]), @"
    from v1.0.0 to v1.0.2

    commits: 2
    HEX fix: a green button
    HEX fix: tell the currency

    what from to
    code of alpha HEX HEX
    ");
    assert_snapshot!(told(&["audit", "verify"]), @"77 objects, 56 ledger entries, 3 sealed releases: 0 findings");
}

/// The same, for scripts: one document, of which a script reads these fields.
fn tells_scripts(project: &Project) {
    let status = project.json(0, &["status"]);
    let rows: Vec<_> =
        status["releases"].as_array().unwrap().iter().map(|r| json!([r["release"], r["cells"]])).collect();
    let expected = json!([
        ["v1.0.2", ["live", "live", "live", "live", "synced"]],
        ["v1.0.1", ["verified", "dead", "-", "-", "-"]],
        ["v1.0.0", ["verified", "dead", "-", "-", "-"]],
    ]);
    assert_eq!(json!(rows), expected);
    for environment in status["environments"].as_array().unwrap() {
        let live = &environment["live"];
        assert_eq!((&live["release"], &live["verified"]), (&json!("v1.0.2"), &json!(true)), "{environment}");
        assert_eq!(live["synced"].is_string(), environment["environment"] == "dr", "{environment}");
        assert_eq!((&environment["holder"], &environment["pin"]), (&json!(null), &json!(null)), "{environment}");
    }
    assert_eq!(
        status["next"],
        json!({ "release": "v1.0.2", "environment": null, "waits_for": null, "command": "cargo xtask release" })
    );
    let graves = project.json(0, &["graveyard"]);
    let graves: Vec<_> =
        graves.as_array().unwrap().iter().map(|g| json!([g["release"], g["environment"], g["replaced_by"]])).collect();
    assert_eq!(json!(graves), json!([["v1.0.0", "qa", "v1.0.1"], ["v1.0.1", "qa", "v1.0.2"]]));
}

/// Whichever way it died.
fn stays_dead(project: &Project) {
    for dead in ["v1.0.0", "v1.0.1"] {
        for environment in ["dev", "qa", "uat", "prod"] {
            project.xtask(&["promote", "--to", environment, "--release", dead]).expect(4).says("alive: it died in qa");
        }
    }
}
