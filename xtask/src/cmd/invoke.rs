//! `invoke`: builds one function and calls it on this machine, through the real Lambda Runtime API; or calls what is live
//! in an environment.

use std::{
    fs,
    io::{self, Read as _},
};

use anyhow::Context as _;
use camino::Utf8Path;

use crate::{
    adapters::local::host::{Host, HostError},
    cmd::{World, debug, here},
    context::Context,
    failure::Failure,
    model::names::{EnvName, FunctionName},
    output::{Answer, pretty},
    ports::{
        cargo::Purpose,
        fleet::{Fleet as _, FleetError, Qualifier},
    },
};

/// Arguments of `invoke`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The function.
    function: FunctionName,
    /// The event: a JSON file, `-` for what comes on stdin, or the JSON itself.
    #[arg(long, value_name = "FILE|JSON|-")]
    event: String,
    /// Call what is live in this environment, as a caller does [default: build the work tree and call that]
    #[arg(long, value_name = "ENV")]
    env: Option<EnvName>,
    /// Build it for a debugger, and wait until one is attached; time-outs are off meanwhile.
    #[arg(long, conflicts_with = "env")]
    debug: bool,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`invoke` has no plan: it deploys nothing").into());
    }
    let context = world.writing_context().await?;
    let event = event(&world.working_directory, &args.event)?;
    if let Some(environment) = &args.env {
        return live(world, &context, environment, &args.function, &event).await;
    }
    let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
    let folder = Utf8Path::from_path(folder.path()).context("the temporary folder's path is not UTF-8")?;
    let purpose = if args.debug { Purpose::Debug } else { Purpose::Run };
    let specs = here::specs(world, &context, std::slice::from_ref(&args.function), folder, purpose)?;
    let spec = specs.into_values().next().context("nothing was built")?;
    let spec = if args.debug { debug::unhurried(spec) } else { spec };
    let failed = |error: HostError| Failure::Incorrect(format!("{} failed: {error}", args.function));
    let log = folder.join("log");
    let sink = fs::File::create(&log).with_context(|| format!("failed to write {log}"))?;
    let answered = match Host::start(spec, Box::new(sink)).await {
        Ok(mut host) => {
            if args.debug {
                debug::attached(&context, &mut host, &args.function).await?;
            }
            host.invoke(uuid::Uuid::now_v7(), None, &event).await
        }
        Err(error) => Err(error),
    };
    for line in fs::read_to_string(&log).unwrap_or_default().lines() {
        context.story.note(line);
    }
    let answer = answered.map_err(failed)?;
    told(world, &args.function, &answer.payload, answer.function_error)
}

/// Calls what callers get, through the alias that they use.
async fn live(
    world: &World,
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
    told(world, function, &answer.payload, answer.function_error)
}

/// On a terminal the answer is for people; for whoever takes it further it is the one document that the function wrote.
fn told(
    world: &World,
    function: &FunctionName,
    payload: &[u8],
    function_error: Option<String>,
) -> anyhow::Result<Answer> {
    let json = serde_json::from_slice(payload).context("the function's answer is not JSON")?;
    let text = String::from_utf8_lossy(payload).into_owned();
    let text = if world.columns.is_some() { pretty::answer(&text) } else { text };
    let failure = function_error
        .map(|kind| Failure::Incorrect(format!("{function} failed ({kind}): its answer says why; its log is above")));
    Ok(Answer { text, json, failure })
}

fn event(folder: &Utf8Path, given: &str) -> Result<Vec<u8>, Failure> {
    let (what, bytes) = if given.trim_start().starts_with('{') {
        ("the event".to_owned(), Ok(given.as_bytes().to_vec()))
    } else if given == "-" {
        let mut bytes = Vec::new();
        ("the event on stdin".to_owned(), io::stdin().read_to_end(&mut bytes).map(|_length| bytes))
    } else {
        let path = folder.join(given);
        (format!("the event {path}"), fs::read(&path))
    };
    let bytes = bytes.map_err(|error| {
        Failure::usage(format!("failed to read {what}: {error}; name a JSON file by --event, or write the JSON there"))
    })?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&bytes)
        .map_err(|error| Failure::usage(format!("{what} is not JSON: {error}")))?;
    Ok(bytes)
}
