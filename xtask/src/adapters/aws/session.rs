//! A connection to AWS: the standard chain's credentials, proven to be of a configured account; the roles that are taken
//! with them; and where each service answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_config::{Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::{
    adapters::aws::{
        behavior_version,
        errors::{CallError, why},
        roles::RoleCredentials,
    },
    config::aws::{Aws, Service},
    context::Subject,
    failure::Failure,
    model::{cloud::RoleArn, entry::Writer, names::EnvName},
};

/// A connection.
#[derive(Debug, Clone)]
pub struct Session {
    base: SdkConfig,
    roles: BTreeMap<RoleArn, SharedCredentialsProvider>,
    identity: Identity,
    path_style: bool,
    pub(super) aws: Aws,
}

/// What a connection needs to know of this process.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Who runs the command.
    pub actor: String,
    /// The release that the process is about, as soon as it is known.
    pub subject: Arc<Subject>,
    /// The process's environment.
    pub environment: BTreeMap<String, String>,
}

/// Whom the credentials at hand belong to.
#[derive(Debug, Clone)]
struct Identity {
    account: String,
    arn: String,
}

impl Session {
    /// Connects with the credentials of the standard chain.
    ///
    /// # Errors
    /// Usage: they belong to none of the accounts that release.toml names. Unfinished: there are none, or AWS is out of
    /// reach.
    pub async fn open(aws: &Aws, surroundings: &Surroundings) -> Result<Self, Failure> {
        // The region must not be looked for anywhere: release.toml says it.
        let loader = aws_config::defaults(behavior_version()).region(Region::new(aws.primary.region.to_string()));
        let tls = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        Self::with(aws, surroundings, loader.http_client(tls.build_https()).load().await).await
    }

    /// Connects to an emulator of AWS as its root, whatever credentials are at hand; the configuration says where it is.
    ///
    /// # Errors
    /// As `open`.
    pub async fn emulated(aws: &Aws, surroundings: &Surroundings) -> Result<Self, Failure> {
        let root = Credentials::new("test", "test", None, None, "the emulator's root");
        let base = SdkConfig::builder()
            .behavior_version(behavior_version())
            .credentials_provider(SharedCredentialsProvider::new(root))
            // Its certificate would be nobody's: it has none.
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Self::with(aws, surroundings, base.build()).await
    }

    /// Connects with this configuration of the SDK.
    ///
    /// # Errors
    /// As `open`.
    pub async fn with(aws: &Aws, surroundings: &Surroundings, base: SdkConfig) -> Result<Self, Failure> {
        let sts = aws_sdk_sts::Client::new(&config(&base, aws, Service::Sts, aws.primary.region.as_str()));
        let identity = identify(&sts).await?;
        let environments = aws.environments.values().map(|place| place.account.as_str());
        let vaults = [aws.primary.account.as_str(), aws.recovery.account.as_str()];
        let known: BTreeSet<&str> = environments.chain(vaults).collect();
        if !known.contains(identity.account.as_str()) {
            let (known, Identity { account, arn }) = (known.into_iter().collect::<Vec<_>>().join(", "), &identity);
            return Err(Failure::usage(format!(
                "these credentials are of the AWS account {account} ({arn}), and release.toml names {known}: \
                 choose others (AWS_PROFILE), or correct `[profile.aws]`"
            )));
        }
        let roles = aws.writers.values().filter_map(|writer| writer.role.clone());
        let roles = roles.chain(aws.administrator.clone()).chain(aws.auditor.clone());
        let audits = aws.environments.values().filter_map(|place| place.audit.as_ref()?.role.clone());
        let roles = roles.chain(audits).filter(|role| !identity.is(role)).map(|role| {
            let taken = RoleCredentials::new(sts.clone(), role.clone(), &surroundings.actor, &surroundings.subject);
            (role, SharedCredentialsProvider::new(taken))
        });
        let named = |name: &str| surroundings.environment.get(name).is_some_and(|value| !value.is_empty());
        let path_style = aws.endpoint.is_some()
            || aws.endpoints.contains_key(&Service::S3)
            || base.endpoint_url().is_some()
            || named("AWS_ENDPOINT_URL_S3");
        Ok(Self { roles: roles.collect(), base, identity, path_style, aws: aws.clone() })
    }

    /// Why an environment cannot be written to with these credentials, if it cannot: without a role of its own they must
    /// be of its account.
    #[must_use]
    pub fn withheld(&self, environment: &EnvName) -> Option<String> {
        let place = self.aws.environments.get(environment)?;
        let writer = self.aws.writers.get(&Writer::Deployer(environment.clone()))?;
        let Identity { account, arn } = &self.identity;
        (writer.role.is_none() && *account != place.account.as_str()).then(|| {
            format!(
                "these credentials are of the AWS account {account} ({arn}), and {environment} is in {}: choose others \
                 (AWS_PROFILE), or give `profile.aws.environments.{environment}.role` in release.toml",
                place.account
            )
        })
    }

    /// A client of S3 in a region, as this writer, or with the credentials at hand.
    pub(super) fn s3(&self, region: &str, writer: Option<&Writer>) -> aws_sdk_s3::Client {
        self.s3_with(self.config(Service::S3, region, writer))
    }

    /// A client of S3 in a region, with this role.
    pub(super) fn s3_as(&self, region: &str, role: &RoleArn) -> aws_sdk_s3::Client {
        self.s3_with(self.config_as(Service::S3, region, Some(role)))
    }

    fn s3_with(&self, config: SdkConfig) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&config);
        // A bucket's own host name exists in AWS only.
        aws_sdk_s3::Client::from_conf(config.force_path_style(self.path_style).build())
    }

    /// A client of KMS in a region, as this writer, or with the credentials at hand.
    pub(super) fn kms(&self, region: &str, writer: Option<&Writer>) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.config(Service::Kms, region, writer))
    }

    /// A client of Lambda in a region, as this writer. What others use of the account's rates is waited for.
    pub(super) fn lambda(&self, region: &str, writer: Option<&Writer>) -> aws_sdk_lambda::Client {
        let config = self.config(Service::Lambda, region, writer).into_builder();
        aws_sdk_lambda::Client::new(&config.retry_config(RetryConfig::adaptive()).build())
    }

    /// A client of CloudWatch Logs in a region, as this writer.
    pub(super) fn logs(&self, region: &str, writer: Option<&Writer>) -> aws_sdk_cloudwatchlogs::Client {
        let config = self.config(Service::Logs, region, writer).into_builder();
        aws_sdk_cloudwatchlogs::Client::new(&config.retry_config(RetryConfig::adaptive()).build())
    }

    /// A client of CloudWatch in a region, as this writer.
    pub(super) fn cloudwatch(&self, region: &str, writer: Option<&Writer>) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.config(Service::Cloudwatch, region, writer))
    }

    /// A client of DynamoDB in a region, with this role, or with the credentials at hand.
    pub(super) fn dynamodb(&self, region: &str, role: Option<&RoleArn>) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config_as(Service::Dynamodb, region, role))
    }

    fn config(&self, service: Service, region: &str, writer: Option<&Writer>) -> SdkConfig {
        let role = writer.and_then(|writer| self.aws.writers.get(writer)).and_then(|writer| writer.role.as_ref());
        self.config_as(service, region, role)
    }

    fn config_as(&self, service: Service, region: &str, role: Option<&RoleArn>) -> SdkConfig {
        let config = config(&self.base, &self.aws, service, region);
        match role.and_then(|role| self.roles.get(role)) {
            Some(taken) => config.into_builder().credentials_provider(taken.clone()).build(),
            None => config,
        }
    }
}

impl Identity {
    /// Whether the credentials are of this role already, as in a CI job that holds its environment's role.
    fn is(&self, role: &RoleArn) -> bool {
        let mut resource = self.arn.rsplit(':').next().unwrap_or_default().split('/');
        resource.next() == Some("assumed-role")
            && resource.next() == Some(role.role_name())
            && self.account == role.account()
    }
}

/// The SDK's configuration of one service. What release.toml says comes before AWS_ENDPOINT_URL, as what a program says
/// does in every SDK.
fn config(base: &SdkConfig, aws: &Aws, service: Service, region: &str) -> SdkConfig {
    let mut config = base.to_builder().region(Region::new(region.to_owned()));
    if let Some(endpoint) = aws.endpoints.get(&service).or(aws.endpoint.as_ref()) {
        config.set_endpoint_url(Some(endpoint.to_string()));
    }
    config.build()
}

async fn identify(sts: &aws_sdk_sts::Client) -> Result<Identity, Failure> {
    let asked = sts.get_caller_identity().send().await;
    let asked = asked.map_err(|error| {
        Failure::unfinished("failed to ask AWS whose these credentials are", CallError::new(why(&error)))
    })?;
    let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
    Ok(Identity { account: text(asked.account()), arn: text(asked.arn()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_is_held_is_not_taken_again() {
        let identity = |arn: &str| Identity { account: "123456789012".to_owned(), arn: arn.to_owned() };
        let held = identity("arn:aws:sts::123456789012:assumed-role/deployer-dev/job-7");
        let role = |text: &str| text.parse().unwrap();
        assert!(held.is(&role("arn:aws:iam::123456789012:role/ci/deployer-dev")));
        assert!(!held.is(&role("arn:aws:iam::123456789012:role/deployer-qa")));
        assert!(!held.is(&role("arn:aws:iam::999999999999:role/deployer-dev")));
        let user = identity("arn:aws:iam::123456789012:user/deployer-dev");
        assert!(!user.is(&role("arn:aws:iam::123456789012:role/deployer-dev")));
    }
}
