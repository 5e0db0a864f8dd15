//! Dead stays dead, whoever writes what to the vault or to `release.toml`, and whatever stands in an object's place.

use std::{collections::BTreeMap, fs, os::unix::fs::symlink};

use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, rand_core::OsRng};
use xtask::{
    engine::{ledger, mirror},
    model::{canonical, entry::ChainName, environment::EnvironmentEvent},
};

use super::{UAT_GATE, waiting};
use crate::support::{
    people::STAFF,
    project::{Project, RELEASE},
    world::code,
};

/// v1.0.0 is in uat; prod has approved it but for the manager.
async fn in_uat() -> Project {
    let project = waiting(UAT_GATE, &STAFF, "").await;
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    project.xtask(&["promote", "--to", "uat"]).expect(0);
    project.decide("pia", "approve prod v1.0.0", &[]).expect(0);
    project
}

/// A chain that begins anew in its middle hides nothing that came before: a rejection, say.
#[tokio::test]
async fn a_chain_does_not_begin_twice() {
    let project = in_uat().await;
    project.decide("max", "reject prod v1.0.0", &[]).expect(0);
    let folder = project.local().join("vault/approvals/v1.0.0/prod");
    let mut entry: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("00000001.json")).unwrap()).unwrap();
    let own = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
    for previous in [serde_json::Value::Null, format!("sha256:{}", "0".repeat(64)).into()] {
        entry.as_object_mut().unwrap().remove("signature");
        (entry["number"], entry["previous"]) = (3.into(), previous);
        let signed = canonical::to_vec(&entry).unwrap();
        let signature = own.sign("xtask-approval-prod", HashAlg::Sha512, &signed).unwrap();
        entry["signature"] = signature.to_pem(LineEnding::LF).unwrap().into();
        fs::write(folder.join("00000003.json"), canonical::to_vec(&entry).unwrap()).unwrap();
        let told = "approvals/v1.0.0/prod/00000003.json does not follow the object before it";
        let found = "approvals/v1.0.0/prod/00000003.json is Incorrect";
        project.xtask(&["status"]).expect(0).says(told);
        project.xtask(&["promote", "--to", "prod"]).expect(4).says("rejected for prod by max").says(told);
        project.xtask(&["audit", "verify"]).expect(5).says(found);
        project.decide("max", "approve prod v1.0.0", &[]).expect(4).says("it died in uat");
        assert_eq!(project.json(0, &["graveyard"])[0]["release"], "v1.0.0");
        fs::remove_file(folder.join("00000003.json")).unwrap();
    }
    assert_eq!(project.json(0, &["graveyard"])[0]["release"], "v1.0.0");
}

#[tokio::test]
async fn whoever_edits_the_path_does_not_forget_the_dead() {
    let project = in_uat().await;
    project.improve("alpha", "new");
    project.commit("fix: new");
    project.xtask(&["release"]).expect(0);
    project.xtask(&["rollback", "--env", "dev", "--reason", "corrupts data"]).expect(0);
    project.repo().write("release.toml", &RELEASE.replace("[[environments]]\nname = \"dev\"\n", ""));
    assert_eq!(project.json(0, &["graveyard"])[0]["release"], "v1.0.1");
    project.decide("quinn", "approve uat v1.0.1", &[]).expect(4).says("it died in dev");
    project.xtask(&["promote", "--to", "uat", "--release", "v1.0.1"]).expect(4).says("alive: it died in dev");
}

/// Whoever holds a deployer's key may write what they like after a death: it stays one, and the audit says what is wrong.
#[tokio::test]
async fn what_is_written_after_a_death_does_not_undo_it() {
    let project = in_uat().await;
    project.improve("alpha", "new");
    project.commit("fix: new");
    project.xtask(&["release"]).expect(0);
    project.xtask(&["rollback", "--env", "qa", "--reason", "loses orders"]).expect(0);
    let context = project.context();
    let chain = ChainName::Environment("qa".parse().unwrap());
    let release = "v1.0.1".parse().unwrap();
    let (_, manifest) = xtask::engine::facts::manifest(&context, release).await.unwrap();
    let claimed = EnvironmentEvent::Claimed {
        machine: "laptop".to_owned(),
        expires: context.clock.now(),
        took_over: None,
        rollback: None,
    };
    let verified = EnvironmentEvent::Verified { smoke: Vec::new() };
    for event in [
        claimed,
        EnvironmentEvent::Staged { functions: BTreeMap::new() },
        EnvironmentEvent::Shifting { moves: Vec::new(), smoke: Vec::new(), canary: None, known: None },
        EnvironmentEvent::Shifted,
        verified.clone(),
    ] {
        let draft = ledger::Draft { release: Some(release), manifest: Some(manifest), event };
        ledger::append(&context, &chain, |_| Ok(draft.clone())).await.unwrap();
    }
    assert_eq!(project.json(0, &["graveyard"])[0]["release"], "v1.0.1");
    project.xtask(&["promote", "--to", "uat", "--release", "v1.0.1"]).expect(4).says("alive: it died in qa");
    project.xtask(&["audit", "verify"]).expect(5).says("it went live after its death");
    let draft = ledger::Draft { release: Some(release), manifest: Some(manifest), event: verified };
    ledger::append(&context, &chain, |_| Ok(draft.clone())).await.unwrap();
    let audit = project.xtask(&["audit", "verify"]).expect(5);
    assert!(audit.stdout.contains("`verified`, which cannot follow"), "{audit:?}");
}

/// What is no plain object is no better next time, and nothing is written through it.
#[tokio::test]
async fn what_is_no_object_is_tampering() {
    let project = in_uat().await;
    let vault = project.local().join("vault");
    let head = vault.join("environments/uat/00000005.json");
    let outside = project.repo().beside("outside");
    fs::create_dir(&outside).unwrap();
    let aside = vault.join("../aside");
    fs::rename(&head, &aside).unwrap();
    for number in 0..3 {
        match number {
            0 => symlink(&aside, &head).unwrap(),
            1 => fs::create_dir(&head).unwrap(),
            _ => fs::File::create(&head).unwrap().set_len(1 << 40).unwrap(),
        }
        project.xtask(&["status"]).expect(5).says("environments/uat/00000005.json");
        project.xtask(&["audit", "verify"]).expect(5).says("environments/uat/00000005.json");
        fs::remove_file(&head).or_else(|_| fs::remove_dir(&head)).unwrap();
    }
    fs::rename(&aside, &head).unwrap();
    symlink(&outside, vault.join("approvals/v1.0.0/qa")).unwrap();
    let approvals = vault.join("approvals/v1.0.0/prod");
    fs::rename(&approvals, &aside).unwrap();
    symlink(&outside, &approvals).unwrap();
    project.decide("max", "approve prod v1.0.0", &[]).expect(5).says("is no plain object");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "it wrote outside");
}

/// What nobody believes may lie in one vault and not in the other; then nothing is built on it.
#[tokio::test]
async fn parted_histories_are_not_mirrored() {
    let project = in_uat().await;
    project.decide("max", "approve prod v1.0.0", &[]).expect(0);
    let context = project.context();
    let (here, there) = ("vault/approvals/v1.0.0/prod", "dr/vault/approvals/v1.0.0/prod");
    fs::create_dir_all(project.local().join(there)).unwrap();
    let mut entry: serde_json::Value =
        serde_json::from_slice(&fs::read(project.local().join(here).join("00000001.json")).unwrap()).unwrap();
    entry.as_object_mut().unwrap().remove("signature");
    entry["actor"] = "mallory".into();
    let own = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
    let signature = own.sign("xtask-approval-prod", HashAlg::Sha512, &canonical::to_vec(&entry).unwrap()).unwrap();
    entry["signature"] = signature.to_pem(LineEnding::LF).unwrap().into();
    fs::write(project.local().join(there).join("00000001.json"), canonical::to_vec(&entry).unwrap()).unwrap();
    let chain = ChainName::Approvals { release: "v1.0.0".parse().unwrap(), environment: "prod".parse().unwrap() };
    let mirrored = mirror::decisions(&context, &context.at_recovery(), &chain).await;
    assert_eq!(code(&mirrored), 5, "{mirrored:?}");
    assert!(format!("{mirrored:?}").contains("their histories have parted"), "{mirrored:?}");
    assert!(!project.local().join(there).join("00000002.json").exists(), "it was built on");
}
