//! `diff`: what differs between two releases.

use std::fmt::Write as _;

use crate::{
    cmd::World,
    context::Context,
    engine::facts,
    failure::Failure,
    model::{manifest::Manifest, version::Version},
    output::{Answer, table::table},
    plan::diff::{self, Changed, Diff},
};

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One release.
    a: Version,
    /// The other release.
    b: Version,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let context = world.context().await?;
    let (from, to) = (args.a.min(args.b), args.a.max(args.b));
    let between = between(&context, from, to).await?;
    let (from, _) = facts::manifest(&context, from).await?;
    let (to, _) = facts::manifest(&context, to).await?;
    let diff = diff::diff(&from, &to, &between);
    Answer::new(&diff, text(&diff)?)
}

/// The manifests after `from` up to and with `to`, following each to the one before.
async fn between(context: &Context, from: Version, to: Version) -> anyhow::Result<Vec<Manifest>> {
    let mut manifests = Vec::new();
    let mut here = to;
    while here > from {
        let (manifest, _) = facts::manifest(context, here).await?;
        let previous = manifest.previous.as_ref().map(|previous| previous.release);
        manifests.push(manifest);
        here = previous.ok_or_else(|| Failure::Refused(format!("{from} is not a release before {to}")))?;
    }
    Ok(manifests)
}

fn text(diff: &Diff) -> anyhow::Result<String> {
    let mut text = format!("from {} to {}\n\ncommits: {}\n", diff.from, diff.to, diff.commits.len());
    for change in &diff.commits {
        writeln!(text, "  {} {}", change.commit.short(), change.subject)?;
    }
    let mut rows = Vec::new();
    for (function, changed) in &diff.functions {
        rows.push(row(&format!("code of {function}"), changed, |digest| digest.short()));
    }
    for change in &diff.configuration {
        let name = format!("configuration of {} in {}", change.function, change.environment);
        rows.push(row(&name, &change.changed, |c| {
            format!("{} MiB, {} s, {} days of log, {:?}", c.memory_mb, c.timeout_s, c.log_retention_days, c.tracing)
        }));
    }
    for (package, changed) in &diff.dependencies {
        let versions =
            |versions: &std::collections::BTreeSet<String>| versions.iter().cloned().collect::<Vec<_>>().join(", ");
        rows.push(row(&format!("dependency {package}"), changed, versions));
    }
    if let Some(changed) = &diff.rustc {
        rows.push(row("compiler", changed, String::clone));
    }
    if rows.is_empty() {
        text.push_str("\nfunctions, configuration, dependencies: no difference\n");
    } else {
        text.push('\n');
        text.push_str(&table(&["what", "from", "to"], &rows));
    }
    Ok(text)
}

fn row<T>(what: &str, changed: &Changed<T>, show: impl Fn(&T) -> String) -> Vec<String> {
    let side = |value: &Option<T>| value.as_ref().map_or_else(|| "-".to_owned(), &show);
    vec![what.to_owned(), side(&changed.from), side(&changed.to)]
}
