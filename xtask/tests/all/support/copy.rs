//! A copy of this very repository as it stands, in a git repository of its own: what a developer does to the real functions
//! is tried there. Every copy stays at its place in the build folder, and all share one folder for what cargo builds, so
//! that dependencies are built once.

use std::{
    fs,
    process::{Command, Stdio},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::project::{Ran, command, scrubbed};

/// Where copies lie.
const PLACE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/copies");

/// A copy.
pub(crate) struct Copy {
    root: Utf8PathBuf,
}

impl Copy {
    /// Made anew, with everything committed. A name is one test's own.
    pub(crate) fn new(name: &str) -> Self {
        let copy = Self { root: Utf8Path::new(PLACE).join(name) };
        fs::remove_dir_all(&copy.root).unwrap_or_default();
        let original = original();
        let listed = Command::new("git")
            .args(["-C", original.as_str(), "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        for path in listed.split('\0').filter(|path| original.join(path).is_file()) {
            let target = copy.root.join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(original.join(path), target).unwrap();
        }
        copy.git(&["init", "--quiet", "--initial-branch", "main"]);
        copy.commit("feat: a copy");
        copy
    }

    /// Its root.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The folder of its local state.
    pub(crate) fn local(&self) -> Utf8PathBuf {
        self.root.join(".local")
    }

    /// A program in the copy, such as cargo.
    pub(crate) fn program(&self, program: &str) -> Command {
        building(scrubbed(program, &self.root))
    }

    /// The real binary in the copy.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        building(command(&self.root, &self.local(), args))
    }

    /// Runs the real binary in the copy.
    pub(crate) fn xtask(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// Runs cargo in the copy; it must end well.
    pub(crate) fn cargo(&self, args: &[&str]) -> Ran {
        Ran::of(self.program("cargo").args(args).output().unwrap()).expect(0)
    }

    /// What git says.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut git = scrubbed("git", &self.root);
        git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgSign=false"]);
        let output = git.args(args).stdin(Stdio::null()).output().unwrap();
        Ran::of(output).expect(0).stdout
    }

    /// Commits all changes.
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// This repository.
pub(crate) fn original() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn building(mut command: Command) -> Command {
    command.env("CARGO_TARGET_DIR", format!("{PLACE}/target"));
    command
}
