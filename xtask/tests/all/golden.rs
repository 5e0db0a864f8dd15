//! What users and editors rely on, kept as files: a change of it is seen in the diff.

use clap::CommandFactory as _;
use xtask::{
    cmd::Cli,
    config::{people, raw},
};

#[test]
fn release_schema() {
    schema("release.schema.json", &schemars::schema_for!(raw::Release));
}

#[test]
fn people_schema() {
    schema("people.schema.json", &schemars::schema_for!(people::Raw));
}

#[test]
fn help() {
    // A variable that happens to be set where the tests run must not show.
    let mut root = Cli::command().term_width(100).mut_args(|arg| arg.hide_env_values(true));
    root.build();
    golden("help.txt", &help_of(&root, "cargo xtask"));
}

/// The help of a command and of all commands under it, as `--help` prints it.
fn help_of(command: &clap::Command, name: &str) -> String {
    let own = command.clone().term_width(100).render_long_help().to_string();
    let lines: String = own.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    let below = below.map(|below| help_of(below, &format!("{name} {}", below.get_name())));
    format!("$ {name} --help\n{lines}\n{}", below.collect::<String>())
}

fn schema(name: &str, schema: &schemars::Schema) {
    golden(name, &format!("{}\n", serde_json::to_string_pretty(schema).unwrap()));
}

pub(crate) fn golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let line = kept.lines().zip(text.lines()).take_while(|(kept, now)| kept == now).count();
    assert!(
        kept == text,
        "{path} differs from line {} on. If the change is meant, run `UPDATE_GOLDEN=1 cargo test --package xtask \
         --test all golden` and commit the file.\n  kept: {:?}\n  now:  {:?}",
        line + 1,
        kept.lines().nth(line).unwrap_or_default(),
        text.lines().nth(line).unwrap_or_default(),
    );
}
