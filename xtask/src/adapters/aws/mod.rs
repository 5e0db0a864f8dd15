//! AWS: the vault and its witness in S3, the settings of their buckets, the writers' keys in KMS, the fleet in Lambda, its
//! alarms in CloudWatch. The only place that knows the SDK; no type of it leaves here.

mod admin;
mod alarms;
mod bucket;
mod budget;
mod errors;
mod fleet;
mod keys;
mod retention;
mod roles;
mod session;
mod site;
mod trail;
mod vault;
mod witness;

pub use self::{
    alarms::CloudWatchAlarms,
    bucket::{Bucket, Kept},
    budget::{Budget, Kind},
    fleet::{Clients, LambdaFleet, Place},
    keys::{KmsKeys, WriterKey},
    session::{Session, Surroundings},
    trail::DynamoTrail,
    vault::S3Vault,
    witness::BucketWitness,
};

/// The defaults of the SDK that this code was written and tested against: the newest that its documentation lists.
#[must_use]
pub fn behavior_version() -> aws_config::BehaviorVersion {
    aws_config::BehaviorVersion::v2026_01_12()
}
