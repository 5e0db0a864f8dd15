//! What people decided and what was added as proof: made by someone who could, about what was sealed.

use std::collections::BTreeMap;

use crate::{
    engine::{
        audit::{Audit, Manifests, Story},
        gate,
    },
    model::{
        approval::ApprovalEvent,
        canonical,
        digest::Digest,
        entry::{ChainName, Record},
        evidence::Evidence,
        key::VaultKey,
        policy::{PolicyEvent, PolicyState},
        verdict::Verdict,
        version::Version,
    },
    plan::gate::{self as plan, Facts},
};

/// Verifies every statement and every piece of evidence against the seals and the policy of its time.
///
/// # Errors
/// If canonical bytes cannot be made.
pub(super) fn verify(
    audit: &mut Audit,
    story: &Story,
    sealed: &BTreeMap<Version, Digest>,
    manifests: &Manifests,
) -> anyhow::Result<()> {
    for record in &story.approvals {
        let entry = &record.entry;
        let key = entry.chain.key(entry.number)?;
        if let Err(why) = statement(story, manifests, record)? {
            let expected = "a statement by a person who could make it";
            audit.find(&key, Verdict::Incorrect, expected, why);
        }
    }
    for (key, evidence) in &story.evidence {
        about(audit, key, evidence, sealed);
    }
    Ok(())
}

fn statement(
    story: &Story,
    manifests: &Manifests,
    record: &Record<ApprovalEvent>,
) -> anyhow::Result<Result<(), String>> {
    let ChainName::Approvals { release, environment } = &record.entry.chain else { return Ok(Ok(())) };
    let Some(manifest) = manifests.get(release) else {
        return Ok(Err(format!("{release} has no sound seal that it could be about")));
    };
    let Some(stop) = manifest.stop(environment) else {
        return Ok(Err(format!("{environment} is not on the path that {release} froze")));
    };
    let digest = Digest::of(&canonical::to_vec(manifest)?);
    let signed = gate::signed(&record.entry.chain, record.clone())?;
    // Clocks differ: a policy that was applied right before may carry a later time.
    let latest = record.entry.time.after(plan::SKEW);
    let mut judged = Err("no policy was in force, so that nobody could decide".to_owned());
    for policy in in_force(&story.policy, record.entry.time, latest) {
        judged = plan::made(&Facts::when_signed(manifest, digest, stop, policy, &signed), &signed);
        if judged.is_ok() {
            break;
        }
    }
    Ok(judged)
}

/// The policies that were in force at any moment of a span of time.
fn in_force(
    policy: &[Record<PolicyEvent>],
    from: crate::model::time::Time,
    to: crate::model::time::Time,
) -> impl Iterator<Item = &PolicyState> {
    let first = policy.iter().rposition(|record| record.entry.time <= from).unwrap_or(0);
    policy
        .iter()
        .skip(first)
        .map(|record| &record.entry)
        .filter(move |entry| entry.time <= to)
        .map(|entry| &entry.state)
}

fn about(audit: &mut Audit, key: &VaultKey, evidence: &Evidence, sealed: &BTreeMap<Version, Digest>) {
    let known = sealed.get(&evidence.release);
    if known != Some(&evidence.manifest) {
        let expected = known.map_or_else(|| "no seal".to_owned(), Digest::to_string);
        audit.find(key, Verdict::Incorrect, format!("evidence about {expected}"), evidence.manifest.to_string());
    }
}
