//! `verify` finds whatever was changed behind the tool's back, and names the function.

use std::fs;

use camino::Utf8PathBuf;

use crate::support::project::Project;

/// The files of one function in the fleet.
fn file(project: &Project, function: &str, name: &str) -> Utf8PathBuf {
    project.local().join("fleet").join(function).join(name)
}

/// Replaces a file whatever its mode.
fn overwrite(path: &Utf8PathBuf, content: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}

fn edit(path: &Utf8PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{path} has no {from}: {text}");
    overwrite(path, text.replacen(from, to, 1).as_bytes());
}

type Tampering = (&'static str, i32, &'static str, fn(&Project));

/// What is done to alpha in dev, the exit code, and what must be said.
const TAMPERINGS: &[Tampering] = &[
    ("the code of the live version replaced", 5, "alpha-dev (bytes Incorrect", |project| {
        let beta = fs::read(file(project, "beta-dev", "versions/2/code.zip")).unwrap();
        overwrite(&file(project, "alpha-dev", "versions/2/code.zip"), &beta);
    }),
    ("one byte appended to the code", 5, "alpha-dev (bytes Incorrect", |project| {
        let path = file(project, "alpha-dev", "versions/2/code.zip");
        let bytes = [fs::read(&path).unwrap(), vec![0]].concat();
        overwrite(&path, &bytes);
    }),
    (
        "the alias moved to an earlier version",
        5,
        "alpha-dev (alias Incorrect: expected version 2, found version 1",
        |project| {
            edit(&file(project, "alpha-dev", "aliases/live.json"), "\"version\": 2", "\"version\": 1");
        },
    ),
    ("the alias moved to no version", 5, "alpha-dev (alias Missing", |project| {
        edit(&file(project, "alpha-dev", "aliases/live.json"), "\"version\": 2", "\"version\": 7");
    }),
    ("the alias sharing its calls", 5, "found version 2 and, for a share of the calls, another", |project| {
        edit(&file(project, "alpha-dev", "aliases/live.json"), "\"canary\": null", "\"canary\": [1, 500]");
    }),
    ("the alias removed", 5, "alpha-dev (alias Missing", |project| {
        fs::remove_file(file(project, "alpha-dev", "aliases/live.json")).unwrap();
    }),
    ("the function removed", 5, "alpha-dev (alias Missing", |project| {
        fs::remove_dir_all(file(project, "alpha-dev", "")).unwrap();
    }),
    ("the live version removed", 5, "alpha-dev (alias Missing", |project| {
        fs::remove_dir_all(file(project, "alpha-dev", "versions/2")).unwrap();
    }),
    ("the configuration changed", 5, "alpha-dev (configuration Incorrect", |project| {
        edit(&file(project, "alpha-dev", "versions/2/state.json"), "\"memory_mb\": 256", "\"memory_mb\": 512");
    }),
    ("the record of the version damaged", 8, "alpha-dev (alias Unreachable", |project| {
        overwrite(&file(project, "alpha-dev", "versions/2/state.json"), b"{");
    }),
    ("the alias damaged", 8, "alpha-dev (alias Unreachable", |project| {
        overwrite(&file(project, "alpha-dev", "aliases/live.json"), b"");
    }),
    ("the code removed", 8, "alpha-dev (alias Unreachable", |project| {
        fs::remove_file(file(project, "alpha-dev", "versions/2/code.zip")).unwrap();
    }),
    ("the data that the functions read", 10, "alpha in dev answers wrongly: check `answers`", |project| {
        project.spoil_data("dev")
    }),
];

#[test]
fn every_tampering_is_named() {
    let project = Project::new();
    project.xtask(&["release"]).expect(0);
    project.improve("alpha", "second");
    project.improve("beta", "second");
    project.commit("fix: both");
    project.xtask(&["release"]).expect(0);
    let fleet = project.local().join("fleet");
    let whole = project.local().join("whole");
    copy(&fleet, &whole);
    let vault = project.lasting().into_iter().filter(|(name, _)| name.starts_with("vault/")).collect::<Vec<_>>();
    for (name, code, says, tamper) in TAMPERINGS {
        tamper(&project);
        let ran = project.xtask(&["verify", "--env", "dev"]);
        assert_eq!(ran.code, *code, "{name}: {ran:?}");
        assert!(ran.stderr.contains(says), "{name}: it does not say `{says}`: {}", ran.stderr);
        assert!(!ran.stderr.contains("beta-dev ("), "{name}: it blames beta: {}", ran.stderr);
        assert_eq!(project.json(*code, &["verify", "--env", "dev"])["release"], "v1.0.1");
        project.xtask(&["verify", "--env", "qa"]).expect(0);
        fs::remove_dir_all(&fleet).unwrap();
        let data = project.local().join("data");
        fs::remove_dir_all(&data).unwrap_or_default();
        copy(&whole, &fleet);
        project.xtask(&["verify", "--env", "dev"]).expect(0);
    }
    let after = project.lasting();
    assert!(vault.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "`verify` changes nothing");
    // It writes that what is live there was found wrong, and well again; what was out of reach says nothing of it.
    let added = after.keys().filter(|name| name.starts_with("vault/") && vault.iter().all(|(known, _)| known != *name));
    let added: Vec<_> = added.collect();
    assert!(added.iter().all(|name| name.starts_with("vault/environments/dev/")), "{added:?}");
    assert_eq!(added.len(), 2 * TAMPERINGS.iter().filter(|(_, code, ..)| *code != 8).count(), "{added:?}");
    assert_eq!(project.json(0, &["graveyard"]), serde_json::json!([]), "and kills nothing");
}

#[test]
fn what_was_moved_by_hand_is_put_back_by_promoting_again() {
    let project = Project::new();
    project.xtask(&["release"]).expect(0);
    fs::remove_file(file(&project, "alpha-dev", "aliases/live.json")).unwrap();
    let ran = project.xtask(&["verify", "--env", "dev"]).expect(5);
    let ran = ran.says("to put it back, run `cargo xtask promote --to dev --release v1.0.0`");
    assert!(ran.stdout.contains("Missing"));
    project.xtask(&["promote", "--to", "dev", "--release", "v1.0.0"]).expect(0);
    project.xtask(&["verify", "--env", "dev"]).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
}

fn copy(from: &Utf8PathBuf, to: &Utf8PathBuf) {
    for (name, bytes) in crate::support::project::tree(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
