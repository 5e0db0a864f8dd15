//! What an auditor has: a copy of the vault, perhaps the witness's notes, perhaps a list of keys. And vaults that somebody
//! made hard to read.

use std::fs;

use super::Vault;
use crate::support::project::{Ran, scrubbed};

/// The real binary in an empty folder without a repository.
fn audit(vault: &Vault, args: &[&str]) -> Ran {
    let folder = vault.project.repo().beside("auditor");
    fs::create_dir_all(&folder).unwrap();
    let copy = vault.path("");
    let mut command = scrubbed(env!("CARGO_BIN_EXE_xtask"), &folder);
    command.args(["audit", "verify", "--vault", copy.as_str()]).args(args);
    Ran::of(command.output().unwrap())
}

#[test]
fn a_copy_is_enough() {
    let vault = Vault::new();
    let ran = audit(&vault, &[]).expect(0).says("tail unwitnessed").says("trusted for releaser: SHA256:");
    assert!(ran.stdout.contains("3 sealed releases: 0 findings"), "{ran:?}");
    let witness = vault.project.local().join("witness.json");
    let ran = audit(&vault, &["--witness", witness.as_str()]).expect(0);
    assert!(!ran.stderr.contains("unwitnessed"), "{ran:?}");
    audit(&vault, &["--witness", "nowhere.json"]).expect(2);

    let signers = vault.project.xtask(&["audit", "signers"]).expect(0).stdout;
    let list = vault.project.repo().beside("signers");
    fs::write(&list, &signers).unwrap();
    let own = ["--allowed-signers", list.as_str()];
    let ran = audit(&vault, &own).expect(0);
    assert!(!ran.stderr.contains("trusted for"), "{ran:?}");
    // Whom the list does not know did not sign.
    for (gone, named) in [
        ("deployer-prod ", "environments/prod/00000001.json"),
        ("evidence ", "evidence/v1.1.1/"),
        ("pia ", "approvals/v1.1.1/prod/00000001.json"),
    ] {
        let rest: String =
            signers.lines().filter(|line| !line.starts_with(gone)).map(|line| format!("{line}\n")).collect();
        fs::write(&list, rest).unwrap();
        let ran = audit(&vault, &own).expect(5);
        assert!(ran.stdout.contains(named), "{gone}: {ran:?}");
    }
    fs::write(&list, "releaser *").unwrap();
    audit(&vault, &own).expect(2).says("line 1 of the list");
}

#[test]
fn a_witness_that_begins_anew_says_what_it_did_not_see() {
    let vault = Vault::new();
    fs::remove_file(vault.project.local().join("witness.json")).unwrap();
    vault.project.xtask(&["policy", "stop", "a drill"]).expect(0);
    let audit = vault.project.json(0, &["audit", "verify"]);
    let unwitnessed: Vec<&str> =
        audit["unwitnessed"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(!unwitnessed.contains(&"policy"), "{unwitnessed:?}");
    for chain in ["releases", "environments/dev", "environments/dr", "approvals/v1.1.1/prod"] {
        assert!(unwitnessed.contains(&chain), "{chain} in {unwitnessed:?}");
    }
    assert!(unwitnessed.iter().any(|chain| chain.starts_with("evidence/v1.1.1/")), "{unwitnessed:?}");
    vault.project.xtask(&["audit", "verify"]).expect(0).says("tail unwitnessed: the witness did not see");
}

/// What nobody could read to its end is not read.
#[test]
fn what_is_too_large_is_named_at_once() {
    let vault = Vault::new();
    for name in ["v1.1.1/alpha.zip", "v1.1.1/SHA256SUMS", "v1.1.1/manifest.json", "releases/00000006.json"] {
        let before = vault.read(name);
        fs::remove_file(vault.path(name)).unwrap();
        fs::File::create(vault.path(name)).unwrap().set_len(1 << 42).unwrap();
        vault.shows(name, &format!("{name} of four terabytes"));
        vault.write(name, &before);
    }
    // An entry far away is a gap, told once.
    vault.write("environments/dev/99999999.json", &vault.read("environments/dev/00000001.json"));
    let found = vault.findings("an entry far away");
    assert!(found.len() < 10 && found.contains(&"environments/dev/00000017.json".to_owned()), "{found:?}");
    vault.write("environments/dev/18446744073709551615.json", b"{}");
    vault.shows("environments/dev/18446744073709551615.json", "an entry at the end of all numbers");
}

/// Whoever decides may not write lines of ours.
#[test]
fn a_comment_is_shown_and_not_obeyed() {
    let vault = Vault::new();
    let comment = "fine\nnote  approved by all\u{1b}[2K\u{202e}";
    let reason = ["policy", "stop", comment];
    vault.project.xtask(&reason).expect(0);
    for args in
        [&["status", "--release", "v1.0.0"][..], &["promote", "--to", "uat", "--release", "v1.1.1"], &["status"]]
    {
        let ran = vault.project.xtask(args);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!told.contains('\u{1b}') && !told.contains('\u{202e}'), "{args:?}: {told:?}");
        assert!(!told.lines().any(|line| line.starts_with("note  approved")), "{args:?}: {told:?}");
    }
    let shown = vault.project.xtask(&["promote", "--to", "dev", "--release", "v1.1.1"]);
    assert!(format!("{shown:?}").contains("emergency stop"), "{shown:?}");
}
