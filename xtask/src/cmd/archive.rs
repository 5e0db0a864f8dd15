//! `audit archive`: copies whole days of an environment's audit trail to where nobody can change them.

use crate::{
    adapters::local::clock::SystemClock,
    cmd::{World, trails},
    engine::trail_archive::{self, Archived},
    failure::Failure,
    model::{names::EnvName, trail::Day},
    output::{Answer, table::table},
    ports::clock::Clock as _,
};

/// Arguments of `audit archive`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The environment
    #[arg(long, value_name = "ENV")]
    env: EnvName,
    /// The first day of all, where nothing was archived yet, as 2026-01-23
    #[arg(long, value_name = "DAY")]
    since: Option<Day>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let found = world.found()?;
    let environment = &found.config.stop(&args.env)?.environment;
    let trail = trails::all(world, &found).await?.remove(environment);
    let archive = trails::archive(world, &found, environment).await?;
    let (Some(trail), Some(archive)) = (trail, archive) else {
        return Err(Failure::usage(format!(
            "release.toml does not say where the audit trail of {environment} is, and its archive: `profile.local.audit`, or \
             `audit = {{ table = …, archive = … }}` of the environment in AWS"
        ))
        .into());
    };
    let plan = trail_archive::plan(archive.as_ref(), environment, args.since, SystemClock.now()).await?;
    if world.globals.plan {
        let days = plan.days.iter().map(|day| format!("{day}\n")).collect::<String>();
        return Answer::new(&plan, days);
    }
    let archived = trail_archive::run(world.story().as_ref(), trail.as_ref(), archive.as_ref(), &plan).await?;
    let text = text(&archived);
    Answer::new(&archived, text)
}

fn text(archived: &Archived) -> String {
    if archived.days.is_empty() {
        return format!("{} is archived up to the day before yesterday\n", archived.environment);
    }
    let rows = archived.days.iter().map(|day| vec![day.day.to_string(), day.items.to_string()]);
    table(&["day", "items"], &rows.collect::<Vec<_>>())
}
