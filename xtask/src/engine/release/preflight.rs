//! The judgement on what was built, before anything of it is uploaded.

use crate::{
    config::Config,
    failure::Failure,
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
        let here = !config.on_lambda;
        let wanted = Wanted { function, architecture, runtime: &runtime, libraries: &libraries, here };
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
