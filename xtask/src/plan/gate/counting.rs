//! Whether a single statement counts, and why not.

use std::time::Duration;

use crate::{
    model::{
        approval::{ApprovalEvent, Statement},
        entry::ChainName,
        names::PersonId,
        people::Person,
        time::Time,
    },
    plan::gate::{Facts, Signed},
};

/// How far a signer's clock may run ahead of ours.
pub const SKEW: Duration = Duration::from_secs(5 * 60);
const DAY: u64 = 24 * 60 * 60;

/// Said where approvals are asked for and no policy says who may give them.
pub(super) const NO_POLICY: &str = "no policy is applied, so nobody may decide yet";

/// The person who approved, if the approval at this place counts as far as it stands alone; else why it does not.
pub(super) fn approval<'a>(facts: &Facts<'a>, at: usize, signed: &'a Signed) -> Result<&'a PersonId, String> {
    let statement = signed.entry.event.statement();
    let person = sound(facts, signed)?;
    if signed.entry.time > latest(facts) {
        return Err(format!("it is dated in the future, {}", signed.entry.time));
    }
    if let Some(revoked) = taken_back(facts, at, statement, person) {
        return Err(format!("it was revoked by themselves at {revoked}"));
    }
    let expires = expiry(facts, signed);
    if expires <= facts.now {
        return Err(format!("it expired at {expires}"));
    }
    match conflict(facts, person) {
        Some(why) => Err(why),
        None => Ok(&statement.person),
    }
}

/// Whether an approval that is about to be signed would count, as far as it stands alone.
///
/// # Errors
/// Why it would not.
pub fn counts(facts: &Facts<'_>, signed: &Signed) -> Result<(), String> {
    approval(facts, facts.approvals.len(), signed).map(drop)
}

/// Whether somebody who could made this statement about this release, whatever else speaks against counting it.
///
/// # Errors
/// Why nobody did.
pub fn made(facts: &Facts<'_>, signed: &Signed) -> Result<(), String> {
    sound(facts, signed).map(drop)
}

/// The person who made a statement about this release, these bytes and this environment, with a key and in a role
/// that count; else why it is nothing.
pub(super) fn sound<'a>(facts: &Facts<'a>, signed: &Signed) -> Result<&'a Person, String> {
    about(facts, signed)?;
    let statement = signed.entry.event.statement();
    let people = facts.policy.people.as_ref().ok_or_else(|| NO_POLICY.to_owned())?;
    let id = &statement.person;
    let person = people.persons.get(id).ok_or_else(|| format!("the policy knows no person `{id}`"))?;
    let key = person.key(&statement.key).ok_or_else(|| format!("the key {} is not one of theirs", statement.key))?;
    if let Some(other) = people.owners(&statement.key).into_iter().find(|owner| *owner != id) {
        return Err(format!("the key {} is listed for {other}, too, so it proves nobody", statement.key));
    }
    if !key.valid_at(signed.entry.time) {
        return Err(format!("the key {} was not valid when it signed, at {}", statement.key, signed.entry.time));
    }
    if let Some(revoked) = key.revoked(facts.now) {
        return Err(format!("the key {} is revoked since {revoked}", statement.key));
    }
    if !person.roles.contains(&statement.role) {
        return Err(format!("they do not hold the role {}", statement.role));
    }
    Ok(person)
}

/// Whether the statement is signed, and about what is to be decided.
fn about(facts: &Facts<'_>, signed: &Signed) -> Result<(), String> {
    let entry = &signed.entry;
    let (release, environment) = (facts.manifest.release, &facts.today.environment);
    let named = &entry.event.statement().environment;
    if !signed.signature_ok {
        return Err("its signature is not valid".to_owned());
    }
    // What makes the gate stricter counts wherever it stands: nothing that was put before it may hide it.
    if !signed.linked && matches!(entry.event, ApprovalEvent::Approved { .. }) {
        return Err("it does not follow what stands before it in its chain".to_owned());
    }
    if entry.release != Some(release) {
        let other = entry.release.map_or_else(|| "no release".to_owned(), |other| other.to_string());
        return Err(format!("it is for {other}, not for {release}"));
    }
    if named != environment {
        return Err(format!("it is for {named}, not for {environment}"));
    }
    if entry.chain != (ChainName::Approvals { release, environment: environment.clone() }) {
        return Err(format!("it was moved here from {}", entry.chain));
    }
    if entry.manifest != Some(facts.digest) {
        let other =
            entry.manifest.map_or_else(|| "no manifest".to_owned(), |other| format!("manifest {}", other.short()));
        return Err(format!("it is for {other}, not for {}", facts.digest.short()));
    }
    Ok(())
}

/// When the person took back what they approved, if they did after this. A key that is past its time is good enough for
/// that: it only makes the gate stricter.
fn taken_back(facts: &Facts<'_>, at: usize, statement: &Statement, person: &Person) -> Option<Time> {
    facts.approvals.iter().skip(at + 1).find_map(|later| match &later.entry.event {
        ApprovalEvent::Revoked { statement: by }
            if later.signature_ok && by.person == statement.person && person.key(&by.key).is_some() =>
        {
            Some(later.entry.time)
        }
        _ => None,
    })
}

/// When an approval ends: when it says, and no later than today's policy allows.
fn expiry(facts: &Facts<'_>, signed: &Signed) -> Time {
    signed.entry.event.statement().expires.min(signed.entry.time.after(longest(facts)))
}

/// How long an approval counts at most, by today's policy.
pub(super) fn longest(facts: &Facts<'_>) -> Duration {
    let days = facts.policy.people.as_ref().map_or(0, |people| people.valid_days);
    Duration::from_secs(u64::from(days) * DAY)
}

/// Why this person may not approve, whatever they sign: nobody approves what they wrote or released.
pub(super) fn conflict(facts: &Facts<'_>, person: &Person) -> Option<String> {
    if let Some(commit) = facts.authors.commit_of(person) {
        return Some(format!("they are an author of commit {}", commit.short()));
    }
    let releaser = facts.releaser;
    let released = person.is_actor(&releaser.actor) || releaser.email.as_ref().is_some_and(|e| person.has_email(e));
    released.then(|| format!("they released {}", facts.manifest.release))
}

/// The latest time that something made by now may carry.
pub(super) fn latest(facts: &Facts<'_>) -> Time {
    facts.now.after(SKEW)
}

/// A person's name; of one whom nobody knows, what they called themselves.
pub(super) fn name(facts: &Facts<'_>, id: &PersonId) -> String {
    let person = facts.policy.people.as_ref().and_then(|people| people.persons.get(id));
    person.map_or_else(|| id.to_string(), |person| person.name.clone())
}
