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
}

/// All that the emulator needs (MiniStack 1.5.33).
pub const EMULATOR: [Substitution; 2] = [
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
