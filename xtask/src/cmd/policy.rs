//! `policy`: who may decide, and the emergency stop.

use camino::Utf8PathBuf;
use clap::Subcommand;

use crate::{
    adapters::local::throwaway::Throwaway,
    cmd::World,
    config::people,
    context::Context,
    engine::{pack, policy},
    failure::Failure,
    model::{allowed_signers, names::EnvName, people::People, policy::PolicyEvent},
    output::Answer,
};

/// Arguments of `policy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Put people.toml, with today's gates, in force
    Apply,
    /// Emergency stop: nothing enters any environment
    Stop {
        /// Why.
        #[arg(value_parser = reason)]
        reason: String,
    },
    /// End the emergency stop
    Resume {
        /// Why.
        #[arg(value_parser = reason)]
        reason: String,
    },
    /// Print the policy's keys as OpenSSH's allowed_signers file
    AllowedSigners,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`policy` has no plan: it records what you say").into());
    }
    let context = world.writing_context().await?;
    match args.what {
        What::Apply => {
            let people = read(&context)?;
            let changed = policy::apply(&context, &people).await?;
            let kind = if people.throwaway { " throwaway" } else { "" };
            let verb = if changed { "is in force" } else { "was in force already" };
            let text =
                format!("the policy {verb}: {}{kind} people, {} freezes", people.persons.len(), people.freezes.len());
            Answer::new(&serde_json::json!({ "changed": changed, "people": people }), text)
        }
        What::Stop { reason } => {
            let record = policy::append(&context, &PolicyEvent::Stopped { reason }).await?;
            let text =
                "stopped: nothing enters any environment until `cargo xtask policy resume \"<reason>\"`".to_owned();
            Answer::new(&record.entry.state.stop, text)
        }
        What::Resume { .. } if policy::state(&context).await?.stop.is_none() => {
            let text = "there is no emergency stop; nothing changed".to_owned();
            Answer::new(&serde_json::json!({ "stop": null }), text)
        }
        What::Resume { reason } => {
            policy::append(&context, &PolicyEvent::Resumed { reason }).await?;
            Answer::new(&serde_json::json!({ "stop": null }), "the emergency stop is over".to_owned())
        }
        What::AllowedSigners => {
            let people = policy::state(&context).await?.people;
            let people = people.ok_or_else(|| Failure::Refused("no policy is applied".to_owned()))?;
            let signers = pack::people(&people, context.config.path.iter().map(|stop| &stop.environment))?;
            let text = allowed_signers::render(&signers)?;
            Answer::new(&serde_json::json!({ "allowed_signers": text }), text)
        }
    }
}

/// The ledger keeps it for whoever asks later.
fn reason(text: &str) -> Result<String, &'static str> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty()).ok_or("say why, in a few words")
}

/// The people of the project, or where it has none the throwaway people of this machine.
///
/// # Errors
/// Usage: there are none, or their file is wrong.
pub(super) fn read(context: &Context) -> Result<People, Failure> {
    let candidates: [Utf8PathBuf; 2] = [context.root.join("people.toml"), Throwaway::new(&context.local).people()];
    let Some(path) = candidates.iter().find(|path| path.is_file()) else {
        let text = "there is no people.toml beside release.toml; write one, or run `cargo xtask doctor --fix`";
        return Err(Failure::usage(text));
    };
    let environments: Vec<EnvName> = context.config.path.iter().map(|stop| stop.environment.clone()).collect();
    people::read(path, &environments, true)
}
