//! A policy, read: as much of IAM's language as can be judged here. Whatever is not understood is an error and never
//! counts as a permission or a refusal, so that a doubt cannot hide a hole.
//!
//! The rules are those of AWS's "IAM JSON policy elements reference".

use serde_json::{Map, Value};

mod condition;
pub(crate) mod glob;

pub(crate) use condition::Condition;

/// What a policy is attached to; that decides which elements its statements have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A role: it says what the role may do, so there is no principal.
    Identity,
    /// A bucket or a key: it says who may do what to it.
    Resource,
    /// A role's trust: who may assume it, so there is no resource.
    Trust,
}

/// Why a policy cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is not JSON, or not shaped as a policy.
    #[error("not a policy: {0}")]
    Shape(String),
    /// A statement has something whose meaning is not known here.
    #[error("statement `{statement}` has {what}, which cannot be judged: say it as the reviewed policy does")]
    Unknown {
        /// Its `Sid`, or its number from one on.
        statement: String,
        /// The element, operator, key or value.
        what: String,
    },
}

/// A policy that is understood as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub(crate) statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sid: String,
    pub(crate) denies: bool,
    pub(crate) principals: Option<Vec<Named>>,
    pub(crate) actions: Patterns,
    pub(crate) resources: Option<Patterns>,
    pub(crate) conditions: Vec<Condition>,
}

/// Whom a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Everyone,
    Account(String),
    Arn(String),
    Federated(String),
    Service(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patterns {
    /// `NotAction`, `NotResource`.
    pub(crate) not: bool,
    pub(crate) any: Vec<String>,
}

impl Patterns {
    pub(crate) fn meet(&self, text: &str) -> bool {
        self.any.iter().any(|pattern| glob::matches(pattern, text)) != self.not
    }
}

impl Policy {
    /// Every role that the policy makes a difference for, by its principals or conditions, and every resource. A
    /// wildcard is filled in, so that whoever asks about these meets each exception that the policy makes.
    pub(crate) fn mentions(&self) -> (Vec<String>, Vec<String>) {
        let (mut roles, mut resources) = (Vec::new(), Vec::new());
        for statement in &self.statements {
            roles.extend(statement.principals.iter().flatten().filter_map(|named| match named {
                Named::Arn(arn) => Some(arn.clone()),
                Named::Account(account) => Some(stranger(account)),
                Named::Everyone | Named::Federated(_) | Named::Service(_) => None,
            }));
            roles.extend(statement.conditions.iter().flat_map(|condition| match condition.key.as_str() {
                "aws:principalarn" => condition.values.iter().map(|arn| of_account(arn)).collect(),
                "aws:principalaccount" => condition.values.iter().map(|account| stranger(account)).collect(),
                _ => Vec::new(),
            }));
            resources.extend(statement.resources.iter().flat_map(|patterns| &patterns.any).map(|text| example(text)));
        }
        (roles, resources)
    }

    /// Reads a policy.
    ///
    /// # Errors
    /// If it is no policy of this form, or has an element, operator, condition key or principal that is not known here.
    pub fn parse(text: &str, form: Form) -> Result<Self, PolicyError> {
        let policy: Value = serde_json::from_str(text).map_err(|error| PolicyError::Shape(error.to_string()))?;
        let policy = policy.as_object().ok_or_else(|| PolicyError::Shape("it is no JSON object".to_owned()))?;
        if let Some(other) = policy.keys().find(|key| !["Version", "Id", "Statement"].contains(&key.as_str())) {
            return Err(PolicyError::Shape(format!("it has the element `{other}`")));
        }
        if policy.get("Version").and_then(Value::as_str) != Some("2012-10-17") {
            return Err(PolicyError::Shape("its version is not 2012-10-17".to_owned()));
        }
        let statements = policy.get("Statement").map(listed).unwrap_or_default();
        let numbered = statements.into_iter().enumerate();
        let statements = numbered.map(|(at, value)| statement(at, value, form)).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }
}

fn statement(at: usize, value: &Value, form: Form) -> Result<Statement, PolicyError> {
    let fields = value.as_object().ok_or_else(|| PolicyError::Shape(format!("statement {} is no object", at + 1)))?;
    let sid = fields.get("Sid").and_then(Value::as_str).map_or_else(|| (at + 1).to_string(), str::to_owned);
    let read = || {
        let known = ["Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
        if let Some(other) = fields.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(format!("the element `{other}`"));
        }
        let denies = match fields.get("Effect").and_then(Value::as_str) {
            Some("Allow") => false,
            Some("Deny") => true,
            _ => return Err("an effect that is neither Allow nor Deny".to_owned()),
        };
        let actions = patterns(fields, "Action", "NotAction")?.ok_or("no action")?;
        let lower = actions.any.iter().map(|action| action.to_ascii_lowercase()).collect();
        let resources = patterns(fields, "Resource", "NotResource")?;
        if resources.is_none() != (form == Form::Trust) {
            return Err("a resource where there is none, or none where there must be one".to_owned());
        }
        let principals = fields.get("Principal").map(principals).transpose()?;
        if principals.is_none() != (form == Form::Identity) {
            return Err("a principal where there is none, or none where there must be one".to_owned());
        }
        let conditions = fields.get("Condition").map(condition::read).transpose()?.unwrap_or_default();
        Ok(Statement {
            sid: sid.clone(),
            denies,
            principals,
            actions: Patterns { any: lower, ..actions },
            resources,
            conditions,
        })
    };
    read().map_err(|what| PolicyError::Unknown { statement: sid.clone(), what })
}

/// An element that is given either so or as its opposite.
fn patterns(fields: &Map<String, Value>, positive: &str, negative: &str) -> Result<Option<Patterns>, String> {
    match (fields.get(positive), fields.get(negative)) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(format!("both `{positive}` and `{negative}`")),
        (Some(values), None) => Ok(Some(Patterns { not: false, any: texts(values)? })),
        (None, Some(values)) => Ok(Some(Patterns { not: true, any: texts(values)? })),
    }
}

/// `NotPrincipal` is not among the known elements: AWS itself advises against it.
fn principals(value: &Value) -> Result<Vec<Named>, String> {
    if value == "*" {
        return Ok(vec![Named::Everyone]);
    }
    let kinds = value.as_object().ok_or_else(|| format!("the principal {value}"))?;
    let mut named = Vec::new();
    for (kind, values) in kinds {
        for text in texts(values)? {
            named.push(principal(kind, text)?);
        }
    }
    if named.is_empty() { Err("an empty principal".to_owned()) } else { Ok(named) }
}

fn principal(kind: &str, text: String) -> Result<Named, String> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let identity = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(':'));
    match (kind, identity) {
        ("AWS", _) if text == "*" => Ok(Named::Everyone),
        ("AWS", _) if is_account(&text) => Ok(Named::Account(text)),
        ("AWS", Some((account, "root"))) => Ok(Named::Account(account.to_owned())),
        // A principal has no wildcards: one with a star is a name with a star, which nobody has.
        ("AWS", Some((_, name))) if name.starts_with("role/") || name.starts_with("user/") => Ok(Named::Arn(text)),
        ("Federated", _) => Ok(Named::Federated(text)),
        ("Service", _) => Ok(Named::Service(text)),
        _ => Err(format!("the principal `{text}`")),
    }
}

/// One text or a list of them, without policy variables: what they stand for is known to AWS only.
fn texts(value: &Value) -> Result<Vec<String>, String> {
    let text = |value: &Value| match value {
        Value::String(text) if text.contains("${") => Err(format!("the policy variable `{text}`")),
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        other => Err(format!("the value {other}")),
    };
    listed(value).into_iter().map(text).collect()
}

fn listed(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
}

/// A role of this account that plays no part in the vault.
pub(crate) fn stranger(account: &str) -> String {
    format!("arn:aws:iam::{}:role/any-other-role", account.replace(['*', '?'], "1"))
}

/// A text that a pattern meets.
fn example(pattern: &str) -> String {
    pattern.replace(['*', '?'], "1")
}

/// The same of a role's ARN, whose account has twelve digits.
fn of_account(pattern: &str) -> String {
    example(&pattern.replacen("iam::*:", "iam::999999999999:", 1))
}

#[cfg(test)]
mod tests;
