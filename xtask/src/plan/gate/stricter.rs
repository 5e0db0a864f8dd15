//! What a gate demands, when several rule sets have a say: the stricter of them, in every respect.

use crate::model::{
    manifest::{ApprovalRule, EvidenceRule, GateRules, Manifest, Stop},
    policy::PolicyState,
};

/// What the gate of an environment demands of a release: the stricter of what its manifest froze, of the policy that
/// is applied, and of today's `release.toml`. Editing one of them loosens nothing.
#[must_use]
pub fn rules(manifest: &Manifest, today: &Stop, policy: &PolicyState) -> GateRules {
    let frozen = manifest.stop(&today.environment).map(|stop| &stop.gate);
    let applied = policy.gates.get(&today.environment);
    let all = frozen.into_iter().chain(applied).chain([&today.gate]).collect::<Vec<_>>();
    stricter(&all)
}

/// The stricter of several rule sets: every role with its highest count, the longest soak time, every kind of evidence,
/// as a test report if one of them asks for that; the newest database of advisories; reviews where all of them count the same ones, and the role that may break
/// the glass where all of them name it.
#[must_use]
pub fn stricter(all: &[&GateRules]) -> GateRules {
    let mut merged = GateRules::default();
    for rules in all {
        for rule in &rules.approvals {
            approval(&mut merged.approvals, rule);
        }
        merged.soak = merged.soak.max(rules.soak);
        for rule in &rules.evidence {
            evidence(&mut merged.evidence, rule);
        }
        if let Some(rule) = &rules.vulnerabilities {
            let known = merged.vulnerabilities.get_or_insert_with(|| rule.clone());
            known.max_age = known.max_age.min(rule.max_age);
        }
    }
    // What loosens a gate holds only where every rule set says the same.
    merged.reviews = agreed(all, |rules| rules.reviews.as_ref());
    merged.break_glass = agreed(all, |rules| rules.break_glass.as_ref());
    merged
}

/// What all rule sets say alike, if they do.
fn agreed<T: Clone + PartialEq>(all: &[&GateRules], of: impl Fn(&GateRules) -> Option<&T>) -> Option<T> {
    let (first, others) = all.split_first()?;
    let said = of(first)?;
    others.iter().all(|rules| of(rules) == Some(said)).then(|| said.clone())
}

fn approval(merged: &mut Vec<ApprovalRule>, rule: &ApprovalRule) {
    match merged.iter_mut().find(|known| known.role == rule.role) {
        Some(known) => known.count = known.count.max(rule.count),
        None => merged.push(rule.clone()),
    }
}

fn evidence(merged: &mut Vec<EvidenceRule>, rule: &EvidenceRule) {
    match merged.iter_mut().find(|known| known.kind == rule.kind) {
        Some(known) => known.tests |= rule.tests,
        None => merged.push(rule.clone()),
    }
}
