//! `rollback`: at once back to the newest earlier release that is good.

use crate::{
    cmd::{World, status},
    engine::{
        dr,
        promote::rollback::{self, RollbackPlan},
    },
    model::names::EnvName,
    output::{Answer, table::table},
};

/// Arguments of `rollback`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment.
    #[arg(long, value_name = "ENV")]
    env: EnvName,
    /// Why; it stands in the ledger and in the graveyard.
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = if world.globals.plan { world.context()? } else { world.writing_context()? };
    let recovery = context.config.stop(&args.env)?.recovery;
    let (plan, manifest) = match recovery {
        true => dr::plan_back(&context, &args.reason).await?,
        false => rollback::plan(&context, &args.env, &args.reason).await?,
    };
    if world.globals.plan {
        return Answer::new(&plan, text(&plan));
    }
    let promoted = match recovery {
        true => dr::run_back(&context, &args.reason).await?,
        false => rollback::run(&context, &plan, &manifest).await?,
    };
    let overview = crate::engine::status::overview(&context).await?;
    let head = format!("{} is back in {}; {} is dead", plan.to, plan.environment, plan.from.release);
    Answer::new(&promoted, format!("{head}\n\n{}", status::text(&overview, world.columns)))
}

fn text(plan: &RollbackPlan) -> String {
    let head = format!(
        "roll {} back from {} to {}\n{}\n{} is dead afterwards: {}\n",
        plan.environment, plan.from.release, plan.to, plan.manifest, plan.from.release, plan.from.reason
    );
    let rows = plan.functions.values().map(|d| vec![d.name.to_string(), d.version.to_string(), d.code.short()]);
    format!("{head}\n{}", table(&["function", "version", "code"], &rows.collect::<Vec<_>>()))
}
