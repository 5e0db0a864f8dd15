//! What `local` sets up in the emulator, and what `local seed` puts back into every store of this machine.

use std::{collections::BTreeMap, fs};

use anyhow::Context as _;
use camino::Utf8Path;
use serde::Serialize;

use crate::{
    adapters::{
        emulator::{
            Emulator, Running,
            estate::{self, Estate, tables},
            wire::Caller,
        },
        local::seed,
    },
    cmd::World,
    config::policies,
    engine::buckets,
    output::Answer,
};

/// What the names of all that is set up begin with.
const PREFIX: &str = "xtask";

/// What was put back.
#[derive(Debug, Default, Serialize)]
struct Restored {
    /// Rows by database and table, where there were any.
    databases: BTreeMap<String, BTreeMap<String, usize>>,
    /// Items by table, where there were any; nothing where no emulator runs.
    tables: Option<BTreeMap<String, usize>>,
}

/// Sets up everything in a running emulator, and keeps what was set up in `seeded`.
pub(super) async fn set_up(
    world: &World,
    profile: &Utf8Path,
    seeded: &Utf8Path,
    running: &Running,
) -> anyhow::Result<()> {
    let story = world.story();
    let phase = story.phase("setting up");
    // What is half set up must not look whole.
    fs::remove_file(seeded).or_else(|error| if seeded.exists() { Err(error) } else { Ok(()) })?;
    let [first, _] = estate::REGIONS;
    let (caller, mut estate) = (Caller::new(&running.endpoint(), first)?, Estate::default());
    phase.now("keys and roles");
    let text = estate::profile(&caller, PREFIX, &world.project(None)?.config, &mut estate).await?;
    fs::write(profile, text).with_context(|| format!("failed to write {profile}"))?;
    let found = world.project(Some(profile))?;
    let config = found.config.on_aws()?;
    phase.now("tables and functions");
    estate::stores(&caller, &found.root, &config, &mut estate).await?;
    phase.now("the vault's buckets");
    let vault = policies::vault(&config)?;
    let ports = world.buckets(&config, vault.roles.vault_administrator.as_str(), true).await?;
    let plans = buckets::plan(&vault, ports.as_ref()).await?;
    buckets::run(&vault, ports.as_ref(), &plans, story.as_ref()).await?;
    fs::write(seeded, serde_json::to_string_pretty(&estate)?).with_context(|| format!("failed to write {seeded}"))?;
    phase.done("everything is there");
    Ok(())
}

/// Puts back what the seeds say, in SQLite and, where an emulator runs, in DynamoDB. What the seeds do not name stays, and so
/// does every audit item: the seeds name none.
pub(super) async fn seed(world: &World, local: &Utf8Path, emulator: &Emulator) -> anyhow::Result<Answer> {
    let found = world.project(None)?;
    let mut restored = Restored::default();
    for stop in &found.config.path {
        for (database, folder) in &found.config.seeds {
            let name = database.replace("{environment}", stop.environment.as_str());
            let rows = seed::restore(&local.join(&name), &found.root.join(folder))?;
            restored.databases.insert(name, rows);
        }
    }
    if let (Some(running), Some(folder)) = (emulator.running().await?, &found.config.emulator.tables) {
        let [first, _] = estate::REGIONS;
        let caller = Caller::new(&running.endpoint(), first)?;
        let mut items = BTreeMap::new();
        for stop in &found.config.path {
            let region = estate::region(stop);
            for table in tables::read(&found.root.join(folder), stop.environment.as_str())? {
                let count = tables::restore(&caller.within(region), &table).await?;
                items.insert(format!("{region}/{}", table.name()), count);
            }
        }
        restored.tables = Some(items);
    }
    Answer::new(&restored, told(&restored))
}

fn told(restored: &Restored) -> String {
    let rows = restored.databases.iter().flat_map(|(database, tables)| {
        tables
            .iter()
            .filter(|(_, rows)| **rows > 0)
            .map(move |(table, rows)| format!("{database}: {rows} of {table}\n"))
    });
    let items = restored.tables.iter().flatten().filter(|(_, items)| **items > 0);
    let items = items.map(|(table, items)| format!("{table}: {items}\n"));
    let back: String = rows.chain(items).collect();
    let begin = if back.is_empty() { "everything is as the seeds say".to_owned() } else { format!("put back\n{back}") };
    let emulator = match &restored.tables {
        Some(_) => "",
        None => "\nDynamoDB was left out: no emulator runs (`cargo xtask local up`)",
    };
    format!("{}{emulator}", begin.trim_end())
}
