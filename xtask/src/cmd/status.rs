//! `status`: where is what.

use std::fmt::Write as _;

use crate::{
    cmd::{World, promote},
    engine::status::{self, EnvironmentStatus, ReleaseStatus, Status},
    model::{environment::FailedCheck, version::Version},
    output::{
        Answer,
        table::{fitted, table},
    },
};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One release: where it is verified, and what each gate still needs.
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = world.context().await?;
    match args.release {
        Some(release) => {
            let status = status::release(&context, release).await?;
            Answer::new(&status, release_text(&status)?)
        }
        None => {
            let status = status::overview(&context).await?;
            Answer::new(&status, text(&status, world.columns))
        }
    }
}

/// What is where, releases down and environments across, within the columns of a terminal; what is live since when;
/// and what to type next.
pub(super) fn text(status: &Status, columns: Option<usize>) -> String {
    let names = status.environments.iter().map(|e| e.environment.as_str());
    let header: Vec<&str> = std::iter::once("release").chain(names).collect();
    let rows = status.releases.iter().map(|row| {
        let release = row.release.to_string();
        std::iter::once(release).chain(row.cells.iter().cloned()).collect()
    });
    let mut text = fitted(&header, &rows.collect::<Vec<_>>(), columns);
    let lines: String = status.environments.iter().map(line).collect();
    if !lines.is_empty() {
        text.push_str(&format!("{lines}\n"));
    }
    if let Some(open) = &status.open {
        text.push_str(&format!("\n{} is being released by {} since {}\n", open.version, open.owner, open.since));
    }
    if let Some(next) = &status.next {
        let release = next.release.map(|release| format!("{release} ")).unwrap_or_default();
        match (&next.environment, &next.waits_for) {
            (Some(environment), Some(what)) => text.push_str(&format!("\n{release}waits at {environment}: {what}\n")),
            (Some(environment), None) => text.push_str(&format!("\n{release}may enter {environment}\n")),
            (None, Some(what)) => text.push_str(&format!("\n{release}is dead; it waits for {what}\n")),
            (None, None) if next.release.is_some() => {
                text.push_str(&format!("\n{release}is everywhere; it waits for the next commit\n"));
            }
            _ => text.push('\n'),
        }
        text.push_str(&format!("next: {}\n", next.command));
    }
    text
}

/// Since when something is live, and who holds the environment.
fn line(environment: &EnvironmentStatus) -> String {
    let name = &environment.environment;
    let live = environment.live.as_ref().map(|live| {
        let synced = live.synced.map(|time| format!(", Globally Synced at {time}")).unwrap_or_default();
        let glass = live.break_glass.as_ref().map(|reason| format!(", let in by BREAK-GLASS: {reason}"));
        format!("\n{name}: {} since {}{synced}{}", live.release, live.since, glass.unwrap_or_default())
    });
    let failed = environment.live.as_ref().and_then(|live| live.failed.as_ref()).map(|failed| {
        let FailedCheck { at, finding } = failed;
        format!("\n{name}: its newest verification, at {at}, failed: {finding}")
    });
    let held = environment.holder.as_ref().map(|c| format!("\n{name} is held by {} for {}", c.owner, c.release));
    let canary = environment.canary.as_ref().map(|canary| {
        let step = canary.step.and_then(|begun| Some((begun, canary.rules.step(begun.number)?)));
        let now = step.map_or_else(
            || "not begun".to_owned(),
            |(begun, step)| {
                let of = canary.rules.steps.len();
                format!("step {} of {of}, {}% of the calls since {}", begun.number, step.weight, begun.since)
            },
        );
        format!("\n{name}: canary: {now}")
    });
    [live, failed, held, canary].into_iter().flatten().collect()
}

fn release_text(status: &ReleaseStatus) -> anyhow::Result<String> {
    let mut text = format!("{}\n{}\ncommit {}\n\n", status.release, status.manifest, status.commit);
    let rows = status.environments.iter().map(|standing| {
        let detail = standing.death.as_ref().map(|(time, why)| format!("{time}: {why}")).unwrap_or_default();
        vec![standing.environment.to_string(), standing.standing.to_owned(), detail]
    });
    text.push_str(&table(&["environment", "standing", "detail"], &rows.collect::<Vec<_>>()));
    // The gate that it stands before; those behind it cannot be passed earlier anyway.
    if let Some((environment, gate)) =
        status.environments.iter().find_map(|s| s.gate.as_ref().map(|gate| (&s.environment, gate)))
    {
        writeln!(text, "\nthe gate of {environment}:\n{}", promote::gate(gate))?;
    }
    Ok(text)
}
