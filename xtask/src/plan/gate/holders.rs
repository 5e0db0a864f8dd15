//! Whether the people there are could pass a gate at all, before any release stands at it.

use crate::{
    model::{
        manifest::{ApprovalRule, GateRules},
        names::EnvName,
        people::{People, Person, PersonKey},
        time::Time,
    },
    plan::gate::assignment::{self, Wanted},
};

/// Why nobody could get a release past the gate of an environment: one sentence per role that too few people hold, and
/// one if there are enough for each role and not for all of them at once. Empty if the gate can be passed.
#[must_use]
pub fn gaps(people: &People, environment: &EnvName, gate: &GateRules, now: Time) -> Vec<String> {
    let glass = gate.break_glass.iter().map(|glass| ApprovalRule { role: glass.role.clone(), count: 1 });
    let demands: Vec<_> = gate.approvals.iter().cloned().chain(glass).collect();
    let can = |person: &Person| can_sign(people, person, now) || (gate.reviews.is_some() && person.github.is_some());
    let wanted: Vec<_> = demands.iter().map(|demand| wanted(people, demand, &can)).collect();
    let short = demands.iter().zip(&wanted).filter(|(_, wanted)| wanted.candidates.len() < wanted.count);
    let mut gaps: Vec<String> = short
        .map(|(ApprovalRule { role, count }, wanted)| {
            let have = wanted.candidates.len();
            format!("the gate of {environment} asks for {count} by {role}, and {have} with that role can sign now")
        })
        .collect();
    let each: usize = wanted.iter().map(|wanted| wanted.count.min(wanted.candidates.len())).sum();
    let at_once = assignment::assign(&wanted).len();
    if at_once < each {
        let roles = demands.iter().map(|demand| demand.role.as_str()).collect::<Vec<_>>().join(", ");
        gaps.push(format!(
            "the gate of {environment} asks for {roles}, where one person counts in one role: the people who can sign \
             now fill {at_once} of {each} places"
        ));
    }
    gaps
}

/// A person, and the role where one may count in several.
fn wanted(people: &People, demand: &ApprovalRule, can: &dyn Fn(&Person) -> bool) -> Wanted<(String, Option<String>)> {
    let role = people.several_roles.then(|| demand.role.to_string());
    let able = people.persons.iter().filter(|(_, p)| p.roles.contains(&demand.role) && can(p));
    Wanted {
        count: usize::try_from(demand.count).unwrap_or(usize::MAX),
        candidates: able.map(|(id, _)| (id.to_string(), role.clone())).collect(),
    }
}

/// Whether a signature that this person makes now can count. A key that two people list proves neither.
pub(super) fn can_sign(people: &People, person: &Person, now: Time) -> bool {
    let own = |key: &PersonKey| people.owners(&key.key.fingerprint()).len() == 1;
    person.keys.iter().any(|key| key.valid_at(now) && key.revoked(now).is_none() && own(key))
}
