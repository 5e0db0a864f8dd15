//! The reviewed bucket policy has no hole, and whatever is taken out of it is found.

use std::collections::BTreeSet;

use super::*;
use crate::render::render;

pub(crate) fn variables() -> Variables {
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/vault-{name}");
    let roles = ["releaser", "approver", "policy_administrator", "evidence", "vault_administrator"];
    let plain = [("bucket", "acme-vault"), ("account", "111122223333"), ("region", "eu-central-1")];
    let values = roles.map(|name| (name.to_owned(), role(name))).into_iter();
    Variables {
        values: values.chain(plain.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect(),
        deployers: ["dev", "qa-east", "prod"].map(|env| (env.to_owned(), role(&format!("deployer-{env}")))).into(),
    }
}

fn reviewed() -> Value {
    serde_json::from_str(&render(crate::BUCKET, &variables()).unwrap()).unwrap()
}

fn statements_of(holes: &[Hole]) -> BTreeSet<&str> {
    holes.iter().map(|hole| hole.statement.as_str()).collect()
}

#[test]
fn the_reviewed_policy_has_no_hole() {
    assert_eq!(check(&reviewed(), &variables()), []);
}

#[test]
fn a_statement_taken_out_is_named_and_no_other() {
    let whole = reviewed();
    let count = whole["Statement"].as_array().unwrap().len();
    for at in 0..count {
        let mut policy = whole.clone();
        let removed = policy["Statement"].as_array_mut().unwrap().remove(at);
        let holes = check(&policy, &variables());
        assert_eq!(statements_of(&holes), BTreeSet::from([removed["Sid"].as_str().unwrap()]), "{holes:#?}");
    }
}

/// Every action, resource and condition of every refusal matters.
#[test]
fn a_part_taken_out_of_a_refusal_is_found() {
    let whole = reviewed();
    for (at, statement) in whole["Statement"].as_array().unwrap().iter().enumerate() {
        for field in ["Action", "Resource"] {
            for index in 0..statement[field].as_array().map_or(0, Vec::len) {
                let mut policy = whole.clone();
                let removed = policy["Statement"][at][field].as_array_mut().unwrap().remove(index);
                let holes = check(&policy, &variables());
                assert_eq!(statements_of(&holes), BTreeSet::from([statement["Sid"].as_str().unwrap()]), "{removed}");
                if field == "Action" {
                    assert!(holes.iter().all(|hole| hole.what.contains(removed.as_str().unwrap())), "{holes:#?}");
                }
            }
        }
    }
}

#[test]
fn a_refusal_that_only_looks_alike_is_found() {
    let holes_after = |sid: &str, change: fn(&mut Value)| {
        let mut policy = reviewed();
        let statements = policy["Statement"].as_array_mut().unwrap();
        change(statements.iter_mut().find(|statement| statement["Sid"] == sid).unwrap());
        let holes = check(&policy, &variables());
        statements_of(&holes).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let one_role = |s: &mut Value| s["Principal"] = serde_json::json!({ "AWS": "arn:aws:iam::111122223333:role/x" });
    let sometimes = |s: &mut Value| s["Condition"]["DateLessThan"] = serde_json::json!({ "aws:CurrentTime": "2030" });
    let other_bucket = |s: &mut Value| s["Resource"] = "arn:aws:s3:::acme-vault-2/*".into();
    assert_eq!(holes_after("RefuseDeletion", one_role), ["RefuseDeletion"]);
    assert_eq!(holes_after("RefuseDeletion", other_bucket), ["RefuseDeletion"]);
    assert_eq!(holes_after("RefuseUnconditionalWrites", sometimes), ["RefuseUnconditionalWrites"]);
    // Without the exemption no upload in parts can begin, and that is a fault as well.
    let no_exemption = |s: &mut Value| drop(s["Condition"].as_object_mut().unwrap().remove("Bool"));
    assert!(holes_after("RefuseUnconditionalWrites", no_exemption).contains(&"ReleaserWrites".to_owned()));
    // A wider exception lets a stranger in.
    let anyone = |s: &mut Value| s["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] = "arn:aws:iam::*:role/*".into();
    assert_eq!(holes_after("OnlyReleaserWrites", anyone), ["OnlyReleaserWrites"]);
    assert_eq!(holes_after("OnlyVaultAdministratorChangesThis", anyone), ["OnlyVaultAdministratorChangesThis"]);
}

#[test]
fn the_policy_lets_each_key_be_written_by_its_owner_in_the_table_alone() {
    let (policy, variables) = (reviewed(), variables());
    let vault = Vault { policy: &policy, bucket: arn(&variables), writers: writers(&variables), variables: &variables };
    for (owner, _) in &vault.writers {
        for key in keys(owner) {
            assert_eq!(ownership::writer(&key).as_ref(), Some(owner), "{key}");
            for (writer, role) in &vault.writers {
                let request = ask(role, PUT, &format!("{}/{key}", vault.bucket));
                assert_eq!(vault.allowed(&request), writer == owner, "{writer} {key}");
            }
        }
    }
}

#[test]
fn roles_write_where_the_table_says_and_nowhere_else() {
    let mut variables = variables();
    variables.deployers.retain(|environment, _| environment == "dev");
    let roles = [(crate::RELEASER, "releaser"), (crate::DEPLOYER, "deployer-dev"), (crate::AUDITOR, "auditor")];
    for (template, name) in roles {
        let policy: Value = serde_json::from_str(&render(template, &variables).unwrap()).unwrap();
        let own = SAMPLES.map(|(key, _)| key).into_iter().chain([
            "environments/dev/00000001.json",
            "environments/devil/00000001.json",
            "environments/prod/00000001.json",
            "other/x",
        ]);
        for key in own {
            let request = ask("", PUT, &format!("{}/{key}", arn(&variables)));
            let owner = ownership::writer(key).map(|writer| writer.to_string());
            assert_eq!(evaluate::meets(&policy, "Allow", &request), owner.as_deref() == Some(name), "{name} {key}");
        }
        for (_, action) in OBJECT_ACTIONS {
            let request = ask("", action, &format!("{}/v1.0.0/manifest.json", arn(&variables)));
            assert!(!evaluate::meets(&policy, "Allow", &request), "{name} {action}");
        }
    }
}
