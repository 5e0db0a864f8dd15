//! What S3 answers about a bucket's settings, in `vault-policy`'s words.

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{BucketVersioningStatus, ExpirationStatus, ObjectLockEnabled, ObjectLockRetentionMode},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use vault_policy::{
    state::{Asked, BucketState, DefaultRetention, LifecycleRule, Lock, Period, PublicAccessBlock, Versioning},
    vault::LockMode,
};

use crate::{
    adapters::aws::errors::{status, why},
    config::aws::Bucket,
};

/// One question about one bucket, which must be of the configured account.
macro_rules! ask {
    ($client:expr, $of:expr, $question:ident) => {
        $client.$question().bucket($of.bucket.as_str()).expected_bucket_owner($of.account.as_str()).send().await
    };
}

/// What there is if S3 answers; nothing if it answers with the code that says so.
fn asked<A, E, T>(
    answer: Result<A, SdkError<E, HttpResponse>>,
    absent: &str,
    found: impl FnOnce(A) -> Option<T>,
) -> Asked<T>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Ok(answer) => found(answer).map_or(Asked::Absent, Asked::Found),
        Err(error) if error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(absent) => Asked::Absent,
        Err(error) => Asked::Unreachable(why(&error)),
    }
}

/// What is known of a bucket that is not there, or does not say where it is.
pub(super) fn nothing(region: Asked<String>) -> BucketState {
    BucketState {
        region,
        versioning: Asked::Absent,
        lock: Asked::Absent,
        policy: Asked::Absent,
        lifecycle: Asked::Absent,
        replication: Asked::Absent,
        public_access: Asked::Absent,
        ownership: Asked::Absent,
        grants: Asked::Absent,
        encryption: Asked::Absent,
        log: Asked::Absent,
        contents: Asked::Absent,
    }
}

pub(super) async fn region(client: &Client, of: &Bucket) -> Asked<String> {
    let answer = ask!(client, of, get_bucket_location);
    if let Err(error) = &answer
        && matches!(status(error), Some(301 | 307 | 400))
        && let Some(region) = error.raw_response().and_then(|answer| answer.headers().get("x-amz-bucket-region"))
    {
        return Asked::Found(region.to_owned());
    }
    // The oldest regions are still called by their oldest names.
    let named = |constraint: Option<&str>| match constraint.unwrap_or_default() {
        "" => "us-east-1".to_owned(),
        "EU" => "eu-west-1".to_owned(),
        region => region.to_owned(),
    };
    asked(answer, "NoSuchBucket", |answer| Some(named(answer.location_constraint().map(|region| region.as_str()))))
}

pub(super) async fn versioning(client: &Client, of: &Bucket) -> Asked<Versioning> {
    asked(ask!(client, of, get_bucket_versioning), "", |answer| match answer.status()? {
        BucketVersioningStatus::Enabled => Some(Versioning::Enabled),
        _ => Some(Versioning::Suspended),
    })
}

pub(super) async fn lock(client: &Client, of: &Bucket) -> Asked<Lock> {
    asked(ask!(client, of, get_object_lock_configuration), "ObjectLockConfigurationNotFoundError", |answer| {
        let lock = answer.object_lock_configuration()?;
        if lock.object_lock_enabled() != Some(&ObjectLockEnabled::Enabled) {
            return None;
        }
        let default = lock.rule().and_then(|rule| rule.default_retention()).and_then(|default| {
            let mode = match default.mode()? {
                ObjectLockRetentionMode::Compliance => LockMode::Compliance,
                _ => LockMode::Governance,
            };
            let number = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
            let years = number(default.years()).filter(|years| *years > 0).map(Period::Years);
            let period = years.or_else(|| number(default.days()).map(Period::Days))?;
            Some(DefaultRetention { mode, period })
        });
        Some(Lock { default })
    })
}

pub(super) async fn policy(client: &Client, of: &Bucket) -> Asked<String> {
    asked(ask!(client, of, get_bucket_policy), "NoSuchBucketPolicy", |answer| answer.policy)
}

pub(super) async fn lifecycle(client: &Client, of: &Bucket) -> Asked<Vec<LifecycleRule>> {
    let answer = ask!(client, of, get_bucket_lifecycle_configuration);
    asked(answer, "NoSuchLifecycleConfiguration", |answer| {
        let rules = answer.rules().iter().map(|rule| {
            let actions = [
                ("Expiration", rule.expiration().is_some()),
                ("NoncurrentVersionExpiration", rule.noncurrent_version_expiration().is_some()),
                ("Transition", !rule.transitions().is_empty()),
                ("NoncurrentVersionTransition", !rule.noncurrent_version_transitions().is_empty()),
            ];
            LifecycleRule {
                id: rule.id().unwrap_or_default().to_owned(),
                enabled: *rule.status() == ExpirationStatus::Enabled,
                actions: actions.iter().filter(|(_, does)| *does).map(|(name, _)| (*name).to_owned()).collect(),
            }
        });
        Some(rules.collect())
    })
}

pub(super) async fn replication(client: &Client, of: &Bucket) -> Asked<Vec<String>> {
    asked(ask!(client, of, get_bucket_replication), "ReplicationConfigurationNotFoundError", |answer| {
        let rules = answer.replication_configuration()?.rules().iter();
        Some(rules.map(|rule| rule.id().unwrap_or("without a name").to_owned()).collect())
    })
}

pub(super) async fn public_access(client: &Client, of: &Bucket) -> Asked<PublicAccessBlock> {
    asked(ask!(client, of, get_public_access_block), "NoSuchPublicAccessBlockConfiguration", |answer| {
        let block = answer.public_access_block_configuration()?;
        Some(PublicAccessBlock {
            block_acls: block.block_public_acls() == Some(true),
            ignore_acls: block.ignore_public_acls() == Some(true),
            block_policy: block.block_public_policy() == Some(true),
            restrict: block.restrict_public_buckets() == Some(true),
        })
    })
}

pub(super) async fn ownership(client: &Client, of: &Bucket) -> Asked<String> {
    asked(ask!(client, of, get_bucket_ownership_controls), "OwnershipControlsNotFoundError", |answer| {
        answer.ownership_controls()?.rules().first().map(|rule| rule.object_ownership().as_str().to_owned())
    })
}

pub(super) async fn grants(client: &Client, of: &Bucket) -> Asked<Vec<String>> {
    asked(ask!(client, of, get_bucket_acl), "", |answer| {
        let owner = answer.owner().and_then(|owner| owner.id()).map(str::to_owned);
        let others = answer.grants().iter().filter_map(|grant| {
            let grantee = grant.grantee()?;
            let own = owner.is_some() && grantee.id() == owner.as_deref();
            let name = grantee.uri().or(grantee.id()).or(grantee.display_name()).unwrap_or("somebody");
            let permission = grant.permission().map_or("something", |permission| permission.as_str());
            (!own).then(|| format!("{}: {permission}", name.rsplit('/').next().unwrap_or(name)))
        });
        Some(others.collect::<Vec<_>>()).filter(|others| !others.is_empty())
    })
}

pub(super) async fn encryption(client: &Client, of: &Bucket) -> Asked<String> {
    let answer = ask!(client, of, get_bucket_encryption);
    asked(answer, "ServerSideEncryptionConfigurationNotFoundError", |answer| {
        let rules = answer.server_side_encryption_configuration()?.rules().first()?;
        Some(rules.apply_server_side_encryption_by_default()?.sse_algorithm().as_str().to_owned())
    })
}

pub(super) async fn log(client: &Client, of: &Bucket) -> Asked<String> {
    asked(ask!(client, of, get_bucket_logging), "", |answer| {
        answer.logging_enabled().map(|log| log.target_bucket().to_owned())
    })
}
