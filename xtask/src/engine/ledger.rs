//! Reading and appending to the ledger's chains.
//!
//! An append names its number: of two writers one gets it, the other reads the new head, decides again and retries
//! (DESIGN §4). After each append the head goes to the witness.
//!
//! A chain has one writer, and what is not sound in it stops whoever reads it. Chains of decisions are `statements`'.

pub mod statements;

use crate::{
    context::Context,
    engine::notify,
    failure::{self, Failure},
    model::{
        digest::Digest,
        entry::{ChainName, Entry, Event, Record, Writer},
        key::VaultKey,
        sshsig,
        version::Version,
    },
    ports::{
        person_key::PersonKey,
        vault::{Body, VaultError},
        witness::{Head, Heads},
    },
};

/// What a writer wants to append.
#[derive(Debug, Clone)]
pub struct Draft<E> {
    /// The release that it is about.
    pub release: Option<Version>,
    /// That release's identity.
    pub manifest: Option<Digest>,
    /// What happened.
    pub event: E,
}

/// Appends one entry. `decide` sees the head as it is at that moment and may still say no; it is asked again whenever
/// someone else was first.
///
/// # Errors
/// What `decide` said; integrity, if the chain is not what it must be; unfinished, if the vault cannot be written.
pub async fn append<E: Event>(
    context: &Context,
    chain: &ChainName,
    decide: impl FnMut(Option<&Record<E>>) -> anyhow::Result<Draft<E>>,
) -> anyhow::Result<Record<E>> {
    append_signed(context, chain, None, decide).await
}

/// The same, signed by a person's own key instead of the chain's writer's.
///
/// # Errors
/// As `append`, and what the key says.
pub async fn append_signed<E: Event>(
    context: &Context,
    chain: &ChainName,
    person: Option<&dyn PersonKey>,
    mut decide: impl FnMut(Option<&Record<E>>) -> anyhow::Result<Draft<E>>,
) -> anyhow::Result<Record<E>> {
    loop {
        // What the next entry links to, and the entry that its state follows: they differ after an object that is none.
        let (end, head) = match chain {
            ChainName::Approvals { .. } => statements::read::<E>(context, chain).await?.ending(),
            _ => {
                let head = head::<E>(context, chain).await?;
                (head.as_ref().map(|head| Head { number: head.entry.number, sha256: head.digest }), head)
            }
        };
        let draft = decide(head.as_ref())?;
        if let Some(release) = draft.release {
            context.subject.about(release);
        }
        let (number, previous) = end.map_or((1, None), |end| (end.number + 1, Some(end.sha256)));
        let before = head.as_ref().map(|h| h.entry.state.clone()).unwrap_or_default();
        let mut entry = Entry {
            schema: 1,
            chain: chain.clone(),
            number,
            previous,
            time: context.clock.now(),
            actor: context.actor.clone(),
            writer: chain.writer(),
            tool: context.tool.clone(),
            release: draft.release,
            manifest: draft.manifest,
            event: draft.event,
            state: before.clone(),
        };
        entry.state = entry.event.advance(&before, &entry.about());
        let signed = crate::model::canonical::to_vec(&entry)?;
        let signature = match person {
            None => context.signer.sign(&entry.writer, &chain.namespace(), &signed, number == 1).await,
            Some(key) => key.sign(&chain.namespace(), &signed).await,
        };
        let signature = signature.map_err(|error| unfinished(format!("failed to sign an entry of {chain}"), error))?;
        let bytes = Record::encode(&entry, &signature)?;
        let record = Record { entry, signature, digest: Digest::of(&bytes) };
        // What nobody would believe must not get into a chain: nothing could take it out again.
        check(context, chain, number, &record).await?;
        let key = chain.key(number)?;
        match context.vault.create(&key, Body::Bytes(&bytes)).await {
            created if created.is_ok() || is_there(context, &key, &created, &bytes).await? => {
                let noted = context.witness.note(chain, Head { number, sha256: record.digest }).await;
                noted.map_err(|error| unfinished(format!("failed to have {chain} witnessed"), error))?;
                notify::appended(context, &record.entry).await;
                return Ok(record);
            }
            Err(error) if !matches!(error, VaultError::Exists(_)) => {
                return Err(error.failed(format!("failed to record in {chain}")).into());
            }
            _ => {}
        }
    }
}

/// Whether the very entry is there already: a store that lost the answer to a write, and tried once more by itself,
/// says that it exists.
async fn is_there(
    context: &Context,
    key: &VaultKey,
    created: &Result<(), VaultError>,
    bytes: &[u8],
) -> anyhow::Result<bool> {
    Ok(matches!(created, Err(VaultError::Exists(_))) && read(context, key).await? == bytes)
}

/// The last entry of a chain, checked: its form, its place, its signature, and that the witness saw nothing later.
///
/// # Errors
/// Integrity, if any of these does not hold; unfinished, if the vault cannot be read.
pub async fn head<E: Event>(context: &Context, chain: &ChainName) -> anyhow::Result<Option<Record<E>>> {
    // The witness first: whoever appends between the two questions must not look like someone who removed a tail.
    let noted = noted(context, chain).await?;
    let number = match noted {
        // What it saw is there, so that only what came since is looked for.
        Some(noted) if is_taken(context, chain, noted.number).await? => {
            last_number(context, chain, noted.number).await?
        }
        _ => last_number(context, chain, 0).await?,
    };
    if let Some(noted) = noted
        && noted.number > number
    {
        return Err(cut(chain, number, noted).into());
    }
    if number == 0 {
        return Ok(None);
    }
    let record = entry::<E>(context, chain, number).await?;
    seen(chain, number, record.digest, noted)?;
    Ok(Some(record))
}

/// That a chain is shorter than the witness saw it.
fn cut(chain: &ChainName, there: u64, noted: Head) -> Failure {
    Failure::Integrity(format!(
        "the chain {chain} ends at entry {there}, but the witness saw entry {}: \
         its tail was removed; restore the vault from a copy and run `cargo xtask audit verify`",
        noted.number
    ))
}

/// The entry that the witness saw must be that very one.
fn seen(chain: &ChainName, number: u64, found: Digest, noted: Option<Head>) -> Result<(), Failure> {
    match noted.filter(|noted| noted.number == number && noted.sha256 != found) {
        None => Ok(()),
        Some(noted) => Err(Failure::Integrity(format!(
            "entry {number} of {chain} is not the one that the witness saw ({found} instead of {}); \
             restore the vault from a copy and run `cargo xtask audit verify`",
            noted.sha256
        ))),
    }
}

/// What the witness saw; `None` if there is no witness.
///
/// # Errors
/// Integrity, if its note is damaged; unfinished, if it cannot be asked.
pub async fn heads(context: &Context) -> anyhow::Result<Option<Heads>> {
    context.witness.heads().await.map_err(|error| unfinished("failed to ask the witness".to_owned(), error))
}

/// What the witness saw of one chain.
pub(super) async fn noted(context: &Context, chain: &ChainName) -> anyhow::Result<Option<Head>> {
    let head = context.witness.head(chain).await;
    head.map_err(|error| unfinished("failed to ask the witness".to_owned(), error))
}

/// Has the witness note a chain's head, if whoever wrote it ended before it could.
///
/// # Errors
/// As reading the head goes; unfinished, if the witness cannot note it.
pub async fn witnessed<E: Event>(context: &Context, chain: &ChainName) -> anyhow::Result<()> {
    let Some(record) = head::<E>(context, chain).await? else { return Ok(()) };
    let head = Head { number: record.entry.number, sha256: record.digest };
    if noted(context, chain).await? == Some(head) {
        return Ok(());
    }
    let noted = context.witness.note(chain, head).await;
    noted.map_err(|error| unfinished(format!("failed to have {chain} witnessed"), error))
}

/// The world's failure, unless the error itself already says which one it is.
pub(super) fn unfinished(what: String, error: anyhow::Error) -> anyhow::Error {
    if failure::find(&error).is_some() { error } else { Failure::unfinished(what, error).into() }
}

/// One entry of a chain, checked for itself: its form, its place and its signature.
///
/// # Errors
/// Integrity, if it is not what it must be or is not there; unfinished, if the vault cannot be read.
pub async fn entry<E: Event>(context: &Context, chain: &ChainName, number: u64) -> anyhow::Result<Record<E>> {
    let key = chain.key(number)?;
    let record = decode(&key, &read(context, &key).await?)?;
    check(context, chain, number, &record).await?;
    Ok(record)
}

/// The entry before one that is proven, `None` before the first. The link proves it: whoever signed an entry vouched for
/// the digest of the one before, so that walking back costs no signature.
///
/// # Errors
/// Integrity, if it is missing or not the one that was linked to; unfinished, if the vault cannot be read.
pub async fn before<E: Event>(
    context: &Context,
    chain: &ChainName,
    record: &Record<E>,
) -> anyhow::Result<Option<Record<E>>> {
    let Some(linked) = record.entry.previous else { return Ok(None) };
    let key = chain.key(record.entry.number.saturating_sub(1))?;
    let before = decode::<E>(&key, &read(context, &key).await?)?;
    if before.digest != linked {
        let found = before.digest;
        return Err(Failure::Integrity(format!(
            "{key} is not the entry that follows: expected {linked}, found {found}"
        ))
        .into());
    }
    Ok(Some(before))
}

/// A whole chain, first entry first.
///
/// # Errors
/// As `head` and `before`.
pub async fn whole<E: Event>(context: &Context, chain: &ChainName) -> anyhow::Result<Vec<Record<E>>> {
    let mut records = Vec::new();
    let mut here = head::<E>(context, chain).await?;
    while let Some(record) = here {
        here = before(context, chain, &record).await?;
        records.push(record);
    }
    records.reverse();
    Ok(records)
}

async fn read(context: &Context, key: &VaultKey) -> anyhow::Result<Vec<u8>> {
    let bytes = context.vault.read(key).await.map_err(|e| e.failed(format!("failed to read {key}")))?;
    Ok(bytes.ok_or_else(|| Failure::Integrity(format!("{key} is missing from the vault")))?)
}

pub(super) fn decode<E: Event>(key: &VaultKey, bytes: &[u8]) -> Result<Record<E>, Failure> {
    Record::decode(bytes).map_err(|error| Failure::Integrity(format!("{key} is not a ledger entry: {error}")))
}

/// Whether an entry stands where it says, and its writer's key signed it.
async fn check<E: Event>(context: &Context, chain: &ChainName, number: u64, record: &Record<E>) -> anyhow::Result<()> {
    let trusted = match chain {
        ChainName::Approvals { .. } => Vec::new(),
        _ => keys(context, &chain.writer()).await?,
    };
    sound(chain, number, record, &trusted)
}

/// The keys that a writer's signatures are believed by.
///
/// # Errors
/// Unfinished, if they cannot be read.
pub(super) async fn keys(context: &Context, writer: &Writer) -> anyhow::Result<Vec<ssh_key::PublicKey>> {
    let trusted = context.signer.trusted(writer).await;
    trusted.map_err(|error| unfinished(format!("failed to look for the key of {writer}"), error))
}

/// Whether an entry is sound for itself: it stands where it says, and one of its writer's keys signed it.
///
/// # Errors
/// Integrity, if not; else as making its signed bytes goes.
pub(super) fn sound<E: Event>(
    chain: &ChainName,
    number: u64,
    record: &Record<E>,
    trusted: &[ssh_key::PublicKey],
) -> anyhow::Result<()> {
    let entry = &record.entry;
    let key = chain.key(number)?;
    let place = (entry.schema, &entry.chain, entry.number, &entry.writer);
    if place != (1, chain, number, &chain.writer()) {
        let found = format!("entry {} of {} by {}", entry.number, entry.chain, entry.writer);
        return Err(Failure::Integrity(format!("{key} holds {found}: it is not in its place")).into());
    }
    let decision = matches!(chain, ChainName::Approvals { .. });
    if !decision && entry.previous.is_none() != (number == 1) {
        let text = format!("{key} does not say which entry is before it, or says so where none is");
        return Err(Failure::Integrity(format!("{text}; run `cargo xtask audit verify`")).into());
    }
    let signed = record.signed_bytes()?;
    if decision {
        // Whose key that is, and whether it counts, is the gate's to judge, by the policy; here it must be a signature.
        return match sshsig::signer(&record.signature, &signed, &chain.namespace()) {
            Ok(_) => Ok(()),
            Err(why) => Err(Failure::Integrity(format!("{key} is not signed: {why}")).into()),
        };
    }
    if sshsig::verify(&record.signature, &signed, &chain.namespace(), trusted).is_ok() {
        return Ok(());
    }
    let why = if trusted.is_empty() { "no key of that writer is known here" } else { "it is not by that writer's key" };
    Err(Failure::Integrity(format!("{key} is not signed by {}: {why}", entry.writer)).into())
}

/// The number of the last entry, from one that is there, 0 for none: growing steps up, then halving, so that the probes
/// grow with the logarithm of the number of entries that are looked through.
async fn last_number(context: &Context, chain: &ChainName, from: u64) -> anyhow::Result<u64> {
    let (mut present, mut step) = (from, 1);
    // No chain is that long: a store that says yes to everything must not be asked for ever.
    while step < 1 << 40 && is_taken(context, chain, present + step).await? {
        present += step;
        step *= 4;
    }
    let mut absent = present + step;
    while absent - present > 1 {
        let middle = present + (absent - present) / 2;
        if is_taken(context, chain, middle).await? { present = middle } else { absent = middle }
    }
    Ok(present)
}

async fn is_taken(context: &Context, chain: &ChainName, number: u64) -> anyhow::Result<bool> {
    let key = chain.key(number)?;
    let found = context.vault.exists(&key).await;
    Ok(found.map_err(|error| error.failed(format!("failed to look for {key}")))?)
}
