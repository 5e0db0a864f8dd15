//! Evidence: proof about a release that a gate may require. Each piece is one signed record, named by the digest of the
//! file that it is about; the witness notes it, so that a removed one shows.

use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    engine::ledger,
    failure::Failure,
    model::{
        canonical,
        digest::Digest,
        entry::{ChainName, Writer},
        evidence::Evidence,
        key::VaultKey,
        sshsig,
        version::Version,
    },
    ports::{
        vault::{Body, VaultError},
        witness::Head,
    },
};

/// A piece of evidence as it lies in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedEvidence {
    /// What it says.
    pub evidence: Evidence,
    /// The file itself, as text.
    pub content: String,
    /// `SSHSIG` over the canonical bytes of `evidence`, which names the digest of the content.
    pub signature: String,
}

/// Every sound piece of evidence about a release, with its content.
///
/// # Errors
/// Integrity, if a piece is not what its writer signed; unfinished, if the vault cannot be read.
pub async fn all(context: &Context, release: Version) -> anyhow::Result<Vec<SignedEvidence>> {
    let folder: VaultKey = format!("evidence/{release}").parse()?;
    let listed = context.vault.list(Some(&folder)).await;
    let listed = listed.map_err(|error| error.failed(format!("failed to list {folder}")))?;
    let mut all = Vec::new();
    for item in listed {
        let key = item.key.ok_or_else(|| Failure::Integrity(format!("{} is no evidence", item.name)))?;
        all.push(signed(context, &key).await?);
    }
    Ok(all)
}

/// One piece of evidence, its place, content and signature checked.
///
/// # Errors
/// Integrity, if it is not what its writer signed; unfinished, if the vault cannot be read.
pub async fn one(context: &Context, key: &VaultKey) -> anyhow::Result<Evidence> {
    Ok(signed(context, key).await?.evidence)
}

/// The same with its content and signature.
///
/// # Errors
/// As `one`.
pub async fn signed(context: &Context, key: &VaultKey) -> anyhow::Result<SignedEvidence> {
    let bytes = context.vault.read(key).await.map_err(|e| e.failed(format!("failed to read {key}")))?;
    let bytes = bytes.ok_or_else(|| Failure::Integrity(format!("{key} is not sound evidence: it is missing")))?;
    let trusted = ledger::keys(context, &Writer::Evidence).await?;
    sound(key, &bytes, |_| trusted)
}

/// A piece of evidence from its bytes, its place, content and signature checked. `trusted` gives its writer's keys.
///
/// # Errors
/// Integrity, if it is not what its writer signed.
pub(super) fn sound(
    key: &VaultKey,
    bytes: &[u8],
    trusted: impl FnOnce(&Evidence) -> Vec<ssh_key::PublicKey>,
) -> anyhow::Result<SignedEvidence> {
    let wrong = |why: String| Failure::Integrity(format!("{key} is not sound evidence: {why}"));
    let signed: SignedEvidence = canonical::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    let evidence = &signed.evidence;
    if Digest::of(signed.content.as_bytes()) != evidence.sha256 {
        return Err(wrong("its content is not what it says".to_owned()).into());
    }
    let chain = chain(evidence);
    if chain.key(1)? != *key {
        return Err(wrong("it is not in its place".to_owned()).into());
    }
    let (trusted, bytes) = (trusted(evidence), canonical::to_vec(evidence)?);
    let verified = sshsig::verify(&signed.signature, &bytes, &chain.namespace(), &trusted);
    verified.map_err(|error| wrong(error.to_string()))?;
    Ok(signed)
}

/// Adds a piece of evidence. The same file again is the same piece; nothing is written.
///
/// # Errors
/// Unfinished, if the vault cannot be written.
pub async fn add(context: &Context, evidence: &Evidence, content: String) -> anyhow::Result<VaultKey> {
    let chain = chain(evidence);
    let key = chain.key(1)?;
    let bytes = canonical::to_vec(evidence)?;
    let signature = context.signer.sign(&Writer::Evidence, &chain.namespace(), &bytes, true).await;
    let signature = signature.map_err(|error| ledger::unfinished(format!("failed to sign {key}"), error))?;
    let bytes = canonical::to_vec(&SignedEvidence { evidence: evidence.clone(), content, signature })?;
    match context.vault.create(&key, Body::Bytes(&bytes)).await {
        Ok(()) => {
            let noted = context.witness.note(&chain, Head { number: 1, sha256: Digest::of(&bytes) }).await;
            noted.map_err(|error| ledger::unfinished(format!("failed to tell the witness of {key}"), error))?;
        }
        Err(VaultError::Exists(_)) => {
            let there = one(context, &key).await?;
            let same = (&there.kind, &there.environment, there.manifest)
                == (&evidence.kind, &evidence.environment, evidence.manifest);
            if !same {
                let text = format!("{key} is evidence of kind {} for {} already", there.kind, there.environment);
                return Err(Failure::Refused(format!("{text}; one file proves one thing")).into());
            }
        }
        Err(error) => return Err(error.failed(format!("failed to write {key}")).into()),
    }
    Ok(key)
}

fn chain(evidence: &Evidence) -> ChainName {
    ChainName::Evidence { release: evidence.release, file: evidence.sha256 }
}
