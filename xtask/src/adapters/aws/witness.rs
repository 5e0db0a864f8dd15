//! The witness in S3: a note per head, written once, never replaced.
//!
//! The first region's heads lie in the second region's bucket under `witness/primary/`: whoever loses or rewinds one
//! vault does not reach the other. The second region's own heads lie in its own bucket under `witness/recovery/`: it must
//! be able to go on when there is no other.
//!
//! A note is named `<chain>/<99999999 - number>-<sha256>`, so that S3, which lists in the order of names, gives the newest
//! head first: one request, whatever the number of notes, and gaps (a crash between entry and note) do no harm. Notes of
//! several writers at the same time do not meet: a later head sorts before an earlier one, whoever was first.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use vault_policy::ownership;

use crate::{
    adapters::aws::bucket::{Bucket, Content, Put, Versions, fault},
    failure::Failure,
    model::{canonical, digest::Digest, entry::ChainName, key::VaultKey},
    ports::witness::{Head, Heads, Witness},
};

/// Where notes lie in a bucket, beside the vault that it may hold, too.
pub(super) const FOLDER: &str = "witness/";

/// The highest number that a chain's eight digits allow.
const LAST: u64 = 99_999_999;

/// A witness in a bucket.
#[derive(Debug, Clone)]
pub struct BucketWitness {
    bucket: Arc<Bucket>,
    folder: &'static str,
}

impl BucketWitness {
    /// The witness of the first region, in the second region's bucket.
    #[must_use]
    pub fn of_primary(recovery: Bucket) -> Self {
        Self { bucket: Arc::new(recovery), folder: ownership::WITNESS_OF_PRIMARY }
    }

    /// The witness of the second region, in its own bucket.
    #[must_use]
    pub fn of_recovery(recovery: Bucket) -> Self {
        Self { bucket: Arc::new(recovery), folder: ownership::WITNESS_OF_RECOVERY }
    }

    /// What a note's name says, if it is the name of one.
    fn read(&self, name: &str) -> Option<(ChainName, Head)> {
        let (chain, note) = name.strip_prefix(self.folder)?.rsplit_once('/')?;
        let (left, sha256) = note.split_once('-')?;
        let number = LAST.checked_sub(left.parse().ok().filter(|_| left.len() == 8)?)?;
        Some((chain.parse().ok()?, Head { number, sha256: format!("sha256:{sha256}").parse().ok()? }))
    }

    /// The same, of something that must be a note which was written once.
    fn sound(&self, entry: &(String, String, bool), again: bool) -> anyhow::Result<(ChainName, Head)> {
        let damaged = |what: &str| {
            let (bucket, name) = (&self.bucket.kept.bucket, &entry.0);
            let text = format!("the witness in the bucket {bucket} is damaged: {name} {what}");
            anyhow::Error::from(Failure::Integrity(format!("{text}; find out who wrote to it")))
        };
        match fault(entry, again) {
            Some(fault) => Err(damaged(&fault)),
            None => self.read(&entry.0).ok_or_else(|| damaged("is no note")),
        }
    }
}

#[async_trait]
impl Witness for BucketWitness {
    async fn heads(&self) -> anyhow::Result<Option<Heads>> {
        let mut heads = Heads::new();
        let mut before = String::new();
        let mut page = Versions::default();
        loop {
            page = self.bucket.versions(self.folder, 1000, &page).await?;
            for entry in &page.found {
                let (chain, head) = self.sound(entry, before == entry.0)?;
                before.clone_from(&entry.0);
                let kept = heads.entry(chain).or_insert(head);
                if kept.number < head.number {
                    *kept = head;
                }
            }
            if page.is_last() {
                return Ok(Some(heads).filter(|heads| !heads.is_empty()));
            }
        }
    }

    async fn head(&self, chain: &ChainName) -> anyhow::Result<Option<Head>> {
        let folder = format!("{}{chain}/", self.folder);
        // The second one shows whether the first was written again, or contradicts it.
        let page = self.bucket.versions(&folder, 2, &Versions::default()).await?;
        let mut found = page.found.iter();
        let Some(first) = found.next() else { return Ok(None) };
        let second = found.next();
        let (_, head) = self.sound(first, second.is_some_and(|second| second.0 == first.0))?;
        if let Some((_, other)) = second.map(|second| self.sound(second, false)).transpose()?
            && other.number == head.number
        {
            let (one, two) = (head.sha256, other.sha256);
            let text = format!("the witness saw two entries {} of {chain}: {one} and {two}", head.number);
            return Err(Failure::Integrity(format!("{text}; run `cargo xtask audit verify`")).into());
        }
        Ok(Some(head))
    }

    async fn note(&self, chain: &ChainName, head: Head) -> anyhow::Result<()> {
        let left = LAST.checked_sub(head.number).context("the chain is longer than its eight digits allow")?;
        let name = format!("{}{chain}/{left:08}-{}", self.folder, head.sha256.hex());
        let key: VaultKey = name.parse()?;
        let bytes = canonical::to_vec(&head)?;
        let hashed = (Digest::of(&bytes), bytes.len() as u64);
        match self.bucket.put(&key, Some(&chain.writer()), Content::Bytes(&bytes), hashed).await? {
            // Of an equal name the content is equal, too.
            Put::Created | Put::Exists => Ok(()),
        }
    }
}
