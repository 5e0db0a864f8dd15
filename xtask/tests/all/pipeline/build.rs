//! The same commit gives the same bytes, wherever, by whom and when it is built.

use std::{fs, os::unix::fs::PermissionsExt as _};

use camino::Utf8Path;

use crate::support::project::{FUNCTIONS, Project, Ran};

/// Builds in a folder with this umask and these variables; the zips.
fn zips(project: &Project, folder: &Utf8Path, umask: &str, variables: &[(&str, &str)]) -> Vec<Vec<u8>> {
    let out = folder.join("out of the way");
    let binary = project.command(folder, &["build", "--out", out.as_str(), "--quiet"]);
    // A umask is inherited: a shell sets it and becomes the binary.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", r#"umask "$0" && exec "$@""#, umask]).arg(binary.get_program()).args(binary.get_args());
    shell.current_dir(folder).env_clear();
    shell.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?)))).envs(variables.iter().copied());
    Ran::of(shell.output().unwrap()).expect(0);
    FUNCTIONS.iter().map(|function| fs::read(out.join(format!("{function}.zip"))).unwrap()).collect()
}

#[test]
fn two_builds_of_one_commit_are_equal() {
    let project = Project::new();
    // With everything in it that could tell where and by whom it was built.
    let workspace = fs::read_to_string(project.root().join("Cargo.toml")).unwrap();
    let workspace = workspace.replace("debug = false", "debug = true").replace("\"symbols\"", "\"none\"");
    project.repo().write("Cargo.toml", &workspace);
    project.commit("feat: keep symbols");
    let elsewhere = project.in_clone("another place/with a space");
    // The clone's files, made again in the opposite order and with other modes.
    let mut files: Vec<_> = crate::support::project::tree(&elsewhere.join("functions")).into_iter().collect();
    files.reverse();
    fs::remove_dir_all(elsewhere.join("functions")).unwrap();
    for (name, bytes) in files {
        let path = elsewhere.join("functions").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let home = project.repo().beside("home");
    fs::create_dir(&home).unwrap();
    // Where cargo and rustup live is found by HOME if nothing else says so: only the rest of HOME may change.
    let own = std::env::var("HOME").unwrap();
    let of = |name: &str, folder: &str| std::env::var(name).unwrap_or_else(|_| format!("{own}/{folder}"));
    let (cargo, rustup) = (of("CARGO_HOME", ".cargo"), of("RUSTUP_HOME", ".rustup"));
    let strange = [
        ("HOME", home.as_str()),
        ("CARGO_HOME", &cargo),
        ("RUSTUP_HOME", &rustup),
        ("TZ", "Pacific/Kiritimati"),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("USER", "grace"),
        ("RUSTFLAGS", "-C debuginfo=2 -C strip=none"),
        ("CARGO_PROFILE_FUNCTION_OPT_LEVEL", "3"),
        ("SOURCE_DATE_EPOCH", "1"),
    ];
    let one = zips(&project, project.root(), "022", &[]);
    let other = zips(&project, &elsewhere, "077", &strange);
    assert!(one == other, "the artifacts differ: something of this machine got in");
    assert!(one[0] != one[1], "two functions, two artifacts");
}
