//! `test`: the tests of the whole workspace, by cargo's own runner.

use anyhow::Context as _;
use xshell::{Shell, cmd};

use crate::{cmd::World, failure::Failure, output::Answer};

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Passed on to `cargo test`.
    #[arg(last = true, value_name = "ARGS")]
    rest: Vec<String>,
}

pub(super) fn run(world: &World, args: &Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`test` has no plan: it deploys nothing").into());
    }
    let root = world.found()?.root;
    let shell = Shell::new().context("failed to find the working directory")?;
    shell.change_dir(&root);
    let rest = &args.rest;
    // The runner's own output is the result, so it goes to stdout as it comes.
    let tests = cmd!(shell, "cargo test --workspace --locked {rest...}").quiet();
    tests.run().context("some tests failed; the runner's summary is above")?;
    // The profile `aws` once: with its crates, which the build above does not have. They must not change what is
    // canonical, either. What is asked for by name is looked for there, too.
    let aws = if rest.is_empty() { ["--", "aws", "canonical"].map(str::to_owned).to_vec() } else { rest.clone() };
    let tests = cmd!(shell, "cargo test --package xtask --features aws --locked {aws...}").quiet();
    tests.run().context("some tests of the profile `aws` failed; the runner's summary is above")?;
    Ok(Answer { text: String::new(), json: serde_json::json!({ "tests": "passed" }), failure: None })
}
