//! Whether a vault is described so that its policies can keep people apart: one role, key and bucket for one purpose.

use crate::{
    names::{EnvironmentName, account_of},
    vault::{Environment, Vault},
};

/// Why policies for this vault would not keep what they promise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is nothing to deploy to.
    #[error("the vault has no environment: name at least one, with its deployer")]
    NoEnvironment,
    /// The mirror is written by nobody.
    #[error("the mirror is brought up by `{0}`, which is no environment: name the one in the second region")]
    NoSuchEnvironment(EnvironmentName),
    /// Two actors would be one.
    #[error("{one} and {other} share {what}: give each its own, or one could write what the other owns")]
    Shared {
        /// The first.
        one: String,
        /// The second.
        other: String,
        /// The role, key or bucket.
        what: String,
    },
    /// One environment's deployer would reach another's functions.
    #[error("the functions `{0}` and `{1}` of two environments share names: let neither end in the other's ending")]
    Overlap(String, String),
    /// Object Lock knows no such time.
    #[error("objects are kept for {0} years: write 1 to 100")]
    Years(u32),
}

/// Whether every role, key, bucket and function serves one purpose.
pub(crate) fn check(vault: &Vault) -> Result<(), VaultError> {
    if vault.environments.is_empty() {
        return Err(VaultError::NoEnvironment);
    }
    if !vault.environments.contains_key(&vault.mirror.environment) {
        return Err(VaultError::NoSuchEnvironment(vault.mirror.environment.clone()));
    }
    if !(1..=100).contains(&vault.retention.years) {
        return Err(VaultError::Years(vault.retention.years));
    }
    distinct(vault.actors().into_iter().map(|(actor, role)| (actor.to_string(), role.to_string())))?;
    let signing = vault.signers().into_iter().map(|(writer, signing)| (writer.to_string(), signing.key.to_string()));
    let digesting =
        vault.environments.iter().map(|(name, e)| (format!("the variables of {name}"), e.variables_key.to_string()));
    distinct(signing.chain(digesting))?;
    // One bucket may take the access logs of both vaults, but is none of them.
    let vaults = [("the vault", &vault.store), ("the mirror", &vault.mirror.store)];
    let mut buckets: Vec<_> =
        vaults.iter().map(|(name, store)| ((*name).to_owned(), store.bucket.to_string())).collect();
    distinct(buckets.clone().into_iter())?;
    for log in vaults.iter().filter_map(|(_, store)| store.log.as_ref()) {
        buckets.push(("the access log".to_owned(), log.to_string()));
        distinct(buckets.clone().into_iter())?;
        buckets.pop();
    }
    functions(vault)
}

/// Environments in other regions or accounts may use the same names.
fn functions(vault: &Vault) -> Result<(), VaultError> {
    let place = |name, environment: &Environment| {
        (vault.region_of(name).clone(), account_of(environment.deployer.role.as_str()).to_owned())
    };
    for (at, (name, environment)) in vault.environments.iter().enumerate() {
        for (its_name, other) in vault.environments.iter().skip(at + 1) {
            if place(name, environment) == place(its_name, other) && environment.functions.overlaps(&other.functions) {
                return Err(VaultError::Overlap(environment.functions.to_string(), other.functions.to_string()));
            }
        }
    }
    Ok(())
}

fn distinct(named: impl Iterator<Item = (String, String)>) -> Result<(), VaultError> {
    let mut seen: Vec<(String, String)> = Vec::new();
    for (name, what) in named {
        if let Some((one, _)) = seen.iter().find(|(_, its)| *its == what) {
            return Err(VaultError::Shared { one: one.clone(), other: name, what });
        }
        seen.push((name, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::vault;

    fn refused(change: impl Fn(&mut Vault)) -> String {
        let mut vault = vault();
        change(&mut vault);
        check(&vault).unwrap_err().to_string()
    }

    #[test]
    fn a_purpose_has_its_own_role_key_bucket_and_functions() {
        assert_eq!(check(&vault()), Ok(()));
        let dev: EnvironmentName = "dev".parse().unwrap();
        let role = refused(|v| v.roles.auditor = v.roles.approver.clone());
        assert!(
            role.starts_with("approver and auditor share arn:aws:iam::111122223333:role/vault-approver:"),
            "{role}"
        );
        let key = refused(|v| v.environments.get_mut(&dev).unwrap().deployer.key = v.roles.releaser.key.clone());
        assert!(key.starts_with("releaser and deployer-dev share arn:aws:kms:"), "{key}");
        let digests = refused(|v| {
            let key = v.environments.get(&dev).unwrap().deployer.key.clone();
            v.environments.get_mut(&dev).unwrap().variables_key = key;
        });
        assert!(digests.starts_with("deployer-dev and the variables of dev share arn:aws:kms:"), "{digests}");
        let bucket = refused(|v| v.store.log = Some(v.store.bucket.clone()));
        assert!(bucket.starts_with("the vault and the access log share acme-vault:"), "{bucket}");
        let mirror = refused(|v| v.mirror.store.bucket = v.store.bucket.clone());
        assert!(mirror.starts_with("the vault and the mirror share acme-vault:"), "{mirror}");
        let functions = refused(|v| v.environments.get_mut(&dev).unwrap().functions = "*-east".parse().unwrap());
        assert!(functions.starts_with("the functions `*-east` and `*-qa-east` of two"), "{functions}");
        assert!(refused(|v| v.environments.clear()).starts_with("the vault has no environment"));
        assert!(refused(|v| v.retention.years = 0).starts_with("objects are kept for 0 years"));
        let nowhere = refused(|v| v.mirror.environment = "nowhere".parse().unwrap());
        assert!(nowhere.contains("`nowhere`, which is no environment"), "{nowhere}");
    }
}
