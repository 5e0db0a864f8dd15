//! `serve`: every function behind an API Gateway of this machine, built anew and replaced whenever a file is written.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    adapters::{
        local::{gateway::LocalGateway, host::Spec},
        watch::Watch,
    },
    cmd::{World, here},
    context::Context,
    failure::Failure,
    model::{names::FunctionName, smoke::EventForm},
    output::Answer,
    ports::cargo::Purpose,
};

/// Editors write a file in several steps, and several files at once.
const QUIET: Duration = Duration::from_millis(100);

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The gateway to be: a REST API sends events of format 1.0, an HTTP API those of 2.0.
    #[arg(long, value_enum, default_value_t = Api::Http)]
    api: Api,
}

/// A kind of API Gateway.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Api {
    Http,
    Rest,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`serve` has no plan: it deploys nothing").into());
    }
    let context = world.writing_context().await?;
    if context.config.routes.iter().next().is_none() {
        return Err(Failure::usage(
            "no call would reach a function: write `[profile.local.routes]` into release.toml, for example \
             `\"GET /price\" = \"price-fetcher\"`",
        )
        .into());
    }
    let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
    let folder = Utf8Path::from_path(folder.path()).context("the temporary folder's path is not UTF-8")?;
    let form = match args.api {
        Api::Http => EventForm::V2,
        Api::Rest => EventForm::V1,
    };
    let (listener, address) = LocalGateway::listen(args.port).await.map_err(|error| {
        Failure::unfinished(format!("port {} of 127.0.0.1 cannot be had; name another by --port", args.port), error)
    })?;
    let mut watch = Watch::open(&context.root, &context.local)?;
    let (clock, story) = (Arc::clone(&context.clock), Arc::clone(&context.story));
    let contract = context.config.contract.as_ref().map(|file| context.root.join(file));
    let gateway = LocalGateway::new(form, context.config.routes.clone(), contract, clock, story);
    let place = |times: u32| folder.join(times.to_string());
    let build = |times: u32| build(world, &context, &place(times));
    gateway.replace(async || build(0)).await?;
    for (route, function) in context.config.routes.iter() {
        context.story.note(&format!("{route} → {function}"));
    }
    context.story.note(&format!("serving http://{address}, until Ctrl-C"));
    let serving = tokio::spawn(Arc::clone(&gateway).serve(listener));
    let mut served = 0;
    for times in 1.. {
        let written = watch.changed().await.context("the workspace is watched no more")?;
        settle(&context, &mut watch).await;
        let shown = written.strip_prefix(&context.root).map_or_else(|_| written.clone(), Utf8PathBuf::from);
        context.story.note(&format!("{shown} was written"));
        if shown == "release.toml" {
            context.story.warn("release.toml is read once: to serve what it says now, end this and start it again");
        }
        // Of what is built only what answers is kept: every build is as large as the one before.
        let old = match gateway.replace(async || build(times)).await {
            Ok(()) => {
                context.story.note(&format!("serving it at http://{address}"));
                std::mem::replace(&mut served, times)
            }
            Err(error) => {
                context.story.warn(&format!("what was built before goes on answering: {error:#}"));
                times
            }
        };
        let old = place(old);
        std::fs::remove_dir_all(&old).with_context(|| format!("failed to remove {old}"))?;
    }
    serving.abort();
    Ok(Answer::default())
}

/// Waits until nothing was written for a moment.
async fn settle(context: &Context, watch: &mut Watch) {
    loop {
        tokio::select! {
            () = context.clock.sleep(QUIET) => break,
            _more = watch.changed() => {}
        }
    }
    watch.forget();
}

fn build(world: &World, context: &Context, folder: &Utf8Path) -> anyhow::Result<BTreeMap<FunctionName, Spec>> {
    std::fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {folder}"))?;
    let routes = context.config.routes.iter();
    let functions: std::collections::BTreeSet<FunctionName> = routes.map(|(_, function)| function.clone()).collect();
    here::specs(world, context, &functions.into_iter().collect::<Vec<_>>(), folder, Purpose::Run)
}
