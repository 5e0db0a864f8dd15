//! `approve`, `reject` and `revoke`: a person signs a decision, and it is recorded.

use camino::Utf8PathBuf;

use crate::{
    adapters::{local::throwaway::Throwaway, ssh},
    cmd::World,
    context::Context,
    engine::{
        decide::{self, Decided, Request, Verdict},
        status,
    },
    failure::Failure,
    model::{
        names::{EnvName, RoleName},
        version::Version,
    },
    output::Answer,
    ports::person_key::PersonKey,
};

/// Arguments of `approve`, `reject` and `revoke`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment that the release would enter.
    #[arg(long, value_name = "ENV")]
    to: EnvName,
    /// The release.
    #[arg(long, value_name = "VERSION")]
    release: Version,
    /// The key that signs: an OpenSSH private key, or a .pub file whose key ssh-agent holds [default: a throwaway key]
    #[arg(long, value_name = "FILE")]
    key: Option<Utf8PathBuf>,
    /// The role [default: the first that the gate still lacks]
    #[arg(long = "as", value_name = "ROLE")]
    role: Option<RoleName>,
    /// What to say with it.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

pub(super) async fn run(world: &World, args: Args, verdict: Verdict) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("a decision has no plan: `status --release` shows what the gate needs").into());
    }
    let context = world.writing_context().await?;
    context.config.stop(&args.to)?;
    let key = key(world, &context, &args).await?;
    let Args { to, release, role, comment, .. } = args;
    let request = Request { environment: to, release, verdict, role, comment };
    let decided = decide::run(&context, &request, &*key).await?;
    let next = status::next_step(&context, Some(release)).await?;
    let observed = decided.observed.iter().map(|line| format!("\nalso: {line}")).collect::<String>();
    let text = format!("{}{observed}", text(&decided));
    Answer::new(&decided, format!("{text}\n\nnext: {}", next.command))
}

/// The named key, or the throwaway key of the role, or of the first role that the gate still lacks.
async fn key(world: &World, context: &Context, args: &Args) -> anyhow::Result<Box<dyn PersonKey>> {
    if let Some(path) = &args.key {
        return ssh::open(&world.working_directory.join(path), &world.environment);
    }
    let asked = decide::roles(context, &args.to, args.release).await?;
    let names = |roles: &[RoleName], or| roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(or);
    let roles = match &args.role {
        Some(role) if !asked.is_empty() && !asked.contains(role) => {
            let text =
                format!("the gate of {} does not ask for `{role}`; it asks for {}", args.to, names(&asked, ", "));
            return Err(Failure::usage(text).into());
        }
        Some(role) if !asked.is_empty() => vec![role.clone()],
        _ => asked,
    };
    let throwaway = Throwaway::new(&context.local);
    let Some(path) = roles.iter().find_map(|role| throwaway.key(role)) else {
        let roles = names(&roles, " or ");
        let text = if roles.is_empty() {
            format!("the gate of {} asks nobody; there is nothing to decide", args.to)
        } else {
            format!(
                "there is no throwaway key for {roles}; name your own with --key, or run `cargo xtask doctor --fix`"
            )
        };
        return Err(Failure::usage(text).into());
    };
    ssh::open(&path, &world.environment)
}

fn text(decided: &Decided) -> String {
    let kind = if decided.throwaway { " (throwaway)" } else { "" };
    format!(
        "{} {} for {} by {}{kind} as {}\n{}",
        decided.release, decided.decision, decided.environment, decided.person, decided.role, decided.entry
    )
}
