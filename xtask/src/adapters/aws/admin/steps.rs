//! Taking one step to make a bucket what it should be. Each sets and does not add, so that it may be taken again.

use aws_sdk_s3::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    types::{
        BucketLocationConstraint, BucketLoggingStatus, BucketVersioningStatus, CreateBucketConfiguration,
        DefaultRetention, LoggingEnabled, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode,
        ObjectLockRule, ObjectOwnership, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration,
        ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
        ServerSideEncryptionRule, VersioningConfiguration,
    },
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use vault_policy::{
    apply::Step,
    names::BucketName,
    vault::{LockMode, Retention},
};

use crate::{
    adapters::aws::errors::{CallError, why},
    config::aws::Bucket,
    failure::Failure,
};

/// A call about one bucket, which must be of the configured account.
macro_rules! call {
    ($client:expr, $of:expr, $call:ident) => {
        $client.$call().bucket($of.bucket.as_str()).expected_bucket_owner($of.account.as_str())
    };
}

pub(super) async fn take(client: &Client, of: &Bucket, step: &Step) -> Result<(), Failure> {
    let failed = |why: String| {
        let what = format!("failed at {} of the bucket {}", step.action(), of.bucket);
        Failure::unfinished(what, CallError::new(why))
    };
    call(client, of, step).await.map_err(failed)
}

async fn call(client: &Client, of: &Bucket, step: &Step) -> Result<(), String> {
    match step {
        Step::CreateBucket(region) => create(client, of, region.as_str()).await,
        Step::OpenPolicy(policy) | Step::PutPolicy(policy) => {
            done(call!(client, of, put_bucket_policy).policy(policy).send().await)
        }
        Step::BlockPublicAccess => {
            let block = PublicAccessBlockConfiguration::builder().block_public_acls(true).ignore_public_acls(true);
            let block = block.block_public_policy(true).restrict_public_buckets(true).build();
            done(call!(client, of, put_public_access_block).public_access_block_configuration(block).send().await)
        }
        Step::OwnEverything => {
            let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced).build();
            let rules = OwnershipControls::builder().rules(rule.map_err(unbuilt)?).build().map_err(unbuilt)?;
            done(call!(client, of, put_bucket_ownership_controls).ownership_controls(rules).send().await)
        }
        Step::EnableVersioning => {
            let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
            done(call!(client, of, put_bucket_versioning).versioning_configuration(enabled).send().await)
        }
        Step::SetRetention(retention) => {
            let lock = default_retention(*retention)?;
            done(call!(client, of, put_object_lock_configuration).object_lock_configuration(lock).send().await)
        }
        Step::Encrypt => {
            let rules = encryption()?;
            done(call!(client, of, put_bucket_encryption).server_side_encryption_configuration(rules).send().await)
        }
        Step::SendLog(target) => {
            let status = sent_to(of, target)?;
            done(call!(client, of, put_bucket_logging).bucket_logging_status(status).send().await)
        }
        Step::SendNoLog => {
            let status = BucketLoggingStatus::builder().build();
            done(call!(client, of, put_bucket_logging).bucket_logging_status(status).send().await)
        }
        Step::RemoveLifecycle => done(call!(client, of, delete_bucket_lifecycle).send().await),
        Step::RemoveReplication => done(call!(client, of, delete_bucket_replication).send().await),
    }
}

/// With Object Lock from the first moment, which brings versioning along.
async fn create(client: &Client, of: &Bucket, region: &str) -> Result<(), String> {
    let place = BucketLocationConstraint::from(region);
    let place = CreateBucketConfiguration::builder().location_constraint(place).build();
    // The one region that is not written as a constraint.
    let place = Some(place).filter(|_| region != "us-east-1");
    let made = client.create_bucket().bucket(of.bucket.as_str()).object_lock_enabled_for_bucket(true);
    done(made.set_create_bucket_configuration(place).send().await)
}

fn default_retention(Retention { mode, years }: Retention) -> Result<ObjectLockConfiguration, String> {
    let mode = match mode {
        LockMode::Governance => ObjectLockRetentionMode::Governance,
        LockMode::Compliance => ObjectLockRetentionMode::Compliance,
    };
    let years = i32::try_from(years).map_err(|error| error.to_string())?;
    let rule = ObjectLockRule::builder().default_retention(DefaultRetention::builder().mode(mode).years(years).build());
    Ok(ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).rule(rule.build()).build())
}

fn encryption() -> Result<ServerSideEncryptionConfiguration, String> {
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256).build();
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default.map_err(unbuilt)?);
    ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().map_err(unbuilt)
}

fn sent_to(of: &Bucket, target: &BucketName) -> Result<BucketLoggingStatus, String> {
    let to = LoggingEnabled::builder().target_bucket(target.as_str()).target_prefix(format!("{}/", of.bucket)).build();
    Ok(BucketLoggingStatus::builder().logging_enabled(to.map_err(unbuilt)?).build())
}

fn unbuilt(error: BuildError) -> String {
    error.to_string()
}

fn done<A, E>(answer: Result<A, SdkError<E, HttpResponse>>) -> Result<(), String>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    answer.map(drop).map_err(|error| why(&error))
}
