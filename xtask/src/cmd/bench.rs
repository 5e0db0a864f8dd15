//! `bench`: this tool beside what people use, measured in the same run.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::{
    adapters::bench::{Figures, packaging},
    cmd::World,
    failure::Failure,
    output::{Answer, table::table},
};

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to measure [default: everything]
    name: Option<Name>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Name {
    /// A hundred functions of 5 MB, packed and hashed: beside `zip -9` and 7-Zip
    Packaging,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Receipt {
    packaging: packaging::Packaging,
}

/// How many functions are packed, and how many bytes each has.
const FUNCTIONS: usize = 100;
const SIZE: usize = 5 << 20;

pub(super) fn run(world: &World, args: &Args) -> anyhow::Result<Answer> {
    if world.globals.plan {
        return Err(Failure::usage("`bench` has no plan: it changes nothing but a folder of its own").into());
    }
    let Name::Packaging = args.name.unwrap_or(Name::Packaging);
    let folder = tempfile::tempdir()?;
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned())
        .map_err(|path| Failure::usage(format!("the folder for temporary files, {}, is not UTF-8", path.display())))?;
    let phase = world.story().phase("bench: packaging");
    let packaging = packaging::run(&path, FUNCTIONS, SIZE, &|text| phase.now(text))?;
    phase.done(&format!("{} functions on {} processors", packaging.functions, packaging.processors));
    for (contestant, remedy) in &packaging.missing {
        world.story().warn(&format!("{contestant} is not installed and was not measured: {remedy}"));
    }
    let text = shown(&packaging.figures);
    Answer::new(&Receipt { packaging }, text)
}

/// A table in which the first contestant is the measure of the others.
fn shown(figures: &[Figures]) -> String {
    let Some(own) = figures.first() else { return String::new() };
    let rows = figures.iter().map(|figures| {
        let seconds = |ms: u64| format!("{}.{:03} s", ms / 1000, ms % 1000);
        vec![
            figures.contestant.clone(),
            seconds(figures.wall_ms),
            seconds(figures.cpu_ms),
            figures.bytes.to_string(),
            times(figures.wall_ms, own.wall_ms),
        ]
    });
    table(&["contestant", "wall", "processors", "bytes", "wall, as multiple"], &rows.collect::<Vec<_>>())
}

/// How many times as long, with one decimal.
fn times(wall_ms: u64, own_ms: u64) -> String {
    let tenths = wall_ms.saturating_mul(10) / own_ms.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}
