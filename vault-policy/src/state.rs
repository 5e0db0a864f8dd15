//! What a live bucket says about itself: filled in by whoever asks it, judged by `doctor` and `apply`. The words are S3's.

use crate::vault::LockMode;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked<T> {
    /// This is set.
    Found(T),
    /// Nothing is set.
    Absent,
    /// There was no answer, for this reason.
    Unreachable(String),
}

impl<T> Asked<T> {
    /// What is set, if there is an answer and something is.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Absent | Self::Unreachable(_) => None,
        }
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Unreachable(reason) => Some(reason),
            Self::Found(_) | Self::Absent => None,
        }
    }
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketState {
    /// `GetBucketLocation`, with `us-east-1` where S3 answers with nothing. Absent: there is no such bucket.
    pub region: Asked<String>,
    /// `GetBucketVersioning`. Absent: it never had versioning.
    pub versioning: Asked<Versioning>,
    /// `GetObjectLockConfiguration`. Absent: Object Lock is off.
    pub lock: Asked<Lock>,
    /// `GetBucketPolicy`, as it stands.
    pub policy: Asked<String>,
    /// `GetBucketLifecycleConfiguration`.
    pub lifecycle: Asked<Vec<LifecycleRule>>,
    /// The identifiers of the rules of `GetBucketReplication`.
    pub replication: Asked<Vec<String>>,
    /// `GetPublicAccessBlock` of the bucket.
    pub public_access: Asked<PublicAccessBlock>,
    /// `GetBucketOwnershipControls`: `BucketOwnerEnforced`, `BucketOwnerPreferred`, `ObjectWriter`.
    pub ownership: Asked<String>,
    /// The grants of `GetBucketAcl` to others than the owner, as `GRANTEE: PERMISSION`. Absent: there are none.
    pub grants: Asked<Vec<String>>,
    /// The algorithm of `GetBucketEncryption`: `AES256`, `aws:kms`, `aws:kms:dsse`.
    pub encryption: Asked<String>,
    /// The target bucket of `GetBucketLogging`.
    pub log: Asked<String>,
    /// What `ListObjectVersions` shows. Absent: the bucket is empty.
    pub contents: Asked<Contents>,
}

/// `Status` of `GetBucketVersioning`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// Every write makes a version.
    Enabled,
    /// A write overwrites the version `null`.
    Suspended,
}

/// An Object Lock configuration that is enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The default retention, if there is one.
    pub default: Option<DefaultRetention>,
}

/// The retention of an object that is written without one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultRetention {
    /// Its mode.
    pub mode: LockMode,
    /// Its time.
    pub period: Period,
}

/// A time as S3 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Days.
    Days(u32),
    /// Years, counted as 365 days each.
    Years(u32),
}

impl Period {
    /// In days.
    #[must_use]
    pub fn days(self) -> u64 {
        match self {
            Self::Days(days) => days.into(),
            Self::Years(years) => u64::from(years) * 365,
        }
    }
}

/// A lifecycle rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRule {
    /// Its identifier.
    pub id: String,
    /// Whether it is carried out.
    pub enabled: bool,
    /// What it does to objects: `Expiration`, `NoncurrentVersionExpiration`, `Transition`,
    /// `NoncurrentVersionTransition`. `AbortIncompleteMultipartUpload` touches no object: leave it out.
    pub actions: Vec<String>,
}

/// The four switches of a public access block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`.
    pub block_acls: bool,
    /// `IgnorePublicAcls`.
    pub ignore_acls: bool,
    /// `BlockPublicPolicy`.
    pub block_policy: bool,
    /// `RestrictPublicBuckets`.
    pub restrict: bool,
}

/// What lies in a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Keys with more than one version, or with a delete marker: somebody wrote or deleted twice.
    pub shadowed: Vec<String>,
}
