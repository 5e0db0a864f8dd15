//! `bench handlers`: price-fetcher as it ships, on both of its stores, beside the same for Node.

use std::{collections::BTreeMap, fs, num::NonZeroUsize, sync::Arc, thread};

use anyhow::Context as _;
use camino::Utf8Path;
use serde::Serialize;

use crate::{
    adapters::{
        archive,
        bench::{
            handlers::{Contestant, HandlerFigures, Load, measure},
            node, stores,
        },
        emulator::Emulator,
        local::{
            clock::SystemClock,
            host::{INIT_LIMIT, Spec},
        },
    },
    cmd::{World, here},
    config::Config,
    model::{configuration::Variables, names::FunctionName},
    output::table::table,
    ports::cargo::{Artifact, BuildRequest, Cargo as _, Purpose},
};

/// The function, and the event that it is asked with.
const FUNCTION: &str = "price-fetcher";
const EVENT: &str = "infra-local/events/price-event.json";

/// Warm answers enough that the slowest in a thousand is more than one.
const LOAD: Load = Load { starts: 15, copies: 4, rounds: 1000 };

/// What was measured.
#[derive(Debug, Serialize)]
pub(super) struct Handlers {
    load: Load,
    processors: usize,
    figures: Vec<HandlerFigures>,
    /// Who was not measured, each with what is missing.
    missing: BTreeMap<&'static str, &'static str>,
}

pub(super) async fn run(world: &World, folder: &Utf8Path) -> anyhow::Result<(Handlers, String)> {
    let found = world.project(None)?;
    let (root, config) = (found.root, found.config);
    let event = fs::read(root.join(EVENT)).with_context(|| format!("failed to read {EVENT}"))?;
    let story = world.story();
    let phase = story.phase("bench: handlers");
    phase.now("building price-fetcher as it ships");
    let artifact = built(world, &root, &config, folder, &|text| phase.now(text))?;
    let task = here::task(folder, FUNCTION, &artifact.executable)?;
    let emulator = Emulator::new(&world.local(&root).join("ministack"), Arc::new(SystemClock), world.story());
    let found = emulator.running().await?;
    let running = emulator.up(None).await?;
    let dynamodb = stores::dynamodb(&root, &running.endpoint()).await?;
    let sqlite = stores::sqlite(&root, &config, folder)?;
    let of = |name: &str, folder: &Utf8Path, variables: &Variables, zip_bytes: u64| -> anyhow::Result<Contestant> {
        let (function, folder) = (FUNCTION.parse()?, folder.to_owned());
        let (memory_mb, timeout_s, variables) = (256, 30, variables.clone());
        let init_limit = INIT_LIMIT;
        let spec = Spec { folder, function, version: None, memory_mb, timeout_s, init_limit, variables };
        Ok(Contestant { name: name.to_owned(), spec, zip_bytes })
    };
    let mut contestants = vec![
        of("price-fetcher, SQLite", &task, &sqlite, artifact.size)?,
        of("price-fetcher, DynamoDB", &task, &dynamodb, artifact.size)?,
    ];
    let mut missing = BTreeMap::new();
    if let Some(node) = node::found()? {
        phase.now("bundling its peer for Node");
        let peer = folder.join("node");
        let bundle = node::bundle(&node, &root.join("infra-local/bench/node"), &peer)?;
        let (_, size) = archive::pack(&bundle, &peer.join("bundle.zip"))?;
        contestants.push(of(
            "Node with middy, zod, winston and the SDK, DynamoDB",
            &peer.join("task"),
            &dynamodb,
            size,
        )?);
    } else {
        missing.insert("Node", "install Node 20 or newer");
    }
    let mut figures = Vec::new();
    for contestant in &contestants {
        phase.now(&contestant.name);
        figures.push(measure(contestant, &event, LOAD).await?);
    }
    if found.is_none() {
        emulator.down().await?;
    }
    phase.done(&format!("{} starts, {} warm answers each", LOAD.starts, LOAD.copies * LOAD.rounds));
    for (contestant, remedy) in &missing {
        story.warn(&format!("{contestant} was not measured: {remedy}"));
    }
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let text = shown(&figures);
    Ok((Handlers { load: LOAD, processors, figures, missing }, text))
}

fn built(
    world: &World,
    root: &Utf8Path,
    config: &Config,
    folder: &Utf8Path,
    now: &dyn Fn(&str),
) -> anyhow::Result<Artifact> {
    let function: FunctionName = FUNCTION.parse()?;
    let request = BuildRequest {
        root,
        functions: std::slice::from_ref(&function),
        profile: &config.cargo_profile,
        target: None,
        glibc: None,
        out: &folder.join("built"),
        purpose: Purpose::Run,
    };
    world.cargo().build(&request, now)?.artifacts.remove(&function).context("cargo built something else")
}

/// A table of all that was measured.
fn shown(figures: &[HandlerFigures]) -> String {
    let milliseconds = |us: u64| format!("{}.{:02} ms", us / 1000, us % 1000 / 10);
    let rows = figures.iter().map(|of| {
        let times = [of.cold_us, of.p50_us, of.p99_us, of.p999_us].map(milliseconds);
        let rest = [format!("{} MiB", of.peak_mb), of.per_core_second.to_string(), of.per_second.to_string()];
        let zip = format!("{} kB", of.zip_bytes / 1000);
        [of.contestant.clone(), zip].into_iter().chain(times).chain(rest).collect()
    });
    let columns =
        ["contestant", "zip", "first answer", "p50", "p99", "p99.9", "memory", "per core and second", "per second"];
    table(&columns, &rows.collect::<Vec<Vec<String>>>())
}
