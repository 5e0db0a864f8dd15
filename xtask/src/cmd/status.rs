//! `status`: where is what.

use std::fmt::Write as _;

use crate::{
    cmd::{World, promote},
    engine::status::{self, EnvironmentStatus, ReleaseStatus, Status},
    model::version::Version,
    output::{Answer, table::table},
};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One release: where it is verified, and what each gate still needs.
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = world.context()?;
    match args.release {
        Some(release) => {
            let status = status::release(&context, release).await?;
            Answer::new(&status, release_text(&status)?)
        }
        None => {
            let status = status::overview(&context).await?;
            Answer::new(&status, text(&status))
        }
    }
}

/// What is live where, and what to type next.
pub(super) fn text(status: &Status) -> String {
    let rows: Vec<_> = status.environments.iter().map(row).collect();
    let mut text = table(&["environment", "live", "since", "manifest", "functions"], &rows);
    if let Some(open) = &status.open {
        text.push_str(&format!("\n{} is being released by {} since {}\n", open.version, open.owner, open.since));
    }
    if let Some(next) = &status.next {
        let release = next.release.map(|release| format!("{release} ")).unwrap_or_default();
        match (&next.environment, &next.waits_for) {
            (Some(environment), Some(what)) => text.push_str(&format!("\n{release}waits at {environment}: {what}\n")),
            (None, Some(what)) => text.push_str(&format!("\n{release}is dead; it waits for {what}\n")),
            _ => text.push('\n'),
        }
        text.push_str(&format!("next: {}\n", next.command));
    }
    text
}

fn row(environment: &EnvironmentStatus) -> Vec<String> {
    let name = environment.environment.to_string();
    let held = environment.holder.as_ref().map(|claim| format!("held by {} for {}", claim.owner, claim.release));
    match &environment.live {
        None => vec![name, "-".to_owned(), String::new(), String::new(), held.unwrap_or_default()],
        Some(live) => {
            let functions = live.functions.iter().map(|(name, deployed)| format!("{name} {}", deployed.version));
            let mut functions = functions.collect::<Vec<_>>().join(", ");
            if let Some(held) = held {
                functions = format!("{functions}; {held}");
            }
            let unverified = if live.verified { "" } else { " (not verified)" };
            let release = format!("{}{unverified}", live.release);
            vec![name, release, live.since.to_string(), live.manifest.short(), functions]
        }
    }
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
