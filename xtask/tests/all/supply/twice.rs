//! The functions of this very repository, built twice: in two folders, by two users as it were, at two times. What a release
//! of them seals must not know which.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Command,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::support::project::Ran;

/// The files of this repository as they are now, without what git ignores.
fn copy(to: &Utf8Path, mode: u32) {
    let from = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(from);
    let listed = String::from_utf8(git.output().unwrap().stdout).unwrap();
    for name in listed.split_terminator('\0').filter(|name| from.join(name).is_file()) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(from.join(name), &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    assert!(to.join("release.toml").is_file(), "a copy of this repository");
}

/// Builds there with this umask and these variables; the artifacts by function.
fn build(folder: &Utf8Path, umask: &str, variables: &[(&str, &str)]) -> Value {
    let out = folder.join("out");
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"umask "$0" && exec "$@""#, umask, env!("CARGO_BIN_EXE_xtask")]);
    shell.args(["build", "--json", "--quiet", "--out", out.as_str()]).current_dir(folder);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO") || name.starts_with("XTASK")) {
        if name != "CARGO_HOME" {
            shell.env_remove(name);
        }
    }
    shell.envs(variables.iter().copied());
    let told = Ran::of(shell.output().unwrap()).expect(0).json();
    // Both need not lie on the disk at once: they are large.
    fs::remove_dir_all(folder).unwrap();
    told["artifacts"].clone()
}

/// Another CARGO_HOME with the same packages in it, so that nothing is fetched again.
fn cargo_home(folder: &Utf8Path) -> (Utf8PathBuf, Utf8PathBuf) {
    let own = |name: &str, below: &str| {
        let home = || format!("{}/{below}", std::env::var("HOME").unwrap());
        Utf8PathBuf::from(std::env::var(name).unwrap_or_else(|_| home()))
    };
    let (from, to) = (own("CARGO_HOME", ".cargo"), folder.join("cargo home"));
    fs::create_dir_all(&to).unwrap();
    for entry in from.read_dir_utf8().unwrap().map(Result::unwrap) {
        symlink(entry.path(), to.join(entry.file_name())).unwrap();
    }
    (to, own("RUSTUP_HOME", ".rustup"))
}

#[test]
fn the_functions_of_this_repository_are_built_alike() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let (here, there) = (folder.join("here"), folder.join("another place/below"));
    copy(&here, 0o644);
    copy(&there, 0o600);
    let (cargo, rustup) = cargo_home(folder);
    let home = folder.join("home");
    fs::create_dir(&home).unwrap();
    let strange = [
        ("HOME", home.as_str()),
        ("CARGO_HOME", cargo.as_str()),
        ("RUSTUP_HOME", rustup.as_str()),
        ("CARGO_BUILD_JOBS", "1"),
        ("TZ", "Pacific/Kiritimati"),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("USER", "grace"),
        ("RUSTFLAGS", "-C debuginfo=2 -C strip=none"),
        ("CFLAGS", "-O0 -g"),
        ("SOURCE_DATE_EPOCH", "1"),
    ];
    let (one, other) = (build(&here, "022", &[]), build(&there, "077", &strange));
    let digests = |artifacts: &Value| -> Vec<(String, String)> {
        let each = artifacts.as_object().unwrap().iter();
        each.map(|(name, artifact)| (name.clone(), artifact["sha256"].as_str().unwrap().to_owned())).collect()
    };
    assert_eq!(digests(&one), digests(&other), "something of the building machine got in");
    let different: BTreeSet<String> = digests(&one).into_iter().map(|(_, digest)| digest).collect();
    assert!(different.len() >= 2 && different.len() == digests(&one).len(), "each function has an artifact of its own");
}
