//! `evidence advisories`: what a database of advisories knows now of the packages that a release is linked with.

use crate::{
    cmd::World,
    engine::{
        advisories::{self, Taken},
        facts, policy,
    },
    failure::Failure,
    model::{advisories::Vulnerability, names::EnvName, version::Version},
    output::{Answer, table::table},
    plan::gate,
};

/// Arguments of `evidence advisories`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The release.
    release: Version,
    /// The environment that it has reached.
    #[arg(long, value_name = "ENV")]
    env: EnvName,
    /// A clone of the database, or its address.
    #[arg(long, value_name = "DIR|URL", default_value = "https://github.com/RustSec/advisory-db")]
    database: String,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let plan = world.globals.plan;
    let context = if plan { world.context().await? } else { world.writing_context().await? };
    context.config.stop(&args.env)?;
    let (manifest, digest) = facts::manifest(&context, args.release).await?;
    let taken = advisories::take(&context, &manifest, &database(world, args.database)).await?;
    let mut text = text(&taken);
    if !plan {
        let key = advisories::record(&context, &taken, (&manifest, digest), args.env).await?;
        text = format!("{key}\n{text}");
    }
    let policy = policy::state(&context).await?;
    let open = gate::open(&taken.scan, &policy, context.clock.now());
    let failure = (!open.is_empty()).then(|| {
        let ids = open.iter().map(|vulnerability| vulnerability.advisory.to_string()).collect::<Vec<_>>().join(", ");
        Failure::Refused(format!(
            "{} has known vulnerabilities that no exception lets pass: {ids}; release with versions that are not hit, or \
             take the risk for a while with `[[exceptions]]` in people.toml",
            args.release
        ))
    });
    Ok(Answer::new(&taken.scan, text)?.failing(failure))
}

/// A folder is meant from where the command was started.
fn database(world: &World, given: String) -> String {
    let folder = world.working_directory.join(&given);
    if folder.is_dir() { folder.into_string() } else { given }
}

fn text(taken: &Taken) -> String {
    let scan = &taken.scan;
    let head = format!("{} packages, by the database of {}, commit {}\n", scan.packages, scan.date, scan.commit);
    if scan.found.is_empty() {
        return format!("{head}nothing is known against them\n");
    }
    let row = |vulnerability: &Vulnerability| {
        let functions = vulnerability.functions.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        let kind = vulnerability.informational.clone().or_else(|| vulnerability.severity.clone());
        let (advisory, package) = (vulnerability.advisory.to_string(), vulnerability.package.to_string());
        vec![advisory, package, functions, kind.unwrap_or_default(), vulnerability.title.clone()]
    };
    let rows: Vec<_> = scan.found.iter().map(row).collect();
    format!("{head}\n{}", table(&["advisory", "package", "functions", "severity", "title"], &rows))
}
