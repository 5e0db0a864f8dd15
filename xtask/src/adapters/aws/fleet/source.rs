//! Where Lambda fetches code from: one version of one object in the vault's bucket.

use aws_sdk_s3::types::ChecksumMode;

use super::failed::Asked;
use crate::{
    adapters::aws::errors::{status, why},
    ports::fleet::{CodeSource, FleetError},
};

/// The vault's bucket in the functions' region.
pub(super) struct Source {
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) bucket: String,
    /// The account that must own it.
    pub(super) owner: String,
}

impl Source {
    /// Refuses code that is not in the bucket as it should be. Lambda has no such guard where it creates and updates.
    pub(super) async fn check(&self, code: &CodeSource) -> Result<(), FleetError> {
        let CodeSource { key, object_version, digest, architecture: _ } = code;
        let bucket = &self.bucket;
        let head = self.s3.head_object().bucket(bucket).key(key.as_str()).set_version_id(object_version.clone());
        let head = head.expected_bucket_owner(&self.owner).checksum_mode(ChecksumMode::Enabled);
        let asked = Asked { of: key.to_string(), what: format!("look at `{key}` in the bucket {bucket}") };
        let version = object_version.as_deref().unwrap_or("the newest");
        let head = match head.send().await {
            Ok(head) => head,
            Err(error) if status(&error) == Some(404) => {
                return Err(FleetError::Invalid(format!(
                    "there is no `{key}` (version {version}) in the bucket {bucket}"
                )));
            }
            // Another region and credentials that are over are a 400 here, which must not count against the release.
            Err(error) => return Err(asked.unreachable(why(&error))),
        };
        let Some(found) = head.checksum_sha256() else {
            return Err(asked.unreachable("it has no SHA-256 checksum: it was not written by this tool"));
        };
        if found != digest.base64() {
            let expected = digest.base64();
            return Err(FleetError::Invalid(format!(
                "`{key}` (version {version}) in the bucket {bucket} has the SHA-256 {found}, not {expected}"
            )));
        }
        Ok(())
    }
}
