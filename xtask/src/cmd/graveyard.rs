//! `graveyard`: what died, where, when, why, by whom, and what replaced it.

use crate::{
    cmd::World,
    engine::graveyard,
    output::{Answer, table::table},
};

/// Arguments of `graveyard`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) async fn run(world: &World, _args: Args) -> anyhow::Result<Answer> {
    let context = world.context().await?;
    let graves = graveyard::graves(&context).await?;
    if graves.is_empty() {
        return Answer::new(&graves, "the graveyard is empty".to_owned());
    }
    let rows = graves.iter().map(|grave| {
        vec![
            grave.release.to_string(),
            grave.environment.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            grave.time.to_string(),
            grave.replaced_by.map_or_else(|| "-".to_owned(), |release| release.to_string()),
            grave.actor.clone(),
            grave.finding.clone(),
        ]
    });
    let text = table(&["release", "died in", "when", "replaced by", "who", "why"], &rows.collect::<Vec<_>>());
    Answer::new(&graves, text)
}
