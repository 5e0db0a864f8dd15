//! `rollback`: at once back to the newest earlier release that is good.

use crate::{
    cmd::{World, status},
    engine::{
        dr,
        promote::rollback::{self, Request, RollbackPlan},
    },
    model::{names::EnvName, version::Version},
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
    /// The release to leave; the live one, if none is named. Named, it also goes back from a release that a rollback brought
    #[arg(long, value_name = "VERSION")]
    from: Option<Version>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = if world.globals.plan { world.context().await? } else { world.writing_context().await? };
    let request = Request { from: args.from, reason: &args.reason };
    let recovery = context.config.stop(&args.env)?.recovery;
    let (plan, manifest) = match recovery {
        true => dr::plan_back(&context, request).await?,
        false => rollback::plan(&context, &args.env, request).await?,
    };
    if world.globals.plan {
        return Answer::new(&plan, text(&plan));
    }
    let promoted = match recovery {
        true => dr::run_back(&context, request).await?,
        false => rollback::run(&context, &plan, &manifest).await?,
    };
    let overview = crate::engine::status::overview(&context).await?;
    let head = match promoted.changed {
        true => format!("{} is back in {}; {} is dead", plan.to, plan.environment, plan.from.release),
        false => already(&plan),
    };
    Answer::new(&promoted, format!("{head}\n\n{}", status::text(&overview, world.columns)))
}

fn already(plan: &RollbackPlan) -> String {
    let RollbackPlan { environment, to, from, .. } = plan;
    format!(
        "{to} is back in {environment} already, in place of {}; \
         to leave {to}, too, run `cargo xtask rollback --env {environment} --from {to}`",
        from.release
    )
}

fn text(plan: &RollbackPlan) -> String {
    if plan.done {
        return already(plan);
    }
    let head = format!(
        "roll {} back from {} to {}\n{}\n{} is dead afterwards: {}\n",
        plan.environment, plan.from.release, plan.to, plan.manifest, plan.from.release, plan.from.reason
    );
    let rows = plan.functions.values().map(|d| vec![d.name.to_string(), d.version.to_string(), d.code.short()]);
    format!("{head}\n{}", table(&["function", "version", "code"], &rows.collect::<Vec<_>>()))
}
