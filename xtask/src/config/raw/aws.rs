//! `[profile.aws]` as it is written.

use std::{collections::BTreeMap, num::NonZeroU32};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::{
    cloud::{Account, BucketName, Endpoint, KeyArn, Region, RoleArn},
    names::{AliasName, EnvName},
};

/// S3, Lambda, CloudWatch and KMS in AWS.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    /// A function's name in Lambda; `{function}` and `{environment}` stand for the names.
    pub function_name: String,
    /// The alias that callers use, `live` if not given.
    pub alias: Option<AliasName>,
    /// Where every service answers, if not at its public address. The variable `AWS_ENDPOINT_URL` says the same for one
    /// run.
    pub endpoint: Option<Endpoint>,
    /// Where single services answer.
    #[serde(default)]
    pub endpoints: BTreeMap<Service, Endpoint>,
    /// How many calls of Lambda's control plane this tool may make per second, 10 if not given: the account has 15 in a
    /// region, for everybody.
    pub control_plane_per_second: Option<NonZeroU32>,
    /// Where the boxes and the ledger are kept.
    pub vault: Vault,
    /// Where the jobs run that take the roles: the roles trust them. Only `vault policies` needs it.
    pub github: Option<Github>,
    /// Those who write to the vault, beside the deployers of the environments.
    #[serde(default)]
    pub writers: BTreeMap<WriterName, Writer>,
    /// The environments, each in its region and account.
    pub environments: BTreeMap<EnvName, Environment>,
}

/// A service whose address can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Boxes and ledger.
    S3,
    /// Functions.
    Lambda,
    /// Their alarms and metrics.
    Cloudwatch,
    /// How long their logs are kept.
    Logs,
    /// The writers' keys.
    Kms,
    /// Who this is, and the roles that it takes.
    Sts,
    /// The functions' audit trails.
    Dynamodb,
}

/// One bucket per region; versioned, with Object Lock.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// For how many years an object is kept from the day on which it is written.
    pub retention_years: u16,
    /// How strictly, `GOVERNANCE` if not given. `COMPLIANCE` cannot be taken back by anybody.
    #[serde(default)]
    pub mode: Mode,
    /// The bucket in the first region.
    pub primary: Bucket,
    /// The bucket in the second region; the witness of the first one lies there, too.
    pub recovery: Bucket,
    /// The role that sets the buckets up, and alone may change their policies: `vault apply` takes it.
    pub administrator: Option<RoleArn>,
    /// The role that reads everything and changes nothing: `vault doctor` takes it.
    pub auditor: Option<RoleArn>,
}

/// A repository on GitHub. Its environments are called as the ones here, and for the other writers as the writer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Github {
    /// `owner/repository`.
    pub repository: String,
    /// The owner's number, for a repository that was made, renamed or transferred after 2026-07-15: GitHub then writes
    /// the numbers into its tokens, too.
    pub owner_id: Option<u64>,
    /// The repository's number, as above.
    pub repository_id: Option<u64>,
}

/// How strictly Object Lock keeps an object.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Whoever has the right to bypass it can.
    #[default]
    Governance,
    /// Nobody can, the account's root neither.
    Compliance,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Its name.
    pub bucket: BucketName,
    /// Its region.
    pub region: Region,
    /// The account that owns it; a bucket of the same name in another one is refused.
    pub account: Account,
    /// The bucket that its access log goes to, which is never a vault itself; no access log if not given.
    pub log: Option<BucketName>,
}

/// A writer of the vault that is no environment's deployer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WriterName {
    /// Boxes and numbers.
    Releaser,
    /// Approvals; signed by people, so it has no key of its own.
    Approver,
    /// People, keys, freezes, the emergency stop.
    PolicyAdministrator,
    /// Test reports and other proof.
    Evidence,
}

/// How a writer signs, and as whom it writes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// The KMS key that signs its entries (`ECC_NIST_P256`, for signing).
    pub key: Option<KeyArn>,
    /// The role to take, if the credentials at hand are not of that role already.
    pub role: Option<RoleArn>,
}

/// One environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The region of its functions: that of the vault's bucket, as Lambda takes code from its own region only.
    pub region: Region,
    /// The account of its functions.
    pub account: Account,
    /// The role of its deployer, if the credentials at hand are not of that role already.
    pub role: Option<RoleArn>,
    /// The KMS key that signs its deployer's entries (`ECC_NIST_P256`, for signing).
    pub key: KeyArn,
    /// The KMS key that digests the functions' variables (`HMAC_256`): what may be secret cannot be guessed from it.
    pub variables_key: KeyArn,
    /// A function's name in Lambda there.
    pub function_name: Option<String>,
    /// With what a function that does not exist yet is made; without it that is refused.
    pub create: Option<Create>,
    /// Where its functions' audit trail is; only `audit who` reads it.
    pub audit: Option<Audit>,
}

/// A table of DynamoDB, with the indexes `by_product_and_day` and `by_day`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Its name.
    pub table: String,
    /// The role that reads it, and writes the archive, if the credentials at hand may not.
    pub role: Option<RoleArn>,
    /// The bucket of its archive, in the same region and account, versioned and with Object Lock; objects are kept as strictly
    /// and as long as those of the vault. Only `audit archive` writes to it.
    pub archive: Option<BucketName>,
}

/// How a function is made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// The role that the function runs as.
    pub role: RoleArn,
    /// Its handler, `bootstrap` if not given; the runtime `provided.al2023` does not look at it.
    pub handler: Option<String>,
}
