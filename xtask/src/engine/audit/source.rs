//! What is audited, and by whose keys: the vault itself, a witness if there is one, and where trust begins.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ssh_key::{HashAlg, PublicKey};

use super::inventory::Inventory;
use crate::{
    context::Context,
    engine::ledger,
    failure::Failure,
    model::{
        allowed_signers::{self, AllowedSigner},
        approval::ApprovalEvent,
        digest::Digest,
        entry::{ChainName, Event, Record, Writer},
        key::VaultKey,
        sshsig,
        time::Time,
    },
    ports::{
        signer::Signer,
        story::Story,
        vault::Vault,
        witness::{Head, Heads, Witness},
    },
};

/// What is audited. The vault alone is enough; no repository and no configuration is asked.
#[derive(Clone)]
pub struct Source {
    /// The vault, or a copy of it.
    pub vault: Arc<dyn Vault>,
    /// The heads' witness, or a copy of its notes.
    pub witness: Option<Arc<dyn Witness>>,
    /// Whose signatures count.
    pub trust: Trust,
    /// What a person reads meanwhile.
    pub story: Arc<dyn Story>,
}

/// Whose signatures count.
#[derive(Clone)]
pub enum Trust {
    /// The keys that this machine or its cloud knows for each writer.
    Writers(Arc<dyn Signer>),
    /// An auditor's own list, of writers and of the people who decide.
    Listed(Vec<AllowedSigner>),
    /// For each writer the key that signed the first entry of its chain. The audit says so.
    First,
}

impl Source {
    /// What a command sees.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        Self {
            vault: Arc::clone(&context.vault),
            witness: Some(Arc::clone(&context.witness)),
            trust: Trust::Writers(Arc::clone(&context.signer)),
            story: Arc::clone(&context.story),
        }
    }
}

/// What every part of the work reads from: the vault, what lies in it, what the witness saw, and whose keys count.
pub(super) struct Desk {
    pub(super) vault: Arc<dyn Vault>,
    pub(super) inventory: Inventory,
    pub(super) heads: Heads,
    pub(super) trusted: Trusted,
}

impl Desk {
    pub(super) fn noted(&self, chain: &ChainName) -> Option<Head> {
        self.heads.get(chain).copied()
    }

    /// One entry, checked for itself.
    pub(super) async fn entry<E: Event>(&self, chain: &ChainName, number: u64) -> anyhow::Result<Record<E>> {
        let key = chain.key(number)?;
        let record = ledger::decode::<E>(&key, &self.read(&key).await?)?;
        ledger::sound(chain, number, &record, &self.trusted.writer(chain, record.entry.time))?;
        Ok(record)
    }

    /// What an object hashes to, whatever it is; `None` if that cannot be told.
    pub(super) async fn digest(&self, key: &VaultKey) -> Option<Digest> {
        self.vault.fetch(key, None).await.ok().flatten().map(|(digest, _)| digest)
    }

    pub(super) async fn read(&self, key: &VaultKey) -> anyhow::Result<Vec<u8>> {
        read(&*self.vault, key).await
    }
}

async fn read(vault: &dyn Vault, key: &VaultKey) -> anyhow::Result<Vec<u8>> {
    let bytes = vault.read(key).await.map_err(|error| error.failed(format!("failed to read {key}")))?;
    Ok(bytes.ok_or_else(|| Failure::Integrity(format!("{key} is missing from the vault")))?)
}

/// Whose signatures count, asked once for the whole audit.
pub(super) enum Trusted {
    Keys(BTreeMap<Writer, Vec<PublicKey>>),
    Listed { signers: Vec<AllowedSigner>, people: bool },
}

impl Trusted {
    /// The keys of everyone who wrote in this vault; what limits them is noticed.
    ///
    /// # Errors
    /// Unfinished, if a key cannot be asked for.
    pub(super) async fn of(source: &Source, inventory: &Inventory, notices: &mut Vec<String>) -> anyhow::Result<Self> {
        let mut keys = BTreeMap::new();
        match &source.trust {
            Trust::Listed(signers) => {
                let people = signers.iter().any(|signer| signer.decides());
                if !people {
                    notices.push(
                        "the list of allowed signers names nobody for approvals: whose keys those are, the policy in \
                         this vault says"
                            .to_owned(),
                    );
                }
                return Ok(Self::Listed { signers: signers.clone(), people });
            }
            Trust::Writers(signer) => {
                for writer in writers(inventory) {
                    let trusted = signer.trusted(&writer).await;
                    let what = || format!("failed to look for the key of {writer}");
                    let trusted = trusted.map_err(|error| ledger::unfinished(what(), error))?;
                    keys.insert(writer, trusted);
                }
            }
            Trust::First => {
                for (chain, key) in firsts(inventory)? {
                    let Some(first) = first(&*source.vault, &chain, &key).await? else { continue };
                    let writer = chain.writer();
                    let fingerprint = first.fingerprint(HashAlg::Sha256);
                    notices.push(format!(
                        "trusted for {writer}: {fingerprint}, because it signed {key} of this very vault; \
                         compare it with the key that you know, or give your own list with --allowed-signers"
                    ));
                    keys.insert(writer, vec![first]);
                }
            }
        }
        Ok(Self::Keys(keys))
    }

    /// The keys that count for a chain's writer at a time.
    pub(super) fn writer(&self, chain: &ChainName, at: Time) -> Vec<PublicKey> {
        let writer = chain.writer();
        match self {
            Self::Keys(keys) => keys.get(&writer).cloned().unwrap_or_default(),
            Self::Listed { signers, .. } => {
                allowed_signers::keys_at(signers, &writer.to_string(), &chain.namespace(), at).cloned().collect()
            }
        }
    }

    /// Whether the list names the key for the person whom a statement names. Without a list, and with one that names
    /// nobody for decisions, the policy chain alone tells whose key it is.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn person(&self, record: &Record<ApprovalEvent>) -> Result<(), String> {
        let Self::Listed { signers, people: true } = self else { return Ok(()) };
        let (chain, statement) = (&record.entry.chain, record.entry.event.statement());
        let namespace = chain.namespace();
        let keys = allowed_signers::keys_at(signers, statement.person.as_str(), &namespace, record.entry.time);
        let signed = record.signed_bytes().map_err(|error| error.to_string())?;
        match sshsig::verify(&record.signature, &signed, &namespace, keys) {
            Ok(_) => Ok(()),
            Err(why) => {
                Err(format!("the list of allowed signers does not bear it out for {}: {why}", statement.person))
            }
        }
    }
}

/// Everyone whose key the audit needs. Statements are signed by people, whom the policy names.
fn writers(inventory: &Inventory) -> BTreeSet<Writer> {
    let chains = inventory.chains.keys().filter(|chain| !matches!(chain, ChainName::Approvals { .. }));
    let evidence = (!inventory.evidence.is_empty()).then_some(Writer::Evidence);
    chains.map(ChainName::writer).chain(evidence).collect()
}

/// The first object of every writer, and the chain that it belongs to.
fn firsts(inventory: &Inventory) -> anyhow::Result<Vec<(ChainName, VaultKey)>> {
    let mut firsts = Vec::new();
    for (chain, numbers) in &inventory.chains {
        if !numbers.is_empty() && !matches!(chain, ChainName::Approvals { .. }) {
            firsts.push((chain.clone(), chain.key(1)?));
        }
    }
    let mut evidence = inventory.evidence.values().flatten();
    let first = evidence.find_map(|key| Some((key.as_str().strip_suffix(".json")?.parse().ok()?, key.clone())));
    firsts.extend(first);
    Ok(firsts)
}

/// The key that signed an object, if it is signed at all; what is wrong with it is found when it is verified.
async fn first(vault: &dyn Vault, chain: &ChainName, key: &VaultKey) -> anyhow::Result<Option<PublicKey>> {
    let Ok(bytes) = read(vault, key).await else { return Ok(None) };
    let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(&bytes) else { return Ok(None) };
    let Some(serde_json::Value::String(signature)) = value.as_object_mut().and_then(|o| o.remove("signature")) else {
        return Ok(None);
    };
    let signed = match chain {
        ChainName::Evidence { .. } => value.get("evidence").cloned().unwrap_or_default(),
        _ => value,
    };
    Ok(sshsig::signer(&signature, &serde_json::to_vec(&signed)?, &chain.namespace()).ok())
}
