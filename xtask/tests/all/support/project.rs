//! A small monorepo that the toolchain releases: two functions without dependencies, five environments. What a function
//! does is written in its `behaviour.json`, which is compiled in, so that a bad version is a commit like any other.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Output, Stdio},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use xtask::model::commit::CommitId;

use crate::support::repo::Repo;

/// The project's functions.
pub(crate) const FUNCTIONS: [&str; 2] = ["alpha", "beta"];

/// A project in a repository of its own, its local state beside the work tree or in it.
pub(crate) struct Project {
    repo: Repo,
    local: Utf8PathBuf,
}

/// In what way a function is bad.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bad {
    /// It ends before it asks for work.
    Start,
    /// It tells the Runtime API that it cannot start.
    Init,
    /// It answers wrongly.
    Answer,
    /// It never answers.
    Hang,
    /// It answers later than it may.
    Slow,
    /// It answers well before it is live, and wrongly after.
    TwoFaced,
    /// Its zip has no program at its root. Only the packer of the world in process makes such a zip.
    Package,
}

impl Project {
    /// With one commit, and nothing released.
    pub(crate) fn new() -> Self {
        let repo = Repo::new();
        let local = repo.root().join(".local");
        let project = Self { repo, local };
        project.repo.write(".gitignore", "/target/\n").write("release.toml", RELEASE).write("Cargo.lock", LOCK);
        project.repo.write("Cargo.toml", WORKSPACE);
        for function in FUNCTIONS {
            let folder = format!("functions/{function}");
            project.repo.write(&format!("{folder}/Cargo.toml"), &PACKAGE.replace("NAME", function));
            project.repo.write(&format!("{folder}/src/main.rs"), &program());
            project.repo.write(&format!("{folder}/smoke.toml"), &SMOKE.replace("NAME", function));
            project.heal(function);
        }
        project.commit("feat: answer");
        project
    }

    /// The same project checked out once more, with the same local state.
    pub(crate) fn in_clone(&self, name: &str) -> Utf8PathBuf {
        let clone = self.repo.beside(name);
        self.repo.git(&["clone", "--quiet", self.root().as_str(), clone.as_str()]);
        clone
    }

    /// The repository.
    pub(crate) fn repo(&self) -> &Repo {
        &self.repo
    }

    /// The folder of `release.toml`.
    pub(crate) fn root(&self) -> &Utf8Path {
        self.repo.root()
    }

    /// The folder of local state.
    pub(crate) fn local(&self) -> &Utf8Path {
        &self.local
    }

    /// Commits all changes; the message alone makes one.
    pub(crate) fn commit(&self, message: &str) -> CommitId {
        self.repo.commit(message)
    }

    /// Writes a function that does this.
    pub(crate) fn behave(&self, function: &str, behaviour: &Value) {
        self.repo.write(&format!("functions/{function}/behaviour.json"), &behaviour.to_string());
    }

    /// Writes a good function; `note` makes its bytes differ from another good one's.
    pub(crate) fn improve(&self, function: &str, note: &str) {
        self.behave(function, &json!({ "mode": "data", "answer": good(function), "note": note }));
    }

    /// Writes the good function of the first commit.
    pub(crate) fn heal(&self, function: &str) {
        self.improve(function, "first");
    }

    /// Writes a bad function.
    pub(crate) fn break_function(&self, function: &str, bad: Bad) {
        if matches!(bad, Bad::Slow) {
            // Only here: a busy machine must not let a good function die.
            let smoke = format!("{}within_ms = 1200\n", SMOKE.replace("NAME", function));
            self.repo.write(&format!("functions/{function}/smoke.toml"), &smoke);
        }
        let wrong = json!({ "statusCode": 200, "body": "{\"from\":\"nobody\"}" });
        self.behave(
            function,
            &match bad {
                Bad::Start => json!({ "start": "panic" }),
                Bad::Init => json!({ "start": "init-error" }),
                Bad::Answer => json!({ "answer": wrong }),
                Bad::Hang => json!({ "mode": "hang" }),
                Bad::TwoFaced => json!({ "mode": "two-faced", "answer": good(function) }),
                Bad::Package => json!({ "package": "without a program" }),
                Bad::Slow => json!({ "mode": "slow", "answer": good(function) }),
            },
        );
    }

    /// Replaces the answer of every function of an environment, behind the toolchain's back.
    pub(crate) fn spoil_data(&self, environment: &str) {
        let file = self.local.join("data").join(environment);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, r#"{"statusCode":200,"body":"{\"from\":\"elsewhere\"}"}"#).unwrap();
    }

    /// Runs the real binary in the project.
    pub(crate) fn xtask(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(self.root(), args).output().unwrap())
    }

    /// Runs it and asks for JSON; it must end with this code.
    pub(crate) fn json(&self, code: i32, args: &[&str]) -> Value {
        self.xtask(&[args, &["--json"]].concat()).expect(code).json()
    }

    /// The real binary in a folder, in an environment of which only what the build tools need is passed on.
    pub(crate) fn command(&self, folder: &Utf8Path, args: &[&str]) -> Command {
        command(folder, &self.local, args)
    }

    /// Every file of the local state that lasts: its name and its bytes. Locks and drafts are none of them.
    pub(crate) fn lasting(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = tree(&self.local);
        files.retain(|name, _| !name.starts_with("tmp/") && !name.starts_with("locks/") && !name.contains(".hosts/"));
        files
    }

    /// The names of all tags, sorted.
    pub(crate) fn tags(&self) -> String {
        self.repo.git(&["tag", "--list"])
    }
}

/// The real binary in a folder, with its state in `local`.
pub(crate) fn command(folder: &Utf8Path, local: &Utf8Path, args: &[&str]) -> Command {
    let mut command = scrubbed(env!("CARGO_BIN_EXE_xtask"), folder);
    command.args(args).env("XTASK_LOCAL", local);
    command
}

/// A program in a folder, in an environment of which only what the build tools need is passed on.
pub(crate) fn scrubbed(program: &str, folder: &Utf8Path) -> Command {
    let mut command = Command::new(program);
    let passed = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TMPDIR"];
    let passed = passed.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    command.current_dir(folder).env_clear().envs(passed).stdin(Stdio::null());
    command.envs([("USER", "ada"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
    command
}

/// What a run of the binary brought.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code; -1 if a signal ended it.
    pub(crate) code: i32,
    /// The result.
    pub(crate) stdout: String,
    /// The story.
    pub(crate) stderr: String,
}

impl Ran {
    /// From what the process left.
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output in UTF-8");
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// It must have ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Its story must say this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "it does not say `{text}`: {}", self.stderr);
        self
    }

    /// Its result must have this in it.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "it does not print `{text}`: {}\n{}", self.stdout, self.stderr);
        self
    }

    /// Its result, which must be one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

/// Every file below a folder, by its name relative to it.
pub(crate) fn tree(root: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in folder.read_dir_utf8().into_iter().flatten() {
            let item = item.unwrap();
            if item.file_type().unwrap().is_dir() {
                folders.push(item.path().to_owned());
            } else {
                let name = item.path().strip_prefix(root).unwrap().to_string();
                files.insert(name, fs::read(item.path()).unwrap_or_default());
            }
        }
    }
    files
}

/// Makes a folder what `tree` read of it.
pub(crate) fn put_back(local: &Utf8Path, files: &BTreeMap<String, Vec<u8>>) {
    fs::remove_dir_all(local).unwrap_or_default();
    for (name, bytes) in files {
        let path = local.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn good(function: &str) -> Value {
    json!({ "statusCode": 200, "body": json!({ "from": function }).to_string() })
}

/// The fixture function with its behaviour compiled in.
fn program() -> String {
    let source = include_str!("../../fixtures/bootstrap.rs");
    let told = r#"fs::read_to_string("behaviour.json").unwrap_or_else(|_| "{}".to_owned())"#;
    assert!(source.contains(told), "the fixture reads its behaviour in another way now");
    source.replace(told, r#"include_str!("../behaviour.json").to_owned()"#)
}

const WORKSPACE: &str = r#"[workspace]
resolver = "3"
members = ["functions/*"]

[profile.function]
inherits = "dev"
debug = false
strip = "symbols"
incremental = false
"#;

const LOCK: &str = r#"version = 4

[[package]]
name = "alpha"
version = "0.1.0"

[[package]]
name = "beta"
version = "0.1.0"
"#;

const PACKAGE: &str = r#"[package]
name = "NAME"
version = "0.1.0"
edition = "2024"
"#;

const SMOKE: &str = r#"schema = 1

[[check]]
name = "answers"
safe = true
[check.request]
event = "apigw-v2"
path = "/"
[check.expect]
status = 200
json = { "/from" = "NAME" }
"#;

/// The environments of the real project.
pub(crate) const RELEASE: &str = r#"schema = 1

[functions.alpha.configuration]
memory_mb = 256
timeout_s = 4

[functions.beta.configuration]
timeout_s = 4

[[environments]]
name = "dev"

[[environments]]
name = "qa"

[[environments]]
name = "uat"
gate.approvals = [{ role = "qa-lead", count = 1 }]

[[environments]]
name = "prod"
safe_smoke_only = true
gate.approvals = [{ role = "product-owner", count = 1 }, { role = "manager", count = 1 }]

[[environments]]
name = "dr"
safe_smoke_only = true
recovery = true

[profile.local]
function_name = "{function}-{environment}"

[profile.local.variables]
DATA = "{local}/data/{environment}"
"#;
