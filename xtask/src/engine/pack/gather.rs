//! What the chains say about one release, entry by entry, each proven: the head by its signature, the ones before it by
//! their links. Walking back ends where the release cannot have been.

use std::collections::BTreeMap;

use crate::{
    context::Context,
    engine::{
        evidence::{self, SignedEvidence},
        ledger,
        pack::uncounted::{self, Decisions},
    },
    failure::Failure,
    model::{
        canonical,
        entry::{ChainName, Event, Record},
        environment::EnvironmentEvent,
        evidence::Evidence,
        key::VaultKey,
        manifest::Manifest,
        names::EnvName,
        policy::PolicyEvent,
        releases::ReleaseEvent,
        version::Version,
    },
};

/// Everything that the vault knows about a release beside its box.
pub(super) struct Gathered {
    /// Each object as it lies in the vault, by its name in the folder.
    pub(super) objects: BTreeMap<String, Vec<u8>>,
    /// What happened to it, by environment, in order.
    pub(super) entries: Vec<(EnvName, Vec<Record<EnvironmentEvent>>)>,
    /// What people decided about it.
    pub(super) decisions: Decisions,
    /// Every policy.
    pub(super) policy: Vec<Record<PolicyEvent>>,
    /// What was added as proof.
    pub(super) evidence: Vec<Evidence>,
}

impl Gathered {
    /// Reads it all.
    ///
    /// # Errors
    /// Integrity or unfinished, as reading goes.
    pub(super) async fn of(context: &Context, manifest: &Manifest) -> anyhow::Result<Self> {
        let release = manifest.release;
        let mut objects = BTreeMap::new();
        let about = |record: &Record<ReleaseEvent>| record.entry.release == Some(release);
        let may_be = |record: &Record<ReleaseEvent>| record.entry.release >= Some(release);
        keep(&mut objects, "ledger/", &walk(context, &ChainName::Releases, may_be, about).await?)?;
        let policy = walk::<PolicyEvent>(context, &ChainName::Policy, |_| true, |_| true).await?;
        keep(&mut objects, "ledger/", &policy)?;
        let mut entries = Vec::new();
        for stop in &manifest.path {
            let environment = &stop.environment;
            let here = environment_of(context, environment, release).await?;
            keep(&mut objects, "ledger/", &here)?;
            entries.push((environment.clone(), here));
        }
        let decisions = Decisions::of(context, manifest, &policy).await?;
        for record in &decisions.made {
            objects.insert(uncounted::file(record), Record::encode(&record.entry, &record.signature)?);
        }
        let mut pieces = Vec::new();
        for (name, signed) in proof(context, release).await? {
            objects.insert(format!("evidence/{name}"), canonical::to_vec(&signed)?);
            pieces.push(signed.evidence);
        }
        Ok(Self { objects, entries, decisions, policy, evidence: pieces })
    }
}

/// The entries of an environment about a release, and the one that took it out.
async fn environment_of(
    context: &Context,
    environment: &EnvName,
    release: Version,
) -> anyhow::Result<Vec<Record<EnvironmentEvent>>> {
    let about = |record: &Record<EnvironmentEvent>| {
        let out = matches!(&record.entry.event, EnvironmentEvent::RolledBack { from, .. } if from.release == release);
        out || record.entry.release == Some(release)
    };
    let may_be = |record: &Record<EnvironmentEvent>| record.entry.state.highest >= Some(release);
    walk(context, &ChainName::Environment(environment.clone()), may_be, about).await
}

/// The entries of a chain that are about something, in order; read from the head back as long as one may be.
async fn walk<E: Event>(
    context: &Context,
    chain: &ChainName,
    may_be: impl Fn(&Record<E>) -> bool,
    about: impl Fn(&Record<E>) -> bool,
) -> anyhow::Result<Vec<Record<E>>> {
    let mut found = Vec::new();
    let mut here = ledger::head::<E>(context, chain).await?;
    while let Some(record) = here.filter(&may_be) {
        here = ledger::before(context, chain, &record).await?;
        if about(&record) {
            found.push(record);
        }
    }
    found.reverse();
    Ok(found)
}

fn keep<E: Event>(objects: &mut BTreeMap<String, Vec<u8>>, folder: &str, records: &[Record<E>]) -> anyhow::Result<()> {
    for record in records {
        let key = record.entry.chain.key(record.entry.number)?;
        objects.insert(format!("{folder}{key}"), Record::encode(&record.entry, &record.signature)?);
    }
    Ok(())
}

/// Every piece of evidence about a release, by its name.
async fn proof(context: &Context, release: Version) -> anyhow::Result<Vec<(String, SignedEvidence)>> {
    let folder: VaultKey = format!("evidence/{release}").parse()?;
    let listed = context.vault.list(Some(&folder)).await;
    let listed = listed.map_err(|error| error.failed(format!("failed to list {folder}")))?;
    let mut all = Vec::new();
    for item in listed {
        let key = item.key.ok_or_else(|| Failure::Integrity(format!("{} is no evidence", item.name)))?;
        all.push((key.file_name().to_owned(), evidence::signed(context, &key).await?));
    }
    Ok(all)
}
