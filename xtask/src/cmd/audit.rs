//! `audit`: checks of the vault and its ledger.

use clap::Subcommand;

use crate::{
    cmd::World,
    engine::audit::{self, Audit},
    output::{Answer, table::table},
};

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Verify every object of the vault, offline: chains, signatures, seals, and that nothing was added
    Verify,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let What::Verify = args.what;
    let context = world.context().await?;
    let audit = audit::run(&context).await?;
    for notice in &audit.notices {
        context.story.note(notice);
    }
    let failure = audit.failure();
    Ok(Answer::new(&audit, text(&audit))?.failing(failure))
}

fn text(audit: &Audit) -> String {
    let counts = format!(
        "{} objects, {} ledger entries, {} sealed releases: {} findings\n",
        audit.objects,
        audit.entries,
        audit.releases,
        audit.findings.len()
    );
    if audit.findings.is_empty() {
        return counts;
    }
    let rows = audit.findings.iter().map(|finding| {
        vec![finding.object.clone(), finding.verdict.to_string(), finding.expected.clone(), finding.found.clone()]
    });
    format!("{counts}\n{}", table(&["object", "verdict", "expected", "found"], &rows.collect::<Vec<_>>()))
}
