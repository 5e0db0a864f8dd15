//! Brings what one vault holds to another: read, verify, write if absent. Never a blind copy (fact 5: a copy made by the
//! store itself would not be checked by anyone). Payload first, the entries that speak of it last.

use std::ops::RangeInclusive;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    context::Context,
    engine::{
        evidence, facts,
        ledger::{self, statements},
    },
    failure::Failure,
    model::{
        approval::ApprovalEvent,
        canonical,
        digest::Digest,
        entry::{ChainName, Event, Record},
        key::VaultKey,
        manifest::{MANIFEST, box_key},
        releases::ReleaseEvent,
        version::Version,
    },
    ports::{
        vault::{AT_ONCE, Body, VaultError},
        witness::Head,
    },
};

/// Brings one release's box; gives the number of objects that were not there yet.
///
/// # Errors
/// Integrity, if an object is not what was sealed, here or there; unfinished, if a vault cannot be reached.
pub async fn release(
    from: &Context,
    to: &Context,
    release: Version,
    now: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<usize> {
    let (manifest, sealed) = facts::manifest(from, release).await?;
    let mut objects = Vec::new();
    for (name, object) in &manifest.objects {
        objects.push(bring(from, to, box_key(release, name)?, object.sha256, now));
    }
    let new: Vec<bool> = stream::iter(objects).buffered(AT_ONCE).try_collect().await?;
    let mut brought = new.into_iter().filter(|new| *new).count();
    // The seal last: whoever sees it finds all that it speaks of.
    brought += usize::from(object_of(from, to, &box_key(release, MANIFEST)?, sealed).await?);
    Ok(brought)
}

async fn bring(
    from: &Context,
    to: &Context,
    key: VaultKey,
    sha256: Digest,
    now: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<bool> {
    now(key.as_str());
    object_of(from, to, &key, sha256).await
}

/// Brings `releases/`, and each box right before the entry that seals it: whoever looks meanwhile sees what a release
/// under way looks like. What proves a burned number comes with it.
///
/// # Errors
/// Integrity, if something is not what was sealed, here or there; unfinished, if a vault cannot be reached.
pub async fn releases(from: &Context, to: &Context, now: &(dyn Fn(&str) + Sync)) -> anyhow::Result<u64> {
    let chain = ChainName::Releases;
    let missing = missing::<ReleaseEvent>(from, to, &chain).await?;
    for number in missing.clone() {
        let record = ledger::entry::<ReleaseEvent>(from, &chain, number).await?;
        match (&record.entry.event, record.entry.release) {
            (ReleaseEvent::Sealed { .. }, Some(version)) => drop(release(from, to, version, now).await?),
            (ReleaseEvent::Burned { differences, .. }, Some(version)) => {
                for difference in differences {
                    let key = box_key(version, &difference.object)?;
                    object_of(from, to, &key, difference.uploaded).await?;
                }
            }
            _ => {}
        }
        entry(to, &record).await?;
    }
    ledger::witnessed::<ReleaseEvent>(to, &chain).await?;
    Ok(missing.count() as u64)
}

/// Brings the entries of one chain, in their order, each verified before it is written.
///
/// # Errors
/// Integrity, if an entry is not sound or another one is there; unfinished, if a vault cannot be reached.
pub async fn chain<E: Event>(from: &Context, to: &Context, chain: &ChainName) -> anyhow::Result<u64> {
    let missing = missing::<E>(from, to, chain).await?;
    for number in missing.clone() {
        entry(to, &ledger::entry::<E>(from, chain, number).await?).await?;
    }
    ledger::witnessed::<E>(to, chain).await?;
    Ok(missing.count() as u64)
}

/// The numbers of a chain that are here and not there.
async fn missing<E: Event>(from: &Context, to: &Context, chain: &ChainName) -> anyhow::Result<RangeInclusive<u64>> {
    let last = ledger::head::<E>(from, chain).await?.map_or(0, |record| record.entry.number);
    let there = ledger::head::<E>(to, chain).await?.map_or(0, |record| record.entry.number);
    Ok(there + 1..=last)
}

async fn entry<E: Event>(to: &Context, record: &Record<E>) -> anyhow::Result<()> {
    let (chain, number) = (&record.entry.chain, record.entry.number);
    let key = chain.key(number)?;
    if let Some(linked) = record.entry.previous {
        let before = chain.key(number.saturating_sub(1))?;
        let there = Digest::of(&read(to, &before).await?);
        if there != linked {
            return Err(Failure::Integrity(format!(
                "{before} in the second region is not what {key} follows: their histories have parted; \
                 run `cargo xtask audit verify` on each"
            ))
            .into());
        }
    }
    // The very bytes that were verified: another read could bring others, and nothing takes them out again.
    write(to, &key, &Record::encode(&record.entry, &record.signature)?).await?;
    note(to, chain, Head { number, sha256: record.digest }).await
}

/// Brings a chain of decisions, every object of it: what is no statement, too, because what follows links to its bytes.
///
/// # Errors
/// Integrity, if another object is there; unfinished, if a vault cannot be reached.
pub async fn decisions(from: &Context, to: &Context, chain: &ChainName) -> anyhow::Result<u64> {
    let here = statements::read::<ApprovalEvent>(from, chain).await?.objects;
    let there = statements::read::<ApprovalEvent>(to, chain).await?.objects;
    for (number, (one, other)) in (1..).zip(here.iter().zip(&there)) {
        if one != other {
            let key = chain.key(number)?;
            let text = format!("{key} is in both vaults and differs: their histories have parted");
            return Err(Failure::Integrity(format!("{text}; run `cargo xtask audit verify` on each")).into());
        }
    }
    for (number, sha256) in (1..).zip(&here).skip(there.len()) {
        object_of(from, to, &chain.key(number)?, *sha256).await?;
        note(to, chain, Head { number, sha256: *sha256 }).await?;
    }
    // Whoever was interrupted may not have noted what they brought.
    let last = there.last().map(|sha256| Head { number: there.len() as u64, sha256: *sha256 });
    if let Some(last) = last.filter(|_| there.len() >= here.len())
        && ledger::noted(to, chain).await? != Some(last)
    {
        note(to, chain, last).await?;
    }
    Ok(here.len().saturating_sub(there.len()) as u64)
}

/// Brings one piece of evidence, verified.
///
/// # Errors
/// Integrity, if it is not sound or another one is there; unfinished, if a vault cannot be reached.
pub async fn evidence(from: &Context, to: &Context, chain: &ChainName) -> anyhow::Result<u64> {
    let key = chain.key(1)?;
    let there = to.vault.exists(&key).await;
    if there.map_err(|error| error.failed(format!("failed to look for {key}")))? {
        return Ok(0);
    }
    let bytes = canonical::to_vec(&evidence::signed(from, &key).await?)?;
    write(to, &key, &bytes).await?;
    note(to, chain, Head { number: 1, sha256: Digest::of(&bytes) }).await?;
    Ok(1)
}

async fn note(to: &Context, chain: &ChainName, head: Head) -> anyhow::Result<()> {
    let noted = to.witness.note(chain, head).await;
    noted.map_err(|error| ledger::unfinished(format!("failed to have {chain} witnessed in the second region"), error))
}

/// Brings one object; `false` if it was there already.
async fn object_of(from: &Context, to: &Context, key: &VaultKey, sealed: Digest) -> anyhow::Result<bool> {
    let there = to.vault.fetch(key, None).await;
    match there.map_err(|error| error.failed(format!("failed to read {key} in the second region")))? {
        Some((found, _)) if found == sealed => return Ok(false),
        Some((found, _)) => {
            let text = format!("{key} in the second region is not what was sealed: expected {sealed}, found {found}");
            return Err(Failure::Integrity(format!("{text}; run `cargo xtask audit verify`")).into());
        }
        None => {}
    }
    match to.vault.create(key, Body::Object { vault: &*from.vault, sha256: sealed }).await {
        Ok(()) => Ok(true),
        Err(VaultError::Differs { key, expected, found }) => {
            let text = format!("{key} is not what was sealed: expected {expected}, found {found}");
            Err(Failure::Integrity(format!("{text}; run `cargo xtask audit verify`")).into())
        }
        Err(error) => Err(error.failed(format!("failed to write {key} in the second region")).into()),
    }
}

async fn read(from: &Context, key: &VaultKey) -> anyhow::Result<Vec<u8>> {
    let bytes = from.vault.read(key).await.map_err(|error| error.failed(format!("failed to read {key}")))?;
    Ok(bytes.ok_or_else(|| Failure::Integrity(format!("{key} is missing from the vault")))?)
}

/// Writes a small object; one that is there must be this very one.
async fn write(to: &Context, key: &VaultKey, bytes: &[u8]) -> anyhow::Result<()> {
    match to.vault.create(key, Body::Bytes(bytes)).await {
        Ok(()) => Ok(()),
        Err(VaultError::Exists(_)) if read(to, key).await? == bytes => Ok(()),
        Err(VaultError::Exists(_)) => {
            let text = format!("{key} is in both vaults and differs: their histories have parted");
            Err(Failure::Integrity(format!("{text}; run `cargo xtask audit verify` on each")).into())
        }
        Err(error) => Err(error.failed(format!("failed to write {key}")).into()),
    }
}
