//! `local`: the real binary starts an emulator beside itself, and a release goes through what it set up there.

use std::{fs, os::unix::fs::symlink, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use xtask::adapters::emulator::REQUIREMENTS;

use crate::support::{
    ministack,
    people::STAFF,
    project::{Project, Ran},
};

/// A project whose emulator ends with the test.
struct Laptop {
    project: Project,
    folder: Utf8PathBuf,
}

const TABLE: &str = r#"{ "table": { "TableName": "T_{environment}", "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
    "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }] }, "items": [{ "pk": "one" }] }"#;

impl Laptop {
    /// With a table and a variable of its own, and MiniStack installed already, as after the first time.
    fn new() -> Self {
        let project = Project::new();
        let release = project.root().join("release.toml");
        let text = fs::read_to_string(&release).unwrap();
        let emulator = "\n[profile.local.emulator]\ntables = 'tables'\nvariables = { TABLE = 'T_{environment}' }\n";
        project.repo().write("release.toml", &format!("{text}{emulator}")).write("tables/t.json", TABLE);
        project.people(&STAFF, "");
        project.commit("build: what an emulator holds");
        let folder = project.local().join("ministack");
        fs::create_dir_all(&folder).unwrap();
        let python = ministack::installed();
        symlink(python.parent().unwrap().parent().unwrap(), folder.join("venv")).unwrap();
        fs::write(folder.join("installed.txt"), REQUIREMENTS).unwrap();
        Self { project, folder }
    }

    fn local(&self, args: &[&str]) -> Ran {
        self.project.xtask(&[&["local"], args].concat())
    }

    fn json(&self, args: &[&str]) -> Value {
        self.local(&[args, &["--json"]].concat()).expect(0).json()
    }

    /// What is typed in a shell that did what `local up` says.
    fn shell(&self, exports: &str, line: &str) -> Ran {
        let mut shell: Command = self.project.command(self.project.root(), &[]);
        let environment: Vec<_> =
            shell.get_envs().map(|(name, value)| (name.to_owned(), value.unwrap().to_owned())).collect();
        shell = Command::new("sh");
        shell.env_clear().envs(environment).env("AWS_PROFILE", "a-real-one").current_dir(self.project.root());
        shell.arg("-c").arg(format!("{exports}\n{} {line}", env!("CARGO_BIN_EXE_xtask")));
        Ran::of(shell.output().unwrap())
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        let ended = self.local(&["down"]);
        assert!(ended.code == 0 || std::thread::panicking(), "{}", ended.stderr);
    }
}

#[test]
fn a_release_goes_to_the_end_on_what_is_set_up() {
    let laptop = Laptop::new();
    let up = laptop.local(&["up"]).expect(0);
    let status = laptop.json(&["status"]);
    assert_eq!((&status["answers"], &status["running"]["version"]), (&json!(true), &json!("1.5.33")));
    let seeded = &status["seeded"];
    assert_eq!(seeded["buckets"], json!(["xtask-vault-us-east-1", "xtask-vault-us-west-2"]));
    assert_eq!(seeded["tables"].as_array().unwrap().len(), 5);
    assert_eq!(
        (&seeded["tables"][4], &seeded["functions"][9]),
        (&json!("us-west-2/T_dr"), &json!("us-west-2/beta-dr"))
    );

    let exports = &up.stdout;
    let types = |line: &str| laptop.shell(exports, line);
    types("vault doctor").expect(0);
    types("policy apply").expect(0);
    types("release").expect(0);
    for (who, environment) in [("quinn", "uat"), ("pia", "prod"), ("max", "prod")] {
        let key = laptop.project.key(who);
        types(&format!("approve --to {environment} --release v1.0.0 --key {key}")).expect(0);
        if who != "pia" {
            types(&format!("promote --to {environment}")).expect(0);
        }
    }
    types("dr-sync").expect(0);

    // What was kept is found again: nothing is new, and nothing was changed.
    let port = status["running"]["port"].clone();
    laptop.local(&["down"]).expect(0);
    laptop.local(&["down"]).expect(0);
    assert_eq!(laptop.json(&["status"])["running"], Value::Null);
    let again = laptop.json(&["up"]);
    assert_eq!((&again["running"]["port"], &again["seeded"]), (&port, seeded));
    types("release").expect(3);
    types("audit verify").expect(0);
    types("verify --env prod").expect(0);
    let status = types("status --json").expect(0).json();
    assert_eq!(status["releases"][0]["cells"], json!(["live", "live", "live", "live", "synced"]));
}

#[test]
fn what_runs_is_found_and_only_that_is_ended() {
    let laptop = Laptop::new();
    // A port that somebody has.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    laptop.local(&["up", "--port", &port]).expect(2).says("cannot be had").says("name another by --port");
    drop(taken);
    let first = laptop.json(&["up", "--port", &port]);
    assert_eq!(first["endpoint"], format!("http://127.0.0.1:{port}"));
    assert_eq!(laptop.json(&["up"])["running"], first["running"], "it runs already");
    laptop.local(&["up", "--port", "1"]).expect(2).says("run `cargo xtask local down` first");

    // It is killed: what it did not write down is gone, it says so, and begins anew.
    let pid = first["running"]["pid"].to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    // For a moment it neither answers nor is gone, which ends with 8.
    wait_for(|| laptop.local(&["status", "--json"]).json()["running"].is_null());
    let record = laptop.folder.join("running.json");
    // A stranger has its number by now.
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let told = fs::read_to_string(&record).unwrap().replace(&pid, &stranger.id().to_string());
    fs::write(&record, told).unwrap();
    laptop.local(&["down"]).expect(0);
    assert!(stranger.try_wait().unwrap().is_none(), "a stranger was ended");
    let again = laptop.local(&["up"]).expect(0).says("it begins anew");
    assert!(again.stdout.contains(" AWS_ENDPOINT_URL=http://127.0.0.1:"), "{}", again.stdout);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

fn wait_for(there: impl Fn() -> bool) {
    let since = std::time::Instant::now();
    while !there() {
        assert!(since.elapsed().as_secs() < 30, "it never came");
    }
}

#[test]
fn without_python_it_says_what_is_missing() {
    let project = Project::new();
    let mut command = project.command(project.root(), &["local", "up"]);
    command.env("PATH", Utf8Path::new("/nonexistent"));
    let ran = Ran::of(command.output().unwrap()).expect(2);
    ran.says("there is no `python3` that can be started").says("apt-get install python3 python3-venv");
    project.xtask(&["local", "down"]).expect(0);
    let status = project.json(0, &["local", "status"]);
    assert_eq!((&status["running"], &status["seeded"]), (&Value::Null, &Value::Null));
}
