//! Uploading: every object goes to the vault once, and is read back and hashed before anything relies on it.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    context::Context,
    engine::release::attest,
    failure::Failure,
    model::{
        commit::CommitId,
        digest::Digest,
        key::VaultKey,
        manifest::{Object, SUMS, box_key},
        provenance::PROVENANCE,
        releases::Difference,
        version::Version,
    },
    ports::{
        cargo::{Artifact, Built},
        vault::{AT_ONCE, Body, VaultError},
    },
};

/// Uploads all artifacts, what is told about them, and the checksum file of it all. What is there already must be equal;
/// what is not is returned.
///
/// # Errors
/// Integrity, if what is read back is not what was written; unfinished, if the vault cannot be reached.
pub(super) async fn artifacts(
    context: &Context,
    version: Version,
    commit: CommitId,
    built: &Built,
    now: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Result<BTreeMap<String, Object>, Vec<Difference>>> {
    let bills = attest::bills(built)?;
    let mut uploads = Vec::new();
    for (function, artifact) in &built.artifacts {
        uploads.push(upload(context, version, format!("{function}.zip"), artifact, now));
    }
    let uploaded: Vec<_> = stream::iter(uploads).buffered(AT_ONCE).try_collect().await?;
    let (mut objects, mut differences) = (BTreeMap::new(), Vec::new());
    for (name, object, difference) in uploaded {
        objects.insert(name, object);
        differences.extend(difference);
    }
    for (name, bill) in bills.values() {
        now(name);
        let object = Object { sha256: Digest::of(bill), size: bill.len() as u64 };
        differences.extend(put(context, version, name, &object, Body::Bytes(bill)).await?);
        objects.insert(name.clone(), object);
    }
    if differences.is_empty() {
        now(PROVENANCE);
        let object = attest::provenance(context, version, commit, built, &bills).await?;
        read_back(context, version, PROVENANCE, &object).await?;
        objects.insert(PROVENANCE.to_owned(), object);
        let sums = sums(&objects);
        let object = Object { sha256: Digest::of(sums.as_bytes()), size: sums.len() as u64 };
        differences.extend(put(context, version, SUMS, &object, Body::Bytes(sums.as_bytes())).await?);
        objects.insert(SUMS.to_owned(), object);
    }
    Ok(if differences.is_empty() { Ok(objects) } else { Err(differences) })
}

async fn upload(
    context: &Context,
    version: Version,
    name: String,
    artifact: &Artifact,
    now: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<(String, Object, Option<Difference>)> {
    now(&name);
    let object = Object { sha256: artifact.sha256, size: artifact.size };
    let difference = put(context, version, &name, &object, Body::File(&artifact.path)).await?;
    Ok((name, object, difference))
}

/// Reads one object of a box back and compares it with what it must be.
///
/// # Errors
/// Integrity, if it is missing or different; unfinished, if the vault cannot be reached.
pub(super) async fn read_back(context: &Context, version: Version, name: &str, object: &Object) -> anyhow::Result<()> {
    let key = box_key(version, name)?;
    let found = context.vault.fetch(&key, None).await;
    let found = found.map_err(|error| error.failed(format!("failed to read {key} back")))?;
    if found == Some((object.sha256, object.size)) {
        return Ok(());
    }
    let found = found.map_or_else(|| "nothing".to_owned(), |(digest, size)| format!("{digest} of {size} bytes"));
    let expected = format!("{} of {} bytes", object.sha256, object.size);
    Err(Failure::Integrity(format!("{key} read back wrong: expected {expected}, found {found}")).into())
}

async fn put(
    context: &Context,
    version: Version,
    name: &str,
    object: &Object,
    body: Body<'_>,
) -> anyhow::Result<Option<Difference>> {
    let key = box_key(version, name)?;
    match context.vault.create(&key, body).await {
        Ok(()) => {}
        Err(VaultError::Exists(_)) => {
            if let Some(uploaded) = other(context, &key, object).await?
                // A number is burned for good, so that one wrong answer must not do.
                && other(context, &key, object).await? == Some(uploaded)
            {
                return Ok(Some(Difference { object: name.to_owned(), uploaded, rebuilt: object.sha256 }));
            }
        }
        Err(error) => return Err(error.failed(format!("failed to upload {key}")).into()),
    }
    read_back(context, version, name, object).await?;
    Ok(None)
}

/// The digest of what lies there, if it is not that of this object.
async fn other(context: &Context, key: &VaultKey, object: &Object) -> anyhow::Result<Option<Digest>> {
    let found = context.vault.fetch(key, None).await;
    let found = found.map_err(|error| error.failed(format!("failed to read {key}")))?;
    Ok(found.map(|(digest, _)| digest).filter(|digest| *digest != object.sha256))
}

/// The format of `sha256sum`: digest, two spaces, name.
fn sums(objects: &BTreeMap<String, Object>) -> String {
    objects.iter().map(|(name, object)| format!("{}  {name}\n", object.sha256.hex())).collect()
}
