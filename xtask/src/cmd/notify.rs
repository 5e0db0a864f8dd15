//! `notify`: tries the notices out.

use serde::Serialize;

use crate::{
    cmd::World,
    engine::notify,
    failure::Failure,
    model::notice::{Notice, Occasion},
    output::Answer,
};

/// Arguments of `notify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Send a test notice to everyone whom release.toml names, and say whether it was taken.
    #[arg(long, required = true)]
    test: bool,
}

/// What became of the test notice.
#[derive(Debug, Serialize)]
struct Tried {
    channel: &'static str,
    error: Option<String>,
}

pub(super) async fn run(world: &World, _args: Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`notify --test` has no plan: it sends one notice to everyone").into());
    }
    let context = world.context().await?;
    if context.channels.is_empty() {
        let text = "release.toml tells nobody: add `[notifications.webhook]` or `[notifications.email]`";
        return Err(Failure::usage(text).into());
    }
    let (time, who) = (context.clock.now(), context.actor.clone());
    let notice = Notice { occasion: Occasion::Test, release: None, environment: None, time, who, detail: None };
    let tried: Vec<Tried> = notify::tell(&context, &notice)
        .await
        .into_iter()
        .map(|delivery| Tried { channel: delivery.channel, error: delivery.error.map(|error| format!("{error:#}")) })
        .collect();
    let said = |one: &Tried| match &one.error {
        None => format!("{}: taken", one.channel),
        Some(error) => format!("{}: not taken: {error}", one.channel),
    };
    let text = tried.iter().map(said).collect::<Vec<_>>().join("\n");
    let failed: Vec<&str> = tried.iter().filter(|one| one.error.is_some()).map(|one| one.channel).collect();
    let failure = (!failed.is_empty()).then(|| Failure::Unfinished {
        what: format!("the test notice did not reach {}", failed.join(", ")),
        source: None,
    });
    Ok(Answer::new(&tried, text)?.failing(failure))
}
