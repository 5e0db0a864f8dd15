//! `local`: an emulator of AWS for this machine, with everything in it that a release in AWS needs.

use std::{fs, sync::Arc};

use camino::Utf8PathBuf;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    adapters::{
        emulator::{Emulator, Running},
        local::clock::SystemClock,
    },
    cmd::{World, stores, world},
    failure::Failure,
    output::Answer,
};

/// Arguments of `local`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Start MiniStack, set up in it what a release needs, and print what to type for `--profile aws` to use it
    Up {
        /// Its port on the loopback [default: the one of last time, or a free one]
        #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
        port: Option<u16>,
    },
    /// End it; its state stays for the next time
    Down,
    /// Show whether it runs and answers, and what is in it
    Status,
    /// Put back what the seeds say, in SQLite and in the emulator if it runs; nothing else is touched
    Seed,
}

impl Args {
    /// Whether it needs the AWS SDK: the vault's buckets are set up by the very engine that does it in AWS.
    pub(super) fn needs_aws(&self) -> bool {
        matches!(self.what, What::Up { .. })
    }
}

/// The emulator's folder, and what is kept of the last time that everything was set up.
struct Place {
    emulator: Emulator,
    profile: Utf8PathBuf,
    seeded: Utf8PathBuf,
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`local` has no plan: it changes nothing but an emulator on this machine").into());
    }
    let local = world.local(&world.project(None)?.root);
    let folder = local.join("ministack");
    let place = Place {
        emulator: Emulator::new(&folder, Arc::new(SystemClock), world.story()),
        profile: folder.join("profile.toml"),
        seeded: folder.join("seeded.json"),
    };
    match args.what {
        What::Up { port } => {
            world::ignore(&local)?;
            let running = place.emulator.up(port).await?;
            stores::set_up(world, &place.profile, &place.seeded, &running).await?;
            status(&place).await
        }
        What::Down => {
            let ended = place.emulator.down().await?;
            let text = if ended.is_some() { "MiniStack ended; its state stays" } else { "MiniStack did not run" };
            Answer::new(&json!({ "ended": ended }), text.to_owned())
        }
        What::Status => status(&place).await,
        What::Seed => {
            world::ignore(&local)?;
            stores::seed(world, &local, &place.emulator).await
        }
    }
}

async fn status(place: &Place) -> anyhow::Result<Answer> {
    let running = place.emulator.running().await?;
    let seeded = fs::read_to_string(&place.seeded).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let answers = running.as_ref().is_some_and(Running::answers);
    let text = match (&running, &seeded) {
        (None, _) => "MiniStack does not run; start it by `cargo xtask local up`".to_owned(),
        (Some(running), None) => format!("{}; run `cargo xtask local up` to set it up", told(running)),
        (Some(running), Some(seeded)) => {
            let count = |kind: &str| format!("{} {kind}", seeded[kind].as_array().map_or(0, Vec::len));
            let counts = ["buckets", "roles", "tables", "functions"].map(count).join(", ");
            format!("# {}, with {counts}\n{}", told(running), exports(place, running))
        }
    };
    let (endpoint, profile) = (running.as_ref().map(Running::endpoint), &place.profile);
    let json =
        json!({ "running": running, "answers": answers, "endpoint": endpoint, "profile": profile, "seeded": seeded });
    let silent = running.filter(|_| !answers).map(|running| Failure::Unfinished {
        what: format!("{} does not answer: end it by `cargo xtask local down`", told(&running)),
        source: None,
    });
    Ok(Answer::new(&json, text)?.failing(silent))
}

fn told(running: &Running) -> String {
    format!("MiniStack {} at {} (process {})", running.version, running.endpoint(), running.pid)
}

/// Lines for a shell, whatever the folder is called. Nothing of a real account may be left over beside them.
fn exports(place: &Place, running: &Running) -> String {
    let profile = place.profile.as_str().replace('\'', r"'\''");
    format!(
        "export XTASK_PROFILE=aws XTASK_AWS_FILE='{profile}' AWS_ENDPOINT_URL={}\n\
         export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\nunset AWS_SESSION_TOKEN AWS_PROFILE",
        running.endpoint()
    )
}
