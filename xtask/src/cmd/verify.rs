//! `verify`: what is live against what was sealed.

use crate::{
    cmd::World,
    engine::verify::{self, Verification},
    model::names::EnvName,
    output::{Answer, table::table},
};

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment.
    #[arg(long, value_name = "ENV")]
    env: EnvName,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = world.context().await?;
    let verification = verify::run(&context, &args.env).await?;
    for notice in &verification.notices {
        context.story.note(notice);
    }
    if !world.globals.plan {
        verify::record(&context, &verification).await;
    }
    let failure = verification.failure();
    Ok(Answer::new(&verification, text(&verification))?.failing(failure))
}

fn text(verification: &Verification) -> String {
    let aspects = verification.functions.iter().flat_map(|function| {
        function.aspects.iter().map(|aspect| {
            let name = function.name.to_string();
            let wrong = format!("expected {}, found {}", aspect.expected, aspect.found);
            let detail = if aspect.expected == aspect.found { String::new() } else { wrong };
            vec![name, aspect.aspect.to_owned(), aspect.verdict.to_string(), detail]
        })
    });
    let smoke = verification.smoke.iter().map(|result| {
        let detail = result.reason.clone().unwrap_or_else(|| format!("{} ms", result.took_ms));
        vec![result.function.to_string(), format!("smoke: {}", result.check), result.verdict.to_string(), detail]
    });
    let rows: Vec<_> = aspects.chain(smoke).collect();
    let head = format!("{} in {}\n{}", verification.release, verification.environment, verification.manifest);
    format!("{head}\n\n{}", table(&["function", "check", "verdict", "detail"], &rows))
}
