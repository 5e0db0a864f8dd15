//! `audit`: checks of the vault and its ledger, and what an auditor takes along.

use std::{fs, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Subcommand;

use crate::{
    adapters::local::{vault::LocalVault, witness::FileWitness},
    cmd::{World, archive, who},
    engine::{
        audit::{self, Audit, Source, Trust},
        pack::{self, Packed},
    },
    failure::Failure,
    model::{allowed_signers, version::Version},
    output::{Answer, table::table},
    ports::witness::Witness,
};

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Verify every object of the vault, offline: chains, signatures, seals, gates, and that nothing was added
    Verify(Verify),
    /// Write the auditor's folder of a release, which can be checked without this tool
    Pack {
        /// The release.
        release: Version,
        /// The folder; it must not hold anything yet.
        #[arg(long, value_name = "DIR")]
        out: Utf8PathBuf,
    },
    /// Say who looked at a product on a day, from the functions' own audit trails
    Who(who::Args),
    /// Copy whole days of an environment's audit trail to where nobody can change them, before the trail forgets them
    Archive(archive::Args),
    /// Print everyone's keys as OpenSSH's allowed_signers file; an auditor keeps a copy
    Signers,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// A copy of a vault, instead of the one of this project; nothing else is needed
    #[arg(long, value_name = "DIR")]
    vault: Option<Utf8PathBuf>,
    /// Your own list of whose signatures count, instead of the keys known here
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<Utf8PathBuf>,
    /// A copy of the witness's notes, for a copy of a vault
    #[arg(long, value_name = "FILE", requires = "vault")]
    witness: Option<Utf8PathBuf>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    match args.what {
        What::Verify(what) => verify(world, &what).await,
        What::Who(what) => who::run(world, what).await,
        What::Archive(what) => archive::run(world, what).await,
        What::Pack { release, out } => {
            let context = world.context().await?;
            let packed = pack::run(&context, release, &world.working_directory.join(out)).await?;
            let failure = packed.failure();
            Ok(Answer::new(&packed, packed_text(&packed))?.failing(failure))
        }
        What::Signers => {
            let text = pack::render(&world.context().await?).await?;
            Answer::new(&serde_json::json!({ "allowed_signers": text }), text)
        }
    }
}

async fn verify(world: &World, args: &Verify) -> anyhow::Result<Answer> {
    let here = |path: &Utf8Path| world.working_directory.join(path);
    let mut source = match &args.vault {
        Some(folder) => copy(world, &here(folder), args.witness.as_deref().map(here))?,
        None => Source::of(&world.context().await?),
    };
    if let Some(file) = &args.allowed_signers {
        let text = fs::read_to_string(here(file));
        let text = text.map_err(|error| Failure::usage(format!("failed to read {file}: {error}")))?;
        let signers = allowed_signers::parse(&text)
            .map_err(|error| Failure::usage(format!("{file}: {:#}", anyhow::Error::from(error))))?;
        source.trust = Trust::Listed(signers);
    }
    let audit = audit::verify(&source).await?;
    for notice in &audit.notices {
        source.story.note(notice);
    }
    let failure = audit.failure();
    Ok(Answer::new(&audit, text(&audit))?.failing(failure))
}

/// A copy of a vault in a folder: no configuration and no repository is asked.
fn copy(world: &World, folder: &Utf8Path, witness: Option<Utf8PathBuf>) -> Result<Source, Failure> {
    if !folder.is_dir() {
        return Err(Failure::usage(format!("{folder} is no folder, so it holds no copy of a vault")));
    }
    if let Some(missing) = witness.as_ref().filter(|path| !path.is_file()) {
        return Err(Failure::usage(format!("{missing} is no file, so it holds no notes of a witness")));
    }
    // Nothing is written, so that no workshop is ever made.
    let workshop = folder.join("tmp");
    Ok(Source {
        vault: Arc::new(LocalVault::new(folder, &workshop)),
        witness: witness.map(|path| Arc::new(FileWitness::new(&path, &workshop)) as Arc<dyn Witness>),
        trust: Trust::First,
        story: world.story(),
    })
}

fn packed_text(packed: &Packed) -> String {
    let Packed { release, manifest, folder, files, findings, .. } = packed;
    let mut text = format!(
        "{release} {manifest}\n{files} files in {folder}: VERIFY.md says how to check them, CONTROLS.md what they answer\n"
    );
    for finding in findings {
        text.push_str(&format!("finding: {}\n", finding.found));
    }
    text
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
