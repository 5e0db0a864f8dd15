//! The archive of the functions' audit trail: whole days, copied into a store that nobody can change, long before the trail
//! itself forgets them. A day is archived when its `SHA256SUMS` is there; what is interrupted is done again, and comes out the
//! same.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    engine::together,
    failure::Failure,
    model::{
        canonical,
        digest::Digest,
        key::VaultKey,
        names::EnvName,
        time::Time,
        trail::{Day, Shard},
    },
    ports::{
        story::Story,
        trail::AuditTrail,
        vault::{AT_ONCE, Body, Vault, VaultError},
    },
};

/// How many days the newest archived one is looked for: the shortest time that an item is kept.
const LOOK_BACK: usize = 90;

/// What there is to archive: the very days that a run goes through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivePlan {
    /// The environment.
    pub environment: EnvName,
    /// The days, in order.
    pub days: Vec<Day>,
}

/// What was archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// The environment.
    pub environment: EnvName,
    /// The days, in order.
    pub days: Vec<ArchivedDay>,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivedDay {
    /// The day, of UTC.
    pub day: Day,
    /// How many items it had.
    pub items: usize,
}

/// The days from the one after the newest archived, or from `since`, to the day before yesterday: whoever looked yesterday may
/// still be written down.
///
/// # Errors
/// Usage: nothing was archived lately, so that the first day must be given; or it would leave days out. Else as reading the
/// archive goes.
pub async fn plan(
    archive: &dyn Vault,
    environment: &EnvName,
    since: Option<Day>,
    now: Time,
) -> anyhow::Result<ArchivePlan> {
    let last = Day::of(now).before().and_then(Day::before);
    let mut newest = None;
    let mut looked_at = last;
    for _ in 0..LOOK_BACK {
        let Some(day) = looked_at else { break };
        if archive.exists(&sums(environment, day)?).await.map_err(|error| unread(environment, error))? {
            newest = Some(day);
            break;
        }
        looked_at = day.before();
    }
    if let Some(early) = since.filter(|since| last.is_none_or(|last| *since > last)) {
        let text =
            format!("--since {early} is not archived yet: whoever looks may be written down until two days later");
        return Err(Failure::usage(text).into());
    }
    let first = match (newest.and_then(Day::after), since) {
        (Some(next), Some(since)) if since > next => {
            let text =
                format!("{environment} is archived up to the day before {next}: --since {since} would leave days out");
            return Err(Failure::usage(text).into());
        }
        (Some(next), _) => next,
        (None, Some(since)) => since,
        (None, None) => {
            let text = format!(
                "nothing of {environment} was archived in the last {LOOK_BACK} days: say from which day on, by --since"
            );
            return Err(Failure::usage(text).into());
        }
    };
    let within = |day: &Day| last.is_some_and(|last| *day <= last);
    let days = std::iter::successors(Some(first).filter(within), |day| day.after().filter(within));
    Ok(ArchivePlan { environment: environment.clone(), days: days.collect() })
}

/// Archives the days of a plan.
///
/// # Errors
/// Integrity: something else is archived already. Unfinished: trail or archive cannot be reached; run it again.
pub async fn run(
    story: &dyn Story,
    trail: &dyn AuditTrail,
    archive: &dyn Vault,
    plan: &ArchivePlan,
) -> anyhow::Result<Archived> {
    let environment = &plan.environment;
    let phase = story.phase(&format!("{environment}: archiving the audit trail"));
    let mut days = Vec::new();
    for day in &plan.days {
        phase.now(&day.to_string());
        let part = async |shard: Shard| part(trail, archive, environment, *day, shard).await;
        let parts = together::all(AT_ONCE, Shard::all().map(part).collect()).await?;
        let mut text = String::new();
        for (name, digest, _) in parts.iter().flatten() {
            writeln!(text, "{}  {name}", digest.hex())?;
        }
        // Last: a day without it is not whole.
        put(archive, &sums(environment, *day)?, text.as_bytes()).await?;
        days.push(ArchivedDay { day: *day, items: parts.iter().flatten().map(|(_, _, items)| items).sum() });
    }
    phase.done(&format!("{} days, {} items", days.len(), days.iter().map(|day| day.items).sum::<usize>()));
    Ok(Archived { environment: environment.clone(), days })
}

/// Archives a part of a day, one item on each line; nothing, if it has none.
async fn part(
    trail: &dyn AuditTrail,
    archive: &dyn Vault,
    environment: &EnvName,
    day: Day,
    shard: Shard,
) -> anyhow::Result<Option<(String, Digest, usize)>> {
    let rows = trail.rows(day, shard).await;
    let rows = rows.map_err(|error| Failure::unfinished(format!("failed to read {day} of {environment}"), error))?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut lines = Vec::new();
    for row in &rows {
        lines.extend(canonical::to_vec(row)?);
        lines.push(b'\n');
    }
    let name = format!("{shard}.jsonl");
    put(archive, &format!("{environment}/{day}/{name}").parse()?, &lines).await?;
    Ok(Some((name, Digest::of(&lines), rows.len())))
}

/// Writes an object; what is there already must be the very same.
async fn put(archive: &dyn Vault, key: &VaultKey, bytes: &[u8]) -> anyhow::Result<()> {
    match archive.create(key, Body::Bytes(bytes)).await {
        Ok(()) => Ok(()),
        Err(VaultError::Exists(_)) => {
            let found = archive.fetch(key, None).await;
            let found = found.map_err(|error| error.failed(format!("failed to read {key} of the archive")))?;
            if found.is_some_and(|(digest, _)| digest == Digest::of(bytes)) {
                return Ok(());
            }
            let text = format!(
                "{key} of the archive holds something else than the audit trail has now: items came or went since; compare both"
            );
            Err(Failure::Integrity(text).into())
        }
        Err(error) => Err(error.failed(format!("failed to write {key} of the archive")).into()),
    }
}

fn sums(environment: &EnvName, day: Day) -> anyhow::Result<VaultKey> {
    Ok(format!("{environment}/{day}/SHA256SUMS").parse()?)
}

fn unread(environment: &EnvName, error: VaultError) -> Failure {
    error.failed(format!("failed to look into the archive of {environment}"))
}
