//! `history`: what happened in an environment, newest first.

use serde::Serialize;

use crate::{
    cmd::World,
    engine::ledger,
    model::{
        digest::Digest,
        entry::{ChainName, Event as _, Record},
        environment::EnvironmentEvent,
        names::EnvName,
        time::Time,
        version::Version,
    },
    output::{Answer, table::table},
};

/// Arguments of `history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment.
    #[arg(long, value_name = "ENV")]
    env: EnvName,
    /// Show only what was live at this moment (RFC 3339 with a zone).
    #[arg(long, value_name = "TIME")]
    at: Option<Time>,
}

/// One entry of the history.
#[derive(Debug, Serialize)]
struct Happened {
    number: u64,
    time: Time,
    kind: &'static str,
    release: Option<Version>,
    manifest: Option<Digest>,
    actor: String,
    live: Option<Version>,
    event: EnvironmentEvent,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = world.context().await?;
    context.config.stop(&args.env)?;
    let chain = ChainName::Environment(args.env.clone());
    let mut history = Vec::new();
    let mut here = ledger::head::<EnvironmentEvent>(&context, &chain).await?;
    while let Some(record) = here {
        here = ledger::before(&context, &chain, &record).await?;
        if args.at.is_none_or(|at| record.entry.time <= at) {
            history.push(happened(record));
        }
        if args.at.is_some() && !history.is_empty() {
            break;
        }
    }
    match args.at {
        None => Answer::new(&history, text(&history)),
        Some(at) => {
            let live = history.first().and_then(|entry| entry.live);
            let text = live.map_or_else(
                || format!("nothing was live in {} at {at}", args.env),
                |live| format!("{live} was live in {} at {at}", args.env),
            );
            let json = serde_json::json!({ "environment": args.env, "at": at, "live": live });
            Answer::new(&json, text)
        }
    }
}

fn happened(record: Record<EnvironmentEvent>) -> Happened {
    let entry = record.entry;
    Happened {
        number: entry.number,
        time: entry.time,
        kind: entry.event.kind(),
        release: entry.release,
        manifest: entry.manifest,
        actor: entry.actor,
        live: entry.state.live.map(|live| live.release),
        event: entry.event,
    }
}

fn text(history: &[Happened]) -> String {
    let show = |version: Option<Version>| version.map_or_else(|| "-".to_owned(), |version| version.to_string());
    let rows = history.iter().map(|entry| {
        let detail = match &entry.event {
            EnvironmentEvent::Failed { finding, .. } | EnvironmentEvent::Died { finding } => finding.clone(),
            EnvironmentEvent::Abandoned { reason } | EnvironmentEvent::Withdrawn { reason, .. } => reason.clone(),
            EnvironmentEvent::Shifting { canary: Some(rules), .. } => format!("canary: {rules}"),
            EnvironmentEvent::Reverified { finding } => {
                finding.clone().unwrap_or_else(|| "all is well again".to_owned())
            }
            EnvironmentEvent::BrokeGlass { reason } => format!("break-glass: {reason}"),
            EnvironmentEvent::Observed { observation } => observation.to_string(),
            EnvironmentEvent::Weighted { step, weight, .. } => format!("canary step {step}: {weight}% of the calls"),
            _ => String::new(),
        };
        vec![
            entry.number.to_string(),
            entry.time.to_string(),
            entry.kind.to_owned(),
            show(entry.release),
            show(entry.live),
            entry.actor.clone(),
            detail,
        ]
    });
    table(&["entry", "time", "what", "release", "live after", "who", "detail"], &rows.collect::<Vec<_>>())
}
