//! Where the emulator that the tests run against answers otherwise than AWS, and what a policy must say instead to be
//! enforced there. Never for AWS: what is taken out here is proven by evaluation, on the policies as they are.

use serde_json::Value;

/// One change to a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Substitution {
    /// What is changed.
    pub change: Change,
    /// What the emulator does, and so what the change is for.
    pub reason: &'static str,
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Every statement that asks about this condition key goes.
    WithoutStatementsAbout(&'static str),
    /// Whoever names one of these actions names that one instead.
    Action {
        /// The actions as AWS has them.
        from: &'static [&'static str],
        /// The one that the emulator asks for.
        to: &'static str,
    },
    /// Whoever compares `aws:PrincipalArn` with a role compares it with the role's sessions instead.
    RolesBySession,
    /// Whoever permits this action on something permits it on everything.
    Everywhere(&'static str),
}

/// All that the emulator needs (MiniStack 1.5.33).
pub const EMULATOR: [Substitution; 5] = [
    Substitution {
        change: Change::WithoutStatementsAbout("s3:if-none-match"),
        reason: "no request carries the key there, so the refusal of unconditional writes refuses every write",
    },
    Substitution {
        change: Change::Action {
            from: &["lambda:DeleteAlias", "lambda:GetAlias", "lambda:UpdateAlias"],
            to: "lambda:ListAliases",
        },
        reason: "calls about one alias are checked as lambda:ListAliases, so that only this name permits or refuses them",
    },
    Substitution {
        change: Change::RolesBySession,
        reason: "of a session `aws:PrincipalArn` is its own name there, and not its role's as in AWS",
    },
    Substitution {
        change: Change::Everywhere("lambda:CreateFunction"),
        reason: "a function that is to be made is checked as `*`, whatever its name",
    },
    Substitution {
        change: Change::Everywhere("logs:DescribeLogGroups"),
        reason: "a list of log groups is checked as `*`, and in AWS as log groups of its account and region",
    },
];

/// A policy with these changes made.
#[must_use]
pub fn substitute(policy: &Value, substitutions: &[Substitution]) -> Value {
    let mut policy = policy.clone();
    for substitution in substitutions {
        if let Some(statements) = policy.get_mut("Statement").and_then(Value::as_array_mut) {
            match substitution.change {
                Change::WithoutStatementsAbout(key) => statements.retain(|statement| !asks(statement, key)),
                Change::Action { from, to } => statements.iter_mut().for_each(|statement| rename(statement, from, to)),
                Change::RolesBySession => statements.iter_mut().for_each(by_session),
                Change::Everywhere(action) => {
                    let wide = statements.iter().filter(|statement| names(statement, action)).cloned();
                    let wide: Vec<_> = wide.map(|statement| everywhere(statement, action)).collect();
                    statements.extend(wide);
                }
            }
        }
    }
    policy
}

fn asks(statement: &Value, key: &str) -> bool {
    let operators = statement.get("Condition").and_then(Value::as_object).into_iter().flat_map(|all| all.values());
    let mut keys = operators.filter_map(Value::as_object).flat_map(|keys| keys.keys());
    keys.any(|asked| asked.eq_ignore_ascii_case(key))
}

fn names(statement: &Value, action: &str) -> bool {
    let named = |value: &Value| value.as_str() == Some(action);
    let actions = &statement["Action"];
    actions.as_array().map_or_else(|| named(actions), |all| all.iter().any(named)) && statement["Effect"] == "Allow"
}

fn everywhere(mut statement: Value, action: &str) -> Value {
    statement["Sid"] = "Everywhere".into();
    statement["Action"] = action.into();
    statement["Resource"] = "*".into();
    statement
}

/// `arn:aws:iam::1:role/path/name` becomes `arn:aws:sts::1:assumed-role/name/*`.
fn by_session(statement: &mut Value) {
    let session = |role: &mut Value| {
        let parts = role.as_str().and_then(|role| role.strip_prefix("arn:aws:iam::")?.split_once(":role/"));
        let name = parts.map(|(account, name)| (account, name.rsplit('/').next().unwrap_or(name)));
        if let Some(session) = name.map(|(account, name)| format!("arn:aws:sts::{account}:assumed-role/{name}/*")) {
            *role = session.into();
        }
    };
    let operators = statement.get_mut("Condition").and_then(Value::as_object_mut);
    for keys in operators.into_iter().flat_map(|all| all.values_mut()).filter_map(Value::as_object_mut) {
        for (_, roles) in keys.iter_mut().filter(|(key, _)| key.eq_ignore_ascii_case("aws:PrincipalArn")) {
            match roles {
                Value::Array(all) => all.iter_mut().for_each(session),
                one => session(one),
            }
        }
    }
}

fn rename(statement: &mut Value, from: &[&str], to: &str) {
    for element in ["Action", "NotAction"] {
        let Some(actions) = statement.get_mut(element) else { continue };
        let change = |action: &mut Value| {
            if action.as_str().is_some_and(|action| from.contains(&action)) {
                *action = to.into();
            }
        };
        match actions {
            Value::Array(all) => {
                all.iter_mut().for_each(change);
                let mut seen = Vec::new();
                all.retain(|action| {
                    !seen.contains(action) && {
                        seen.push(action.clone());
                        true
                    }
                });
            }
            one => change(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        render::{Document, render},
        sample::vault,
        vault::Side,
    };

    #[test]
    fn only_what_the_emulator_gets_wrong_is_changed() {
        let bucket: Value = serde_json::from_str(&render(&vault(), &Document::Bucket(Side::Vault)).unwrap()).unwrap();
        let sids = |policy: &Value| {
            let statements = policy["Statement"].as_array().unwrap().iter();
            statements.map(|s| s["Sid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let mut left = sids(&bucket);
        left.retain(|sid| sid != "RefuseUnconditionalWrites");
        assert_eq!(sids(&substitute(&bucket, &EMULATOR)), left);
        assert_eq!(left.len() + 1, sids(&bucket).len());
        assert_eq!(substitute(&bucket, &[]), bucket);
    }

    #[test]
    fn roles_are_known_by_their_sessions() {
        let policy = json!({ "Statement": [{ "Principal": { "AWS": "arn:aws:iam::1:role/a" }, "Condition": { "ArnNotEquals": {
            "aws:PrincipalArn": ["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/path/b"] } } }] });
        let expected = json!({ "Statement": [{ "Principal": { "AWS": "arn:aws:iam::1:role/a" }, "Condition": { "ArnNotEquals": {
            "aws:PrincipalArn": ["arn:aws:sts::1:assumed-role/a/*", "arn:aws:sts::1:assumed-role/b/*"] } } }] });
        assert_eq!(substitute(&policy, &EMULATOR), expected);
    }

    #[test]
    fn what_is_made_is_made_anywhere() {
        let policy = json!({ "Statement": [
            { "Effect": "Allow", "Action": ["iam:PassRole", "lambda:CreateFunction"], "Resource": ["a", "b"] },
        ] });
        let changed = substitute(&policy, &EMULATOR);
        assert_eq!(changed["Statement"][0], policy["Statement"][0]);
        assert_eq!(changed["Statement"][1]["Action"], "lambda:CreateFunction");
        assert_eq!(changed["Statement"][1]["Resource"], "*");
    }

    #[test]
    fn actions_are_named_once() {
        let policy = json!({ "Statement": [
            { "Action": ["lambda:GetAlias", "lambda:InvokeFunction", "lambda:ListAliases", "lambda:UpdateAlias"] },
            { "Action": "lambda:UpdateAlias" },
        ] });
        let expected = json!({ "Statement": [
            { "Action": ["lambda:ListAliases", "lambda:InvokeFunction"] },
            { "Action": "lambda:ListAliases" },
        ] });
        assert_eq!(substitute(&policy, &EMULATOR), expected);
    }
}
