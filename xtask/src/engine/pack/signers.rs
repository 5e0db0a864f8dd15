//! Everyone's keys as OpenSSH's allowed-signers file: the writers of the chains and the people who decide.

use crate::{
    context::Context,
    engine::policy,
    model::{
        allowed_signers::{self, AllowedSigner, Validity},
        entry::{ChainName, Writer},
        names::EnvName,
        people::People,
        version::Version,
    },
};

/// The file: what this machine or its cloud knows of the writers, and the policy of the people.
///
/// # Errors
/// Integrity or unfinished, as reading the policy and asking for keys goes.
pub async fn render(context: &Context) -> anyhow::Result<String> {
    let environments: Vec<&EnvName> = context.config.path.iter().map(|stop| &stop.environment).collect();
    let chains = environments.iter().map(|&environment| ChainName::Environment(environment.clone()));
    let mut all = Vec::new();
    for chain in [ChainName::Releases, ChainName::Policy].into_iter().chain(chains) {
        all.extend(writer(context, &chain.writer(), &chain.namespace()).await?);
    }
    all.extend(writer(context, &Writer::Evidence, "xtask-evidence").await?);
    if let Some(known) = policy::state(context).await?.people {
        all.extend(people(&known, environments.into_iter())?);
    }
    Ok(allowed_signers::render(&all)?)
}

async fn writer(context: &Context, writer: &Writer, namespace: &str) -> anyhow::Result<Vec<AllowedSigner>> {
    let keys = context.signer.trusted(writer).await;
    let keys = keys
        .map_err(|error| super::super::ledger::unfinished(format!("failed to look for the key of {writer}"), error))?;
    let line = |key| AllowedSigner::new(&writer.to_string(), &[namespace], Validity::default(), key);
    Ok(keys.iter().map(line).collect::<Result<_, _>>()?)
}

/// One line per key of a person, each for the approvals of every environment. A revoked key ends a second before its
/// revocation, as OpenSSH's bounds are inclusive.
///
/// # Errors
/// If OpenSSH could not say the same of a key.
pub fn people<'a>(
    people: &People,
    environments: impl Iterator<Item = &'a EnvName>,
) -> anyhow::Result<Vec<AllowedSigner>> {
    let release = Version { major: 0, minor: 0, patch: 0 };
    let namespaces: Vec<String> =
        environments.map(|env| ChainName::Approvals { release, environment: env.clone() }.namespace()).collect();
    let namespaces: Vec<&str> = namespaces.iter().map(String::as_str).collect();
    let mut all = Vec::new();
    for (id, person) in &people.persons {
        for key in &person.keys {
            let end = [key.valid_until, key.revoked_at].into_iter().flatten().min();
            let end = end.map(|end| end.before(std::time::Duration::from_secs(1)));
            let validity = Validity::new(key.valid_from, end)?;
            all.push(AllowedSigner::new(id.as_str(), &namespaces, validity, key.key.public_key())?);
        }
    }
    Ok(all)
}
