//! The chains of decisions. Everybody who may approve writes there, and nothing can be taken out again, so that an object
//! which is no statement must not hold up the others: it is told, counts for nothing, and hides nothing that comes after it.
//!
//! A chain goes from its first number to the first that is free; an entry links to the bytes of the object before it,
//! whatever those are.

use std::collections::BTreeMap;

use super::{cut, decode, noted, seen, sound};
use crate::{
    context::Context,
    failure::Failure,
    model::{
        digest::Digest,
        entry::{ChainName, Event, Record},
        key::VaultKey,
        version::Version,
    },
    ports::{
        vault::{Listed, Vault, VaultError},
        witness::Head,
    },
};

/// A chain of decisions as it lies in the vault.
#[derive(Debug)]
pub struct Statements<E: Event> {
    /// What each object hashes to, in order: the first is that of number 1.
    pub objects: Vec<Digest>,
    /// Every object that is a signed statement.
    pub made: Vec<Made<E>>,
    /// What the others are, and the statements that follow nothing.
    pub junk: Vec<Junk>,
}

/// What is not as a decision must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Junk {
    /// Its name in the vault.
    pub object: String,
    /// What is wrong, in a sentence that names it.
    pub what: String,
}

/// A signed statement.
#[derive(Debug)]
pub struct Made<E: Event> {
    /// As it lies in the vault.
    pub record: Record<E>,
    /// Whether it names the bytes of the object before it.
    pub linked: bool,
}

impl<E: Event> Statements<E> {
    /// The last object, and the last statement.
    #[must_use]
    pub fn ending(mut self) -> (Option<Head>, Option<Record<E>>) {
        let last = self.objects.last().map(|sha256| Head { number: self.objects.len() as u64, sha256: *sha256 });
        (last, self.made.pop().map(|made| made.record))
    }
}

/// Reads a whole chain, and tells what in it is no statement, or follows nothing.
///
/// # Errors
/// Integrity, if something is gone that the witness saw, or is another one now; unfinished, if the vault cannot be read.
pub async fn read<E: Event>(context: &Context, chain: &ChainName) -> anyhow::Result<Statements<E>> {
    let noted = noted(context, chain).await?;
    let mut statements = Statements { objects: Vec::new(), made: Vec::new(), junk: Vec::new() };
    for number in 1.. {
        let key = chain.key(number)?;
        let Some(object) = look(&*context.vault, &key).await? else {
            match noted.filter(|noted| noted.number >= number) {
                Some(noted) => return Err(cut(chain, number - 1, noted).into()),
                None => break,
            }
        };
        seen(chain, number, object.sha256, noted)?;
        match statement::<E>(chain, &key, number, &object) {
            Ok(record) => {
                let linked = record.entry.previous == statements.objects.last().copied();
                if !linked {
                    let what = format!("{key} does not follow the object before it: it approves nothing");
                    statements.junk.push(Junk { object: key.to_string(), what });
                }
                statements.made.push(Made { record, linked });
            }
            Err(why) => {
                object.is_so(&*context.vault, &key).await?;
                let what = format!("{why}: it counts for nothing");
                statements.junk.push(Junk { object: key.to_string(), what });
            }
        }
        statements.objects.push(object.sha256);
    }
    tell(context, &statements.junk);
    Ok(statements)
}

/// Everything that lies in the folders of decisions, of one release or of all.
///
/// # Errors
/// Unfinished, if the vault cannot be listed.
pub async fn listed(context: &Context, release: Option<Version>) -> anyhow::Result<Vec<Listed>> {
    let folder = release.map_or_else(|| "approvals".to_owned(), |release| format!("approvals/{release}"));
    let listed = context.vault.list(Some(&folder.parse()?)).await;
    Ok(listed.map_err(|error| error.failed(format!("failed to list {folder}")))?)
}

/// What was listed there and belongs to no chain that was read, up to the number that each was read to: whoever decides
/// asks for none of it. It is told.
#[must_use]
pub fn strays(context: &Context, listed: &[Listed], read: &BTreeMap<ChainName, u64>) -> Vec<Junk> {
    let was_read = |item: &&Listed| {
        let parts = item.key.as_ref().and_then(|key| key.as_str().strip_suffix(".json")?.rsplit_once('/'));
        let Some((chain, number)) = parts else { return false };
        let (Ok(chain), Ok(number)) = (chain.parse::<ChainName>(), number.parse::<u64>()) else { return false };
        // `00000001.json` and nothing that merely reads as the same number.
        let own = chain.key(number).ok();
        number > 0 && own == item.key && read.get(&chain).is_some_and(|last| number <= *last)
    };
    let junk = |item: &Listed| {
        let what = format!("{} is in no chain of decisions about a sealed release: it counts for nothing", item.name);
        Junk { object: item.name.clone(), what }
    };
    let strays: Vec<Junk> = listed.iter().filter(|item| !was_read(item)).map(junk).collect();
    tell(context, &strays);
    strays
}

/// Tells what is junk, and that the audit knows more.
pub(in crate::engine) fn tell(context: &Context, all: &[Junk]) {
    for junk in all {
        context.notices.tell(&*context.story, &format!("{}; run `cargo xtask audit verify`", junk.what));
    }
}

/// An object of such a chain; of one that is too large to be an entry only its digest.
pub(in crate::engine) struct Object {
    pub(in crate::engine) sha256: Digest,
    bytes: Option<Vec<u8>>,
}

/// Reads an object, `None` if there is none.
///
/// # Errors
/// As reading goes.
pub(in crate::engine) async fn look(vault: &dyn Vault, key: &VaultKey) -> Result<Option<Object>, Failure> {
    let failed = |error: VaultError| error.failed(format!("failed to read {key}"));
    match vault.read(key).await {
        Ok(bytes) => Ok(bytes.map(|bytes| Object { sha256: Digest::of(&bytes), bytes: Some(bytes) })),
        Err(VaultError::TooLarge(_)) => {
            let found = vault.fetch(key, None).await.map_err(failed)?;
            Ok(found.map(|(sha256, _)| Object { sha256, bytes: None }))
        }
        Err(error) => Err(failed(error)),
    }
}

impl Object {
    /// An answer in half must not make a decision look like nothing: before an object is passed over, it is read once more.
    async fn is_so(&self, vault: &dyn Vault, key: &VaultKey) -> Result<(), Failure> {
        let failed = |error: VaultError| error.failed(format!("failed to read {key}"));
        match vault.fetch(key, None).await.map_err(failed)? {
            Some((found, _)) if found == self.sha256 => Ok(()),
            _ => Err(Failure::Unfinished { what: format!("{key} was not read as it lies in the vault"), source: None }),
        }
    }
}

/// The statement that an object is.
///
/// # Errors
/// Why it is none.
fn statement<E: Event>(chain: &ChainName, key: &VaultKey, number: u64, object: &Object) -> anyhow::Result<Record<E>> {
    let too_large = || VaultError::TooLarge(key.clone());
    let record = decode(key, object.bytes.as_ref().ok_or_else(too_large)?)?;
    sound(chain, number, &record, &[])?;
    Ok(record)
}
