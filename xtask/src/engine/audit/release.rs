//! Everything in the vault about one release: its box, the decisions, the evidence. Releases are looked at side by side
//! and judged in their order, as each brings what its predecessors brought.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Audit, boxes, decisions,
    entered::{self, Authorship, Release},
    ordered::ordered,
    source::Desk,
    story::Story,
};
use crate::{
    engine::advisories,
    model::{canonical, digest::Digest, entry::ChainName, version::Version},
};

/// Looks at every release and judges its way.
///
/// # Errors
/// What cannot be told as a finding.
pub(super) async fn all(
    desk: &Arc<Desk>,
    audit: &mut Audit,
    story: &Arc<Story>,
    now: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let mut releases = desk.inventory.releases();
    releases.extend(story.releases.keys());
    let mut authorship = Authorship::default();
    let look = |release: Version| look(Arc::clone(desk), Arc::clone(story), release);
    // What replaces a newer release in the second region does so because that died; a rejection shows in its decisions.
    let may_be_dead = |version: Version| {
        let died = story.past.get(&version).is_some_and(|past| !past.died.is_empty());
        died || desk.inventory.approvals(version).next().is_some()
    };
    ordered(releases.into_iter(), look, |looked| {
        let (found, release) = looked?;
        audit.merge(found);
        if let Some(release) = release {
            now(&release.manifest.release.to_string());
            authorship.note(&release.manifest);
            entered::judge(audit, story, &release, &authorship, &may_be_dead)?;
        }
        Ok(())
    })
    .await
}

async fn look(desk: Arc<Desk>, story: Arc<Story>, release: Version) -> anyhow::Result<(Audit, Option<Release>)> {
    let mut audit = Audit::default();
    let manifest = boxes::verify(&desk, &mut audit, &story, release).await?;
    let (mut statements, mut decisions) = (BTreeMap::new(), BTreeMap::new());
    for chain in desk.inventory.approvals(release) {
        let (made, heads) = decisions::statements(&desk, &mut audit, &story, manifest.as_ref(), chain).await?;
        if let ChainName::Approvals { environment, .. } = chain {
            statements.insert(environment.clone(), made);
            decisions.insert(environment.clone(), heads);
        }
    }
    let evidence = decisions::evidence(&desk, &mut audit, &story, release).await?;
    let sound = match manifest.filter(|manifest| manifest.release == release) {
        None => None,
        Some(manifest) => {
            let digest = Digest::of(&canonical::to_vec(&manifest)?);
            // What is wrong with the bills of materials was found with the box; then nothing is known of what they list.
            let scans = advisories::scans(&*desk.vault, &manifest, &evidence).await.unwrap_or_default();
            let evidence = evidence.into_iter().map(|signed| signed.evidence).collect();
            Some(Release { manifest, digest, statements, decisions, evidence, scans })
        }
    };
    Ok((audit, sound))
}
