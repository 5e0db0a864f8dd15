//! What was added to the vault or taken out of it, and the audit by the real binary.

use std::fs;

use super::Vault;

/// Names that no writer makes, in every part of the vault.
const STRANGERS: &[&str] = &[
    "stranger",
    "releases/stranger",
    "releases/1.json",
    "releases/00000000.json",
    "releases/00000099.json",
    "releases/000000001.json",
    "releases/00000001.JSON",
    "releases/00000001.json.tmp",
    "releases/.hidden",
    "releases/deeper/00000001.json",
    "environments/00000001.json",
    "environments/dev/00000000.json",
    "environments/dev/00000099.json",
    "environments/dev/deeper/00000001.json",
    "environments/mars/00000001.json",
    "environments/DEV/00000001.json",
    "v1.0.0/stranger.zip",
    "v1.0.0/deeper/manifest.json",
    "v1.0.0/ünï",
    "v01.0.0/alpha.zip",
    "v1.0/alpha.zip",
    "V1.0.0/alpha.zip",
    "v7.0.0/manifest.json",
    "v7.0.0/alpha.zip",
    "elsewhere/00000001.json",
    "policy/00000099.json",
    "policy/people.toml",
    "approvals/00000001.json",
    "approvals/v1.1.1/00000001.json",
    "approvals/v1.1.1/mars/00000001.json",
    "approvals/v7.0.0/uat/00000001.json",
    "approvals/v1.1.1/uat/deeper/00000001.json",
    "evidence/stranger.json",
    "evidence/v1.1.1/stranger.json",
    "evidence/v7.0.0/stranger.json",
];

#[test]
fn whatever_is_added_is_named() {
    let vault = Vault::new();
    for name in STRANGERS {
        // The bytes of a true object, of the kind that belongs there.
        let donor = if name.ends_with(".zip") { "v1.0.0/alpha.zip" } else { "environments/dev/00000001.json" };
        let folder = vault.path(name).parent().unwrap().to_owned();
        let made = !folder.exists();
        vault.write(name, &vault.read(donor));
        vault.shows(name, &format!("{name} added"));
        fs::remove_file(vault.path(name)).unwrap();
        if made {
            vault.shows(&format!("{}/", name.rsplit_once('/').unwrap().0), &format!("the empty folder of {name}"));
            // Its parent may have been made for it, too; one that is not empty stays.
            fs::remove_dir(&folder).unwrap();
            fs::remove_dir(folder.parent().unwrap()).unwrap_or_default();
        }
    }
    vault.is_sound();
    for name in ["link", "v1.0.0/link", "releases/00000007.json"] {
        std::os::unix::fs::symlink(vault.path("v1.0.0/alpha.zip"), vault.path(name)).unwrap();
        vault.shows(name, &format!("the link {name} added"));
        fs::remove_file(vault.path(name)).unwrap();
    }
    vault.is_sound();
}

#[test]
fn whatever_is_taken_out_is_named() {
    let vault = Vault::new();
    let hidden = vault.project.local().join("hidden");
    for (folder, named) in [
        ("v1.0.0", "v1.0.0/manifest.json"),
        ("v1.1.0", "v1.1.0/manifest.json"),
        ("v1.1.1", "v1.1.1/manifest.json"),
        ("releases", "releases/00000001.json"),
        ("environments/dev", "environments/dev/00000001.json"),
        ("environments/qa", "environments/qa/00000010.json"),
        ("environments", "environments/dev/00000016.json"),
    ] {
        fs::rename(vault.path(folder), &hidden).unwrap();
        vault.shows(named, &format!("{folder} removed"));
        fs::rename(&hidden, vault.path(folder)).unwrap();
    }
    vault.is_sound();
    for chain in ["releases", "environments/dev", "environments/qa", "policy", "approvals/v1.1.1/uat", "evidence"] {
        let entries: Vec<String> = vault.names().into_iter().filter(|name| name.starts_with(chain)).collect();
        for cut in 1..=entries.len() {
            let tail = &entries[entries.len() - cut..];
            let bytes: Vec<_> = tail.iter().map(|name| vault.read(name)).collect();
            tail.iter().for_each(|name| fs::remove_file(vault.path(name)).unwrap());
            let found = vault.findings(&format!("the last {cut} of {chain} removed"));
            assert!(tail.iter().all(|name| found.contains(name)), "{tail:?} in {found:?}");
            tail.iter().zip(bytes).for_each(|(name, bytes)| vault.write(name, &bytes));
        }
    }
    vault.is_sound();
}

#[test]
fn a_rewound_vault_is_found() {
    let vault = Vault::new();
    fs::remove_dir_all(vault.path("")).unwrap();
    for (name, bytes) in Vault::earlier() {
        vault.write(&name, &bytes);
    }
    let found = vault.findings("rewound to v1.0.0");
    for name in ["releases/00000003.json", "environments/dev/00000006.json", "environments/qa/00000010.json"] {
        assert!(found.iter().any(|object| object == name), "{name} in {found:?}");
    }
    fs::remove_dir_all(vault.path("")).unwrap();
    vault.shows("releases/00000001.json", "all removed");
}

#[test]
fn the_binary_says_so_too() {
    let vault = Vault::new();
    let project = &vault.project;
    let audit = project.json(0, &["audit", "verify"]);
    assert_eq!(audit["findings"], serde_json::json!([]));
    assert_eq!((&audit["objects"], &audit["entries"], &audit["releases"]), (&79.into(), &57.into(), &3.into()));

    let alpha = vault.read("v1.0.0/alpha.zip");
    vault.write("v1.0.0/alpha.zip", &alpha[1..]);
    let ran = project.xtask(&["audit", "verify"]).expect(5).says("v1.0.0/alpha.zip is Incorrect");
    assert!(ran.stdout.contains("v1.0.0/alpha.zip"), "{}", ran.stdout);
    let finding = &project.json(5, &["audit", "verify"])["findings"][0];
    assert_eq!((&finding["object"], &finding["verdict"]), (&"v1.0.0/alpha.zip".into(), &"Incorrect".into()));
    vault.write("v1.0.0/alpha.zip", &alpha);
    let manifest = vault.read("v1.0.0/manifest.json");
    vault.write("v1.0.0/manifest.json", b"{}");
    project.xtask(&["audit", "verify"]).expect(5).says("v1.0.0: its other objects were not checked");
    vault.write("v1.0.0/manifest.json", &manifest);

    let head = vault.read("environments/qa/00000010.json");
    fs::remove_file(vault.path("environments/qa/00000010.json")).unwrap();
    project.xtask(&["audit", "verify"]).expect(5).says("environments/qa/00000010.json is Missing");
    // Nobody goes on over a missing tail.
    project.xtask(&["status"]).expect(5).says("its tail was removed");
    project.xtask(&["promote", "--to", "qa"]).expect(5).says("its tail was removed");
    vault.write("environments/qa/00000010.json", &head);

    let witness = project.local().join("witness.json");
    let heads = fs::read(&witness).unwrap();
    fs::write(&witness, &heads[1..]).unwrap();
    project.xtask(&["audit", "verify"]).expect(5).says("witness.json is damaged");
    fs::remove_file(&witness).unwrap();
    project.xtask(&["audit", "verify"]).expect(0).says("tail unwitnessed");
    fs::write(&witness, &heads).unwrap();
    project.xtask(&["audit", "verify"]).expect(0);
}
