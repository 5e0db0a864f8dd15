//! Whether the provenance in a box proves every artifact: signed by a key of the releaser, about these bytes, from the
//! commit that the manifest names (DESIGN §5.3, SLSA v1 "verifying artifacts").

use ssh_key::PublicKey;

use crate::{
    context::Context,
    engine::ledger,
    failure::Failure,
    model::{
        digest::Digest,
        dsse::Envelope,
        entry::Writer,
        manifest::{Manifest, box_key},
        provenance::{self, Claim, PAYLOAD_TYPE, PROVENANCE},
    },
};

/// Verifies the provenance of a sealed release.
///
/// # Errors
/// Integrity, if an artifact is not proven; unfinished, if the vault or the keys cannot be read.
pub async fn verify(context: &Context, manifest: &Manifest) -> anyhow::Result<()> {
    match wrong(context, manifest).await? {
        None => Ok(()),
        Some(why) => Err(Failure::Integrity(format!("{why}; run `cargo xtask audit verify`")).into()),
    }
}

/// Why a box's provenance proves nothing, if it does not.
///
/// # Errors
/// Unfinished, if the vault or the keys cannot be read.
pub async fn wrong(context: &Context, manifest: &Manifest) -> anyhow::Result<Option<String>> {
    let key = box_key(manifest.release, PROVENANCE)?;
    let nothing = |why: String| Ok(Some(format!("{key} proves nothing: {why}")));
    let Some(sealed) = manifest.objects.get(PROVENANCE) else {
        return nothing("the manifest does not seal it".to_owned());
    };
    let bytes = context.vault.read(&key).await.map_err(|error| error.failed(format!("failed to read {key}")))?;
    let Some(bytes) = bytes else { return nothing("it is missing".to_owned()) };
    if Digest::of(&bytes) != sealed.sha256 {
        return nothing(format!("expected {}, found {}", sealed.sha256, Digest::of(&bytes)));
    }
    let trusted = ledger::keys(context, &Writer::Releaser).await?;
    proves(&trusted, manifest, &bytes).map_or_else(nothing, |()| Ok(None))
}

/// Whether these envelopes prove every artifact of a manifest.
///
/// # Errors
/// Why not.
pub fn proves(trusted: &[PublicKey], manifest: &Manifest, bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| "it is not text".to_owned())?;
    let mut claims = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let claim = serde_json::from_str::<Envelope>(line).map_err(|error| format!("it is no envelope: {error}"));
        let payload = claim.and_then(|envelope| envelope.verify(PAYLOAD_TYPE, trusted).map_err(|e| e.to_string()));
        match payload.and_then(|payload| provenance::claim(&payload)) {
            Ok(claim) => claims.push(claim),
            Err(why) => return Err(format!("line {number}: {why}")),
        }
    }
    agree(manifest, &claims)
}

fn agree(manifest: &Manifest, claims: &[Claim]) -> Result<(), String> {
    for function in manifest.functions.values() {
        let name = &function.artifact;
        let sha256 = manifest.objects.get(name).map(|object| object.sha256);
        let claim = claims.iter().find(|claim| &claim.name == name);
        let claim = claim.ok_or_else(|| format!("nothing is said about {name}"))?;
        if Some(claim.sha256) != sha256 {
            let sealed = sha256.map_or_else(|| "nothing".to_owned(), |sha256| sha256.to_string());
            return Err(format!("{name} is {sealed} in the manifest, the provenance is about {}", claim.sha256));
        }
        if (claim.release, claim.commit) != (manifest.release, manifest.commit) {
            return Err(format!("{name} was built for {} from commit {}", claim.release, claim.commit));
        }
    }
    if claims.len() != manifest.functions.len() {
        return Err(format!("it has {} statements about {} artifacts", claims.len(), manifest.functions.len()));
    }
    Ok(())
}
