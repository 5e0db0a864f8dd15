//! `bench packaging`: packing many functions beside `zip -9` and 7-Zip.

use camino::Utf8Path;

use crate::{
    adapters::bench::{
        Figures,
        packaging::{self, Packaging},
    },
    cmd::World,
    output::table::table,
};

/// How many functions are packed, and how many bytes each has.
const FUNCTIONS: usize = 100;
const SIZE: usize = 5 << 20;

pub(super) fn run(world: &World, folder: &Utf8Path) -> anyhow::Result<(Packaging, String)> {
    let phase = world.story().phase("bench: packaging");
    let packaging = packaging::run(folder, FUNCTIONS, SIZE, &|text| phase.now(text))?;
    phase.done(&format!("{} functions on {} processors", packaging.functions, packaging.processors));
    for (contestant, remedy) in &packaging.missing {
        world.story().warn(&format!("{contestant} is not installed and was not measured: {remedy}"));
    }
    let text = shown(&packaging.figures);
    Ok((packaging, text))
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
            super::times(figures.wall_ms, own.wall_ms),
        ]
    });
    table(&["contestant", "wall", "processors", "bytes", "wall, as multiple"], &rows.collect::<Vec<_>>())
}
