//! The commands: one file each, `Args → Request → Plan → Receipt`. They parse, wire and hand over; nothing is decided
//! and nothing is printed here.

mod advisories;
pub mod again;
mod archive;
mod audit;
mod bench;
mod build;
mod completions;
mod debug;
mod decide;
mod diff;
mod doctor;
mod dr_sync;
mod event;
mod evidence;
mod globals;
mod graveyard;
mod here;
mod history;
mod interrupt;
mod invoke;
mod local;
mod new;
mod notify;
mod policy;
mod promote;
mod release;
mod report;
mod reproduce;
mod rollback;
mod serve;
mod status;
mod stores;
mod test;
mod tools;
mod trails;
mod vault;
mod verify;
mod who;
mod world;

use clap::{Parser, Subcommand};

pub use self::{
    globals::{Globals, Profile},
    interrupt::unless_interrupted,
    world::World,
};
use crate::{engine::decide::Verdict, output::Answer};

/// Build once, prove it, promote it: one sealed box from commit to production.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub globals: Globals,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Turn HEAD into a sealed box and carry it as far as no person is needed
    Release(release::Args),
    /// Take a release into an environment
    Promote(promote::Args),
    /// Sign that a release may enter an environment
    Approve(decide::Args),
    /// Sign that a release must not enter an environment: it dies in the one before
    Reject(decide::Args),
    /// Take back what you approved
    Revoke(decide::Args),
    /// Add proof about a release that a gate may require
    Evidence(evidence::Args),
    /// Say who may decide, stop and resume
    Policy(policy::Args),
    /// Bring what is live in the first region to the second, until it is Globally Synced
    DrSync(dr_sync::Args),
    /// Go back at once to the newest earlier release that is good; what is live now is dead
    Rollback(rollback::Args),
    /// Check what is live against what was sealed: bytes, alias, configuration, smoke
    Verify(verify::Args),
    /// Show where is what
    Status(status::Args),
    /// Show what died, where, when, why, and what replaced it
    Graveyard(graveyard::Args),
    /// Show what happened in an environment
    History(history::Args),
    /// Show what differs between two releases
    Diff(diff::Args),
    /// Write the release board: one page with every release's journey
    Report(report::Args),
    /// Try the notices out that release.toml asks for
    Notify(notify::Args),
    /// Check the vault and its ledger
    Audit(audit::Args),
    /// Set the vault's buckets in AWS up, and find every hole in them
    Vault(vault::Args),
    /// Build and pack the functions, and release nothing
    Build(build::Args),
    /// Build a release once more from its commit and compare every byte with the vault
    Reproduce(reproduce::Args),
    /// Build one function and call it on this machine
    Invoke(invoke::Args),
    /// Print a sample event, for `invoke` and for tests
    Event(event::Args),
    /// Put every function behind an API Gateway on this machine, and build it anew when a file is written
    Serve(serve::Args),
    /// Run an emulator of AWS on this machine, with everything in it that a release needs
    Local(local::Args),
    /// Make what the project does not have yet: a function
    New(new::Args),
    /// Check this machine and this project, and say how to mend each thing
    Doctor(doctor::Args),
    /// Run the tests
    Test(test::Args),
    /// Measure this tool beside what people use
    Bench(bench::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
}

impl Command {
    /// Whether this build has to have the AWS SDK for it.
    #[must_use]
    pub fn needs_aws(&self, profile: Profile) -> bool {
        profile == Profile::Aws || matches!(self, Self::Local(args) if args.needs_aws())
    }

    /// Whether it runs until somebody ends it, so that nothing is unfinished then.
    #[must_use]
    pub fn serves(&self) -> bool {
        matches!(self, Self::Serve(_))
    }
}

/// Runs a command.
///
/// # Errors
/// What the command says; the exit code follows from it.
pub async fn run(world: &World, command: Command) -> anyhow::Result<Answer> {
    match command {
        Command::Release(args) => release::run(world, args).await,
        Command::Promote(args) => promote::run(world, args).await,
        Command::Approve(args) => decide::run(world, args, Verdict::Approve).await,
        Command::Reject(args) => decide::run(world, args, Verdict::Reject).await,
        Command::Revoke(args) => decide::run(world, args, Verdict::Revoke).await,
        Command::Evidence(args) => evidence::run(world, args).await,
        Command::Policy(args) => policy::run(world, args).await,
        Command::DrSync(args) => dr_sync::run(world, args).await,
        Command::Rollback(args) => rollback::run(world, args).await,
        Command::Verify(args) => verify::run(world, args).await,
        Command::Status(args) => status::run(world, args).await,
        Command::Graveyard(args) => graveyard::run(world, args).await,
        Command::History(args) => history::run(world, args).await,
        Command::Diff(args) => diff::run(world, args).await,
        Command::Report(args) => report::run(world, args).await,
        Command::Notify(args) => notify::run(world, args).await,
        Command::Audit(args) => audit::run(world, args).await,
        Command::Vault(args) => vault::run(world, args).await,
        Command::Build(args) => build::run(world, args),
        Command::Reproduce(args) => reproduce::run(world, args).await,
        Command::Invoke(args) => invoke::run(world, args).await,
        Command::Event(args) => event::run(args),
        Command::Serve(args) => serve::run(world, args).await,
        Command::Local(args) => local::run(world, args).await,
        Command::New(args) => new::run(world, args),
        Command::Doctor(args) => doctor::run(world, args).await,
        Command::Test(args) => test::run(world, &args),
        Command::Bench(args) => bench::run(world, &args).await,
        Command::Completions(args) => completions::run(&args),
    }
}
