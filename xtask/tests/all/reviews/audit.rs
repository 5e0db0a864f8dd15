//! What was seen of reviews, judged once more: by the audit, and by the page that the auditor types.

use std::{fs, process::Command};

use camino::Utf8Path;
use serde_json::{Value, json};
use xtask::{
    engine::{audit, facts},
    model::{
        canonical,
        environment::EnvironmentEvent,
        review::{Answer, Observation, ReviewState},
    },
};

use super::{COUNTED, PROMOTE, Waiting, approved};
use crate::support::{project::Ran, vaults::entered_with};

/// What a run of that name, dispatched by that login, with these reviews, was answered.
fn observation(name: &str, dispatched: &str, reviews: &[Value]) -> Observation {
    let run = json!({
        "id": 4711, "run_attempt": 1, "display_title": name, "created_at": "2026-01-23T11:00:00Z",
        "actor": { "login": dispatched }, "triggering_actor": { "login": dispatched },
    });
    let answers = [run, Value::from(reviews)].map(|answer| Answer::new("/path".to_owned(), answer.to_string()));
    Observation::of(answers.into(), "2026-01-23T12:00:00Z".parse().unwrap()).unwrap()
}

/// What the audit finds when whoever holds the deployer's key writes that v1.0.0 entered uat, and what was seen before.
async fn found(waiting: &Waiting, mut seen: Observation) -> Vec<(String, String)> {
    let context = waiting.project.context();
    seen.at = context.clock.now();
    let release = "v1.0.0".parse().unwrap();
    let (_, manifest) = facts::manifest(&context, release).await.unwrap();
    let seen = EnvironmentEvent::Observed { observation: seen };
    entered_with(&context, "uat", (release, manifest), Some(seen), None).await;
    let findings = audit::run(&context).await.unwrap().findings;
    findings.into_iter().map(|finding| (finding.object, finding.found)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_right_is_no_finding() {
    let waiting = Waiting::at(COUNTED).await;
    let seen = observation(&waiting.name(), "bob-hub", &[approved("rita-hub")]);
    assert_eq!(found(&waiting, seen).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_should_not_have_counted_is_named() {
    const ENTRY: &str = "environments/uat/00000004.json";
    for (login, dispatched) in [("ada-hub", "bob-hub"), ("rita-hub", "Rita-hub"), ("stranger", "bob-hub")] {
        let waiting = Waiting::at(COUNTED).await;
        let found = found(&waiting, observation(&waiting.name(), dispatched, &[approved(login)])).await;
        let named = matches!(&found[..], [(object, why)] if object == ENTRY && why.contains("0 of 1 by qa-lead"));
        assert!(named, "{login}, {dispatched}: {found:?}");
    }
    let waiting = Waiting::at(COUNTED).await;
    let no = super::review("stranger", "rejected", &["uat"], "");
    let found = found(&waiting, observation(&waiting.name(), "bob-hub", &[approved("rita-hub"), no])).await;
    assert!(
        matches!(&found[..], [(object, why)] if object == ENTRY && why.contains("stranger rejected it")),
        "{found:?}"
    );
}

/// Whoever holds the deployer's key may sign anything, but not put words into GitHub's answers.
#[tokio::test(flavor = "multi_thread")]
async fn words_that_nobody_answered_are_named() {
    type Lie = fn(&mut Observation);
    let lies: [Lie; 3] = [
        |seen| seen.reviews[0].state = ReviewState::Approved,
        |seen| seen.answers[1].text = seen.answers[1].text.replace("rejected", "approved"),
        |seen| seen.run.name = seen.run.name.replace("v1.0.0", "v1.0.1"),
    ];
    for lie in lies {
        let waiting = Waiting::at(COUNTED).await;
        let no = super::review("rita-hub", "rejected", &["uat"], "");
        let mut seen = observation(&waiting.name(), "bob-hub", &[no]);
        lie(&mut seen);
        let found = found(&waiting, seen).await;
        let of = |entry: &str, what: &str| found.iter().any(|(o, why)| o.ends_with(entry) && why.contains(what));
        assert!(of("uat/00000002.json", "`observed`, which cannot follow"), "{found:?}");
        assert!(of("uat/00000004.json", "the gate refused it"), "{found:?}");
    }
}

/// A run about other bytes counts for nothing, whoever wrote it down.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_about_other_bytes_is_named() {
    let waiting = Waiting::at(COUNTED).await;
    let found = found(&waiting, observation("promote v1.0.0", "bob-hub", &[approved("rita-hub")])).await;
    let says = |what: &str| found.iter().any(|(_, why)| why.contains(what));
    assert!(says("`observed`, which cannot follow") && says("0 of 1 by qa-lead"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_entry_is_named() {
    let waiting = Waiting::at(COUNTED).await;
    waiting.reviewed(&[approved("rita-hub")]);
    waiting.run(&PROMOTE).expect(0);
    let path = waiting.project.local().join("vault/environments/uat/00000002.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("rita-hub"));
    for (from, to) in [("rita-hub", "Rita-hub"), ("Ship it!", "Ship it?"), ("bob-hub", "eve-hub")] {
        fs::remove_file(&path).unwrap();
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        waiting.project.xtask(&["audit", "verify"]).expect(5).says("environments/uat/00000002.json");
    }
}

/// The auditor's page judges the reviews itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_the_same() {
    let waiting = Waiting::at(COUNTED).await;
    waiting.reviewed(&[approved("rita-hub")]);
    waiting.run(&PROMOTE).expect(0);
    let project = &waiting.project;
    let folder = project.repo().beside("packed");
    project.xtask(&["audit", "pack", "v1.0.0", "--out", folder.as_str()]).expect(0);
    let reviews: Value = serde_json::from_slice(&fs::read(folder.join("reviews.json")).unwrap()).unwrap();
    assert_eq!(reviews[0]["meaning"], "observed, not signed by the reviewer");
    assert_eq!((&reviews[0]["review"]["login"], &reviews[0]["run"]["id"]), (&json!("rita-hub"), &json!(4711)));
    let signers = project.repo().beside("signers");
    fs::write(&signers, project.xtask(&["audit", "signers"]).expect(0).stdout).unwrap();
    typed(&folder, &signers).expect(0);

    // The same by a deployer who counts what does not: signed anew, and every link made to fit.
    let refused = |change: &dyn Fn(&mut Value), said: &str| {
        let copy = project.repo().beside("copy");
        fs::remove_dir_all(&copy).unwrap_or_default();
        crate::support::project::put_back(&copy, &crate::support::project::tree(&folder));
        rewritten(&copy, &fs::read(project.local().join("keys/deployer-uat")).unwrap(), change);
        let ran = typed(&copy, &signers);
        assert!(ran.code != 0 && ran.stderr.contains(said), "{said}: {ran:?}");
    };
    let seen = |entry: &mut Value, change: &dyn Fn(String) -> String| {
        let observation = &mut entry["event"]["observation"];
        let text = change(observation.to_string());
        let mut anew: Value = serde_json::from_str(&text).unwrap();
        for answer in anew["answers"].as_array_mut().unwrap() {
            let digest = xtask::model::digest::Digest::of(answer["text"].as_str().unwrap().as_bytes());
            answer["sha256"] = digest.to_string().into();
        }
        *observation = anew;
    };
    refused(&|entry| seen(entry, &|text| text.replace("rita-hub", "ada-hub")), "too few different people approved");
    refused(&|entry| seen(entry, &|text| text.replace("bob-hub", "rita-hub")), "too few different people approved");
    refused(&|entry| seen(entry, &|text| text.replace("approved", "rejected")), "a review had rejected it");
    refused(&|entry| entry["event"]["observation"]["reviews"][0]["login"] = "ada-hub".into(), "saw: expected");
    refused(&|entry| entry["event"]["observation"]["run"]["name"] = "x".into(), "the run that");
    refused(&|entry| entry["event"]["observation"]["answers"][0]["sha256"] = "sha256:0".into(), "answer 0 of");
}

/// Changes what was observed, and makes every later link and every signature and sum fit.
fn rewritten(folder: &Utf8Path, key: &[u8], change: &dyn Fn(&mut Value)) {
    let key = ssh_key::PrivateKey::from_openssh(key).unwrap();
    let mut previous = None;
    for number in 1.. {
        let path = folder.join(format!("ledger/environments/uat/{number:08}.json"));
        let Ok(bytes) = fs::read(&path) else { break };
        let mut entry: Value = serde_json::from_slice(&bytes).unwrap();
        entry.as_object_mut().unwrap().remove("signature");
        if entry["event"]["kind"] == "observed" {
            change(&mut entry);
        }
        if let Some(previous) = previous {
            entry["previous"] = previous;
        }
        let signed = canonical::to_vec(&entry).unwrap();
        let signature = key.sign("xtask-ledger", ssh_key::HashAlg::Sha512, &signed).unwrap();
        entry["signature"] = signature.to_pem(ssh_key::LineEnding::LF).unwrap().into();
        let bytes = canonical::to_vec(&entry).unwrap();
        previous = Some(xtask::model::digest::Digest::of(&bytes).to_string().into());
        fs::write(&path, bytes).unwrap();
    }
    let files = crate::support::project::tree(folder).into_iter().filter(|(name, _)| name != "SHA256SUMS");
    let sum = |bytes: &[u8]| xtask::model::digest::Digest::of(bytes).hex();
    let sums: String = files.map(|(name, bytes)| format!("{}  {name}\n", sum(&bytes))).collect();
    fs::write(folder.join("SHA256SUMS"), sums).unwrap();
}

/// Types what the page says, as an auditor does.
pub(crate) fn typed(folder: &Utf8Path, signers: &Utf8Path) -> Ran {
    let page = fs::read_to_string(folder.join("VERIFY.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|block| block.split_once("```").unwrap().0);
    let mut command = Command::new("/usr/bin/env");
    command.args(["-i", "PATH=/usr/bin:/bin", &format!("ALLOWED_SIGNERS={signers}")]);
    command.args(["bash", "-c", &blocks.collect::<String>()]).current_dir(folder);
    Ran::of(command.output().unwrap())
}
