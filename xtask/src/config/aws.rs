//! `[profile.aws]`, validated.

use std::{collections::BTreeMap, num::NonZeroU32};

pub use crate::config::raw::aws::{Audit, Bucket, Create, Github, Mode, Service};
use crate::{
    config::{raw, validate},
    model::{
        cloud::{Account, Endpoint, KeyArn, Region, RoleArn},
        entry::Writer,
        names::{AliasName, EnvName, FleetName, FunctionName},
    },
};

/// What `--profile aws` runs with.
#[derive(Debug, Clone)]
pub struct Aws {
    /// The alias that callers use.
    pub alias: AliasName,
    /// A function's name in Lambda, by environment.
    pub fleet_names: BTreeMap<(EnvName, FunctionName), FleetName>,
    /// Where every service answers, if not at its public address.
    pub endpoint: Option<Endpoint>,
    /// Where single services answer.
    pub endpoints: BTreeMap<Service, Endpoint>,
    /// Calls of Lambda's control plane per second, for everything that this process does at the same time.
    pub control_plane_per_second: NonZeroU32,
    /// How long and how strictly the vault keeps its objects.
    pub retention: Retention,
    /// The bucket in the first region.
    pub primary: Bucket,
    /// The bucket in the second region.
    pub recovery: Bucket,
    /// How each writer signs and as whom it writes; the deployers are among them.
    pub writers: BTreeMap<Writer, WriterKeys>,
    /// The environments.
    pub environments: BTreeMap<EnvName, Place>,
    /// The names of an environment's functions, with `*` where the function's own name stands.
    pub function_patterns: BTreeMap<EnvName, String>,
    /// The role that sets the buckets up.
    pub administrator: Option<RoleArn>,
    /// The role that reads everything.
    pub auditor: Option<RoleArn>,
    /// Where the jobs run that take the roles.
    pub github: Option<Github>,
}

/// How long an object is kept, counted from the day on which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How strictly.
    pub mode: Mode,
    /// Calendar years.
    pub years: u16,
}

/// A writer's keys, and the role that it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriterKeys {
    /// Signs its entries.
    pub key: Option<KeyArn>,
    /// Digests variables; deployers have one.
    pub variables_key: Option<KeyArn>,
    /// The role to take.
    pub role: Option<RoleArn>,
}

/// Where an environment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The region of its functions.
    pub region: Region,
    /// The account of its functions.
    pub account: Account,
    /// With what a function that does not exist yet is made; without it that is refused.
    pub create: Option<Create>,
    /// Where its functions' audit trail is.
    pub audit: Option<Audit>,
}

/// Calls of Lambda's control plane per second: two thirds of what an account has in a region (15).
const CONTROL_PLANE_SHARE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Validates `[profile.aws]`; every problem is added, in one sentence each.
pub(super) fn validate(raw: &raw::Release, aws: &raw::aws::Aws, problems: &mut Vec<String>) -> Option<Aws> {
    let before = problems.len();
    let names: Vec<&EnvName> = raw.environments.iter().map(|environment| &environment.name).collect();
    for unknown in aws.environments.keys().filter(|name| !names.contains(name)) {
        let place = "profile.aws.environments";
        problems.push(validate::unknown_environment(place, unknown, names.iter().copied()));
    }
    vault(aws, problems);
    for environment in &raw.environments {
        place(environment, aws, problems);
    }
    for (writer, given) in &aws.writers {
        if *writer == raw::aws::WriterName::Approver && given.key.is_some() {
            problems.push("`profile.aws.writers.approver` has a `key`: approvals are signed by people".to_owned());
        }
    }
    let templates = |environment: &EnvName| {
        let own = aws.environments.get(environment);
        let template = own.and_then(|own| own.function_name.as_ref()).unwrap_or(&aws.function_name);
        // In another account or region the same name is another function.
        (template.as_str(), own.map(|own| format!("{} {}", own.account, own.region)).unwrap_or_default())
    };
    let fleet_names = validate::fleet_names(raw, &templates, problems);
    let pattern = |name: &EnvName| templates(name).0.replace("{environment}", name.as_str()).replace("{function}", "*");
    let function_patterns = names.iter().map(|name| ((*name).clone(), pattern(name))).collect();
    let alias = validate::alias(aws.alias.as_ref()).map_err(|error| problems.push(error)).ok()?;
    if problems.len() > before {
        return None;
    }
    Some(Aws {
        alias,
        fleet_names,
        endpoint: aws.endpoint.clone(),
        endpoints: aws.endpoints.clone(),
        control_plane_per_second: aws.control_plane_per_second.unwrap_or(CONTROL_PLANE_SHARE),
        retention: Retention { mode: aws.vault.mode, years: aws.vault.retention_years },
        primary: aws.vault.primary.clone(),
        recovery: aws.vault.recovery.clone(),
        writers: writers(aws),
        environments: aws.environments.iter().map(|(name, own)| (name.clone(), own.into())).collect(),
        function_patterns,
        administrator: aws.vault.administrator.clone(),
        auditor: aws.vault.auditor.clone(),
        github: aws.github.clone(),
    })
}

fn vault(aws: &raw::aws::Aws, problems: &mut Vec<String>) {
    let (primary, recovery, years) = (&aws.vault.primary, &aws.vault.recovery, aws.vault.retention_years);
    if primary.region == recovery.region {
        let region = &primary.region;
        problems
            .push(format!("`profile.aws.vault` has both buckets in {region}: one region may be lost with its vault"));
    }
    // S3 itself allows 100.
    if !(1..=100).contains(&years) {
        problems.push(format!("`profile.aws.vault.retention_years` is {years}, Object Lock allows 1 to 100"));
    }
    let share = aws.control_plane_per_second.map_or(0, NonZeroU32::get);
    if share > 15 {
        problems
            .push(format!("`profile.aws.control_plane_per_second` is {share}, Lambda allows 15 to a whole account"));
    }
}

fn place(environment: &raw::Environment, aws: &raw::aws::Aws, problems: &mut Vec<String>) {
    let name = &environment.name;
    let Some(own) = aws.environments.get(name) else {
        problems.push(format!("`profile.aws.environments` lacks `{name}`: give its region, account and keys"));
        return;
    };
    let bucket = if environment.recovery { &aws.vault.recovery } else { &aws.vault.primary };
    if own.region != bucket.region {
        problems.push(format!(
            "`profile.aws.environments.{name}.region` is {}, but its vault's bucket {} is in {}: \
             Lambda takes code from its own region only",
            own.region, bucket.bucket, bucket.region
        ));
    }
    let create = own.create.as_ref().map(|create| ("create.role", &create.role));
    let audit = own.audit.as_ref().and_then(|audit| Some(("audit.role", audit.role.as_ref()?)));
    for (key, role) in own.role.as_ref().map(|role| ("role", role)).into_iter().chain(create).chain(audit) {
        if role.account() != own.account.as_str() {
            let (found, account) = (role.account(), &own.account);
            problems.push(format!(
                "`profile.aws.environments.{name}.{key}` is a role of account {found}, but {name} is in {account}"
            ));
        }
    }
}

fn writers(aws: &raw::aws::Aws) -> BTreeMap<Writer, WriterKeys> {
    let others = aws.writers.iter().map(|(name, given)| {
        let writer = match name {
            raw::aws::WriterName::Releaser => Writer::Releaser,
            raw::aws::WriterName::Approver => Writer::Approver,
            raw::aws::WriterName::PolicyAdministrator => Writer::PolicyAdministrator,
            raw::aws::WriterName::Evidence => Writer::Evidence,
        };
        (writer, WriterKeys { key: given.key.clone(), variables_key: None, role: given.role.clone() })
    });
    let deployers = aws.environments.iter().map(|(name, own)| {
        let (key, variables_key) = (Some(own.key.clone()), Some(own.variables_key.clone()));
        (Writer::Deployer(name.clone()), WriterKeys { key, variables_key, role: own.role.clone() })
    });
    others.chain(deployers).collect()
}

impl From<&raw::aws::Environment> for Place {
    fn from(raw: &raw::aws::Environment) -> Self {
        Self {
            region: raw.region.clone(),
            account: raw.account.clone(),
            create: raw.create.clone(),
            audit: raw.audit.clone(),
        }
    }
}
