//! The graveyard: every dead release, with where, when, why, by whom, and what replaced it. Computed from the chains;
//! nothing is written twice.

use serde::Serialize;

use crate::{
    context::Context,
    engine::{facts, ledger},
    model::{entry::ChainName, names::EnvName, releases::ReleaseEvent, time::Time, version::Version},
};

/// One grave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grave {
    /// The dead release, or the number that never became one.
    pub release: Version,
    /// Where it died; `None` if it was burned before it was sealed.
    pub environment: Option<EnvName>,
    /// When.
    pub time: Time,
    /// Why, in one line.
    pub finding: String,
    /// Who ran the command that found it, or decided it.
    pub actor: String,
    /// The next sealed release.
    pub replaced_by: Option<Version>,
}

/// All graves, oldest number first.
///
/// # Errors
/// Integrity or unfinished, as reading goes.
pub async fn graves(context: &Context) -> anyhow::Result<Vec<Grave>> {
    let records = ledger::whole::<ReleaseEvent>(context, &ChainName::Releases).await?;
    let entries: Vec<_> = records.into_iter().map(|record| record.entry).collect();
    let sealed: Vec<Version> =
        entries.iter().filter(|e| matches!(e.event, ReleaseEvent::Sealed { .. })).filter_map(|e| e.release).collect();
    let next = |dead: Version| sealed.iter().copied().find(|release| *release > dead);
    let mut graves = Vec::new();
    for entry in &entries {
        let Some(release) = entry.release else { continue };
        match &entry.event {
            ReleaseEvent::Burned { reason, .. } => graves.push(Grave {
                release,
                environment: None,
                time: entry.time,
                finding: format!("burned before it was sealed: {reason}"),
                actor: entry.actor.clone(),
                replaced_by: next(release),
            }),
            ReleaseEvent::Sealed { .. } => {
                graves.extend(facts::death(context, release).await?.map(|death| Grave {
                    release,
                    environment: Some(death.environment),
                    time: death.time,
                    finding: death.finding,
                    actor: death.actor,
                    replaced_by: next(release),
                }));
            }
            ReleaseEvent::Reserved { .. } => {}
        }
    }
    Ok(graves)
}
