//! One bucket of the vault: objects that are written once, kept by Object Lock, and read back by the id of the only
//! version that they may have.
//!
//! `If-None-Match: *` looks at the current version only, so it lets a write through over a delete marker, and Object Lock
//! protects versions, not names. Whoever reads therefore first lists the versions of a name: one, and no marker.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    operation::get_object::GetObjectOutput,
    primitives::{ByteStream, DateTime, DateTimeFormat},
    types::{ChecksumMode, ObjectLockMode},
};
use camino::Utf8Path;
use jiff::{ToSpan as _, tz::TimeZone};

use crate::{
    adapters::aws::errors::{status, unreachable, why},
    config::aws::{Mode, Retention},
    model::{digest::Digest, entry::Writer, key::VaultKey},
    ports::{clock::Clock, vault::VaultError},
};

/// How often a write is tried that meets another one of the same name (409), and how long it waits after the first time.
/// Twice as long after each: two seconds and a half in all.
const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(80);

/// A bucket, and with whose credentials it is written.
#[derive(Clone)]
pub struct Bucket {
    pub(super) kept: Kept,
    reader: Client,
    writers: BTreeMap<Writer, Client>,
    /// Writes everything, if set.
    one: Option<Client>,
    clock: Arc<dyn Clock>,
}

/// Which bucket, and how long and how strictly it keeps its objects.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its name.
    pub bucket: String,
    /// The account that must own it.
    pub account: String,
    /// How long and how strictly.
    pub retention: Retention,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket").field("kept", &self.kept).finish_non_exhaustive()
    }
}

/// What goes into an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    Bytes(&'a [u8]),
    File(&'a Utf8Path),
}

/// What became of a write.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Put {
    Created,
    Exists,
}

/// One page of a bucket's versions and delete markers.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// Name, version id, and whether it is a delete marker, by name; of one name the newest first.
    pub(super) found: Vec<(String, String, bool)>,
    /// Where the next page begins.
    next: Option<(Option<String>, Option<String>)>,
}

impl Bucket {
    /// A bucket that is read by one client, and written by that of each writer, or by the reader's where a writer has none.
    #[must_use]
    pub fn new(kept: Kept, reader: Client, writers: BTreeMap<Writer, Client>, clock: Arc<dyn Clock>) -> Self {
        Self { kept, reader, writers, one: None, clock }
    }

    /// The same bucket, in which everything is written by one writer, whoever wrote it first: a mirror.
    #[must_use]
    pub fn written_by(mut self, one: Option<Writer>) -> Self {
        let client = one.and_then(|one| self.writers.remove(&one)).unwrap_or_else(|| self.reader.clone());
        self.writers.clear();
        Self { one: Some(client), ..self }
    }

    /// The client that writes as this writer.
    pub(super) fn client(&self, writer: Option<&Writer>) -> &Client {
        let own = writer.and_then(|writer| self.writers.get(writer));
        self.one.as_ref().or(own).unwrap_or(&self.reader)
    }

    /// Creates an object, if its name is free: one PUT, whole or not at all, then read back.
    pub(super) async fn put(
        &self,
        key: &VaultKey,
        writer: Option<&Writer>,
        content: Content<'_>,
        (digest, size): (Digest, u64),
    ) -> Result<Put, VaultError> {
        let what = || format!("write {key} to the bucket {}", self.kept.bucket);
        let client = self.client(writer);
        let until = self.keep_until().map_err(|error| unreachable(what(), error))?;
        let mut wait = FIRST_WAIT;
        for tried in 1.. {
            let body = match content {
                Content::Bytes(bytes) => ByteStream::from(bytes.to_vec()),
                Content::File(path) => {
                    ByteStream::from_path(path).await.map_err(|error| unreachable(what(), error.to_string()))?
                }
            };
            // A single PUT: its SHA-256 is that of the file, and S3 refuses other bytes. Of an upload in parts it is not.
            let request = client.put_object().bucket(&self.kept.bucket).key(key.as_str());
            let request = request.expected_bucket_owner(&self.kept.account).if_none_match("*");
            let request =
                request.checksum_sha256(digest.base64()).content_length(i64::try_from(size).unwrap_or(i64::MAX));
            let request = request.object_lock_mode(self.mode()).object_lock_retain_until_date(until);
            match request.body(body).send().await {
                Ok(written) => {
                    self.read_back(client, key, written.version_id(), digest, until).await?;
                    return Ok(Put::Created);
                }
                Err(error) if status(&error) == Some(412) => return Ok(Put::Exists),
                Err(error) if status(&error) == Some(409) && tried < TRIES => {
                    self.clock.sleep(wait).await;
                    wait *= 2;
                }
                Err(error) => return Err(unreachable(what(), why(&error))),
            }
        }
        Err(unreachable(what(), "nothing was tried"))
    }

    /// What was written must be there in one version, with its digest, and kept.
    async fn read_back(
        &self,
        client: &Client,
        key: &VaultKey,
        version: Option<&str>,
        digest: Digest,
        until: DateTime,
    ) -> Result<(), VaultError> {
        let unsound = |found: String| VaultError::Unsound { key: key.clone(), found };
        let Some(version) = version else {
            let bucket = &self.kept.bucket;
            return Err(unsound(format!("was written without a version: the bucket {bucket} is not versioned")));
        };
        let head = client.head_object().bucket(&self.kept.bucket).key(key.as_str()).version_id(version);
        let head = head.expected_bucket_owner(&self.kept.account).checksum_mode(ChecksumMode::Enabled).send().await;
        let head =
            head.map_err(|error| unreachable(format!("read {key} back from {}", self.kept.bucket), why(&error)))?;
        if head.checksum_sha256() != Some(digest.base64().as_str()) {
            let found = head.checksum_sha256().unwrap_or("none");
            return Err(unsound(format!("has the checksum {found} after it was written as {}", digest.base64())));
        }
        let kept = head.object_lock_retain_until_date().filter(|kept| kept.secs() >= until.secs());
        if head.object_lock_mode() != Some(&self.mode()) || kept.is_none() {
            let mode = head.object_lock_mode().map_or("no mode", |mode| mode.as_str());
            let asked = until.fmt(DateTimeFormat::DateTime).unwrap_or_default();
            return Err(unsound(format!(
                "is not kept as asked ({} until {asked}, found {mode}): Object Lock is off in the bucket {}, or its writer \
                 may not read the retention (`s3:GetObjectRetention`)",
                self.mode().as_str(),
                self.kept.bucket
            )));
        }
        Ok(())
    }

    /// The id of the one version of an object, `None` if there never was one.
    pub(super) async fn only_version(&self, key: &VaultKey) -> Result<Option<String>, VaultError> {
        // Of all names that begin with this one it comes first itself, and two of its versions are one too many.
        let page = self.versions(key.as_str(), 2, &Versions::default()).await?;
        let mut own = page.found.into_iter().filter(|(name, ..)| name == key.as_str());
        let Some(first) = own.next() else { return Ok(None) };
        match fault(&first, own.next().is_some()) {
            Some(found) => Err(VaultError::Unsound { key: key.clone(), found }),
            None => Ok(Some(first.1)),
        }
    }

    /// One page of what lies under a prefix, `after` the page before.
    pub(super) async fn versions(&self, prefix: &str, most: i32, after: &Versions) -> Result<Versions, VaultError> {
        let (key, version) = after.next.clone().unwrap_or_default();
        let request = self.reader.list_object_versions().bucket(&self.kept.bucket).prefix(prefix).max_keys(most);
        let request = request.expected_bucket_owner(&self.kept.account);
        let page = request.set_key_marker(key).set_version_id_marker(version).send().await;
        let page = page.map_err(|error| {
            let what = if prefix.is_empty() { "all objects".to_owned() } else { prefix.to_owned() };
            unreachable(format!("list the versions of {what} in the bucket {}", self.kept.bucket), why(&error))
        })?;
        let entry = |latest: Option<bool>, key: Option<&str>, version: Option<&str>, is_marker: bool| {
            let entry = (key.unwrap_or_default().to_owned(), version.unwrap_or_default().to_owned(), is_marker);
            (latest != Some(true), entry)
        };
        let versions = page.versions().iter().map(|v| entry(v.is_latest(), v.key(), v.version_id(), false));
        let markers = page.delete_markers().iter().map(|m| entry(m.is_latest(), m.key(), m.version_id(), true));
        let mut found: Vec<_> = versions.chain(markers).collect();
        // S3 answers with two lists, each in this order.
        found.sort_by(|(a_old, a), (b_old, b)| (&a.0, a_old).cmp(&(&b.0, b_old)));
        let found = found.into_iter().map(|(_, entry)| entry).collect();
        let more = page.is_truncated().unwrap_or(false);
        let next =
            more.then(|| (page.next_key_marker().map(str::to_owned), page.next_version_id_marker().map(str::to_owned)));
        Ok(Versions { found, next })
    }

    /// One version of an object, its checksum with it.
    pub(super) async fn get(&self, key: &VaultKey, version: &str) -> Result<GetObjectOutput, VaultError> {
        let request = self.reader.get_object().bucket(&self.kept.bucket).key(key.as_str()).version_id(version);
        let request = request.expected_bucket_owner(&self.kept.account).checksum_mode(ChecksumMode::Enabled);
        let got = request.send().await;
        got.map_err(|error| unreachable(format!("read {key} from the bucket {}", self.kept.bucket), why(&error)))
    }

    pub(super) fn mode(&self) -> ObjectLockMode {
        match self.kept.retention.mode {
            Mode::Governance => ObjectLockMode::Governance,
            Mode::Compliance => ObjectLockMode::Compliance,
        }
    }

    /// Whole seconds, as S3 writes them.
    pub(super) fn keep_until(&self) -> Result<DateTime, String> {
        let now = self.clock.now().timestamp().to_zoned(TimeZone::UTC);
        let until = now.checked_add(i64::from(self.kept.retention.years).years()).map_err(|error| error.to_string())?;
        Ok(DateTime::from_secs(until.timestamp().as_second()))
    }
}

impl Versions {
    /// Whether this is the last page.
    pub(super) fn is_last(&self) -> bool {
        self.next.is_none()
    }
}

/// What is wrong with a name that has several versions.
pub(super) const AGAIN: &str = "has more than one version: somebody wrote it again";

/// What is wrong with a name whose newest entry is this one.
pub(super) fn fault((_, version, is_marker): &(String, String, bool), more: bool) -> Option<String> {
    match (is_marker, more) {
        (true, _) => Some("was deleted: its newest version is a delete marker".to_owned()),
        (false, true) => Some(AGAIN.to_owned()),
        (false, false) if version.is_empty() || version == "null" => {
            Some("has no version id: the bucket was not versioned when it was written".to_owned())
        }
        (false, false) => None,
    }
}
