//! `report`: the release board, one page with every release's journey.

use std::fs;

use camino::Utf8PathBuf;

use crate::{cmd::World, engine::report, failure::Failure, output::Answer, output::html};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to write the page; one that is there is replaced. With --json it may be left out
    #[arg(long, value_name = "FILE")]
    out: Option<Utf8PathBuf>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`report` has no plan: it reads the ledger and writes one file").into());
    }
    if args.out.is_none() && !world.globals.json {
        return Err(Failure::usage("say where to write the page, as in `cargo xtask report --out board.html`").into());
    }
    let context = world.context().await?;
    let board = report::board(&context).await?;
    let failure = (!board.faults.is_empty()).then(|| Failure::Integrity(board.faults.join("\n")));
    let Some(out) = args.out else { return Ok(Answer::new(&board, String::new())?.failing(failure)) };
    let path = world.working_directory.join(&out);
    let page = html::board(&board, &context.tool)?;
    fs::write(&path, page)
        .map_err(|error| Failure::usage(format!("failed to write {path}: {error}; name another file with --out")))?;
    let (releases, dead) = (board.releases.len(), board.graveyard.len());
    Ok(Answer::new(&board, format!("{out}\n{releases} releases, {dead} in the graveyard"))?.failing(failure))
}
