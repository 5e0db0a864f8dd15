//! The reviewed policies have no hole; whatever is taken out of them is found, and named by its statement alone.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::sample::{PROD, role, vault};

/// Everyone but the vault administrator is of another account, so that every permission matters.
fn abroad() -> Vault {
    let mut vault = vault();
    vault.environments.retain(|name, _| ["dev", "dr"].contains(&name.as_str()));
    let roles = &mut vault.roles;
    for (name, signing) in [
        ("releaser", &mut roles.releaser),
        ("policy-administrator", &mut roles.policy_administrator),
        ("evidence", &mut roles.evidence),
    ] {
        signing.role = role(PROD, name);
    }
    (roles.approver, roles.auditor) = (role(PROD, "approver"), role(PROD, "auditor"));
    for (name, environment) in &mut vault.environments {
        environment.deployer.role = role(PROD, &format!("deployer-{name}"));
    }
    vault
}

fn reviewed(vault: &Vault, side: Side) -> Value {
    serde_json::from_str(&render(vault, &Document::Bucket(side)).unwrap()).unwrap()
}

fn holes(vault: &Vault, side: Side, policy: &Value) -> Vec<Hole> {
    let policy = Policy::parse(&policy.to_string(), Form::Resource).unwrap();
    judge(vault, side, &policy).unwrap().holes
}

fn rules(holes: &[Hole]) -> BTreeSet<&str> {
    holes.iter().map(|hole| hole.rule.as_str()).collect()
}

const SIDES: [Side; 2] = [Side::Vault, Side::Mirror];

#[test]
fn the_reviewed_policies_have_no_hole() {
    for side in SIDES {
        for vault in [vault(), abroad()] {
            assert_eq!(holes(&vault, side, &reviewed(&vault, side)), []);
        }
    }
}

#[test]
fn every_statement_is_asked_about() {
    for side in SIDES {
        let whole = reviewed(&vault(), side);
        let policy = Policy::parse(&whole.to_string(), Form::Resource).unwrap();
        let asked: BTreeSet<_> =
            judge(&vault(), side, &policy).unwrap().rules.into_iter().map(|(rule, _)| rule).collect();
        let sids = whole["Statement"].as_array().unwrap().iter().map(|s| s["Sid"].as_str().unwrap().to_owned());
        assert_eq!(asked, sids.chain(["ClosedToStrangers".to_owned()]).collect());
    }
}

#[test]
fn a_statement_taken_out_is_named_and_no_other() {
    let vault = abroad();
    for side in SIDES {
        let whole = reviewed(&vault, side);
        for at in 0..whole["Statement"].as_array().unwrap().len() {
            let mut policy = whole.clone();
            let removed = policy["Statement"].as_array_mut().unwrap().remove(at);
            let holes = holes(&vault, side, &policy);
            assert_eq!(rules(&holes), BTreeSet::from([removed["Sid"].as_str().unwrap()]), "{holes:#?}");
        }
    }
}

/// Every action, resource, principal and exception of every statement matters.
#[test]
fn a_part_taken_out_is_found() {
    let vault = abroad();
    for side in SIDES {
        let whole = reviewed(&vault, side);
        for (at, statement) in whole["Statement"].as_array().unwrap().iter().enumerate() {
            let principal = "/Principal/AWS";
            let exception = "/Condition/ArnNotEquals/aws:PrincipalArn";
            for place in ["/Action", "/Resource", "/NotResource", principal, exception] {
                for index in 0..statement.pointer(place).and_then(Value::as_array).map_or(0, Vec::len) {
                    let mut policy = whole.clone();
                    let parts = policy["Statement"][at].pointer_mut(place).unwrap().as_array_mut().unwrap();
                    let removed = parts.remove(index);
                    let administrator = removed == vault.roles.vault_administrator.as_str();
                    if administrator && statement["Sid"].as_str().unwrap().starts_with("EveryRole") {
                        // The vault administrator has no need to read, and its own account lets it.
                        continue;
                    }
                    let holes = holes(&vault, side, &policy);
                    assert!(!holes.is_empty(), "{} without {removed}", statement["Sid"]);
                }
            }
        }
    }
}

fn weakened(side: Side, sid: &str, change: impl Fn(&mut Value)) -> Vec<Hole> {
    let mut policy = reviewed(&vault(), side);
    let statements = policy["Statement"].as_array_mut().unwrap();
    change(statements.iter_mut().find(|s| s["Sid"] == sid).unwrap_or_else(|| panic!("no {sid}")));
    holes(&vault(), side, &policy)
}

#[test]
fn a_refusal_that_only_looks_alike_is_found() {
    let condition = |value: Value| move |s: &mut Value| s["Condition"] = value.clone();
    let principal_arn = |arn: &str| condition(json!({ "ArnNotLike": { "aws:PrincipalArn": arn } }));
    for (sid, change) in [
        ("RefusePlainHttp", condition(json!({ "Bool": { "aws:SecureTransport": "true" } }))),
        ("RefuseUnconditionalWrites", condition(json!({ "Null": { "s3:if-none-match": "false" } }))),
        // One back door in each way that a refusal can have one.
        ("RefuseDeletion", principal_arn("arn:aws:iam::111122223333:role/back-door")),
        ("RefuseDeletion", principal_arn("arn:aws:iam::*:role/back-*")),
        ("RefuseBucketChanges", condition(json!({ "StringNotEquals": { "aws:PrincipalAccount": "777788889999" } }))),
        ("OnlyReleaserWrites", principal_arn("arn:aws:iam::*:role/*")),
        ("OnlyVaultAdministratorChangesThis", principal_arn("arn:aws:iam::*:role/*")),
        (
            "RefuseShorterRetention",
            condition(json!({ "NumericLessThan": { "s3:object-lock-remaining-retention-days": "30" } })),
        ),
        (
            "RefuseEndlessRetention",
            condition(json!({ "NumericGreaterThan": { "s3:object-lock-remaining-retention-days": "9999" } })),
        ),
        ("RefuseOtherLockModes", condition(json!({ "StringEquals": { "s3:object-lock-mode": "NONE" } }))),
    ] {
        let found = weakened(Side::Vault, sid, change);
        assert!(rules(&found).contains(sid), "{sid}: {found:#?}");
    }
    let spared = |s: &mut Value| {
        s.as_object_mut().unwrap().remove("Resource");
        s["NotResource"] = "arn:aws:s3:::acme-vault/v9.9.9/*".into();
    };
    let found = weakened(Side::Vault, "RefuseDeletion", spared);
    assert!(found.iter().any(|hole| hole.what.contains("v9.9.9")), "{found:#?}");
    // Refusing the creation of uploads in parts as well keeps the writers out (fact 4).
    let no_exemption = condition(json!({ "Null": { "s3:if-none-match": "true" } }));
    let found = weakened(Side::Vault, "RefuseUnconditionalWrites", no_exemption);
    assert!(rules(&found).contains("ReleaserWrites"), "{found:#?}");
}

#[test]
fn whoever_is_let_in_besides_is_named_with_the_statement() {
    let with = |statement: Value| {
        let mut policy = reviewed(&vault(), Side::Vault);
        policy["Statement"].as_array_mut().unwrap().push(statement);
        holes(&vault(), Side::Vault, &policy)
    };
    let allow = |principal: Value, action: &str, resource: &str| json!({ "Sid": "Extra", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource });
    let bucket = "arn:aws:s3:::acme-vault";
    for (principal, who) in [
        (json!("*"), "anyone on the internet"),
        (json!({ "AWS": "444455556666" }), "arn:aws:iam::444455556666:role/any-other-role"),
        (json!({ "AWS": "arn:aws:iam::999999999999:role/spy" }), "arn:aws:iam::999999999999:role/spy"),
        (json!({ "Service": "lambda.amazonaws.com" }), "a service of AWS"),
    ] {
        let found = with(allow(principal, "s3:GetObject", &format!("{bucket}/*")));
        assert_eq!(rules(&found), BTreeSet::from(["ClosedToStrangers"]), "{found:#?}");
        let named =
            |hole: &Hole| hole.what.contains(who) && hole.what.ends_with("is permitted by the statement `Extra`");
        assert!(found.iter().any(named), "{who}: {found:#?}");
    }
    // The deployer of an environment that is gone still has its prefix.
    let mut older = vault();
    let old = older.environments.remove(&"dev".parse().unwrap()).unwrap();
    older.environments.insert("old".parse().unwrap(), old);
    let found = holes(&vault(), Side::Vault, &reviewed(&older, Side::Vault));
    assert!(rules(&found).contains("RefuseWritesElsewhere"), "{found:#?}");
}

#[test]
fn the_same_in_other_words_passes() {
    let mut policy = reviewed(&vault(), Side::Vault);
    let statements = policy["Statement"].as_array_mut().unwrap();
    // Within the account of the bucket, the policies of the roles already permit what these do.
    statements.retain(|s| s["Sid"] != "ReleaserWrites" && s["Sid"] != "DeployerWritesDev");
    for statement in statements.iter_mut() {
        let sid = statement["Sid"].as_str().unwrap().to_owned();
        statement.as_object_mut().unwrap().remove("Sid");
        if sid == "RefuseDeletion" {
            statement["Action"] = "s3:DELETEObject*".into();
        }
        if sid == "RefusePlainHttp" {
            statement["Condition"] = json!({ "StringNotEqualsIgnoreCase": { "aws:SecureTransport": "TRUE" } });
            statement["Principal"] = json!({ "AWS": "*" });
        }
        if sid == "OnlyReleaserWrites" {
            let role = statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"].clone();
            statement["Condition"] = json!({ "StringNotEqualsIfExists": { "aws:principalarn": role } });
        }
    }
    let found = holes(&vault(), Side::Vault, &policy);
    assert_eq!(found, []);
}

/// As many roles and keys as a bucket policy has room for.
#[test]
fn a_policy_that_names_many_is_judged_all_the_same() {
    let roles: Vec<_> = (0..100).map(|n| format!("arn:aws:iam::999999999999:role/r{n}")).collect();
    let keys: Vec<_> = (0..100).map(|n| format!("arn:aws:s3:::acme-vault/v0.0.{n}/*")).collect();
    let extra = json!({ "Sid": "Extra", "Effect": "Allow", "Principal": { "AWS": roles }, "Action": "s3:DeleteObject",
        "Resource": keys });
    let mut policy = reviewed(&vault(), Side::Vault);
    policy["Statement"].as_array_mut().unwrap().push(extra);
    assert_eq!(holes(&vault(), Side::Vault, &policy), []);
}
