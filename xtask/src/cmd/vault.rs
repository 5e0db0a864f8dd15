//! `vault`: sets the vault's buckets in AWS up, finds every hole in them, and writes the policies of roles and keys down
//! for whoever makes those.

use std::{collections::BTreeMap, fs};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use clap::Subcommand;
use vault_policy::{
    render::{self, Document, RenderError},
    vault::Vault,
};

use crate::{
    cmd::{Profile, World},
    config::{Config, policies},
    engine::buckets::{self, BucketPlan, BucketReport},
    failure::Failure,
    model::verdict::Verdict,
    output::{Answer, table::table},
};

/// Arguments of `vault`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make both buckets what they should be, as the vault administrator; nothing to do is well, too
    Apply,
    /// Look for every hole in both buckets, as the auditor, and say how to close it
    Doctor,
    /// Show the policies of buckets, roles and keys, and whom the roles trust
    Policies {
        /// Write them there, one file each.
        #[arg(long, value_name = "DIR")]
        out: Option<Utf8PathBuf>,
    },
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    let config = world.found()?.config;
    match args.what {
        What::Policies { out } => policies(world, &config, out),
        What::Apply | What::Doctor if world.globals.profile == Profile::Local => {
            let text = "the vault of the profile `local` is a folder of this machine: there is nothing to set up, and \
                        `cargo xtask audit verify` checks what is in it; for the buckets in AWS add `--profile aws`";
            Err(Failure::usage(text).into())
        }
        What::Apply => {
            let vault = policies::vault(&config)?;
            let buckets = world.buckets(&config, vault.roles.vault_administrator.as_str(), false).await?;
            let plans = buckets::plan(&vault, buckets.as_ref()).await?;
            if !world.globals.plan {
                buckets::run(&vault, buckets.as_ref(), &plans, world.story().as_ref()).await?;
            }
            Answer::new(&plans, steps(&plans, world.globals.plan))
        }
        What::Doctor => {
            let vault = policies::vault(&config)?;
            let buckets = world.buckets(&config, vault.roles.auditor.as_str(), false).await?;
            let reports = buckets::examine(&vault, buckets.as_ref()).await?;
            Ok(Answer::new(&reports, verdicts(&reports))?.failing(buckets::failure(&reports)))
        }
    }
}

fn steps(plans: &[BucketPlan], planned: bool) -> String {
    let one = |plan: &BucketPlan| {
        let place = format!("{} in {}", plan.bucket, plan.region);
        if plan.steps.is_empty() {
            return format!("{place}: nothing to do\n");
        }
        // What has to be done is told as it can be done by hand; what was done needs no command.
        let tell = |step: &buckets::Planned| if planned { step.command.clone() } else { step.action.to_owned() };
        let steps: String = plan.steps.iter().map(|step| format!("  {}\n", tell(step))).collect();
        format!("{place}: {} steps\n{steps}", plan.steps.len())
    };
    plans.iter().map(one).collect()
}

fn verdicts(reports: &[BucketReport]) -> String {
    let mut text = String::new();
    for report in reports {
        let rows = report.rules.iter().map(|r| vec![r.rule.clone(), r.verdict.to_string(), r.found.clone()]);
        let rows = table(&["rule", "verdict", "found"], &rows.collect::<Vec<_>>());
        let wrong = report.rules.iter().filter(|rule| rule.verdict != Verdict::Correct);
        let fixes = wrong.filter_map(|rule| Some(format!("fix of {}: {}\n", rule.rule, rule.fix.as_ref()?)));
        text.push_str(&format!("{} in {}\n{rows}{}\n", report.bucket, report.region, fixes.collect::<String>()));
    }
    text
}

fn policies(world: &World, config: &Config, out: Option<Utf8PathBuf>) -> anyhow::Result<Answer> {
    let vault = policies::vault(config)?;
    let mut all = BTreeMap::new();
    let trusts = policies::trusted(config)?.into_iter().map(|(actor, subject)| Document::GithubTrust(actor, subject));
    for document in render::documents(&vault).into_iter().chain(trusts) {
        let text = render::render(&vault, &document).map_err(described)?;
        all.insert(file(&vault, &document), serde_json::from_str::<serde_json::Value>(&text)?);
    }
    let Some(out) = out.filter(|_| !world.globals.plan) else {
        let names = all.keys().map(|name| format!("{name}\n")).collect::<String>();
        return Answer::new(&all, format!("{names}\n`--json` shows them, and `--out DIR` writes them"));
    };
    let out = world.working_directory.join(out);
    for (name, policy) in &all {
        let path = out.join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = written.and_then(|()| fs::write(&path, format!("{policy:#}\n")));
        written.with_context(|| format!("failed to write {path}"))?;
    }
    Answer::new(&all, format!("{} policies are in {out}", all.len()))
}

fn described(error: RenderError) -> Failure {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Failure::usage(format!("{error}{cause}"))
}

/// Where a policy is written: by what it is the policy of.
fn file(vault: &Vault, document: &Document) -> String {
    match document {
        Document::Bucket(side) => format!("buckets/{}.json", vault.bucket(*side).bucket),
        Document::Role(actor) => format!("roles/{actor}.json"),
        Document::GithubTrust(actor, _) => format!("trust/{actor}.json"),
        Document::Key(actor) => format!("keys/{actor}.json"),
        Document::VariablesKey(environment) => format!("keys/variables-{environment}.json"),
    }
}
