//! A vault for the tests: everything in the vault's account but prod, which has its own, as it should be.

use std::collections::BTreeMap;

use crate::{
    names::{FunctionPattern, RoleArn},
    vault::*,
};

pub(crate) const HOME: &str = "111122223333";
pub(crate) const PROD: &str = "444455556666";

pub(crate) fn role(account: &str, name: &str) -> RoleArn {
    format!("arn:aws:iam::{account}:role/vault-{name}").parse().unwrap()
}

fn signing(account: &str, name: &str) -> Signing {
    let key = format!("arn:aws:kms:eu-central-1:{HOME}:key/{name}").parse().unwrap();
    Signing { role: role(account, name), key }
}

fn store(bucket: &str, region: &str) -> Store {
    Store {
        bucket: bucket.parse().unwrap(),
        region: region.parse().unwrap(),
        log: Some(format!("{bucket}-log").parse().unwrap()),
    }
}

pub(crate) fn vault() -> Vault {
    let environment = |name: &str, account: &str| {
        let functions: FunctionPattern = format!("*-{name}").parse().unwrap();
        let deployer = signing(account, &format!("deployer-{name}"));
        let variables_key = format!("arn:aws:kms:eu-central-1:{account}:key/variables-{name}").parse().unwrap();
        (name.parse().unwrap(), Environment { deployer, variables_key, functions, function_role: None })
    };
    Vault {
        store: store("acme-vault", "eu-central-1"),
        mirror: Mirror { store: store("acme-vault-mirror", "eu-west-1"), environment: "dr".parse().unwrap() },
        retention: Retention { mode: LockMode::Compliance, years: 6 },
        roles: Roles {
            releaser: signing(HOME, "releaser"),
            policy_administrator: signing(HOME, "policy-administrator"),
            evidence: signing(HOME, "evidence"),
            approver: role(HOME, "approver"),
            auditor: role(HOME, "auditor"),
            vault_administrator: role(HOME, "administrator"),
        },
        environments: BTreeMap::from([
            environment("dev", HOME),
            environment("qa-east", HOME),
            environment("prod", PROD),
            environment("dr", PROD),
        ]),
    }
}
