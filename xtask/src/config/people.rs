//! `people.toml`: who may decide, with which keys, when nothing may enter, and which risks are taken. As it is written, then
//! validated; all problems are collected, so that one run shows them all.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{load, validate::nearest},
    failure::Failure,
    model::{
        freeze::{Freeze, Span},
        names::{AdvisoryId, EnvName, PersonId},
        people::{People, Person, PersonKey, RiskException, same_text},
        time::Time,
    },
};

/// Reads `people.toml`.
///
/// # Errors
/// Usage: it cannot be read or is wrong; the message names the file and every problem.
pub fn read(path: &Utf8Path, environments: &[EnvName], local: bool) -> Result<People, Failure> {
    validate(load::toml(path)?, environments, local)
        .map_err(|problems| Failure::usage(format!("{path} is not valid:\n  - {}", problems.join("\n  - "))))
}

/// Who may decide, with which keys, and when nothing may enter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "people.toml")]
pub struct Raw {
    /// The form of this file: 1.
    pub schema: u32,
    /// Whether these people are made up; on `local` only.
    #[serde(default)]
    pub throwaway: bool,
    /// Everyone, by an id that stays the same for as long as the ledger is read.
    #[serde(default)]
    pub people: BTreeMap<String, RawPerson>,
    /// How duties are separated.
    #[serde(default)]
    pub separation: RawSeparation,
    /// How approvals count.
    #[serde(default)]
    pub approvals: RawApprovals,
    /// When nothing may enter.
    #[serde(default)]
    pub freezes: Vec<RawFreeze>,
    /// Known vulnerabilities that may pass for a while, where a gate asks for `vulnerabilities`.
    #[serde(default)]
    pub exceptions: Vec<RawException>,
}

/// One person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Person")]
pub struct RawPerson {
    /// The name that people know.
    pub name: String,
    /// Every address that commits carry: who has a role needs one, because nobody approves what they wrote.
    #[serde(default)]
    pub emails: Vec<String>,
    /// The GitHub login.
    pub github: Option<String>,
    /// How the ledger names this person, as `user@host`.
    #[serde(default)]
    pub logins: Vec<String>,
    /// The roles, as the gates of release.toml name them.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The keys, past ones too: what they signed is still checked.
    #[serde(default)]
    pub keys: Vec<RawKey>,
}

/// One key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Key")]
pub struct RawKey {
    /// The line of a `.pub` file: ed25519, ECDSA, or RSA of at least 2048 bits.
    pub key: String,
    /// From when on it counts, as `2026-06-01T00:00:00Z`.
    pub valid_from: Option<String>,
    /// Until when it counts.
    pub valid_until: Option<String>,
    /// From when on nothing that it ever signed counts.
    pub revoked_at: Option<String>,
}

/// How duties are separated.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Separation")]
pub struct RawSeparation {
    /// Whether one person may count in several roles of one gate.
    #[serde(default)]
    pub several_roles: bool,
}

/// How approvals count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Approvals")]
pub struct RawApprovals {
    /// For how many days at most, 1 to 365.
    pub valid_days: u32,
}

impl Default for RawApprovals {
    fn default() -> Self {
        Self { valid_days: 14 }
    }
}

/// One freeze.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Freeze")]
pub struct RawFreeze {
    /// What people call it.
    pub name: String,
    /// Where it holds.
    pub environments: Vec<EnvName>,
    /// In which time zone, by its IANA name: `Europe/Zurich`.
    pub zone: String,
    /// Its begin: `Fri 16:00` or `2026-12-20T00:00`.
    pub from: String,
    /// Its end, of the same form.
    pub to: String,
}

/// A known vulnerability that may pass for a while.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Exception")]
pub struct RawException {
    /// The advisory, as `RUSTSEC-2026-0001`.
    pub advisory: AdvisoryId,
    /// From when on it may not pass any more, as `2027-01-01T00:00:00Z`.
    pub until: String,
    /// Why it may until then.
    pub reason: String,
}

/// Validates a `people.toml` for a project with these environments, on the local profile or not.
///
/// # Errors
/// Every problem found, in one sentence each.
pub fn validate(raw: Raw, environments: &[EnvName], local: bool) -> Result<People, Vec<String>> {
    let mut problems = Vec::new();
    if raw.schema != 1 {
        problems.push(format!("`schema` is {}, this tool reads 1", raw.schema));
    }
    if raw.throwaway && !local {
        problems.push("`throwaway` people exist on the profile `local` only: name real people and keys".to_owned());
    }
    let valid_days = raw.approvals.valid_days;
    if !(1..=365).contains(&valid_days) {
        problems.push(format!("`approvals.valid_days` is {valid_days}, allowed are 1 to 365"));
    }
    let mut persons: BTreeMap<PersonId, Person> = BTreeMap::new();
    for (id, raw) in raw.people {
        let person = person(&id, raw, &mut problems);
        match id.parse() {
            Ok(id) => drop(persons.insert(id, person)),
            Err(error) => problems.push(format!("{error}")),
        }
    }
    let everyone = || persons.iter().map(|(id, person)| (id.as_str(), person));
    unique("the e-mail", everyone(), |person| person.emails.clone(), &mut problems);
    unique("the GitHub login", everyone(), |person| person.github.iter().cloned().collect(), &mut problems);
    unique("the login", everyone(), |person| person.logins.clone(), &mut problems);
    unique("the key", everyone(), |p| p.keys.iter().map(|key| key.key.fingerprint()).collect(), &mut problems);
    let mut names = BTreeSet::new();
    let freezes = raw.freezes.into_iter().filter_map(|raw| {
        if !names.insert(raw.name.clone()) {
            problems.push(format!("the freeze `{}` is given twice", raw.name));
        }
        freeze(raw, environments, &mut problems)
    });
    let freezes = freezes.collect();
    let mut advisories = BTreeSet::new();
    let exceptions = raw.exceptions.into_iter().filter_map(|raw| {
        if !advisories.insert(raw.advisory.clone()) {
            problems.push(format!("the exception of {} is given twice", raw.advisory));
        }
        exception(raw, &mut problems)
    });
    let exceptions = exceptions.collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let several_roles = raw.separation.several_roles;
    Ok(People { throwaway: raw.throwaway, persons, several_roles, valid_days, freezes, exceptions })
}

fn person(id: &str, raw: RawPerson, problems: &mut Vec<String>) -> Person {
    let mut problem = |text: String| problems.push(format!("`people.{id}`: {text}"));
    if raw.name.trim().is_empty() {
        problem("`name` is empty".to_owned());
    }
    for email in raw.emails.iter().filter(|email| !is_email(email)) {
        problem(format!("`{email}` is no e-mail"));
    }
    // Without an address nobody could tell that they approve what they wrote.
    if !raw.roles.is_empty() && raw.emails.is_empty() {
        problem("whoever has a role needs `emails`: authorship is compared by them".to_owned());
    }
    let mut roles = BTreeSet::new();
    for role in &raw.roles {
        match role.parse() {
            Ok(role) => drop(roles.insert(role)),
            Err(error) => problem(format!("{error}")),
        }
    }
    let keys = raw.keys.iter().filter_map(|raw| key(raw, &mut problem)).collect();
    Person { name: raw.name, emails: raw.emails, github: raw.github, logins: raw.logins, roles, keys }
}

fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()) && !text.contains(char::is_whitespace)
}

fn key(raw: &RawKey, problem: &mut impl FnMut(String)) -> Option<PersonKey> {
    let mut time = |name: &str, text: &Option<String>| -> Option<Time> {
        text.as_ref()?.parse().map_err(|error| problem(format!("`{name}`: {error}"))).ok()
    };
    let valid_from = time("valid_from", &raw.valid_from);
    let valid_until = time("valid_until", &raw.valid_until);
    let revoked_at = time("revoked_at", &raw.revoked_at);
    if valid_from.zip(valid_until).is_some_and(|(from, until)| from >= until) {
        problem("a key's `valid_until` must be after its `valid_from`".to_owned());
    }
    match raw.key.parse() {
        Ok(key) => Some(PersonKey { key, valid_from, valid_until, revoked_at }),
        Err(error) => {
            problem(error.to_string());
            None
        }
    }
}

/// What tells people apart must not be listed twice.
fn unique<'a>(
    what: &str,
    everyone: impl Iterator<Item = (&'a str, &'a Person)>,
    of: impl Fn(&Person) -> Vec<String>,
    problems: &mut Vec<String>,
) {
    let mut seen: Vec<(String, &str)> = Vec::new();
    for (id, person) in everyone {
        for text in of(person) {
            match seen.iter().find(|(known, _)| same_text(known, &text)) {
                Some((_, other)) if *other == id => problems.push(format!("{what} {text} of `{id}` is listed twice")),
                Some((_, other)) => problems.push(format!("{what} {text} is listed for `{other}` and for `{id}`")),
                None => seen.push((text, id)),
            }
        }
    }
}

fn freeze(raw: RawFreeze, environments: &[EnvName], problems: &mut Vec<String>) -> Option<Freeze> {
    let mut problem = |text: String| problems.push(format!("the freeze `{}`: {text}", raw.name));
    if raw.environments.is_empty() {
        problem("`environments` is empty: it would freeze nothing".to_owned());
    }
    for environment in raw.environments.iter().filter(|environment| !environments.contains(environment)) {
        let hint = nearest(environment.as_str(), environments.iter().map(EnvName::as_str));
        problem(format!("unknown environment `{environment}`{hint}"));
    }
    let zone = raw.zone.parse().map_err(|error| problem(format!("{error}"))).ok();
    let span = Span::between(&raw.from, &raw.to).map_err(|error| problem(error.to_string())).ok();
    Some(Freeze { name: raw.name, environments: raw.environments, zone: zone?, span: span? })
}

fn exception(raw: RawException, problems: &mut Vec<String>) -> Option<RiskException> {
    let mut problem = |text: String| problems.push(format!("the exception of {}: {text}", raw.advisory));
    if raw.reason.trim().is_empty() {
        problem("`reason` is empty: say why the risk may be taken".to_owned());
    }
    let until = raw.until.parse().map_err(|error| problem(format!("`until`: {error}"))).ok()?;
    Some(RiskException { advisory: raw.advisory, until, reason: raw.reason })
}

#[cfg(test)]
mod tests;
