//! `bench`: this tool and its functions beside what people use, measured in the same run.

mod handlers;
mod packaging;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::{adapters::bench, cmd::World, failure::Failure, output::Answer};

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to measure [default: everything]
    name: Option<Name>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// A hundred functions of 5 MB, packed and hashed: beside `zip -9` and 7-Zip
    Packaging,
    /// price-fetcher on SQLite and on DynamoDB of an emulator: beside the same for Node, with the stack that people use there
    Handlers,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Receipt {
    #[serde(skip_serializing_if = "Option::is_none")]
    packaging: Option<bench::packaging::Packaging>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handlers: Option<handlers::Handlers>,
}

pub(super) async fn run(world: &World, args: &Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`bench` has no plan: it changes nothing but a folder of its own").into());
    }
    let folder = tempfile::tempdir()?;
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned())
        .map_err(|path| Failure::usage(format!("the folder for temporary files, {}, is not UTF-8", path.display())))?;
    let asked = |name| args.name.is_none_or(|only| only == name);
    let packaging = asked(Name::Packaging).then(|| packaging::run(world, &path)).transpose()?;
    let handlers = if asked(Name::Handlers) { Some(handlers::run(world, &path).await?) } else { None };
    let (packaging, packed) = packaging.unzip();
    let (handlers, handled) = handlers.unzip();
    let text = [packed, handled].into_iter().flatten().collect::<Vec<_>>().join("\n");
    Answer::new(&Receipt { packaging, handlers }, text)
}

/// How many times as much, with one decimal.
fn times(this: u64, own: u64) -> String {
    let tenths = this.saturating_mul(10) / own.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}
