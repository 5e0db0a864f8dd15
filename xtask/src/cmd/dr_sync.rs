//! `dr-sync`: brings what is live in the first region to the second.

use crate::{
    cmd::{World, status},
    engine::dr::{self, SyncPlan},
    model::version::Version,
    output::Answer,
};

/// Arguments of `dr-sync`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The release [default: the one that is live in the environment before]
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = if world.globals.plan { world.context().await? } else { world.writing_context().await? };
    let plan = dr::plan(&context, args.release).await?;
    if world.globals.plan {
        return Answer::new(&plan, text(&plan));
    }
    for passed in &plan.passes_over {
        context.story.note(&format!("{passed} is passed over: {} goes straight there", plan.release));
    }
    world.seed(&context, &plan.environment)?;
    let synced = dr::run(&context, &plan).await?;
    let overview = crate::engine::status::overview(&context).await?;
    let again = if synced.changed { "" } else { " already; nothing changed" };
    let head = format!("{} is Globally Synced{again} (lag {} s)", synced.release, synced.lag_s);
    Answer::new(&synced, format!("{head}\n\n{}", status::text(&overview, world.columns)))
}

fn text(plan: &SyncPlan) -> String {
    let mut text = format!("bring {} from {} to {}\n", plan.release, plan.follows, plan.environment);
    for passed in &plan.passes_over {
        text.push_str(&format!("pass over {passed}\n"));
    }
    if plan.synced {
        text.push_str("it is Globally Synced already\n");
    }
    text
}
