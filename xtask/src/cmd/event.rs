//! `event new`: a sample event of a service that calls functions, for `invoke` and for tests.

use clap::Subcommand;

use crate::{
    adapters::local::clock::SystemClock,
    failure::Failure,
    output::Answer,
    plan::samples::{self, Said, Source},
    ports::clock::Clock as _,
};

/// Arguments of `event`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a sample event
    New {
        /// The service that would send it.
        source: Source,
        /// The method of a call.
        #[arg(long, default_value = "GET")]
        method: String,
        /// The path of a call; the key of an object.
        #[arg(long, default_value = "/")]
        path: String,
        /// The query of a call, as `id=PROD-101&userId=…`.
        #[arg(long, default_value = "")]
        query: String,
        /// The body of a call or a message.
        #[arg(long, default_value = "")]
        body: String,
    },
}

pub(super) fn run(args: Args) -> anyhow::Result<Answer> {
    let What::New { source, method, path, query, body } = args.what;
    if !path.starts_with('/') {
        return Err(Failure::usage(format!("the path `{path}` must begin with a slash")).into());
    }
    let (time, id) = (SystemClock.now(), uuid::Uuid::now_v7().to_string());
    let method = method.to_ascii_uppercase();
    let event = samples::event(source, &Said { method, path, query, body, time, id });
    Answer::new(&event, serde_json::to_string_pretty(&event)?)
}
