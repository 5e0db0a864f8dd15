//! Fills the variables of the reviewed policy files in. A variable is written `{{name}}`. A statement that speaks of
//! `{{environment}}`, `{{Environment}}`, `{{deployer}}` or `{{functions}}` is written once and rendered for every
//! environment (one with `{{function_role}}` for those that have one); an item of a list that holds `{{each_…}}` is repeated for each of what it names. What is a variable of
//! no vault, or is left over, is refused, and so is what is longer than AWS takes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    consistent::{self, VaultError},
    names::EnvironmentName,
    trust::Subject,
    vault::{Actor, SIDES, Side, Vault},
};

mod values;

use values::{Values, values};

/// A policy that a vault needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// The policy of one of the buckets.
    Bucket(Side),
    /// What a role may do.
    Role(Actor),
    /// Who may assume a role: the jobs of one environment on GitHub.
    GithubTrust(Actor, Subject),
    /// The policy of the key that this actor signs with.
    Key(Actor),
    /// The policy of the key that this environment's deployer digests variables with.
    VariablesKey(EnvironmentName),
}

impl Document {
    /// The longest that AWS takes, in characters, as it counts them.
    fn limit(&self) -> usize {
        match self {
            // A bucket policy may have 20 KB, all counted.
            Self::Bucket(_) => 20_480,
            // All inline policies of a role together; white space does not count. A managed policy may have 6,144.
            Self::Role(_) => 10_240,
            // Without asking for a higher quota.
            Self::GithubTrust(..) => 2_048,
            Self::Key(_) | Self::VariablesKey(_) => 32_768,
        }
    }
}

/// Why a policy cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The vault is described so that its policies could not keep people apart.
    #[error("the policies of this vault would not hold")]
    Vault(#[from] VaultError),
    /// There is no such policy: no such environment, or an actor without a key.
    #[error("this vault has no {0}: describe it first")]
    NoSuch(String),
    /// The reviewed file is not a policy.
    #[error("the reviewed policy file is wrong: {0}; put the released one back")]
    Template(String),
    /// The reviewed file has a variable that is not known there, or braces that are left over.
    #[error("the reviewed policy file has `{{{{{0}}}}}`, which is no variable there; put the released one back")]
    Variable(String),
    /// AWS would not take it.
    #[error("a policy has {length} characters and AWS takes {limit}: have fewer environments in one vault")]
    TooLong {
        /// Characters that it has.
        length: usize,
        /// Characters that it may have.
        limit: usize,
    },
}

/// Fills a reviewed policy file in; the result is JSON without white space, as it is sent.
///
/// # Errors
/// If the vault is inconsistent or has no such policy, or the file has an unknown variable or becomes too long.
pub fn render(vault: &Vault, document: &Document) -> Result<String, RenderError> {
    consistent::check(vault)?;
    let text = fill_in(template(vault, document), &values(vault, document)?)?;
    let length = text.chars().count();
    if length > document.limit() {
        return Err(RenderError::TooLong { length, limit: document.limit() });
    }
    Ok(text)
}

/// Whether an inline policy of a role may also be a managed one, which has its own, lower limit.
#[must_use]
pub fn fits_managed(policy: &str) -> bool {
    policy.chars().filter(|c| !c.is_whitespace()).count() <= 6_144
}

/// Every policy of a vault but the trust policies, whose subjects are GitHub's.
#[must_use]
pub fn documents(vault: &Vault) -> Vec<Document> {
    let roles = vault.actors().into_iter().map(|(actor, _)| Document::Role(actor));
    let keys = vault.signers().into_iter().map(|(writer, _)| Document::Key(Actor::Writer(writer)));
    let digests = vault.environments.keys().cloned().map(Document::VariablesKey);
    SIDES.into_iter().map(Document::Bucket).chain(roles).chain(keys).chain(digests).collect()
}

fn template(vault: &Vault, document: &Document) -> &'static str {
    use crate::ownership::{Kind, Writer::*};
    match document {
        Document::Bucket(Side::Vault) => include_str!("../policies/bucket.json"),
        Document::Bucket(Side::Mirror) => include_str!("../policies/bucket-mirror.json"),
        Document::GithubTrust(..) => include_str!("../policies/trust/github.json"),
        Document::Key(_) => include_str!("../policies/key.json"),
        Document::VariablesKey(_) => include_str!("../policies/variables-key.json"),
        Document::Role(actor) if vault.recovery() == *actor => include_str!("../policies/roles/recovery-deployer.json"),
        Document::Role(Actor::Auditor) => include_str!("../policies/roles/auditor.json"),
        Document::Role(Actor::VaultAdministrator) => include_str!("../policies/roles/vault-administrator.json"),
        Document::Role(Actor::Writer(Of(Kind::Releaser))) => include_str!("../policies/roles/releaser.json"),
        Document::Role(Actor::Writer(Of(Kind::Approver))) => include_str!("../policies/roles/approver.json"),
        Document::Role(Actor::Writer(Of(Kind::PolicyAdministrator))) => {
            include_str!("../policies/roles/policy-administrator.json")
        }
        Document::Role(Actor::Writer(Of(Kind::Evidence))) => include_str!("../policies/roles/evidence.json"),
        Document::Role(Actor::Writer(Deployer(_) | Of(Kind::Deployer))) => {
            include_str!("../policies/roles/deployer.json")
        }
    }
}

/// A statement that speaks of it is left out where an environment's functions are made by somebody else.
const FUNCTION_ROLE: &str = "function_role";

const OF_AN_ENVIRONMENT: [&str; 4] = ["{{environment}}", "{{Environment}}", "{{deployer}}", "{{functions}}"];

fn fill_in(template: &str, values: &Values) -> Result<String, RenderError> {
    let mut policy: Value = serde_json::from_str(template).map_err(|error| RenderError::Template(error.to_string()))?;
    let statements = policy.get_mut("Statement").and_then(Value::as_array_mut);
    let statements = statements.ok_or_else(|| RenderError::Template("it has no list `Statement`".to_owned()))?;
    let mut rendered = Vec::new();
    for statement in std::mem::take(statements) {
        let text = statement.to_string();
        if !OF_AN_ENVIRONMENT.iter().any(|name| text.contains(name)) {
            rendered.push(fill(statement, values)?);
            continue;
        }
        let makes = text.contains(&format!("{{{{{FUNCTION_ROLE}}}}}"));
        for of_one in values.environments.values().filter(|one| !makes || one.contains_key(FUNCTION_ROLE)) {
            rendered.push(fill(statement.clone(), &values.within(of_one))?);
        }
    }
    *statements = rendered;
    Ok(policy.to_string())
}

fn fill(value: Value, values: &Values) -> Result<Value, RenderError> {
    Ok(match value {
        Value::String(text) => Value::String(fill_text(&text, &values.single)?),
        Value::Array(items) => {
            let mut filled = Vec::new();
            for item in items {
                match &item {
                    Value::String(text) if text.contains("{{each_") => filled.extend(repeat(text, values)?),
                    _ => filled.push(fill(item, values)?),
                }
            }
            Value::Array(filled)
        }
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, v)| Ok((fill_text(&key, &values.single)?, fill(v, values)?)));
            Value::Object(fields.collect::<Result<_, RenderError>>()?)
        }
        other => other,
    })
}

fn repeat(text: &str, values: &Values) -> Result<Vec<Value>, RenderError> {
    let found = values.lists.iter().find(|(name, _)| text.contains(&format!("{{{{{name}}}}}")));
    let Some((name, items)) = found else { return Err(RenderError::Variable(text.to_owned())) };
    let one = |item: &String| {
        let mut single = values.single.clone();
        single.insert(name, item.clone());
        fill_text(text, &single).map(Value::String)
    };
    items.iter().map(one).collect()
}

fn fill_text(text: &str, values: &BTreeMap<&str, String>) -> Result<String, RenderError> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| RenderError::Variable(text.to_owned()))?;
        filled.push_str(before);
        filled.push_str(values.get(name).ok_or_else(|| RenderError::Variable(name.to_owned()))?);
        rest = after;
    }
    filled.push_str(rest);
    if filled.contains(['{', '}', '$']) { Err(RenderError::Variable(filled)) } else { Ok(filled) }
}

/// A statement's identifier is letters and digits only. Environments are in lower case, so no two become one.
pub(crate) fn identifier(environment: &EnvironmentName) -> String {
    let mut letters = environment.as_str().chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect::<String>().replace('-', "Dash")
}

#[cfg(test)]
mod tests;
