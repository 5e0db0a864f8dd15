//! Fills the variables of a reviewed policy file in. A variable is written `{{name}}`; a statement that speaks of
//! `{{environment}}`, `{{Environment}}` or `{{deployer}}` is written once and rendered for every environment.

use std::{collections::BTreeMap, error::Error, fmt};

use serde_json::Value;

/// The variables of the whole vault: the account's number, the bucket's name, the region's name, and for every writer
/// and the vault administrator (who alone may change the bucket policy) the ARN of the role.
pub const NAMES: [&str; 8] =
    ["account", "approver", "bucket", "evidence", "policy_administrator", "region", "releaser", "vault_administrator"];

const OF_AN_ENVIRONMENT: [&str; 3] = ["{{environment}}", "{{Environment}}", "{{deployer}}"];

/// What the policies are filled in with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// The variables of `NAMES`, by name.
    pub values: BTreeMap<String, String>,
    /// The ARN of each environment's deployer role, by environment.
    pub deployers: BTreeMap<String, String>,
}

/// Why a policy cannot be rendered.
#[derive(Debug)]
pub enum RenderError {
    /// The template is not JSON, or not a policy.
    Template(String),
    /// A variable was given that no policy knows.
    Unknown(String),
    /// The template needs a variable that was not given.
    Missing(String),
    /// A value that could mean more than one thing, as a wildcard does.
    Value {
        /// The variable.
        name: String,
        /// What was given.
        value: String,
    },
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template(what) => write!(f, "the policy file is wrong: {what}"),
            Self::Unknown(name) => {
                write!(f, "no policy knows a variable `{name}`; there are {}", NAMES.join(", "))
            }
            Self::Missing(name) => write!(f, "the policy needs a value for the variable `{name}`"),
            Self::Value { name, value } => {
                write!(f, "the variable `{name}` is `{value}`: write one plain name, number or ARN without wildcards")
            }
        }
    }
}

impl Error for RenderError {}

/// Fills a policy in; the result is indented JSON.
///
/// # Errors
/// If the template is no policy, or a variable is unknown, missing, or has a value that is not plain; it is named.
pub fn render(template: &str, variables: &Variables) -> Result<String, RenderError> {
    validate(variables)?;
    let mut policy: Value = serde_json::from_str(template).map_err(|error| RenderError::Template(error.to_string()))?;
    let statements = policy.get_mut("Statement").and_then(Value::as_array_mut);
    let statements = statements.ok_or_else(|| RenderError::Template("it has no list `Statement`".to_owned()))?;
    let mut rendered = Vec::new();
    for statement in std::mem::take(statements) {
        let text = statement.to_string();
        if !OF_AN_ENVIRONMENT.iter().any(|name| text.contains(name)) {
            rendered.push(fill(statement, &variables.values)?);
            continue;
        }
        if variables.deployers.is_empty() {
            return Err(RenderError::Missing("deployer".to_owned()));
        }
        for (environment, deployer) in &variables.deployers {
            let mut values = variables.values.clone();
            values.insert("environment".to_owned(), environment.clone());
            values.insert("Environment".to_owned(), identifier(environment));
            values.insert("deployer".to_owned(), deployer.clone());
            rendered.push(fill(statement.clone(), &values)?);
        }
    }
    *statements = rendered;
    serde_json::to_string_pretty(&policy).map_err(|error| RenderError::Template(error.to_string()))
}

fn validate(variables: &Variables) -> Result<(), RenderError> {
    if let Some(name) = variables.values.keys().find(|name| !NAMES.contains(&name.as_str())) {
        return Err(RenderError::Unknown(name.clone()));
    }
    let environments = variables.deployers.keys().map(|environment| ("environment", environment));
    let deployers = variables.deployers.values().map(|deployer| ("deployer", deployer));
    let values = variables.values.iter().map(|(name, value)| (name.as_str(), value));
    match values.chain(environments).chain(deployers).find(|(name, value)| !is_plain(name, value)) {
        Some((name, value)) => Err(RenderError::Value { name: name.to_owned(), value: value.clone() }),
        None => Ok(()),
    }
}

/// No wildcard, quote or policy variable can come in through a value, and a role is one role.
fn is_plain(name: &str, value: &str) -> bool {
    let of = |extra: &str| {
        !value.is_empty() && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || extra.contains(c))
    };
    match name {
        "account" => value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit()),
        "bucket" => of("-."),
        "environment" | "region" => of("-"),
        _ => {
            let role = value.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
            role.is_some_and(|(account, role)| is_plain("account", account) && !role.is_empty())
                && value.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-/:".contains(c))
        }
    }
}

/// A statement's identifier is letters and digits only. Environments are in lower case, so no two become one.
pub(crate) fn identifier(environment: &str) -> String {
    let mut letters = environment.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect::<String>().replace('-', "Dash")
}

fn fill(value: Value, values: &BTreeMap<String, String>) -> Result<Value, RenderError> {
    Ok(match value {
        Value::String(text) => Value::String(fill_text(&text, values)?),
        Value::Array(items) => Value::Array(items.into_iter().map(|v| fill(v, values)).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, v)| Ok((key, fill(v, values)?)));
            Value::Object(fields.collect::<Result<_, RenderError>>()?)
        }
        other => other,
    })
}

fn fill_text(text: &str, values: &BTreeMap<String, String>) -> Result<String, RenderError> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) =
            after.split_once("}}").ok_or_else(|| RenderError::Template(format!("`{text}` has no closing braces")))?;
        filled.push_str(before);
        filled.push_str(values.get(name).ok_or_else(|| RenderError::Missing(name.to_owned()))?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check::tests::variables, ownership};

    #[test]
    fn a_missing_unknown_or_wild_variable_is_named() {
        let said = |change: fn(&mut Variables)| {
            let mut variables = variables();
            change(&mut variables);
            render(crate::BUCKET, &variables).unwrap_err().to_string()
        };
        let missing = said(|v| drop(v.values.remove("releaser")));
        assert_eq!(missing, "the policy needs a value for the variable `releaser`");
        let unknown = said(|v| drop(v.values.insert("buket".to_owned(), "x".to_owned())));
        assert!(unknown.starts_with("no policy knows a variable `buket`; there are account, "), "{unknown}");
        let none = said(|v| v.deployers.clear());
        assert_eq!(none, "the policy needs a value for the variable `deployer`");
        for (name, wild) in [
            ("releaser", "*"),
            ("releaser", "arn:aws:iam::111122223333:role/*"),
            ("bucket", "a*"),
            ("bucket", "a\"b"),
            ("account", "1"),
            ("region", ""),
        ] {
            let mut variables = variables();
            variables.values.insert(name.to_owned(), wild.to_owned());
            let error = render(crate::BUCKET, &variables).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the variable `{name}` is `{wild}`")), "{error}");
        }
    }

    #[test]
    fn the_template_names_exactly_the_prefixes_of_the_table() {
        let policy: Value = serde_json::from_str(crate::BUCKET).unwrap();
        let elsewhere = policy["Statement"].as_array().unwrap().iter().find(|s| s["Sid"] == "RefuseWritesElsewhere");
        let said: Vec<_> = elsewhere.unwrap()["NotResource"].as_array().unwrap().iter().map(Value::to_string).collect();
        let table = ownership::TABLE.iter().map(|(prefix, _)| format!("\"arn:aws:s3:::{{{{bucket}}}}/{prefix}*\""));
        assert_eq!(said, table.collect::<Vec<_>>());
    }

    #[test]
    fn identifiers_stay_apart() {
        assert_eq!(identifier("dev"), "Dev");
        assert_ne!(identifier("qa-1"), identifier("qa1"));
    }
}
