//! One box: every sealed object hashed, nothing missing, nothing added.

use super::{
    Audit,
    source::Desk,
    story::{Number, Story},
};
use crate::{
    engine::provenance,
    model::{
        canonical,
        digest::Digest,
        entry::ChainName,
        manifest::{MANIFEST, Manifest, box_key},
        provenance::PROVENANCE,
        time::Time,
        verdict::Verdict,
        version::Version,
    },
};

/// No artifact can be larger: 1 GiB, four times what Lambda takes unpacked. Where no seal tells the size, what is larger is
/// not read.
const LARGEST: u64 = 1 << 30;

/// Verifies the box of a release and gives its manifest, if that is sound.
///
/// # Errors
/// What cannot be told as a finding.
pub(super) async fn verify(
    desk: &Desk,
    audit: &mut Audit,
    story: &Story,
    release: Version,
) -> anyhow::Result<Option<Manifest>> {
    let none = Number::default();
    let number = story.releases.get(&release).unwrap_or(&none);
    for difference in &number.differences {
        // What burned a number is the proof for it: those objects must still be what the burning recorded.
        object(desk, audit, release, &difference.object, difference.uploaded, None).await?;
    }
    let Some(sealed) = number.sealed else {
        unsealed(desk, audit, story, release)?;
        return Ok(None);
    };
    audit.releases += 1;
    let Some(manifest) = seal(desk, audit, release, sealed).await? else {
        audit.notices.push(format!("{release}: its other objects were not checked: its manifest is not sound"));
        return Ok(None);
    };
    agree(audit, story, release, &manifest)?;
    for (name, sealed) in manifest.objects.iter().filter(|(name, _)| *name != PROVENANCE) {
        object(desk, audit, release, name, sealed.sha256, Some(sealed.size)).await?;
    }
    proven(desk, audit, &manifest, number.at).await?;
    for name in desk.inventory.boxes.get(&release).into_iter().flatten() {
        if name != MANIFEST && !manifest.objects.contains_key(name) {
            let key = box_key(release, name)?;
            audit.find(key, Verdict::Unexpected, "nothing", "an object that the manifest does not seal");
        }
    }
    Ok(Some(manifest))
}

/// The provenance must be by the releaser, about these very artifacts.
async fn proven(desk: &Desk, audit: &mut Audit, manifest: &Manifest, at: Option<Time>) -> anyhow::Result<()> {
    let key = box_key(manifest.release, PROVENANCE)?;
    let expected = "signed provenance of every artifact";
    let Some(sealed) = manifest.objects.get(PROVENANCE) else {
        // A box without artifacts has nothing to prove.
        if manifest.functions.is_empty() {
            return Ok(());
        }
        audit.find(&key, Verdict::Missing, expected, "nothing that the manifest seals");
        return Ok(());
    };
    match desk.vault.read(&key).await {
        Ok(Some(bytes)) if (Digest::of(&bytes), bytes.len() as u64) == (sealed.sha256, sealed.size) => {
            let trusted = at.map(|at| desk.trusted.writer(&ChainName::Releases, at)).unwrap_or_default();
            if let Err(why) = provenance::proves(&trusted, manifest, &bytes) {
                audit.find(&key, Verdict::Incorrect, expected, why);
            }
        }
        Ok(Some(bytes)) => {
            audit.find(&key, Verdict::Incorrect, sealed.sha256.to_string(), Digest::of(&bytes).to_string())
        }
        Ok(None) => audit.find(&key, Verdict::Missing, sealed.sha256.to_string(), "nothing"),
        Err(error) => audit.unread(&key, sealed.sha256.to_string(), error),
    }
    Ok(())
}

async fn seal(desk: &Desk, audit: &mut Audit, release: Version, sealed: Digest) -> anyhow::Result<Option<Manifest>> {
    let key = box_key(release, MANIFEST)?;
    let bytes = match desk.vault.read(&key).await {
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
fn agree(audit: &mut Audit, story: &Story, release: Version, manifest: &Manifest) -> anyhow::Result<()> {
    let key = box_key(release, MANIFEST)?;
    if manifest.release != release {
        audit.find(
            &key,
            Verdict::Incorrect,
            format!("the manifest of {release}"),
            format!("that of {}", manifest.release),
        );
    }
    let reserved = story.releases.get(&release).and_then(|number| number.reserved.as_ref()).map(|(commit, _)| *commit);
    if reserved != Some(manifest.commit) {
        let expected = reserved.map_or_else(|| "a reservation".to_owned(), |commit| format!("commit {commit}"));
        audit.find(&key, Verdict::Incorrect, expected, format!("commit {}", manifest.commit));
    }
    let previous = story.sealed_before(release);
    let link = manifest.previous.as_ref().map(|p| (p.release, p.manifest));
    if link != previous {
        let show =
            |link: Option<(Version, Digest)>| link.map_or_else(|| "no link".to_owned(), |(v, d)| format!("{v} {d}"));
        audit.find(&key, Verdict::Incorrect, show(previous), show(link));
    }
    Ok(())
}

/// A box without a seal is either under way, or burned, or nobody's.
fn unsealed(desk: &Desk, audit: &mut Audit, story: &Story, release: Version) -> anyhow::Result<()> {
    let Some(objects) = desk.inventory.boxes.get(&release) else { return Ok(()) };
    match story.releases.get(&release) {
        None => {
            for name in objects {
                let key = box_key(release, name)?;
                audit.find(key, Verdict::Unexpected, "nothing", "an object of a release that was never reserved");
            }
        }
        Some(number) if number.burned => {
            audit.notices.push(format!("{release} is burned: its {} objects are sealed by nothing", objects.len()));
            // A burned number never had a manifest: one that turns up later would make it look like a release.
            if objects.contains(MANIFEST) {
                let key = box_key(release, MANIFEST)?;
                audit.find(key, Verdict::Unexpected, "nothing", "a manifest of a burned number");
            }
        }
        Some(_) => audit.notices.push(format!("{release} is not sealed yet: its objects were not checked")),
    }
    Ok(())
}

/// One object against its digest, and against its size where that is known. What cannot be it by its size is not read:
/// it may be as large as someone liked.
async fn object(
    desk: &Desk,
    audit: &mut Audit,
    release: Version,
    name: &str,
    sha256: Digest,
    size: Option<u64>,
) -> anyhow::Result<()> {
    let key = box_key(release, name)?;
    let show = |digest: Digest, size: Option<u64>| match size {
        Some(size) => format!("{digest} of {size} bytes"),
        None => digest.to_string(),
    };
    let expected = show(sha256, size);
    match desk.vault.size(&key).await {
        Ok(Some(found)) if size.map_or(found > LARGEST, |size| size != found) => {
            audit.find(&key, Verdict::Incorrect, expected, format!("{found} bytes, which were not read"));
            return Ok(());
        }
        Err(error) => {
            audit.unread(&key, expected, error);
            return Ok(());
        }
        Ok(_) => {}
    }
    match desk.vault.fetch(&key, None).await {
        Ok(Some((found, length))) if found == sha256 && size.is_none_or(|size| size == length) => {}
        Ok(Some((found, length))) => {
            audit.find(&key, Verdict::Incorrect, expected, show(found, Some(length)));
        }
        Ok(None) => audit.find(&key, Verdict::Missing, expected, "nothing"),
        Err(error) => audit.unread(&key, expected, error),
    }
    Ok(())
}
