//! One chain: numbers, links, signatures, states, the witness. Entries are read and proven side by side, and followed in
//! their order; none of them is kept.

use std::sync::Arc;

use super::{Audit, ordered::ordered, source::Desk};
use crate::{
    failure::{self, Failure},
    model::{
        digest::Digest,
        entry::{ChainName, Event, Record},
        key::VaultKey,
        verdict::Verdict,
    },
    ports::witness::Head,
};

/// How many entries one task reads.
const PIECE: usize = 32;
/// Up to here every missing entry is named; beyond, a gap is one finding.
const NAMED: u64 = 64;

/// A sound entry of a chain.
pub(super) struct Followed<'a, E: Event> {
    pub(super) record: &'a Record<E>,
    /// The one before it, if that is sound, too.
    pub(super) before: Option<&'a Record<E>>,
    /// Whether it names the bytes of the object before it.
    pub(super) linked: bool,
}

/// Verifies one chain and hands over its sound entries.
///
/// # Errors
/// What cannot be told as a finding.
pub(super) async fn verify<E: Event>(
    desk: &Arc<Desk>,
    audit: &mut Audit,
    chain: &ChainName,
    mut visit: impl FnMut(&mut Audit, Followed<'_, E>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let none = Vec::new();
    let numbers = desk.inventory.chains.get(chain).unwrap_or(&none);
    let mut follow = Follow { chain, noted: desk.noted(chain), last: None, prior: None, next: 1 };
    let read = |piece: &[u64]| {
        let (desk, chain, piece) = (Arc::clone(desk), chain.clone(), piece.to_vec());
        async move {
            let mut read = Vec::with_capacity(piece.len());
            for number in piece {
                let record = desk.entry::<E>(&chain, number).await;
                let digest = match (&record, &chain, chain.key(number)) {
                    (Ok(record), ..) => Some(record.digest),
                    // What follows junk among decisions links to its bytes.
                    (Err(_), ChainName::Approvals { .. }, Ok(key)) => desk.digest(&key).await,
                    _ => None,
                };
                read.push((number, digest, record));
            }
            read
        }
    };
    let mut take = |read: Vec<(u64, Option<Digest>, anyhow::Result<Record<E>>)>| {
        read.into_iter().try_for_each(|(number, digest, record)| {
            let prior = follow.prior(number, digest);
            follow.take(audit, number, prior, record, &mut visit)
        })
    };
    if numbers.len() <= PIECE {
        take(read(numbers).await)?;
    } else {
        ordered(numbers.chunks(PIECE), read, take).await?;
    }
    let last = follow.noted.map_or(0, |head| head.number);
    follow.missing(audit, last, "nothing: the tail was removed")
}

/// How far a chain was followed.
struct Follow<'a, E: Event> {
    chain: &'a ChainName,
    noted: Option<Head>,
    last: Option<Record<E>>,
    /// What the last object hashes to.
    prior: Option<Digest>,
    next: u64,
}

impl<E: Event> Follow<'_, E> {
    /// What the object right before this one hashes to; the next one follows this one. After a gap the link cannot be
    /// followed; the gap itself is the finding.
    fn prior(&mut self, number: u64, digest: Option<Digest>) -> Option<Digest> {
        std::mem::replace(&mut self.prior, digest).filter(|_| number == self.next)
    }

    fn take(
        &mut self,
        audit: &mut Audit,
        number: u64,
        prior: Option<Digest>,
        record: anyhow::Result<Record<E>>,
        visit: &mut impl FnMut(&mut Audit, Followed<'_, E>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let key = self.chain.key(number)?;
        self.missing(audit, number - 1, "nothing: a gap")?;
        self.next = number.saturating_add(1);
        let record = match record {
            Ok(record) => record,
            Err(error) => return report(audit, &key, error),
        };
        audit.entries += 1;
        // A decision that follows junk goes on from the last that was none.
        let decision = matches!(self.chain, ChainName::Approvals { .. });
        let before = self.last.take().filter(|last| decision || last.entry.number.checked_add(1) == Some(number));
        let followed = prior.is_some() || number == 1;
        if followed {
            link(audit, &key, prior, &record);
            state(audit, &key, before.as_ref(), &record);
        }
        let linked = followed && record.entry.previous == prior;
        if let Some(head) = self.noted.filter(|head| head.number == number && head.sha256 != record.digest) {
            let expected = format!("{}, as the witness saw it", head.sha256);
            audit.find(&key, Verdict::Incorrect, expected, record.digest.to_string());
        }
        visit(audit, Followed { record: &record, before: before.as_ref(), linked })?;
        self.last = Some(record);
        Ok(())
    }

    /// Everything that is not there up to this number.
    fn missing(&mut self, audit: &mut Audit, to: u64, found: &str) -> anyhow::Result<()> {
        let (chain, from) = (self.chain, self.next);
        let count = to.saturating_add(1).saturating_sub(from);
        let expected = |what: String| format!("{what} of {chain}");
        if count > NAMED {
            let (key, what) = (chain.key(from)?, format!("entries {from} to {to}"));
            audit.find(key, Verdict::Missing, expected(what), found);
        } else {
            for number in from..=to {
                audit.find(chain.key(number)?, Verdict::Missing, expected(format!("entry {number}")), found);
            }
        }
        self.next = self.next.max(to.saturating_add(1));
        Ok(())
    }
}

fn link<E: Event>(audit: &mut Audit, key: &VaultKey, expected: Option<Digest>, record: &Record<E>) {
    if record.entry.previous != expected {
        let show = |digest: Option<Digest>| digest.map_or_else(|| "no link".to_owned(), |d| d.to_string());
        audit.find(key, Verdict::Incorrect, show(expected), show(record.entry.previous));
    }
}

/// The state of an entry follows from the one before it and from the event: a writer cannot claim another.
fn state<E: Event>(audit: &mut Audit, key: &VaultKey, before: Option<&Record<E>>, record: &Record<E>) {
    let (entry, initial) = (&record.entry, E::State::default());
    let before = before.map_or(&initial, |before| &before.entry.state);
    if !entry.event.may_follow(before, &entry.about()) {
        let found = format!("`{}`, which cannot follow", entry.event.kind());
        audit.find(key, Verdict::Incorrect, "an event that may follow the entries before", found);
    }
    if entry.event.advance(before, &entry.about()) != entry.state {
        audit.find(key, Verdict::Incorrect, "the state that follows from the entries before", "another state");
    }
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
