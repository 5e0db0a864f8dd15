//! What people decided about a release and what was added as proof: made by someone who could, about what was sealed.

use std::sync::Arc;

use super::{
    Audit,
    chains::{self, Followed},
    source::Desk,
    story::Story,
};
use crate::{
    engine::{
        evidence::{self, SignedEvidence},
        gate,
    },
    model::{
        approval::ApprovalEvent,
        canonical,
        digest::Digest,
        entry::{ChainName, Head},
        evidence::Evidence,
        key::VaultKey,
        manifest::Manifest,
        policy::PolicyState,
        time::Time,
        verdict::Verdict,
        version::Version,
    },
    plan::gate::{self as plan, Facts, Signed},
};

/// Verifies one chain of decisions and gives its statements and where they stand, in order.
///
/// # Errors
/// What cannot be told as a finding.
pub(super) async fn statements(
    desk: &Arc<Desk>,
    audit: &mut Audit,
    story: &Story,
    manifest: Option<&Manifest>,
    chain: &ChainName,
) -> anyhow::Result<(Vec<Signed>, Vec<Head>)> {
    let (mut statements, mut heads) = (Vec::new(), Vec::new());
    chains::verify(desk, audit, chain, |audit, Followed { record, linked, .. }: Followed<'_, ApprovalEvent>| {
        let signed = gate::signed(chain, record.clone(), linked)?;
        let judged = match judged(story, manifest, chain, &signed)? {
            Ok(()) => desk.trusted.person(record),
            Err(why) => Err(why),
        };
        if let Err(why) = judged {
            let expected = "a statement by a person who could make it";
            audit.find(chain.key(record.entry.number)?, Verdict::Incorrect, expected, why);
        }
        statements.push(signed);
        heads.push(record.head());
        Ok(())
    })
    .await?;
    Ok((statements, heads))
}

fn judged(
    story: &Story,
    manifest: Option<&Manifest>,
    chain: &ChainName,
    signed: &Signed,
) -> anyhow::Result<Result<(), String>> {
    let ChainName::Approvals { release, environment } = chain else { return Ok(Ok(())) };
    let Some(manifest) = manifest else {
        return Ok(Err(format!("{release} has no sound seal that it could be about")));
    };
    let Some(stop) = manifest.stop(environment) else {
        return Ok(Err(format!("{environment} is not on the path that {release} froze")));
    };
    let digest = Digest::of(&canonical::to_vec(manifest)?);
    // Clocks differ: a policy that was applied right before may carry a later time.
    let time = signed.entry.time;
    let mut judged = Err("no policy was in force, so that nobody could decide".to_owned());
    for policy in story.in_force(time, time.after(plan::SKEW)) {
        judged = plan::made(&Facts::when_signed(manifest, digest, stop, policy, signed), signed);
        if judged.is_ok() {
            break;
        }
    }
    Ok(judged)
}

impl Story {
    /// The policies that were in force at any moment of a span of time.
    pub(super) fn in_force(&self, from: Time, to: Time) -> impl Iterator<Item = &PolicyState> {
        let first = self.policy.iter().rposition(|(time, ..)| *time <= from);
        let before = first.is_none().then_some(&self.none);
        let held = self.policy.iter().skip(first.unwrap_or(0)).filter(move |(time, ..)| *time <= to);
        before.into_iter().chain(held.map(|(.., state)| state))
    }
}

/// Verifies every piece of evidence about a release and gives what is sound.
///
/// # Errors
/// What cannot be told as a finding.
pub(super) async fn evidence(
    desk: &Desk,
    audit: &mut Audit,
    story: &Story,
    release: Version,
) -> anyhow::Result<Vec<SignedEvidence>> {
    let sealed = story.releases.get(&release).and_then(|number| number.sealed);
    let mut sound = Vec::new();
    for key in desk.inventory.evidence.get(&release).into_iter().flatten() {
        match piece(desk, audit, key).await {
            Ok(Some(signed)) => {
                let evidence = &signed.evidence;
                if sealed != Some(evidence.manifest) {
                    let expected = sealed.map_or_else(|| "no seal".to_owned(), |digest| digest.to_string());
                    let expected = format!("evidence about {expected}");
                    audit.find(key, Verdict::Incorrect, expected, evidence.manifest.to_string());
                }
                sound.push(signed);
            }
            Ok(None) => {}
            Err(error) => chains::report(audit, key, error)?,
        }
    }
    Ok(sound)
}

/// One piece; what the witness saw of it must be this very one.
async fn piece(desk: &Desk, audit: &mut Audit, key: &VaultKey) -> anyhow::Result<Option<SignedEvidence>> {
    let chain = key.as_str().strip_suffix(".json").and_then(|name| name.parse::<ChainName>().ok());
    let noted = chain.as_ref().and_then(|chain| desk.noted(chain));
    let bytes = desk.vault.read(key).await.map_err(|error| error.failed(format!("failed to read {key}")))?;
    let Some(bytes) = bytes else {
        audit.find(key, Verdict::Missing, "evidence that the witness saw", "nothing");
        return Ok(None);
    };
    let found = Digest::of(&bytes);
    if let Some(head) = noted.filter(|head| head.sha256 != found) {
        audit.find(key, Verdict::Incorrect, format!("{}, as the witness saw it", head.sha256), found.to_string());
    }
    let keys = |evidence: &Evidence| match &chain {
        Some(chain) => desk.trusted.writer(chain, evidence.time),
        None => Vec::new(),
    };
    Ok(Some(evidence::sound(key, &bytes, keys)?))
}
