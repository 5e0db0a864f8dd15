//! `evidence`: proof about a release that a gate may require.

use std::fs;

use camino::Utf8PathBuf;
use clap::Subcommand;

use crate::{
    cmd::{World, advisories},
    engine::{evidence, facts},
    failure::Failure,
    model::{
        digest::Digest,
        evidence::{Evidence, JunitError, junit},
        names::{EnvName, EvidenceKind},
        version::Version,
    },
    output::Answer,
    ports::vault::READ_LIMIT,
};

/// Arguments of `evidence`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add a test report (JUnit) or other proof about a release
    Add {
        /// The release.
        release: Version,
        /// Where it was gathered.
        #[arg(long, value_name = "ENV")]
        env: EnvName,
        /// What kind of proof it is, as the gates name it.
        #[arg(long, value_name = "KIND")]
        kind: EvidenceKind,
        /// The file, as text.
        #[arg(long, value_name = "FILE")]
        file: Utf8PathBuf,
    },
    /// Record what a database of advisories knows now of what a release is linked with
    Advisories(advisories::Args),
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let (release, env, kind, file) = match args.what {
        What::Add { release, env, kind, file } => (release, env, kind, file),
        What::Advisories(args) => return advisories::run(world, args).await,
    };
    if world.globals.plan {
        return Err(Failure::usage("`evidence add` has no plan: it records the file").into());
    }
    let context = world.writing_context().await?;
    context.config.stop(&env)?;
    let (_, manifest) = facts::manifest(&context, release).await?;
    let path = world.working_directory.join(&file);
    let bytes = fs::read(&path)
        .map_err(|error| Failure::usage(format!("failed to read {path}: {error}; name the proof by --file")))?;
    if bytes.len() as u64 > READ_LIMIT / 4 {
        return Err(Failure::usage(format!("{path} is larger than evidence may be ({} bytes)", READ_LIMIT / 4)).into());
    }
    let tests = match junit(&bytes) {
        Ok(tests) => Some(tests),
        Err(error) if looks_like_a_report(&bytes) => return Err(unreadable(&path, &error).into()),
        Err(_) => None,
    };
    let sha256 = Digest::of(&bytes);
    let content =
        String::from_utf8(bytes).map_err(|_not_utf8| Failure::usage(format!("{path} is not text in UTF-8")))?;
    let evidence = Evidence {
        schema: 1,
        release,
        manifest,
        environment: env,
        kind,
        file: file.file_name().unwrap_or("evidence").to_owned(),
        sha256,
        tests,
        time: context.clock.now(),
        actor: context.actor.clone(),
    };
    let key = evidence::add(&context, &evidence, content).await?;
    let says = match &evidence.tests {
        None => "no test report".to_owned(),
        Some(tests) => format!(
            "{} tests, {} failures, {} errors, {} skipped: {}",
            tests.tests,
            tests.failures,
            tests.errors,
            tests.skipped,
            if tests.success() { "success" } else { "no success" }
        ),
    };
    Answer::new(&evidence, format!("{key}\n{} for {release} in {}: {says}", evidence.kind, evidence.environment))
}

/// A broken report must not pass as proof of another kind.
fn looks_like_a_report(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned();
    head.trim_start().starts_with('<') && head.contains("<testsuite")
}

fn unreadable(path: &Utf8PathBuf, error: &JunitError) -> Failure {
    Failure::usage(format!("{path} is no JUnit report that can be read: {error}"))
}
