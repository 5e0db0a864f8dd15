//! What each variable of a policy file stands for.

use std::collections::BTreeMap;

use super::{Document, FUNCTION_ROLE, RenderError, identifier};
use crate::{
    names::{EnvironmentName, account_of},
    ownership::Writer,
    vault::{Actor, SIDES, Vault},
};

/// The values of one document.
pub(super) struct Values {
    pub(super) single: BTreeMap<&'static str, String>,
    pub(super) lists: BTreeMap<&'static str, Vec<String>>,
    /// The further values of each environment that the document speaks of.
    pub(super) environments: BTreeMap<EnvironmentName, BTreeMap<&'static str, String>>,
}

impl Values {
    pub(super) fn within(&self, environment: &BTreeMap<&'static str, String>) -> Self {
        let mut single = self.single.clone();
        single.extend(environment.clone());
        Self { single, lists: self.lists.clone(), environments: BTreeMap::new() }
    }
}

pub(super) fn values(vault: &Vault, document: &Document) -> Result<Values, RenderError> {
    let mut values = Values { single: whole(vault), lists: lists(vault), environments: environments(vault) };
    match document {
        Document::Bucket(side) => {
            values.single.insert("bucket", vault.bucket(*side).bucket.to_string());
        }
        Document::Role(actor) => of_role(&mut values, vault, actor)?,
        Document::GithubTrust(actor, subject) => {
            let role = role(vault, actor)?;
            values.single.insert("account", account_of(&role).to_owned());
            values.single.insert("subject", subject.to_string());
        }
        Document::Key(actor) => {
            key(vault, actor).ok_or_else(|| RenderError::NoSuch(format!("key of {actor}")))?;
            values.single.insert("signer", role(vault, actor)?);
        }
        Document::VariablesKey(environment) => {
            values.environments.retain(|name, _| name == environment);
            if values.environments.is_empty() {
                return Err(RenderError::NoSuch(environment.to_string()));
            }
        }
    }
    Ok(values)
}

fn of_role(values: &mut Values, vault: &Vault, actor: &Actor) -> Result<(), RenderError> {
    role(vault, actor)?;
    if let Some(key) = key(vault, actor) {
        values.single.insert("signing_key", key);
    }
    // A deployer's role speaks of its own environment and of no other.
    if let Actor::Writer(Writer::Deployer(own)) = actor {
        values.environments.retain(|environment, _| environment.as_str() == own);
        let own = values.environments.values().next().cloned().unwrap_or_default();
        values.single.extend(own);
    }
    Ok(())
}

fn whole(vault: &Vault) -> BTreeMap<&'static str, String> {
    let roles = &vault.roles;
    let mirror = &vault.mirror;
    let mut values = BTreeMap::from([
        ("bucket", vault.store.bucket.to_string()),
        ("mirror_bucket", mirror.store.bucket.to_string()),
        ("mode", vault.retention.mode.to_string()),
        ("fewest_days", vault.retention.fewest_days().to_string()),
        ("most_days", vault.retention.most_days().to_string()),
        ("releaser", roles.releaser.role.to_string()),
        ("policy_administrator", roles.policy_administrator.role.to_string()),
        ("evidence", roles.evidence.role.to_string()),
        ("approver", roles.approver.to_string()),
        ("vault_administrator", roles.vault_administrator.to_string()),
    ]);
    let writer = vault.environments.get(&mirror.environment);
    values.extend(writer.map(|environment| ("mirror_writer", environment.deployer.role.to_string())));
    values
}

fn lists(vault: &Vault) -> BTreeMap<&'static str, Vec<String>> {
    let buckets = SIDES.into_iter().map(|side| vault.bucket(side));
    let environments = vault.environments.iter();
    BTreeMap::from([
        ("each_bucket", buckets.map(|store| store.bucket.to_string()).collect()),
        ("each_environment", environments.clone().map(|(name, _)| name.to_string()).collect()),
        ("each_deployer", environments.map(|(_, environment)| environment.deployer.role.to_string()).collect()),
        ("each_role", vault.actors().into_iter().map(|(_, role)| role.to_string()).collect()),
        ("each_key", vault.signers().into_iter().map(|(_, signing)| signing.key.to_string()).collect()),
    ])
}

fn environments(vault: &Vault) -> BTreeMap<EnvironmentName, BTreeMap<&'static str, String>> {
    let of_one = vault.environments.iter().map(|(name, environment)| {
        let mut values = BTreeMap::from([
            ("environment", name.to_string()),
            ("Environment", identifier(name)),
            ("deployer", environment.deployer.role.to_string()),
            ("functions", environment.functions.to_string()),
            ("region", vault.region_of(name).to_string()),
            ("account", environment.deployer.role.account().to_owned()),
            ("variables_key", environment.variables_key.to_string()),
        ]);
        values.extend(environment.function_role.as_ref().map(|role| (FUNCTION_ROLE, role.to_string())));
        (name.clone(), values)
    });
    of_one.collect()
}

fn role(vault: &Vault, actor: &Actor) -> Result<String, RenderError> {
    let found = vault.actors().into_iter().find(|(its, _)| its == actor).map(|(_, role)| role.to_string());
    found.ok_or_else(|| RenderError::NoSuch(actor.to_string()))
}

fn key(vault: &Vault, actor: &Actor) -> Option<String> {
    let is = |writer: &Writer| matches!(actor, Actor::Writer(own) if own == writer);
    vault.signers().into_iter().find(|(writer, _)| is(writer)).map(|(_, signing)| signing.key.to_string())
}
