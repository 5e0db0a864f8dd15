//! Lengthening how long an object is kept. The bucket's policy gives this right to deployers, and refuses less than what
//! an object gets that is written now.

use aws_sdk_s3::types::{ObjectLockRetention, ObjectLockRetentionMode};

use crate::{
    adapters::aws::{
        bucket::Bucket,
        errors::{unreachable, why},
    },
    config::aws::Mode,
    model::{entry::Writer, key::VaultKey},
    ports::vault::VaultError,
};

impl Bucket {
    /// Keeps the one version of an object as long as if it was written now; what is kept as long already stays as it is.
    pub(super) async fn keep(&self, key: &VaultKey, writer: &Writer) -> Result<(), VaultError> {
        let Some(version) = self.only_version(key).await? else { return Err(VaultError::missing(key)) };
        let what = || format!("lengthen the retention of {key} in the bucket {}", self.kept.bucket);
        let until = self.keep_until().map_err(|error| unreachable(what(), error))?;
        if self.kept_until(key, &version, writer).await?.is_some_and(|kept| kept >= until.secs()) {
            return Ok(());
        }
        let mode = match self.kept.retention.mode {
            Mode::Governance => ObjectLockRetentionMode::Governance,
            Mode::Compliance => ObjectLockRetentionMode::Compliance,
        };
        let retention = ObjectLockRetention::builder().mode(mode).retain_until_date(until).build();
        let request = self.client(Some(writer)).put_object_retention().bucket(&self.kept.bucket).key(key.as_str());
        let request = request.version_id(&version).retention(retention).expected_bucket_owner(&self.kept.account);
        request.send().await.map_err(|error| unreachable(what(), why(&error)))?;
        match self.kept_until(key, &version, writer).await? {
            Some(kept) if kept >= until.secs() => Ok(()),
            found => {
                let found = format!("is not kept as asked: until {found:?}, asked {} (Unix time)", until.secs());
                Err(VaultError::Unsound { key: key.clone(), found })
            }
        }
    }

    /// Until when an object is kept, in seconds of Unix time; `None` if it is not, or not as strictly as configured.
    async fn kept_until(&self, key: &VaultKey, version: &str, writer: &Writer) -> Result<Option<i64>, VaultError> {
        let request = self.client(Some(writer)).head_object().bucket(&self.kept.bucket).key(key.as_str());
        let head = request.version_id(version).expected_bucket_owner(&self.kept.account).send().await;
        let head = head.map_err(|error| {
            unreachable(format!("read the retention of {key} in the bucket {}", self.kept.bucket), why(&error))
        })?;
        let until = head.object_lock_retain_until_date().map(|until| until.secs());
        Ok(until.filter(|_| head.object_lock_mode() == Some(&self.mode())))
    }
}
