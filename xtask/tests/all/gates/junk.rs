//! What lies among the decisions and is none: nothing can remove it, so it holds up nobody and hides nothing.

use std::{fs, path::Path};

use xtask::model::digest::Digest;

use super::{UAT_GATE, live, waiting};
use crate::support::{
    people::STAFF,
    project::{Project, put_back, tree},
};

const UAT: &str = "approvals/v1.0.0/uat";

/// Puts an object where the next decision would go, as whoever may write there can.
fn put(project: &Project, chain: &str, bytes: &[u8]) -> String {
    let folder = project.local().join("vault").join(chain);
    fs::create_dir_all(&folder).unwrap();
    let name = format!("{:08}.json", fs::read_dir(&folder).unwrap().count() + 1);
    fs::write(folder.join(&name), bytes).unwrap();
    format!("{chain}/{name}")
}

fn read(project: &Project, name: &str) -> Vec<u8> {
    fs::read(project.local().join("vault").join(name)).unwrap()
}

/// Every kind of junk, an approval after each, and the whole way to the second region.
#[tokio::test]
async fn holds_up_nobody() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.decide("quinn", "approve uat v1.0.0", &["--comment", "first"]).expect(0);
    let first = read(&project, "approvals/v1.0.0/uat/00000001.json");
    let half = &first[..first.len() / 2];
    let other = read(&project, "environments/dev/00000001.json");
    let kinds: [&[u8]; 6] = [b"", b"junk", b"{}", half, &first, &other];
    for bytes in kinds {
        let name = put(&project, UAT, bytes);
        project.xtask(&["status"]).expect(0).says(&format!("warning  {name}")).says("it counts for nothing");
        project.xtask(&["promote", "--to", "uat", "--plan"]).expect(0).says(&name);
        project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    }
    // What comes next links to the bytes that lie there.
    let last: serde_json::Value = serde_json::from_slice(&read(&project, &format!("{UAT}/00000013.json"))).unwrap();
    assert_eq!(last["previous"], Digest::of(&other).to_string());
    assert_eq!(last["state"]["decisions"].as_array().unwrap().len(), 1);
    let status = project.json(0, &["status"]);
    assert_eq!(status["notices"].as_array().unwrap().len(), kinds.len(), "{status}");
    assert_eq!(project.json(0, &["status", "--release", "v1.0.0"])["notices"].as_array().unwrap().len(), kinds.len());
    // Among others' decisions, before the first, and for a release and a place that are none.
    put(&project, "approvals/v1.0.0/prod", b"junk");
    put(&project, "approvals/v1.0.0/mars", b"junk");
    put(&project, "approvals/v9.9.9/prod", b"junk");
    live(&project, "v1.0.0");
    project.xtask(&["dr-sync"]).expect(0).says(&format!("{UAT}/00000002.json"));
    project.xtask(&["dr-sync"]).expect(0);
    let mirror = |name: &str| fs::read(project.local().join("dr/vault").join(name)).unwrap();
    for name in ["approvals/v1.0.0/uat/00000013.json", "approvals/v1.0.0/prod/00000001.json"] {
        assert_eq!(mirror(name), read(&project, name));
    }
    project.improve("alpha", "new");
    project.commit("fix: new");
    project.xtask(&["release"]).expect(0);
    // It stays a finding, and the only one.
    let audit = project.json(5, &["audit", "verify"]);
    let found: Vec<_> =
        audit["findings"].as_array().unwrap().iter().map(|finding| finding["object"].as_str().unwrap()).collect();
    let even = (1..=kinds.len()).map(|at| format!("{UAT}/{:08}.json", 2 * at));
    let others = ["v1.0.0/mars", "v1.0.0/prod"].map(|chain| format!("approvals/{chain}/00000001.json"));
    let expected = others.into_iter().chain(even).chain(["approvals/v9.9.9/prod/00000001.json".to_owned()]);
    assert_eq!(found, expected.collect::<Vec<_>>());
}

/// It is larger than anything that is read whole.
#[tokio::test]
async fn of_any_size() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    let name = put(&project, UAT, b"");
    let file = fs::File::create(project.local().join("vault").join(&name)).unwrap();
    file.set_len((64 << 20) + 1).unwrap();
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0).says(&name);
    project.xtask(&["promote", "--to", "uat"]).expect(0);
    let audit = project.json(5, &["audit", "verify"]);
    assert_eq!(audit["findings"].as_array().unwrap().len(), 1, "{audit}");
}

/// A rejection and a revocation after junk count; so do those whose link somebody broke.
#[tokio::test]
async fn hides_no_decision() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    put(&project, UAT, b"junk");
    let before = project.lasting();
    for (verdict, says) in [("revoke", "it was revoked by themselves"), ("reject", "rejected for uat by quinn")] {
        put_back(project.local(), &before);
        project.decide("quinn", &format!("{verdict} uat v1.0.0"), &[]).expect(0);
        project.xtask(&["promote", "--to", "uat"]).expect(4).says(says);
        // Whoever exchanges what stands before it breaks its link.
        put_back(project.local(), &tree(project.local()));
        exchange(project.local().join("vault").join(format!("{UAT}/00000002.json")).as_std_path());
        let told = format!("{UAT}/00000003.json does not follow the object before it");
        project.xtask(&["promote", "--to", "uat"]).expect(4).says(says).says(&told);
        project.xtask(&["audit", "verify"]).expect(5);
    }
}

/// An approval whose link is broken counts for nothing.
#[tokio::test]
async fn lets_nothing_in() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    put(&project, UAT, b"junk");
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    project.xtask(&["promote", "--to", "uat", "--plan"]).expect(0);
    exchange(project.local().join("vault").join(format!("{UAT}/00000001.json")).as_std_path());
    let ran = project.xtask(&["promote", "--to", "uat"]).expect(4);
    ran.says("does not count: it does not follow what stands before it in its chain");
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(0);
}

/// What the witness saw must be there, junk or not.
#[tokio::test]
async fn is_no_excuse_for_what_is_gone() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    put(&project, UAT, b"junk");
    project.decide("quinn", "reject uat v1.0.0", &[]).expect(0);
    let path = project.local().join("vault").join(format!("{UAT}/00000002.json"));
    let rejection = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    project.xtask(&["promote", "--to", "uat"]).expect(5).says("its tail was removed");
    fs::write(&path, b"junk").unwrap();
    project.xtask(&["promote", "--to", "uat"]).expect(5).says("is not the one that the witness saw");
    fs::remove_file(&path).unwrap();
    fs::write(&path, rejection).unwrap();
    project.xtask(&["promote", "--to", "uat"]).expect(4).says("rejected for uat by quinn");
}

/// Other chains have one writer each: there it stops everything.
#[tokio::test]
async fn stays_tampering_elsewhere() {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    for chain in ["releases", "policy", "environments/qa"] {
        let name = put(&project, chain, b"junk");
        project.xtask(&["status"]).expect(5).says(&name);
        fs::remove_file(project.local().join("vault").join(name)).unwrap();
    }
}

fn exchange(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::write(path, b"other junk").unwrap();
}
