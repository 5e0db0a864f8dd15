//! `rollback`: at once back to the newest earlier release that is good.

use crate::{
    cmd::{World, status},
    engine::promote::rollback::{self, RollbackPlan},
    model::{names::EnvName, version::Version},
    output::{Answer, table::table},
};

/// Arguments of `rollback`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment.
    #[arg(long, value_name = "ENV")]
    env: EnvName,
    /// The release that must go [default: the one that is live, unless a rollback brought it]
    #[arg(long, value_name = "VERSION")]
    from: Option<Version>,
    /// Why; it stands in the ledger and in the graveyard.
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = if world.globals.plan { world.context()? } else { world.writing_context()? };
    let (plan, manifest) = rollback::plan(&context, &args.env, args.from, &args.reason).await?;
    if world.globals.plan {
        return Answer::new(&plan, text(&plan));
    }
    let promoted = rollback::run(&context, &plan, &manifest).await?;
    let overview = crate::engine::status::overview(&context).await?;
    let mut head = format!("{} is back in {}; {} is dead", plan.to, plan.environment, plan.from.release);
    if plan.done {
        head.push_str(&already(&plan));
    }
    Answer::new(&promoted, format!("{head}\n\n{}", status::text(&overview, world.columns)))
}

fn already(plan: &RollbackPlan) -> String {
    let (environment, to) = (&plan.environment, plan.to);
    format!(
        ": done already, nothing changed\nif {to} must go, too, run `cargo xtask rollback --env {environment} --from {to}`"
    )
}

fn text(plan: &RollbackPlan) -> String {
    if plan.done {
        return format!("{} is back in {}{}\n", plan.to, plan.environment, already(plan));
    }
    let head = format!(
        "roll {} back from {} to {}\n{}\n{} is dead afterwards: {}\n",
        plan.environment, plan.from.release, plan.to, plan.manifest, plan.from.release, plan.from.reason
    );
    let rows = plan.functions.values().map(|d| vec![d.name.to_string(), d.version.to_string(), d.code.short()]);
    format!("{head}\n{}", table(&["function", "version", "code"], &rows.collect::<Vec<_>>()))
}
