//! `new function`: a crate that builds, with its tests, smoke checks, event, route and entry in `release.toml`.

use std::{collections::BTreeSet, fs};

use anyhow::Context as _;
use camino::Utf8Path;
use clap::Subcommand;
use serde::Deserialize;

use crate::{
    adapters::scaffold,
    cmd::World,
    failure::Failure,
    model::names::FunctionName,
    output::Answer,
    plan::scaffold::{Scaffold, plan},
};

/// Arguments of `new`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a function that builds, is tested and can be released at once
    Function {
        /// Its name: lower-case letters, digits and single dashes.
        name: FunctionName,
    },
}

pub(super) fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let What::Function { name } = args.what;
    let root = world.project(None)?.root;
    let given = world.globals.config.as_ref().map(|path| world.working_directory.join(path));
    let release = given.unwrap_or_else(|| root.join("release.toml"));
    let text = fs::read_to_string(&release).with_context(|| format!("failed to read {release}"))?;
    let mut packages = packages(&root)?;
    // A run that was cut off has left its own name there.
    if root.join("functions").join(name.as_str()).is_dir() {
        packages.remove(name.as_str());
    }
    let scaffold = plan(&name, &text, &packages).map_err(|error| Failure::usage(error.to_string()))?;
    let missing = scaffold::missing(&root, &scaffold)?;
    if world.globals.plan {
        return Answer::new(&scaffold, planned(&scaffold));
    }
    scaffold::write(&root, &release, &scaffold, &missing)?;
    Answer::new(&scaffold, made(&scaffold))
}

/// The packages that cargo knows here.
fn packages(root: &Utf8Path) -> anyhow::Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
    }
    let path = root.join("Cargo.lock");
    let text = fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
    let lock: Lock = toml::from_str(&text).with_context(|| format!("failed to read {path}"))?;
    Ok(lock.package.into_iter().map(|package| package.name).collect())
}

fn planned(scaffold: &Scaffold) -> String {
    let Scaffold { function, route, files, .. } = scaffold;
    let files = files.keys().map(|path| format!("  {path}\n")).collect::<String>();
    format!(
        "would write\n{files}would enter in release.toml\n  [functions.{function}]\n  the route `{route}`\n\
         would take {function} into Cargo.lock"
    )
}

fn made(scaffold: &Scaffold) -> String {
    let Scaffold { function, files, .. } = scaffold;
    let files = files.keys().map(|path| format!("  {path}\n")).collect::<String>();
    format!(
        "{function} is there, and stands in release.toml:\n{files}try it:\n  cargo test --package {function}\n  \
         cargo xtask invoke {function} --event infra-local/events/{function}-event.json"
    )
}
