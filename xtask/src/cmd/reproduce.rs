//! `reproduce`: builds a release once more from its commit and compares every byte with the vault.

use camino::Utf8PathBuf;

use crate::{
    cmd::World,
    context::Context,
    engine::{
        evidence,
        reproduce::{self, Reproduction},
    },
    failure::Failure,
    model::{
        canonical,
        digest::Digest,
        evidence::{Evidence, TestSummary},
        names::{EnvName, EvidenceKind},
        version::Version,
    },
    output::{Answer, table::table},
};

/// Arguments of `reproduce`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The release.
    release: Version,
    /// A folder with the source [default: the release's commit, written to a clean folder]
    #[arg(long, value_name = "DIR", conflicts_with = "env")]
    source: Option<Utf8PathBuf>,
    /// Add the result to the release's evidence, as kind `rebuild` in this environment
    #[arg(long, value_name = "ENV")]
    env: Option<EnvName>,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`reproduce` has no plan: it changes nothing but its own work folder").into());
    }
    let context = if args.env.is_some() { world.writing_context().await? } else { world.context().await? };
    if let Some(environment) = &args.env {
        context.config.stop(environment)?;
    }
    let source = args.source.map(|folder| world.working_directory.join(folder));
    let found = reproduce::run(&context, args.release, source.as_deref()).await?;
    let mut text = text(&found);
    if let Some(environment) = args.env {
        text.push_str(&format!("\n{}\n", record(&context, &found, environment).await?));
    }
    let failure = found.failure();
    Ok(Answer::new(&found, text)?.failing(failure))
}

/// Each rebuild is a piece of its own, as someone else's counts as another witness. One that differs proves the contrary.
async fn record(context: &Context, found: &Reproduction, environment: EnvName) -> anyhow::Result<String> {
    let (time, actor) = (context.clock.now(), context.actor.clone());
    let report = serde_json::json!({ "actor": actor, "rebuild": found, "time": time });
    let content = String::from_utf8(canonical::to_vec(&report)?)?;
    let tests = found.artifacts.len() as u64;
    let failures = found.differing() as u64;
    let evidence = Evidence {
        schema: 1,
        release: found.release,
        manifest: found.manifest,
        environment,
        kind: "rebuild".parse::<EvidenceKind>()?,
        file: "rebuild.json".to_owned(),
        sha256: Digest::of(content.as_bytes()),
        tests: Some(TestSummary { tests, failures, errors: 0, skipped: 0 }),
        time,
        actor,
    };
    Ok(evidence::add(context, &evidence, content).await?.to_string())
}

fn text(found: &Reproduction) -> String {
    let rows = found.artifacts.iter().map(|(function, artifact)| {
        let digest = if artifact.sealed == artifact.rebuilt {
            artifact.sealed.to_string()
        } else {
            format!("sealed {}, rebuilt {}", artifact.sealed.short(), artifact.rebuilt.short())
        };
        vec![format!("{function}.zip"), artifact.verdict.to_string(), digest]
    });
    let rows = table(&["artifact", "verdict", "digest"], &rows.collect::<Vec<_>>());
    let from = found.commit.map_or_else(|| "the folder that was given".to_owned(), |commit| format!("commit {commit}"));
    format!("{} built once more from {from}\nwith {}\n\n{rows}", found.release, found.toolchain.rustc)
}
