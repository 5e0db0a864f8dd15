//! The judgement on what was built, before anything of it is uploaded.

use std::collections::BTreeSet;

use crate::{
    config::Config,
    failure::Failure,
    model::names::FunctionName,
    plan::preflight::{self, Problem, Wanted},
    ports::{cargo::Built, story::Story},
};

/// Warns of what Lambda lacks where nothing runs there, and refuses what it could not start or nobody may have.
///
/// # Errors
/// Usage, if the target is none that Lambda runs; refused, with every problem that is found.
pub fn check(config: &Config, built: &Built, story: &dyn Story) -> Result<(), Failure> {
    let architecture = super::seal::architecture(&built.toolchain.target)?;
    let runtime = preflight::provided_al2023();
    let problems = built.artifacts.iter().flat_map(|(function, artifact)| {
        let libraries = config.functions.get(function).map(|function| function.libraries.clone()).unwrap_or_default();
        let (layers, lacking) = layers(config, function);
        let here = !config.on_lambda;
        let wanted = Wanted {
            function,
            architecture,
            runtime: &runtime,
            libraries: &libraries,
            layers,
            lacking: &lacking,
            here,
        };
        preflight::judge(&wanted, &artifact.binary)
    });
    let (fatal, tolerable): (Vec<Problem>, Vec<Problem>) = problems.partition(|problem| problem.fatal);
    for problem in tolerable {
        story.warn(&problem.to_string());
    }
    if fatal.is_empty() {
        return Ok(());
    }
    let list = fatal.iter().map(|problem| format!("\n  - {problem}")).collect::<String>();
    Err(Failure::Refused(format!("what was built must not be sealed:{list}")))
}

/// The most that a function's layers unpack to, and what is wrong with them: what its variables ask for as far as they are
/// known here, and those that nobody describes.
fn layers(config: &Config, function: &FunctionName) -> (u64, BTreeSet<String>) {
    let (mut most, mut lacking) = (0, BTreeSet::new());
    let settings = config.functions.get(function).into_iter().flat_map(|function| &function.settings);
    for (environment, settings) in settings {
        let own = settings.layers();
        let described = config.layers.values().filter(|layer| layer.is_among(own));
        most = most.max(described.map(|layer| layer.unpacked).sum::<u64>());
        for arn in own.iter().filter(|arn| !config.layers.values().any(|layer| layer.versions.contains(*arn))) {
            lacking.insert(format!("nothing says how large its layer {arn} is, nor what it must hold"));
        }
        let variables = config.variables.get(environment);
        let needed = config.layers.iter().filter(|(_, layer)| variables.is_some_and(|given| layer.is_needed_by(given)));
        for (name, layer) in needed.filter(|(_, layer)| !layer.is_among(own)) {
            lacking.insert(format!("in {environment} {}", layer.lacking(name.as_str())));
        }
    }
    (most, lacking)
}
