//! `build`: the artifacts that a release would seal, without releasing anything.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::{
    cmd::World,
    config::load::Found,
    engine::release::preflight,
    failure::Failure,
    model::{digest::Digest, manifest::Toolchain, names::FunctionName},
    output::{Answer, table::table},
    ports::cargo::{BuildRequest, Cargo as _, Purpose},
};

/// Arguments of `build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder for the artifacts [default: build/work under the local state]
    #[arg(long, value_name = "DIR")]
    out: Option<Utf8PathBuf>,
}

/// What was built.
#[derive(Debug, Serialize)]
struct Receipt {
    artifacts: BTreeMap<FunctionName, Packed>,
    toolchain: Toolchain,
}

/// One artifact.
#[derive(Debug, Serialize)]
struct Packed {
    path: Utf8PathBuf,
    sha256: Digest,
    size: u64,
}

pub(super) fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`build` has no plan: it changes nothing but its own output folder").into());
    }
    let Found { root, config } = world.found()?;
    let out = args.out.map_or_else(|| world.local(&root).join("build/work"), |out| world.working_directory.join(out));
    let functions: Vec<FunctionName> = config.functions.keys().cloned().collect();
    let phase = world.story().phase("building");
    let request = BuildRequest {
        root: &root,
        functions: &functions,
        profile: &config.cargo_profile,
        target: config.target.as_deref(),
        glibc: config.glibc.as_ref(),
        out: &out,
        purpose: Purpose::Seal,
    };
    let built = world.cargo().build(&request, &|text| phase.now(text))?;
    phase.done(&format!("{} functions with {}", built.artifacts.len(), built.toolchain.rustc));
    preflight::check(&config, &built, world.story().as_ref())?;
    let artifacts = built.artifacts.into_iter();
    let artifacts: BTreeMap<_, _> =
        artifacts.map(|(name, a)| (name, Packed { path: a.path, sha256: a.sha256, size: a.size })).collect();
    let rows = artifacts.values().map(|a| vec![a.path.to_string(), a.size.to_string(), a.sha256.to_string()]);
    let text = table(&["artifact", "bytes", "digest"], &rows.collect::<Vec<_>>());
    Answer::new(&Receipt { artifacts, toolchain: built.toolchain }, text)
}
