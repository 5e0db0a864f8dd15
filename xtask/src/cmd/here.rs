//! Functions of the work tree, built to be run on this machine: with the developer's own settings, as the first
//! environment declares them, on its stores.

use std::{collections::BTreeMap, fs};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    adapters::local::{
        host::{INIT_LIMIT, Spec},
        places::Places,
    },
    cmd::World,
    context::Context,
    failure::Failure,
    model::{configuration::Architecture, names::FunctionName},
    ports::cargo::{BuildRequest, Purpose},
};

/// Builds functions and says how to run each. `folder` takes what is run.
///
/// # Errors
/// Usage, if there is no such function; else as building goes.
pub(super) fn specs(
    world: &World,
    context: &Context,
    functions: &[FunctionName],
    folder: &Utf8Path,
    purpose: Purpose,
) -> anyhow::Result<BTreeMap<FunctionName, Spec>> {
    let config = &context.config;
    if let Some(unknown) = functions.iter().find(|name| !config.functions.contains_key(*name)) {
        let names = config.functions.keys().map(FunctionName::as_str).collect::<Vec<_>>().join(", ");
        return Err(Failure::usage(format!("there is no function `{unknown}`; release.toml has {names}")).into());
    }
    let first = &config.path.first().context("release.toml has no environment")?.environment;
    world.seed(context, first)?;
    let names = functions.iter().map(FunctionName::as_str).collect::<Vec<_>>().join(", ");
    let phase = context.story.phase(&format!("building {names}"));
    let request = BuildRequest {
        root: &context.root,
        functions,
        profile: "dev",
        target: None,
        glibc: None,
        out: folder,
        purpose,
    };
    let built = context.cargo.build(&request, &|text| phase.now(text))?;
    phase.done("to be run here");
    let variables = config.variables.get(first).into_iter().flatten();
    let variables = variables.map(|(name, value)| (name.clone(), value.clone())).collect();
    let places = Places { local: context.local.clone(), environment: world.environment.clone() };
    let variables = places.fill(&variables).map_err(|unset| Failure::usage(unset.to_string()))?;
    let spec = |function: &FunctionName| -> anyhow::Result<(FunctionName, Spec)> {
        let declared = config.functions.get(function).and_then(|declared| declared.settings.get(first));
        // The architecture plays no part in running it here.
        let configuration = declared.context("release.toml has no settings for it")?.on(Architecture::X86_64);
        let artifact = built.artifacts.get(function).context("cargo built something else")?;
        let task = task(folder, function.as_str(), &artifact.executable)?;
        let spec = Spec {
            folder: task,
            function: config.fleet_name(first, function)?,
            version: None,
            memory_mb: configuration.memory_mb,
            timeout_s: configuration.timeout_s,
            init_limit: INIT_LIMIT,
            variables: variables.clone(),
        };
        Ok((function.clone(), spec))
    };
    functions.iter().map(spec).collect()
}

/// A function's folder as Lambda has it: with the executable as `bootstrap`.
pub(super) fn task(folder: &Utf8Path, function: &str, executable: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let task = folder.join("task").join(function);
    fs::create_dir_all(&task).with_context(|| format!("failed to make the folder {task}"))?;
    fs::copy(executable, task.join("bootstrap")).context("failed to copy the executable")?;
    Ok(task)
}
