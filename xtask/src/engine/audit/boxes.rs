//! The boxes: every sealed object hashed, nothing missing, nothing added.

use std::collections::BTreeSet;

use crate::{
    context::Context,
    engine::audit::{Audit, Inventory, Manifests, Story, chains},
    model::{
        canonical,
        digest::Digest,
        entry::Record,
        key::VaultKey,
        manifest::{MANIFEST, Manifest, box_key},
        releases::ReleaseEvent,
        verdict::Verdict,
        version::Version,
    },
};

/// Verifies all boxes and gives the manifests that are sound.
pub(super) async fn verify(
    context: &Context,
    audit: &mut Audit,
    inventory: &Inventory,
    story: &Story,
    now: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Manifests> {
    let sealed = chains::sealed(&story.releases);
    let mut manifests = Manifests::new();
    let mut previous: Option<(Version, Digest)> = None;
    for (version, digest) in &sealed {
        now(&format!("{version}"));
        audit.releases += 1;
        if let Some(manifest) = seal(context, audit, *version, *digest).await? {
            agree(audit, story, &manifest, previous)?;
            objects(context, audit, inventory, &manifest).await?;
            manifests.insert(*version, manifest);
        } else {
            audit.notices.push(format!("{version}: its other objects were not checked: its manifest is not sound"));
        }
        previous = Some((*version, *digest));
    }
    unsealed(audit, inventory, story, &sealed.keys().copied().collect());
    burned(context, audit, story).await?;
    Ok(manifests)
}

async fn seal(
    context: &Context,
    audit: &mut Audit,
    version: Version,
    sealed: Digest,
) -> anyhow::Result<Option<Manifest>> {
    let key = box_key(version, MANIFEST)?;
    let bytes = match context.vault.read(&key).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            audit.find(&key, Verdict::Missing, sealed.to_string(), "nothing");
            return Ok(None);
        }
        Err(error) => {
            audit.unread(&key, sealed.to_string(), error);
            return Ok(None);
        }
    };
    let found = Digest::of(&bytes);
    if found != sealed {
        audit.find(&key, Verdict::Incorrect, sealed.to_string(), found.to_string());
        return Ok(None);
    }
    match canonical::from_slice(&bytes) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) => {
            audit.find(&key, Verdict::Incorrect, "a manifest", error.to_string());
            Ok(None)
        }
    }
}

/// The manifest must be about what was reserved, and link to the release sealed before it.
fn agree(
    audit: &mut Audit,
    story: &Story,
    manifest: &Manifest,
    previous: Option<(Version, Digest)>,
) -> anyhow::Result<()> {
    let key = box_key(manifest.release, MANIFEST)?;
    let reserved = story.releases.iter().find_map(|record| match &record.entry.event {
        ReleaseEvent::Reserved { commit, .. } if record.entry.release == Some(manifest.release) => Some(*commit),
        _ => None,
    });
    if reserved != Some(manifest.commit) {
        let expected = reserved.map_or_else(|| "a reservation".to_owned(), |commit| format!("commit {commit}"));
        audit.find(&key, Verdict::Incorrect, expected, format!("commit {}", manifest.commit));
    }
    let link = manifest.previous.as_ref().map(|p| (p.release, p.manifest));
    if link != previous {
        let show =
            |link: Option<(Version, Digest)>| link.map_or_else(|| "no link".to_owned(), |(v, d)| format!("{v} {d}"));
        audit.find(&key, Verdict::Incorrect, show(previous), show(link));
    }
    Ok(())
}

async fn objects(
    context: &Context,
    audit: &mut Audit,
    inventory: &Inventory,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    for (name, sealed) in &manifest.objects {
        object(context, audit, manifest.release, name, sealed.sha256, Some(sealed.size)).await?;
    }
    for (name, key) in inventory.boxes.get(&manifest.release).into_iter().flatten() {
        if name != MANIFEST && !manifest.objects.contains_key(name) {
            audit.find(key, Verdict::Unexpected, "nothing", "an object that the manifest does not seal");
        }
    }
    Ok(())
}

/// A box without a seal is either under way, or burned, or nobody's.
fn unsealed(audit: &mut Audit, inventory: &Inventory, story: &Story, sealed: &BTreeSet<Version>) {
    for (version, objects) in &inventory.boxes {
        if sealed.contains(version) {
            continue;
        }
        let about = |record: &&Record<ReleaseEvent>| record.entry.release == Some(*version);
        match story.releases.iter().rfind(about).map(|record| &record.entry.event) {
            None => {
                for key in objects.values() {
                    audit.find(key, Verdict::Unexpected, "nothing", "an object of a release that was never reserved");
                }
            }
            Some(ReleaseEvent::Burned { .. }) => {
                audit.notices.push(format!("{version} is burned: its {} objects are sealed by nothing", objects.len()));
                burned_seal(audit, objects.get(MANIFEST));
            }
            Some(_) => {
                audit.notices.push(format!("{version} is not sealed yet: its objects were not checked"));
            }
        }
    }
}

/// What burned a number is the proof for it: those objects must still be what the burning recorded.
async fn burned(context: &Context, audit: &mut Audit, story: &Story) -> anyhow::Result<()> {
    for record in &story.releases {
        let (Some(version), ReleaseEvent::Burned { differences, .. }) = (record.entry.release, &record.entry.event)
        else {
            continue;
        };
        for difference in differences {
            object(context, audit, version, &difference.object, difference.uploaded, None).await?;
        }
    }
    Ok(())
}

/// One object against its digest, and against its size where that is known.
async fn object(
    context: &Context,
    audit: &mut Audit,
    version: Version,
    name: &str,
    sha256: Digest,
    size: Option<u64>,
) -> anyhow::Result<()> {
    let key = box_key(version, name)?;
    let show = |digest: Digest, size: Option<u64>| match size {
        Some(size) => format!("{digest} of {size} bytes"),
        None => digest.to_string(),
    };
    let expected = show(sha256, size);
    match context.vault.fetch(&key, None).await {
        Ok(Some((found, length))) if found == sha256 && size.is_none_or(|size| size == length) => {}
        Ok(Some((found, length))) => {
            audit.find(&key, Verdict::Incorrect, expected, show(found, Some(length)));
        }
        Ok(None) => audit.find(&key, Verdict::Missing, expected, "nothing"),
        Err(error) => audit.unread(&key, expected, error),
    }
    Ok(())
}

/// A burned number never had a manifest: one that turns up later would make it look like a release.
fn burned_seal(audit: &mut Audit, manifest: Option<&VaultKey>) {
    if let Some(key) = manifest {
        audit.find(key, Verdict::Unexpected, "nothing", "a manifest of a burned number");
    }
}
