//! `completions`: the completion script of a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{cmd::Cli, output::Answer};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Answer> {
    let mut script = Vec::new();
    // The binary is called `xtask`; `cargo xtask` itself is completed by cargo's own script.
    clap_complete::generate(args.shell, &mut Cli::command().bin_name("xtask"), "xtask", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Answer::new(&serde_json::json!({ "shell": args.shell.to_string(), "script": script }), script)
}
