//! The thin entry of `cargo xtask`: parse, wire, dispatch, exit code; nothing else.

use std::{collections::BTreeMap, os::unix::fs::MetadataExt as _, process::ExitCode};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use clap::Parser as _;
use xtask::{
    adapters::cargo::again::replace,
    cmd::{self, Cli, World, again},
    output::{self, Answer, Output},
};

fn main() -> ExitCode {
    let typed: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let Cli { globals, command } = Cli::parse();
    let output = Output { json: globals.json, color: globals.color.into() };
    let result = world(globals).and_then(|world| {
        let arguments: Vec<_> = std::env::args_os().skip(1).collect();
        let (missing, story) = (command.needs_aws(world.globals.profile) && !cfg!(feature = "aws"), world.story());
        again::instead(missing, &arguments, &world.environment, &*story, &replace)?;
        let end = command.serves().then(Answer::default);
        cmd::unless_interrupted(&typed.join(" "), end, async move { cmd::run(&world, command).await })
    });
    ExitCode::from(output.finish(result))
}

/// The process's surroundings are read here, once; from here on they are parameters.
#[expect(clippy::disallowed_methods, reason = "this is the place where the surroundings are read")]
fn world(globals: cmd::Globals) -> anyhow::Result<World> {
    let working_directory = std::env::current_dir().context("failed to find the working directory")?;
    let working_directory = Utf8PathBuf::from_path_buf(working_directory)
        .map_err(|path| anyhow::anyhow!("the working directory {} is not UTF-8", path.display()))?;
    // A variable that is not UTF-8 is none of ours, and none that a build may depend on.
    let pairs =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let environment: BTreeMap<String, String> = pairs.collect();
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = Some(machine.trim().to_owned()).filter(|name| !name.is_empty());
    let user = ["USER", "LOGNAME"].iter().find_map(|name| environment.get(*name)).filter(|name| !name.is_empty());
    let user = match user {
        Some(name) => name.clone(),
        // Containers and services often run without either variable; the number still tells who it was.
        None => format!("uid-{}", std::fs::metadata("/proc/self").map_or(u32::MAX, |own| own.uid())),
    };
    Ok(World {
        working_directory,
        environment,
        user,
        machine: machine.unwrap_or_else(|| "localhost".to_owned()),
        columns: output::columns(),
        globals,
    })
}
