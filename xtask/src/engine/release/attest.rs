//! What goes into a box beside the artifacts: each function's bill of materials, and the provenance of all.

use std::collections::BTreeMap;

use crate::{
    context::Context,
    engine::ledger,
    failure::Failure,
    model::{
        canonical,
        commit::CommitId,
        digest::Digest,
        dsse::{self, Envelope},
        entry::Writer,
        manifest::{Object, box_key},
        names::FunctionName,
        provenance::{self, Origin, PAYLOAD_TYPE, PROVENANCE},
        sbom,
        version::Version,
    },
    ports::{
        cargo::Built,
        vault::{Body, VaultError},
    },
};

/// Every function's bill of materials, by its name in the box.
///
/// # Errors
/// If one has no JSON form.
pub(super) fn bills(built: &Built) -> anyhow::Result<BTreeMap<FunctionName, (String, Vec<u8>)>> {
    let bill = |function: &FunctionName, sha256: Digest| -> anyhow::Result<_> {
        let linked = built.linked.get(function).cloned().unwrap_or_default();
        Ok((function.clone(), (sbom::object_name(function), sbom::bill(function, &linked, sha256)?)))
    };
    built.artifacts.iter().map(|(function, artifact)| bill(function, artifact.sha256)).collect()
}

/// Puts the provenance into the box, every signature checked first, as nothing can be taken out again. A signature need not
/// come out alike twice, so one that an interrupted run has put there is taken as it is; the caller verifies it against the
/// manifest before that is written.
///
/// # Errors
/// Unfinished, if the vault or the key cannot be used.
pub(super) async fn provenance(
    context: &Context,
    version: Version,
    commit: CommitId,
    built: &Built,
    bills: &BTreeMap<FunctionName, (String, Vec<u8>)>,
) -> anyhow::Result<Object> {
    let key = box_key(version, PROVENANCE)?;
    let read = async || {
        let read = context.vault.read(&key).await;
        read.map_err(|error| error.failed(format!("failed to read {key}")))
    };
    if let Some(bytes) = read().await? {
        return Ok(object(&bytes));
    }
    let repository = context.git.origin();
    let run = match &context.identity {
        Some(identity) => identity.claims().await?,
        None => None,
    };
    let origin = Origin {
        release: version,
        commit,
        repository: repository.as_deref(),
        toolchain: &built.toolchain,
        lockfile: built.lockfile,
        tool: &context.tool,
        run: run.as_ref(),
    };
    let mut lines = Vec::new();
    for (function, artifact) in &built.artifacts {
        let bill = bills.get(function).map(|(_, bytes)| Digest::of(bytes));
        let bill = bill.ok_or_else(|| anyhow::anyhow!("{function} has no bill of materials"))?;
        let statement = provenance::statement(&origin, function, artifact.sha256, bill)?;
        let sealed = context.signer.seal(&Writer::Releaser, &dsse::pae(PAYLOAD_TYPE, &statement)).await;
        let (signature, public) = sealed
            .map_err(|error| ledger::unfinished(format!("failed to sign the provenance of {function}"), error))?;
        let envelope = Envelope::new(PAYLOAD_TYPE, &statement, &signature, &public);
        let trusted = ledger::keys(context, &Writer::Releaser).await?;
        envelope
            .verify(PAYLOAD_TYPE, &trusted)
            .map_err(|why| ledger::unfinished(format!("failed to sign the provenance of {function}"), why.into()))?;
        lines.extend(canonical::to_vec(&envelope)?);
        lines.push(b'\n');
    }
    match context.vault.create(&key, Body::Bytes(&lines)).await {
        Ok(()) | Err(VaultError::Exists(_)) => {}
        Err(error) => return Err(error.failed(format!("failed to upload {key}")).into()),
    }
    let bytes = read().await?.ok_or_else(|| Failure::Integrity(format!("{key} was written and is not there")))?;
    Ok(object(&bytes))
}

fn object(bytes: &[u8]) -> Object {
    Object { sha256: Digest::of(bytes), size: bytes.len() as u64 }
}
