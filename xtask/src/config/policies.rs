//! The vault as its policies see it, from `[profile.aws]`: who plays which role, with which key. What is missing for that
//! is no mistake of the file, as the pipeline runs without; it is told all at once.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use vault_policy::{
    names::{EnvironmentName, GithubOwner, GithubRepository},
    ownership::{Kind, Writer as Owner},
    trust::Subject,
    vault::{Actor, Environment, LockMode, Mirror, Retention, Roles, Signing, Store, Vault},
};

use crate::{
    config::{
        Config,
        aws::{Aws, Bucket, Mode, WriterKeys},
    },
    failure::Failure,
    model::{entry::Writer, names::EnvName},
};

/// What policies are rendered for.
///
/// # Errors
/// Usage: `[profile.aws]` does not say everything that the policies name; the message lists what.
pub fn vault(config: &Config) -> Result<Vault, Failure> {
    let aws = profile(config)?;
    let mut reader = Reader { aws, problems: Vec::new() };
    let vault = reader.vault(config);
    match vault {
        Some(vault) if reader.problems.is_empty() => Ok(vault),
        _ => Err(told(&reader.problems)),
    }
}

/// Whom each writer's role trusts: the jobs of one environment on GitHub. None, if no repository is configured.
///
/// # Errors
/// Usage: the repository is not given as GitHub names it.
pub fn trusted(config: &Config) -> Result<Vec<(Actor, Subject)>, Failure> {
    let aws = profile(config)?;
    let Some(github) = &aws.github else { return Ok(Vec::new()) };
    let mut reader = Reader { aws, problems: Vec::new() };
    let (owner, repository) = github.repository.split_once('/').unwrap_or_default();
    let numbers = github.owner_id.zip(github.repository_id);
    if numbers.is_none() && (github.owner_id.is_some() || github.repository_id.is_some()) {
        reader.problems.push("`profile.aws.github` has one number: give `owner_id` and `repository_id`".to_owned());
    }
    let place = "profile.aws.github.repository";
    let owner = reader.named::<GithubOwner>(place, Some(owner));
    let repository = reader.named::<GithubRepository>(place, Some(repository));
    let kinds = [Kind::Releaser, Kind::PolicyAdministrator, Kind::Evidence, Kind::Approver].map(Owner::Of);
    let deployers = aws.environments.keys().map(|name| Owner::Deployer(name.to_string()));
    let mut all = Vec::new();
    for writer in kinds.into_iter().chain(deployers) {
        let name = match &writer {
            Owner::Deployer(environment) => environment.clone(),
            other => other.to_string(),
        };
        let environment = reader.named("the environment on GitHub", Some(name.as_str()));
        if let (Some(owner), Some(repository), Some(environment)) = (&owner, &repository, environment) {
            let subject = Subject { owner: owner.clone(), repository: repository.clone(), numbers, environment };
            all.push((Actor::Writer(writer), subject));
        }
    }
    if reader.problems.is_empty() { Ok(all) } else { Err(told(&reader.problems)) }
}

fn profile(config: &Config) -> Result<&Aws, Failure> {
    config.aws.as_ref().ok_or_else(|| Failure::usage("release.toml has no [profile.aws], so the vault has no buckets"))
}

fn told(problems: &[String]) -> Failure {
    Failure::usage(format!(
        "policies name roles and keys that release.toml does not give:\n  {}",
        problems.join("\n  ")
    ))
}

struct Reader<'a> {
    aws: &'a Aws,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn vault(&mut self, config: &Config) -> Option<Vault> {
        let aws = self.aws;
        let recovery = config.path.iter().find(|stop| stop.recovery).map(|stop| stop.environment.as_str());
        if recovery.is_none() {
            let text = "no environment has `recovery = true`: its deployer is who writes the second region's bucket";
            self.problems.push(text.to_owned());
        }
        let environment: Option<EnvironmentName> =
            recovery.and_then(|name| self.named("the environment of the second region", Some(name)));
        let store = self.store("primary", &aws.primary);
        let mirror = self.store("recovery", &aws.recovery);
        let roles = self.roles();
        let environments = self.environments();
        let mode = match aws.retention.mode {
            Mode::Governance => LockMode::Governance,
            Mode::Compliance => LockMode::Compliance,
        };
        Some(Vault {
            store: store?,
            mirror: Mirror { store: mirror?, environment: environment? },
            retention: Retention { mode, years: aws.retention.years.into() },
            roles: roles?,
            environments,
        })
    }

    fn store(&mut self, name: &str, bucket: &Bucket) -> Option<Store> {
        let place = format!("profile.aws.vault.{name}");
        let log = bucket.log.as_ref().map(|log| self.named(&format!("{place}.log"), Some(log)));
        let region = self.named(&format!("{place}.region"), Some(&bucket.region));
        Some(Store {
            bucket: self.named(&format!("{place}.bucket"), Some(&bucket.bucket))?,
            region: region?,
            log: log.flatten(),
        })
    }

    fn roles(&mut self) -> Option<Roles> {
        let aws = self.aws;
        let none = WriterKeys::default();
        let approver = aws.writers.get(&Writer::Approver).unwrap_or(&none).role.as_ref();
        let approver = self.named("profile.aws.writers.approver.role", approver);
        let auditor = self.named("profile.aws.vault.auditor", aws.auditor.as_ref());
        let administrator = self.named("profile.aws.vault.administrator", aws.administrator.as_ref());
        let releaser = self.signing("writers.releaser", &Writer::Releaser);
        let policy_administrator = self.signing("writers.policy-administrator", &Writer::PolicyAdministrator);
        let evidence = self.signing("writers.evidence", &Writer::Evidence);
        Some(Roles {
            releaser: releaser?,
            policy_administrator: policy_administrator?,
            evidence: evidence?,
            approver: approver?,
            auditor: auditor?,
            vault_administrator: administrator?,
        })
    }

    fn signing(&mut self, place: &str, writer: &Writer) -> Option<Signing> {
        let none = WriterKeys::default();
        let own = self.aws.writers.get(writer).unwrap_or(&none);
        let role = self.named(&format!("profile.aws.{place}.role"), own.role.as_ref());
        let key = self.named(&format!("profile.aws.{place}.key"), own.key.as_ref());
        Some(Signing { role: role?, key: key? })
    }

    fn environments(&mut self) -> BTreeMap<EnvironmentName, Environment> {
        let names: Vec<&EnvName> = self.aws.environments.keys().collect();
        names.into_iter().filter_map(|name| self.environment(name)).collect()
    }

    fn environment(&mut self, name: &EnvName) -> Option<(EnvironmentName, Environment)> {
        let (aws, place) = (self.aws, format!("environments.{name}"));
        let writer = Writer::Deployer(name.clone());
        let deployer = self.signing(&place, &writer);
        let variables_key = aws.writers.get(&writer).and_then(|own| own.variables_key.as_ref());
        let variables_key = self.named(&format!("profile.aws.{place}.variables_key"), variables_key);
        let pattern = aws.function_patterns.get(name);
        let functions = self.named(&format!("profile.aws.{place}.function_name"), pattern);
        let create = aws.environments.get(name).and_then(|place| place.create.as_ref());
        let function_role =
            create.map(|create| self.named(&format!("profile.aws.{place}.create.role"), Some(&create.role)));
        let environment = Environment {
            deployer: deployer?,
            variables_key: variables_key?,
            functions: functions?,
            function_role: function_role.flatten(),
        };
        Some((self.named(&place, Some(name))?, environment))
    }

    /// A value as the policies take it; what is missing or wrong is noted.
    fn named<T>(&mut self, place: &str, value: Option<impl Display>) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let problem = match value.map(|value| value.to_string().parse()) {
            Some(Ok(named)) => return Some(named),
            Some(Err(error)) => format!("`{place}`: {error}"),
            None => format!("`{place}` is missing"),
        };
        self.problems.push(problem);
        None
    }
}
