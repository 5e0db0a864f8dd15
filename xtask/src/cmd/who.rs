//! `audit who`: who looked at a product on a day.

use crate::{
    cmd::{World, trails},
    engine::who::{self, Who},
    model::{
        names::EnvName,
        trail::{Day, Product},
    },
    output::{Answer, table::table},
};

/// Arguments of `audit who`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The product, as callers name it
    #[arg(long, value_name = "PRODUCT")]
    product: Product,
    /// The day, of UTC, as 2026-01-23
    #[arg(long, value_name = "DAY")]
    on: Day,
    /// One environment instead of every one
    #[arg(long, value_name = "ENV")]
    env: Option<EnvName>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let found = world.found()?;
    let path: Vec<EnvName> = match args.env {
        Some(environment) => vec![found.config.stop(&environment)?.environment.clone()],
        None => found.config.path.iter().map(|stop| stop.environment.clone()).collect(),
    };
    let trails = trails::all(world, &found).await?;
    let who = who::run(world.story().as_ref(), &trails, &path, args.product, args.on).await?;
    let failure = who.failure();
    Ok(Answer::new(&who, text(&who))?.failing(failure))
}

fn text(who: &Who) -> String {
    let rows = who.environments.iter().flat_map(|seen| {
        seen.looks.iter().flatten().map(|look| {
            let cells = [&look.user, &look.action, &look.status, &look.purpose, &look.request];
            let cells = cells.map(|cell| cell.chars().flat_map(char::escape_debug).collect());
            [look.at.to_string(), seen.environment.to_string()].into_iter().chain(cells).collect()
        })
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let mut text = if rows.is_empty() {
        format!("nobody looked at {} on {}, where it is known\n", who.product, who.on)
    } else {
        table(&["at", "environment", "user", "action", "status", "purpose", "request"], &rows)
    };
    // An answer that was cut out of its story must not look whole.
    for seen in who.environments.iter().filter(|seen| seen.looks.is_none()) {
        text.push_str(&format!("not known of {}\n", seen.environment));
    }
    text
}
