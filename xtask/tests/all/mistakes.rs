//! What a newcomer gets wrong: each mistake is named with its remedy and the right exit code, and changes nothing.

use camino::Utf8Path;

use crate::support::project::{Project, Ran};

/// What is typed, the exit code, and what the story says.
const MISTAKES: [(&[&str], i32, &str); 25] = [
    (&[], 2, "Usage: cargo xtask"),
    (&["relase"], 2, "a similar subcommand exists: 'release'"),
    (&["status", "--relase", "v1.0.0"], 2, "a similar argument exists: '--release'"),
    (&["promote"], 2, "--to <ENV>"),
    (&["promote", "--to", "UAT"], 2, "`UAT` is not a valid environment name: lower-case letters"),
    (&["promote", "--to", "staging"], 2, "no environment `staging`; release.toml has dev, qa, uat, prod, dr"),
    (&["promote", "--to", "uat", "--release", "v1"], 2, "`v1` is not a version: write `vX.Y.Z`"),
    (&["promote", "--to", "uat", "--release", "v9.9.9"], 4, "v9.9.9 is not a sealed release; the newest is v1.0.0"),
    (&["promote", "--to", "prod", "--release", "v1.0.0"], 4, "not verified in uat"),
    (&["promote", "--to", "dr"], 4, "run `cargo xtask dr-sync`"),
    (&["approve", "--to", "dev", "--release", "v1.0.0"], 2, "the gate of dev asks nobody"),
    (&["approve", "--to", "uat", "--release", "v1.0.0"], 2, "no throwaway key for qa-lead; name your own with --key"),
    (
        &["approve", "--to", "prod", "--release", "v1.0.0", "--as", "janitor"],
        2,
        "the gate of prod does not ask for `janitor`; it asks for product-owner, manager",
    ),
    (&["approve", "--to", "uat", "--release", "v1.0.0", "--key", "none"], 2, "make one with `ssh-keygen -t ed25519`"),
    (&["rollback", "--env", "dev"], 4, "fix forward: commit a fix and run `cargo xtask release`"),
    (&["history", "--env", "dev", "--at", "noon"], 2, "`noon` is not a time: write RFC 3339"),
    (
        &["invoke", "alpha", "--event", "none.json"],
        2,
        "No such file or directory (os error 2); name a JSON file by --event",
    ),
    (&["invoke", "alpha", "--event", "release.toml"], 2, "release.toml is not JSON"),
    (
        &["invoke", "gamma", "--event", "functions/alpha/behaviour.json"],
        2,
        "there is no function `gamma`; release.toml has alpha, beta",
    ),
    (
        &["evidence", "add", "v1.0.0", "--env", "uat", "--kind", "tests", "--file", "none.xml"],
        2,
        "name the proof by --file",
    ),
    (&["--profile", "azure", "status"], 2, "[possible values: local, aws]"),
    (&["--config", "none.toml", "status"], 2, "none.toml: write it, or correct the path to it"),
    (&["policy", "stop"], 2, "<REASON>"),
    (&["policy", "stop", " "], 2, "say why, in a few words"),
    (
        &["policy", "apply"],
        2,
        "there is no people.toml beside release.toml; write one, or run `cargo xtask doctor --fix`",
    ),
];

#[test]
fn each_mistake_is_named_and_changes_nothing() {
    let project = Project::new();
    project.xtask(&["release"]).expect(0);
    let before = project.lasting();
    for (args, code, text) in MISTAKES {
        let ran = project.xtask(args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(text), "{args:?} does not say `{text}`: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args:?}: nothing came of it");
        assert!(project.lasting() == before, "{args:?} changed something");
    }
}

#[test]
fn local_state_needs_a_folder() {
    let project = Project::new();
    let release = project.root().join("release.toml");
    for (local, text) in [
        (release.as_str(), "release.toml is no folder, so it cannot hold local state"),
        ("/proc/none", "failed to make the folder /proc/none of local state"),
    ] {
        let mut command = project.command(project.root(), &["release"]);
        let ran = Ran::of(command.env("XTASK_LOCAL", local).output().unwrap());
        ran.expect(2).says(text).says("name another folder in the variable XTASK_LOCAL");
    }
}

#[test]
fn a_stop_ends_once() {
    let project = Project::new();
    let answer = |args: &[&str]| project.xtask(args).expect(0).stdout;
    assert!(answer(&["policy", "stop", "leak"]).contains("until `cargo xtask policy resume \"<reason>\"`"));
    assert!(answer(&["policy", "resume", "mended"]).contains("the emergency stop is over"));
    let before = project.lasting();
    assert!(answer(&["policy", "resume", "mended"]).contains("there is no emergency stop; nothing changed"));
    assert!(project.lasting() == before);
}

#[test]
fn the_doctor_says_each_thing_in_one_line() {
    let project = Project::new();
    project.repo().write("one.txt", "").write("two.txt", "");
    let ran = project.xtask(&["doctor"]).expect(2);
    let line = ran.stdout.lines().find(|line| line.starts_with("repository")).unwrap();
    assert!(line.contains("- one.txt - two.txt") && line.ends_with("see the message"), "{line}");
}

#[test]
fn what_only_some_commands_need_is_no_fault_where_it_is_missing() {
    let project = Project::new();
    project.xtask(&["doctor", "--fix"]).expect(0);
    let tools = project.repo().beside("tools");
    std::fs::create_dir(&tools).unwrap();
    let path = std::env::var("PATH").unwrap();
    for tool in ["cargo", "cc", "git", "rustc"] {
        let found = path.split(':').map(|folder| Utf8Path::new(folder).join(tool)).find(|file| file.is_file());
        std::os::unix::fs::symlink(found.unwrap(), tools.join(tool)).unwrap();
    }
    let mut doctor = project.command(project.root(), &["doctor", "--json"]);
    let told = Ran::of(doctor.env("PATH", &tools).output().unwrap()).expect(0).json();
    for (what, remedy) in [("debugger", "apt-get install gdb"), ("Python", "apt-get install python3 python3-venv")] {
        let row = told.as_array().unwrap().iter().find(|row| row["what"] == what).unwrap();
        assert!(row["verdict"] != "Correct" && row["remedy"].as_str().unwrap().contains(remedy), "{row}");
    }
    std::fs::remove_file(tools.join("cc")).unwrap();
    let mut doctor = project.command(project.root(), &["doctor"]);
    Ran::of(doctor.env("PATH", &tools).output().unwrap()).expect(2).says("to be mended: C compiler");
}
