//! `invoke`: builds one function and calls it on this machine, through the real Lambda Runtime API; or calls what is live
//! in an environment.

use std::fs;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    adapters::local::host::{Host, HostError},
    cmd::{World, here},
    context::Context,
    failure::Failure,
    model::names::{EnvName, FunctionName},
    output::Answer,
    ports::fleet::{Fleet as _, FleetError, Qualifier},
};

/// Arguments of `invoke`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The function.
    function: FunctionName,
    /// The event, a JSON file.
    #[arg(long, value_name = "FILE")]
    event: Utf8PathBuf,
    /// Call what is live in this environment, as a caller does [default: build the work tree and call that]
    #[arg(long, value_name = "ENV")]
    env: Option<EnvName>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`invoke` has no plan: it deploys nothing").into());
    }
    let context = world.writing_context().await?;
    let event = event(&world.working_directory.join(&args.event))?;
    if let Some(environment) = &args.env {
        return live(&context, environment, &args.function, &event).await;
    }
    let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
    let folder = Utf8Path::from_path(folder.path()).context("the temporary folder's path is not UTF-8")?;
    let specs = here::specs(world, &context, std::slice::from_ref(&args.function), folder)?;
    let spec = specs.into_values().next().context("nothing was built")?;
    let failed = |error: HostError| Failure::Incorrect(format!("{} failed: {error}", args.function));
    let log = folder.join("log");
    let sink = fs::File::create(&log).with_context(|| format!("failed to write {log}"))?;
    let answered = match Host::start(spec, Box::new(sink)).await {
        Ok(mut host) => host.invoke(uuid::Uuid::now_v7(), None, &event).await,
        Err(error) => Err(error),
    };
    for line in fs::read_to_string(&log).unwrap_or_default().lines() {
        context.story.note(line);
    }
    let answer = answered.map_err(failed)?;
    told(&args.function, &answer.payload, answer.function_error)
}

/// Calls what callers get, through the alias that they use.
async fn live(
    context: &Context,
    environment: &EnvName,
    function: &FunctionName,
    event: &[u8],
) -> anyhow::Result<Answer> {
    let name = context.config.fleet_name(environment, function)?;
    let qualifier = Qualifier::Alias(context.config.alias.clone());
    let answered = context.fleet(environment)?.invoke(&name, &qualifier, event).await;
    let answer = answered.map_err(|error| match error {
        FleetError::NotFound(_) => Failure::Refused(format!(
            "{function} is not live in {environment}; run `cargo xtask promote --to {environment}`"
        )),
        FleetError::Invalid(why) => Failure::Usage(why),
        error => Failure::unfinished(format!("failed to call {name}"), error),
    })?;
    answer.log_tail.lines().for_each(|line| context.story.note(line));
    context.story.note(&format!("version {} of {name} answered", answer.executed));
    told(function, &answer.payload, answer.function_error)
}

fn told(function: &FunctionName, payload: &[u8], function_error: Option<String>) -> anyhow::Result<Answer> {
    let json = serde_json::from_slice(payload).context("the function's answer is not JSON")?;
    let text = String::from_utf8_lossy(payload).into_owned();
    let failure = function_error
        .map(|kind| Failure::Incorrect(format!("{function} failed ({kind}): its answer says why; its log is above")));
    Ok(Answer { text, json, failure })
}

fn event(path: &Utf8Path) -> Result<Vec<u8>, Failure> {
    let bytes = fs::read(path).map_err(|error| {
        Failure::usage(format!("failed to read the event {path}: {error}; name a JSON file by --event"))
    })?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&bytes)
        .map_err(|error| Failure::usage(format!("the event {path} is not JSON: {error}")))?;
    Ok(bytes)
}
