//! One step, the action that it needs, and the command that does it by hand.

use crate::{
    names::{BucketName, Region},
    vault::Retention,
};

/// What is done to a bucket. Each may be repeated: it sets and does not add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make the bucket in this region, with Object Lock, which brings versioning.
    CreateBucket(Region),
    /// Put a policy in force that lets the vault administrator, and nobody else, change the bucket. `PutPolicy` follows.
    OpenPolicy(String),
    /// Switch all four switches of the public access block on.
    BlockPublicAccess,
    /// The bucket's owner owns every object: access lists have no effect.
    OwnEverything,
    /// Enable versioning.
    EnableVersioning,
    /// Enable Object Lock with this default retention.
    SetRetention(Retention),
    /// Encrypt at rest with S3's own keys, which no role needs a right for.
    Encrypt,
    /// Send the access log to that bucket.
    SendLog(BucketName),
    /// Send no access log.
    SendNoLog,
    /// Remove all lifecycle rules: they delete whatever the policy says (fact 6).
    RemoveLifecycle,
    /// Remove all replication rules: the mirror is verified as it is written, and never a blind copy.
    RemoveReplication,
    /// Put the policy in force.
    PutPolicy(String),
}

impl Step {
    /// The IAM action that it needs.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::CreateBucket(_) => "s3:CreateBucket",
            Self::OpenPolicy(_) | Self::PutPolicy(_) => "s3:PutBucketPolicy",
            Self::BlockPublicAccess => "s3:PutBucketPublicAccessBlock",
            Self::OwnEverything => "s3:PutBucketOwnershipControls",
            Self::EnableVersioning => "s3:PutBucketVersioning",
            Self::SetRetention(_) => "s3:PutBucketObjectLockConfiguration",
            Self::Encrypt => "s3:PutEncryptionConfiguration",
            Self::SendLog(_) | Self::SendNoLog => "s3:PutBucketLogging",
            Self::RemoveLifecycle => "s3:PutLifecycleConfiguration",
            Self::RemoveReplication => "s3:PutReplicationConfiguration",
        }
    }

    /// The command that does the same by hand, for this bucket.
    #[must_use]
    pub fn command(&self, bucket: &BucketName) -> String {
        let api = |call: &str, rest: &str| format!("aws s3api {call} --bucket {bucket}{rest}");
        match self {
            // The one region that is not written as a constraint.
            Self::CreateBucket(region) if region.as_str() == "us-east-1" => {
                api("create-bucket", " --region us-east-1 --object-lock-enabled-for-bucket")
            }
            Self::CreateBucket(region) => {
                let place = format!(" --region {region} --create-bucket-configuration LocationConstraint={region}");
                api("create-bucket", &format!("{place} --object-lock-enabled-for-bucket"))
            }
            Self::OpenPolicy(policy) | Self::PutPolicy(policy) => {
                api("put-bucket-policy", &format!(" --policy '{policy}'"))
            }
            Self::BlockPublicAccess => {
                let switches =
                    "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true";
                api("put-public-access-block", &format!(" --public-access-block-configuration {switches}"))
            }
            Self::OwnEverything => {
                let rules = " --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'";
                api("put-bucket-ownership-controls", rules)
            }
            Self::EnableVersioning => api("put-bucket-versioning", " --versioning-configuration Status=Enabled"),
            Self::SetRetention(Retention { mode, years }) => {
                let default = format!("{{\"Mode\":\"{mode}\",\"Years\":{years}}}");
                let lock = format!("{{\"ObjectLockEnabled\":\"Enabled\",\"Rule\":{{\"DefaultRetention\":{default}}}}}");
                api("put-object-lock-configuration", &format!(" --object-lock-configuration '{lock}'"))
            }
            Self::Encrypt => {
                let rules = "{\"Rules\":[{\"ApplyServerSideEncryptionByDefault\":{\"SSEAlgorithm\":\"AES256\"}}]}";
                api("put-bucket-encryption", &format!(" --server-side-encryption-configuration '{rules}'"))
            }
            Self::SendLog(target) => {
                let target = format!("{{\"TargetBucket\":\"{target}\",\"TargetPrefix\":\"{bucket}/\"}}");
                api("put-bucket-logging", &format!(" --bucket-logging-status '{{\"LoggingEnabled\":{target}}}'"))
            }
            Self::SendNoLog => api("put-bucket-logging", " --bucket-logging-status '{}'"),
            Self::RemoveLifecycle => api("delete-bucket-lifecycle", ""),
            Self::RemoveReplication => api("delete-bucket-replication", ""),
        }
    }
}
