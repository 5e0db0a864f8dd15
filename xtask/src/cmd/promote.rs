//! `promote`: takes a release into an environment.

use std::fmt::Write as _;

use crate::{
    cmd::{World, status},
    context::Context,
    engine::promote::{self, Promoted, survey},
    failure::Failure,
    model::{environment::Phase, names::EnvName, version::Version},
    output::{Answer, table::table},
    plan::{
        gate::Gate,
        promotion::{Action, PromotionPlan},
    },
};

/// Arguments of `promote`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment.
    #[arg(long, value_name = "ENV")]
    to: EnvName,
    /// The release [default: the newest that is verified in the environment before]
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,
    /// Let it in through a freeze and before it has soaked, and say why: whoever may must have approved it
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    break_glass: Option<String>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = if world.globals.plan { world.context().await? } else { world.writing_context().await? };
    let release = match args.release {
        Some(release) => release,
        None => promote::default_release(&context, &args.to).await?,
    };
    if world.globals.plan {
        let (plan, _) = survey::plan_breaking(&context, &args.to, release, args.break_glass.as_deref()).await?;
        let refusals = (!plan.gate.holds()).then(|| plan.gate.refusals());
        let refused = refusals.map(|r| Failure::Refused(format!("the gate of {} refuses {release}:\n{r}", args.to)));
        let refused = refused.or_else(|| plan.refused().map(Failure::usage));
        return Ok(Answer::new(&plan, text(&plan)?)?.failing(refused));
    }
    let promoted = carry_out(world, &context, &args.to, (release, args.break_glass.as_deref())).await?;
    let overview = crate::engine::status::overview(&context).await?;
    let what = if promoted.changed { "is live" } else { "was live already; nothing changed" };
    let text = format!("{release} {what} in {}\n\n{}", args.to, status::text(&overview, world.columns));
    Answer::new(&promoted, text)
}

/// Plans a promotion and carries out that plan.
pub(super) async fn carry_out(
    world: &World,
    context: &Context,
    environment: &EnvName,
    (release, reason): (Version, Option<&str>),
) -> anyhow::Result<Promoted> {
    let (plan, manifest) = survey::plan_breaking(context, environment, release, reason).await?;
    // What is lacking may come with the reviews of a workflow run.
    if plan.gate.lacks_people_only() {
        world.seed(context, environment)?;
    }
    for orphan in &plan.orphans {
        context
            .story
            .warn(&format!("{orphan} is no longer in {release}; it stays in {environment} until you remove it"));
    }
    promote::run(context, &plan, &manifest).await
}

fn text(plan: &PromotionPlan) -> anyhow::Result<String> {
    let mut text =
        format!("promote {} to {}\n{}\n\n{}", plan.release, plan.environment, plan.manifest, gate(&plan.gate));
    if plan.from_phase != Phase::Closed {
        writeln!(text, "\nan interrupted promotion goes on from: {:?}", plan.from_phase)?;
    }
    let rows = plan.functions.iter().map(|function| {
        let live = function.live.map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"));
        let checks = function.checks.to_string();
        let action = if function.refused.is_some() { "create: refused" } else { action(function.action) };
        vec![function.name.to_string(), action.to_owned(), live, function.code.short(), checks]
    });
    writeln!(text, "\n{}", table(&["function", "action", "live now", "code", "checks"], &rows.collect::<Vec<_>>()))?;
    if let Some(canary) = &plan.canary {
        writeln!(text, "canary: {canary}")?;
        let alarms = canary.alarms.iter().map(ToString::to_string).collect::<Vec<_>>();
        let alarms = if alarms.is_empty() { "none".to_owned() } else { alarms.join(", ") };
        let (least, most) = (canary.min_requests, canary.wait_at_most);
        writeln!(
            text,
            "each step: at least {least} requests of each function, alarms: {alarms}; waits {most} at most"
        )?;
    }
    for orphan in &plan.orphans {
        writeln!(text, "{orphan} is no longer in the release; it stays")?;
    }
    Ok(text)
}

/// Every rule of a gate, and what would satisfy those that do not hold.
pub(super) fn gate(gate: &Gate) -> String {
    let rows = gate.rules.iter().map(|rule| {
        let holds = if rule.holds { "holds" } else { "refuses" };
        let remedy = rule.remedy.clone().unwrap_or_default();
        vec![format!("gate: {}", rule.rule), holds.to_owned(), rule.found.clone(), remedy]
    });
    table(&["rule", "", "found", "remedy"], &rows.collect::<Vec<_>>())
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Keep => "keep",
        Action::Create => "create",
        Action::Update { code: true, configuration: true } => "update code and configuration",
        Action::Update { code: true, configuration: false } => "update code",
        Action::Update { code: false, configuration: true } => "update configuration",
        Action::Update { code: false, configuration: false } => "publish",
    }
}
