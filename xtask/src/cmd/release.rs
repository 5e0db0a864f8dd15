//! `release`: from HEAD to a sealed box, and through every environment whose gate needs no person.

use std::fmt::Write as _;

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    cmd::{World, promote, status},
    config::smoke,
    context::Context,
    engine::{
        facts::{self, Standing},
        promote::Promoted,
        release::{self, Sealed, survey},
    },
    failure::Failure,
    output::Answer,
    plan::{
        next_version::{DecidedBy, NextVersion, Rule},
        release::{ReleaseAction, ReleasePlan},
    },
};

/// Arguments of `release`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Stop early.
    #[arg(long, value_name = "STEP")]
    until: Option<Until>,
}

/// Where to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Until {
    /// When the box is sealed, before any environment
    Sealed,
}

/// What a release brought.
#[derive(Debug, Serialize)]
struct Receipt {
    #[serde(flatten)]
    sealed: Sealed,
    promoted: Vec<Promoted>,
    status: crate::engine::status::Status,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = if world.globals.plan { world.context().await? } else { world.writing_context().await? };
    if world.globals.plan {
        let alone = !context.locks.is_held("releases")?;
        return answer(&planned(&context, &args, alone).await?);
    }
    let lock = release::lock(&context).await?;
    let plan = planned(&context, &args, true).await?;
    if let Some(refused) = refused(&plan) {
        return Err(refused.into());
    }
    let checks = smoke::all(&context.root, &context.config)?;
    let sealed = release::run(&context, &plan, &checks).await?;
    drop(lock);
    let promoted = carry(world, &context, &plan, &sealed).await?;
    let status = crate::engine::status::overview(&context).await?;
    let text = format!("{}  {}\n\n{}", sealed.release, sealed.manifest, status::text(&status, world.columns));
    Answer::new(&Receipt { sealed, promoted, status }, text)
}

/// The plan up to where the caller wants it: what is not run is not planned.
async fn planned(context: &Context, args: &Args, alone: bool) -> anyhow::Result<ReleasePlan> {
    let plan = survey::plan(context, alone).await?;
    match args.until {
        Some(Until::Sealed) => Ok(ReleasePlan { through: Vec::new(), stops_at: None, ..plan }),
        None => survey::with_refusals(context, plan).await,
    }
}

fn refused(plan: &ReleasePlan) -> Option<Failure> {
    (!plan.refused.is_empty()).then(|| Failure::usage(plan.refused.join("\n")))
}

async fn carry(world: &World, context: &Context, plan: &ReleasePlan, sealed: &Sealed) -> anyhow::Result<Vec<Promoted>> {
    let mut promoted = Vec::new();
    for environment in &plan.through {
        if facts::standing(context, environment, sealed.release).await? != Standing::Verified {
            promoted.push(promote::carry_out(world, context, environment, (sealed.release, None)).await?);
        }
    }
    Ok(promoted)
}

fn answer(plan: &ReleasePlan) -> anyhow::Result<Answer> {
    let nothing = match &plan.action {
        ReleaseAction::Nothing { reason, .. } => Some(Failure::NothingToRelease(reason.clone())),
        _ => None,
    };
    Ok(Answer::new(plan, text(plan)?)?.failing(nothing.or_else(|| refused(plan))))
}

fn text(plan: &ReleasePlan) -> anyhow::Result<String> {
    let mut text = String::new();
    if let Some(sealed) = &plan.record {
        writeln!(text, "record first that {} is sealed: its builder ended before it could", sealed.version)?;
    }
    match &plan.action {
        ReleaseAction::Release { version, burn, why, notes } => {
            writeln!(text, "release {version} from commit {}", plan.commit)?;
            if let Some(burn) = burn {
                writeln!(text, "burn {burn} first: its builder is gone")?;
            }
            writeln!(text, "\nwhy {version}:")?;
            explain(&mut text, why)?;
            writeln!(text, "\n{}", notes.trim_end())?;
        }
        ReleaseAction::Resume { version } => writeln!(text, "go on with {version} from commit {}", plan.commit)?,
        ReleaseAction::CarryOn { version, manifest } => writeln!(text, "{version} is sealed as {manifest}")?,
        ReleaseAction::Nothing { reason, why } => {
            writeln!(text, "nothing to release: {reason}")?;
            if let Some(why) = why {
                explain(&mut text, why)?;
            }
            return Ok(text);
        }
    }
    let functions = plan.functions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let through = plan.through.iter().map(ToString::to_string).collect::<Vec<_>>().join(" -> ");
    writeln!(text, "\nfunctions: {functions}")?;
    writeln!(text, "environments: {}", if through.is_empty() { "none" } else { &through })?;
    if let Some(stop) = &plan.stops_at {
        writeln!(text, "stops at: {}, which waits for {}", stop.environment, stop.waits_for)?;
    }
    Ok(text)
}

/// Every commit, what it contributes and by which rule; the deciding ones are marked. A first release has one reason
/// for all of them, so it is said once.
fn explain(text: &mut String, why: &NextVersion) -> anyhow::Result<()> {
    let (NextVersion::Release { explanation, .. } | NextVersion::Nothing { explanation, .. }) = why;
    if explanation.decided_by == DecidedBy::FirstRelease {
        writeln!(text, "  {} ({} commits)", Rule::FirstRelease, explanation.commits.len())?;
        return Ok(());
    }
    for commit in &explanation.commits {
        let mark = if commit.decides { "*" } else { " " };
        writeln!(text, "{mark} {} {}: {}", commit.commit.short(), commit.subject, commit.rule)?;
    }
    Ok(())
}
