//! What a policy says to one request: as much of the language as the reviewed files use. What it does not understand
//! never counts as a refusal, so that a doubt shows as a hole.

use std::collections::BTreeMap;

use serde_json::Value;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    /// The ARN of the role that asks.
    pub(crate) principal: &'a str,
    /// `s3:PutObject` and so on.
    pub(crate) action: &'a str,
    /// The ARN of what it is about.
    pub(crate) resource: String,
    /// The condition keys that it carries, in lower case.
    pub(crate) context: BTreeMap<&'a str, &'a str>,
}

/// Whether a statement of this effect meets the request.
pub(crate) fn meets(policy: &Value, effect: &str, request: &Request<'_>) -> bool {
    let statements = policy.get("Statement").map(listed).unwrap_or_default();
    statements.into_iter().any(|statement| statement["Effect"] == effect && applies(statement, request))
}

fn applies(statement: &Value, request: &Request<'_>) -> bool {
    let known = ["Sid", "Effect", "Principal", "Action", "Resource", "NotResource", "Condition"];
    let understood = statement.as_object().is_some_and(|s| s.keys().all(|key| known.contains(&key.as_str())));
    let resource = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(resource), None) => any(resource, |pattern| matches(pattern, &request.resource)),
        (None, Some(not)) => !any(not, |pattern| matches(pattern, &request.resource)),
        _ => false,
    };
    let action = |pattern: &str| matches(&pattern.to_ascii_lowercase(), &request.action.to_ascii_lowercase());
    understood
        && statement.get("Principal").is_none_or(|principal| names(principal, request.principal))
        && statement.get("Action").is_some_and(|actions| any(actions, action))
        && resource
        && conditions(statement.get("Condition"), request)
}

/// A policy of a role has no principal; in a bucket policy only `*` stands for everyone, never a part of an ARN.
fn names(principal: &Value, role: &str) -> bool {
    any(principal.get("AWS").unwrap_or(principal), |named| named == "*" || named == role)
}

fn conditions(condition: Option<&Value>, request: &Request<'_>) -> bool {
    let Some(condition) = condition else { return true };
    let Some(operators) = condition.as_object() else { return false };
    operators.iter().all(|(operator, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter().all(|(key, values)| {
                let given = request.context.get(key.to_ascii_lowercase().as_str()).copied();
                holds(operator, given, values)
            })
        })
    })
}

fn holds(operator: &str, given: Option<&str>, values: &Value) -> bool {
    let equal = |value: &str| given == Some(value);
    match operator {
        "Null" => any(values, |value| value == if given.is_none() { "true" } else { "false" }),
        "Bool" | "StringEquals" => any(values, equal),
        "ArnEquals" => given.is_some_and(|given| any(values, |value| matches(value, given))),
        "StringNotEquals" => !any(values, equal),
        "ArnNotEquals" => !given.is_some_and(|given| any(values, |value| matches(value, given))),
        _ => false,
    }
}

fn any(values: &Value, test: impl Fn(&str) -> bool) -> bool {
    listed(values).into_iter().filter_map(Value::as_str).any(test)
}

fn listed(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
}

/// `*` stands for any text, slashes included, `?` for one character. A mismatch goes back to the last `*` only, which
/// lets that one take one character more: a policy with many of them costs no more than its length times the text's.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read, mut star) = (0, 0, None);
    while let Some(c) = text.get(read) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at + 1, read));
                at += 1;
            }
            Some(p) if *p == '?' || p == c => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((after, taken)) = star else { return false };
                star = Some((after, taken + 1));
                (at, read) = (after, taken + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_policies() {
        for (pattern, text) in
            [("*", ""), ("a*", "a/b"), ("v*.*.*/*", "v1.0.0/x/y"), ("a?c", "abc"), ("é*", "éa"), ("*ab*b", "aabcb")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a?", "a"), ("v*.*.*/*", "v1.0/x"), ("", "a"), ("*ab", "abc")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_understood_never_counts() {
        let request =
            Request { principal: "r", action: "s3:PutObject", resource: "o".to_owned(), context: BTreeMap::new() };
        let plain = serde_json::json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:put*", "Resource": "*" });
        let meets = |change: fn(&mut Value)| {
            let mut statement = plain.clone();
            change(&mut statement);
            super::meets(&serde_json::json!({ "Statement": statement }), "Deny", &request)
        };
        assert!(meets(|_| {}));
        assert!(!meets(|s| s["NotAction"] = "s3:Get*".into()));
        assert!(!meets(|s| s["Condition"] = serde_json::json!({ "DateLessThan": { "aws:CurrentTime": "2020" } })));
        assert!(!meets(|s| s["Principal"] = serde_json::json!({ "AWS": "q" })));
        assert!(!meets(|s| s["Resource"] = "p".into()));
    }
}
