//! One chain after the other: numbers, links, signatures, states, the witness; then what the chains say of each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    context::Context,
    engine::{
        audit::{Audit, Manifests, Story},
        ledger,
    },
    failure::{self, Failure},
    model::{
        digest::Digest,
        entry::{ChainName, Entry, Event, Record},
        environment::EnvironmentEvent,
        key::VaultKey,
        names::EnvName,
        releases::ReleaseEvent,
        verdict::Verdict,
        version::Version,
    },
    ports::witness::Head,
};

/// Verifies one chain and gives its sound entries.
pub(super) async fn verify<E: Event>(
    context: &Context,
    audit: &mut Audit,
    chain: &ChainName,
    entries: &BTreeMap<u64, VaultKey>,
    noted: Option<Head>,
) -> anyhow::Result<Vec<Record<E>>> {
    let there = entries.keys().next_back().copied().unwrap_or(0);
    let last = there.max(noted.map_or(0, |head| head.number));
    let mut records: Vec<Record<E>> = Vec::new();
    let mut previous: Option<Digest> = None;
    for number in 1..=last {
        let key = chain.key(number)?;
        let record = match entries.get(&number) {
            None => {
                let found = if number > there { "nothing: the tail was removed" } else { "nothing: a gap" };
                audit.find(&key, Verdict::Missing, format!("entry {number} of {chain}"), found);
                previous = None;
                continue;
            }
            Some(_) => match ledger::entry::<E>(context, chain, number).await {
                Ok(record) => record,
                Err(error) => {
                    report(audit, &key, error)?;
                    previous = None;
                    continue;
                }
            },
        };
        audit.entries += 1;
        // After a gap the link cannot be followed; the gap itself is the finding.
        let followed = records.last().is_some_and(|before| before.entry.number + 1 == number);
        if (followed || number == 1) && record.entry.previous != previous {
            let show = |digest: Option<Digest>| digest.map_or_else(|| "no link".to_owned(), |d| d.to_string());
            audit.find(&key, Verdict::Incorrect, show(previous), show(record.entry.previous));
        }
        if followed || number == 1 {
            state(audit, &key, records.last().map(|before| &before.entry), &record.entry);
        }
        if let Some(head) = noted.filter(|head| head.number == number && head.sha256 != record.digest) {
            audit.find(
                &key,
                Verdict::Incorrect,
                format!("{}, as the witness saw it", head.sha256),
                record.digest.to_string(),
            );
        }
        previous = Some(record.digest);
        records.push(record);
    }
    Ok(records)
}

/// An entry that is not sound is a finding; a vault that cannot be read is one, too, of another kind.
pub(super) fn report(audit: &mut Audit, key: &VaultKey, error: anyhow::Error) -> anyhow::Result<()> {
    let verdict = match failure::find(&error) {
        Some(Failure::Integrity(_)) => Verdict::Incorrect,
        Some(Failure::Unfinished { .. }) => Verdict::Unreachable,
        _ => return Err(error),
    };
    audit.find(key, verdict, "an entry that its writer signed", format!("{error:#}"));
    Ok(())
}

/// The state of an entry follows from the one before it and from the event: a writer cannot claim another.
fn state<E: Event>(audit: &mut Audit, key: &VaultKey, before: Option<&Entry<E>>, entry: &Entry<E>) {
    let before = before.map(|entry| entry.state.clone()).unwrap_or_default();
    if !entry.event.may_follow(&before, &entry.about()) {
        let found = format!("`{}`, which cannot follow", entry.event.kind());
        audit.find(key, Verdict::Incorrect, "an event that may follow the entries before", found);
    }
    let expected = entry.event.advance(&before, &entry.about());
    if expected != entry.state {
        audit.find(key, Verdict::Incorrect, "the state that follows from the entries before", "another state");
    }
}

/// What happened in an environment must be about sealed releases, in the order of the path that each froze.
pub(super) fn cross_check(audit: &mut Audit, story: &Story, manifests: &Manifests) {
    let sealed = sealed(&story.releases);
    let mut verified: BTreeMap<&EnvName, BTreeSet<Version>> = BTreeMap::new();
    for (environment, records) in &story.environments {
        let proven = records.iter().filter(|r| matches!(r.entry.event, EnvironmentEvent::Verified { .. }));
        verified.insert(environment, proven.filter_map(|r| r.entry.release).collect());
    }
    let died = deaths(story);
    for (environment, records) in &story.environments {
        for record in records {
            let entry = &record.entry;
            let Ok(key) = entry.chain.key(entry.number) else { continue };
            let Some(release) = entry.release else { continue };
            let known = sealed.get(&release).copied();
            if known != entry.manifest {
                let show = |digest: Option<Digest>| digest.map_or_else(|| "no seal".to_owned(), |d| d.to_string());
                audit.find(&key, Verdict::Incorrect, show(known), show(entry.manifest));
            }
            if let (EnvironmentEvent::Shifting { .. }, None, Some(died)) =
                (&entry.event, &entry.state.rollback, died.get(&(environment, release)))
                && entry.number > *died
            {
                let found = format!("it went live after its death in entry {died}");
                audit.find(&key, Verdict::Incorrect, format!("nothing more of {release}, which is dead"), found);
            }
            let before = manifests.get(&release).and_then(|manifest| manifest.stop_before(environment));
            if let (EnvironmentEvent::Claimed { .. }, Some(before)) = (&entry.event, before)
                && !verified.get(&before.environment).is_some_and(|proven| proven.contains(&release))
            {
                let expected = format!("{release} verified in {} first", before.environment);
                audit.find(&key, Verdict::Incorrect, expected, format!("it claimed {environment} without"));
            }
        }
    }
}

/// The entry in which each dead release died. Only the order within one chain is certain: clocks may be wrong.
fn deaths(story: &Story) -> BTreeMap<(&EnvName, Version), u64> {
    let mut died = BTreeMap::new();
    for (environment, records) in &story.environments {
        for record in records {
            let entry = &record.entry;
            let dead = match &entry.event {
                EnvironmentEvent::Died { .. } => entry.release,
                EnvironmentEvent::RolledBack { from, .. } => Some(from.release),
                _ => None,
            };
            if let Some(release) = dead {
                died.entry((environment, release)).or_insert(entry.number);
            }
        }
    }
    died
}

/// The identity under which each release was sealed.
pub(super) fn sealed(releases: &[Record<ReleaseEvent>]) -> BTreeMap<Version, Digest> {
    let seals = releases.iter().filter(|record| matches!(record.entry.event, ReleaseEvent::Sealed { .. }));
    seals.filter_map(|record| Some((record.entry.release?, record.entry.manifest?))).collect()
}
