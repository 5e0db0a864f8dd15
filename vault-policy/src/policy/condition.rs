//! The conditions of a statement: the operators and keys whose meaning is known here, and no others.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    glob::{matches, matches_arn},
    texts,
};

/// The condition keys that a request here decides, in lower case: whatever of them it does not carry is absent. A
/// policy that asks about any other key cannot be judged, because whether a real request carries it is not known.
pub(crate) const KEYS: [&str; 13] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:securetransport",
    "iam:passedtoservice",
    "s3:if-none-match",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:objectcreationoperation",
    "s3:prefix",
    "s3:x-amz-copy-source",
    "token.actions.githubusercontent.com:aud",
    "token.actions.githubusercontent.com:job_workflow_ref",
    "token.actions.githubusercontent.com:sub",
];

/// One key that is compared with values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    test: Test,
    /// The opposite of the test, which also holds for a key that is absent.
    negated: bool,
    /// Holds for a key that is absent.
    if_exists: bool,
    set: Option<Set>,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Equal,
    EqualIgnoringCase,
    Like,
    Arn,
    Null,
    /// The orders of what is given against the value that count.
    Number(&'static [Ordering]),
}

/// How a key with several values is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Any,
    All,
}

impl Condition {
    /// Whether it holds for what the request carries under a key; nothing, if the key is absent.
    pub(crate) fn holds<'a>(&self, carried: impl Fn(&str) -> &'a [String]) -> bool {
        let given = carried(&self.key);
        let meets = |given: &String| self.values.iter().any(|value| self.meets(value, given)) != self.negated;
        match (self.test, self.set) {
            (Test::Null, _) => self.values.iter().any(|value| (value == "true") == given.is_empty()),
            (_, Some(Set::All)) => given.iter().all(meets),
            (_, Some(Set::Any)) => given.iter().any(meets) || (given.is_empty() && self.if_exists),
            (_, None) if given.is_empty() => self.if_exists || self.negated,
            (_, None) => given.iter().all(meets),
        }
    }

    fn meets(&self, value: &str, given: &str) -> bool {
        match self.test {
            Test::Equal => value == given,
            Test::EqualIgnoringCase => value.eq_ignore_ascii_case(given),
            Test::Like => matches(value, given),
            Test::Arn => matches_arn(value, given),
            Test::Null => false,
            Test::Number(orders) => given
                .parse::<i64>()
                .is_ok_and(|given| value.parse::<i64>().is_ok_and(|value| orders.contains(&given.cmp(&value)))),
        }
    }
}

/// Reads the element `Condition`; the error says what is not known.
pub(super) fn read(element: &Value) -> Result<Vec<Condition>, String> {
    let operators = element.as_object().ok_or("a condition that is no object")?;
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let keys = keys.as_object().ok_or_else(|| format!("the operator `{operator}` without keys"))?;
        for (key, values) in keys {
            conditions.push(condition(operator, key, texts(values)?)?);
        }
    }
    Ok(conditions)
}

fn condition(operator: &str, key: &str, values: Vec<String>) -> Result<Condition, String> {
    let (set, rest) = match operator.split_once(':') {
        Some(("ForAnyValue", rest)) => (Some(Set::Any), rest),
        Some(("ForAllValues", rest)) => (Some(Set::All), rest),
        Some(_) => return Err(format!("the operator `{operator}`")),
        None => (None, operator),
    };
    let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
    let (test, negated) = test(rest).ok_or_else(|| format!("the operator `{operator}`"))?;
    if test == Test::Null && (if_exists || set.is_some()) {
        return Err(format!("the operator `{operator}`"));
    }
    let lower = key.to_ascii_lowercase();
    if !KEYS.contains(&lower.as_str()) {
        return Err(format!("the condition key `{key}`"));
    }
    let understood = |value: &&String| match test {
        Test::Null => ["true", "false"].contains(&value.as_str()),
        Test::Number(_) => value.parse::<i64>().is_ok(),
        Test::Arn => value.splitn(6, ':').count() == 6,
        Test::Equal | Test::EqualIgnoringCase | Test::Like => true,
    };
    if let Some(value) = values.iter().find(|value| !understood(value)) {
        return Err(format!("the value `{value}` for `{operator}`"));
    }
    Ok(Condition { test, negated, if_exists, set, key: lower, values })
}

fn test(name: &str) -> Option<(Test, bool)> {
    Some(match name {
        "StringEquals" => (Test::Equal, false),
        "StringNotEquals" => (Test::Equal, true),
        "StringEqualsIgnoreCase" | "Bool" => (Test::EqualIgnoringCase, false),
        "StringNotEqualsIgnoreCase" => (Test::EqualIgnoringCase, true),
        "StringLike" => (Test::Like, false),
        "StringNotLike" => (Test::Like, true),
        "ArnEquals" | "ArnLike" => (Test::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
        "Null" => (Test::Null, false),
        "NumericEquals" => (Test::Number(&[Ordering::Equal]), false),
        "NumericNotEquals" => (Test::Number(&[Ordering::Equal]), true),
        "NumericLessThan" => (Test::Number(&[Ordering::Less]), false),
        "NumericLessThanEquals" => (Test::Number(&[Ordering::Less, Ordering::Equal]), false),
        "NumericGreaterThan" => (Test::Number(&[Ordering::Greater]), false),
        "NumericGreaterThanEquals" => (Test::Number(&[Ordering::Greater, Ordering::Equal]), false),
        _ => return None,
    })
}
