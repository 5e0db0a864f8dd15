//! The gate: what must hold before a release may enter an environment. Every rule is judged and explained, so that
//! the plan, the status and the refusal say the same.

mod approvals;
mod assignment;
mod counting;
mod evidence;
mod holders;
mod path;
mod reviews;
mod stricter;
mod vulnerabilities;
mod waiting;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::{
    counting::{SKEW, counts, made},
    holders::gaps,
    path::rejection,
    stricter::{rules, stricter},
    vulnerabilities::open,
    waiting::NAME_ROLE,
};
use crate::model::{
    advisories::Scans,
    approval::ApprovalEvent,
    commit::CommitId,
    digest::Digest,
    entry::{ChainName, Entry},
    environment::{EnvironmentEvent, FailedCheck},
    evidence::Evidence,
    manifest::{Change, Manifest, Stop},
    names::EnvName,
    people::Person,
    plain,
    policy::PolicyState,
    review::{Review, Run},
    time::Time,
    version::Version,
};

/// Judges the gate of one environment for one release.
#[must_use]
pub fn judge<'a>(facts: &'a Facts<'a>) -> Gate {
    let demands = rules(facts.manifest, facts.today, facts.policy);
    let mut rules = vec![
        path::alive(facts),
        path::order(facts),
        path::forward(facts),
        path::path(facts),
        waiting::stop(facts),
        waiting::unless_broken(facts, waiting::freeze(facts)),
    ];
    rules.extend(demands.soak.map(|soak| waiting::unless_broken(facts, waiting::soak(facts, soak))));
    rules.extend(demands.evidence.iter().map(|rule| evidence::judge(facts, rule)));
    rules.extend(demands.vulnerabilities.as_ref().map(|rule| vulnerabilities::judge(facts, rule)));
    let reviews = reviews::Reviews::judge(facts, demands.reviews.as_ref());
    rules.extend(reviews.rules());
    let asked = approvals::Asked::of(facts, &demands);
    rules.extend(approvals::judge(facts, &asked, &reviews));
    rules.extend(facts.break_glass.filter(|_| demands.break_glass.is_none()).map(|_| waiting::no_glass()));
    Gate { environment: facts.today.environment.clone(), rules }
}

/// What is known when the gate is judged.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The release's seal, with the rules frozen into it.
    pub manifest: &'a Manifest,
    /// The release's identity: the SHA-256 of that seal.
    pub digest: Digest,
    /// Today's rules of that environment, by `release.toml`.
    pub today: &'a Stop,
    /// Today's people, gates and freezes, and the emergency stop, by the policy chain.
    pub policy: &'a PolicyState,
    /// Now.
    pub now: Time,
    /// Where the release died, if it did.
    pub death: Option<&'a Death>,
    /// Since when it is verified in the environment before; `None` if it is not, or if there is none before.
    pub verified_before: Option<Time>,
    /// What the newest verification there found wrong, if it did.
    pub failed_before: Option<&'a FailedCheck>,
    /// What is live in the environment.
    pub live: Option<Version>,
    /// Whether that is dead.
    pub live_died: bool,
    /// Every entry of the approvals chain of this release and environment, in order.
    pub approvals: &'a [Signed],
    /// Every observation of reviews in the chain of the environment about this release, in order.
    pub observed: &'a [Observed],
    /// Why the glass is broken for this entry, if it is.
    pub break_glass: Option<&'a str>,
    /// Who wrote what the release brings into the environment.
    pub authors: &'a Authors,
    /// Who ran the release.
    pub releaser: &'a Releaser,
    /// Every piece of evidence about the release.
    pub evidence: &'a [Evidence],
    /// What the snapshots of advisory databases among that say about the release.
    pub scans: &'a Scans,
    /// Whether the release comes by synchronisation, as the second region wants it.
    pub synchronised: bool,
}

impl<'a> Facts<'a> {
    /// What was known when a statement was signed, as far as the statement itself is judged by it: the policy of that
    /// moment, and that moment as now.
    #[must_use]
    pub fn when_signed(
        manifest: &'a Manifest,
        digest: Digest,
        stop: &'a Stop,
        policy: &'a PolicyState,
        signed: &Signed,
    ) -> Self {
        const NOBODY: &Authors = &Authors(BTreeMap::new());
        const NOTHING: &Scans = &Scans::new();
        const UNKNOWN: &Releaser = &Releaser { actor: String::new(), email: None };
        Self {
            manifest,
            digest,
            today: stop,
            policy,
            now: signed.entry.time,
            death: None,
            verified_before: None,
            failed_before: None,
            live: None,
            live_died: false,
            approvals: &[],
            observed: &[],
            break_glass: None,
            authors: NOBODY,
            releaser: UNKNOWN,
            evidence: &[],
            scans: NOTHING,
            synchronised: false,
        }
    }
}

/// A statement, and whether its signature is good.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed {
    /// What was stated.
    pub entry: Entry<ApprovalEvent>,
    /// Whether the key whose fingerprint the statement names signed the entry, in the namespace of its chain.
    pub signature_ok: bool,
    /// Whether it names the bytes of the object before it in its chain.
    pub linked: bool,
}

/// Reviews of a workflow run, as the deployer of an environment saw them and signed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Its number in the chain of that environment.
    pub number: u64,
    /// The environment.
    pub environment: EnvName,
    /// The release that it is about.
    pub release: Option<Version>,
    /// That release's identity.
    pub manifest: Option<Digest>,
    /// When it was seen, by the deployer's clock.
    pub at: Time,
    /// The run.
    pub run: Run,
    /// Its reviews.
    pub reviews: Vec<Review>,
    /// Whether the answers that are kept with it say so.
    pub as_answered: bool,
}

impl Observed {
    /// What an entry observes, if it does. The answers are read, and not taken along.
    #[must_use]
    pub fn of(entry: &Entry<EnvironmentEvent>) -> Option<Self> {
        let (EnvironmentEvent::Observed { observation }, ChainName::Environment(environment)) =
            (&entry.event, &entry.chain)
        else {
            return None;
        };
        Some(Self {
            number: entry.number,
            environment: environment.clone(),
            release: entry.release,
            manifest: entry.manifest,
            // Whoever saw it wrote it down after that.
            at: observation.at.min(entry.time),
            run: observation.run.clone(),
            reviews: observation.reviews.clone(),
            as_answered: observation.is_as_answered(),
        })
    }
}

/// Who wrote the non-merge commits since what is live: by e-mail, in lower case, with one commit each as the proof.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Authors(BTreeMap<String, CommitId>);

impl Authors {
    /// The authors and co-authors of these changes; merges are nobody's authorship.
    #[must_use]
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let own = changes.into_iter().filter(|change| !change.merge);
        let each = own.flat_map(|change| change.authors.iter().map(|email| (email.clone(), change.commit)));
        Self(each.collect())
    }

    /// A commit that this person wrote.
    fn commit_of(&self, person: &Person) -> Option<CommitId> {
        self.0.iter().find(|(email, _)| person.has_email(email)).map(|(_, commit)| *commit)
    }
}

/// Who ran the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releaser {
    /// As the ledger names them.
    pub actor: String,
    /// Their address, where it is known.
    pub email: Option<String>,
}

/// A death.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Death {
    /// Where.
    pub environment: EnvName,
    /// When.
    pub time: Time,
    /// Why, in one line.
    pub finding: String,
    /// Who ran the command that found it.
    pub actor: String,
}

/// The gate's judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The environment.
    pub environment: EnvName,
    /// Every rule and whether it holds.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The rule's name.
    pub rule: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found.
    pub found: String,
    /// What would satisfy it, if it does not hold.
    pub remedy: Option<String>,
}

impl Gate {
    /// Whether every rule holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.rules.iter().all(|rule| rule.holds)
    }

    /// Whether nothing but people is missing, whom a review may bring.
    #[must_use]
    pub fn lacks_people_only(&self) -> bool {
        self.rules.iter().all(|rule| rule.holds || ["approval", "review", "break-glass"].contains(&rule.rule.as_str()))
    }

    /// Every rule that does not hold, a line each with what would satisfy it.
    #[must_use]
    pub fn refusals(&self) -> String {
        let lines = self.rules.iter().filter(|rule| !rule.holds).map(|rule| {
            let remedy = rule.remedy.as_ref().map(|text| format!("; {text}")).unwrap_or_default();
            format!("  - {}: {}{remedy}", rule.rule, rule.found)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What was found may name people and tell their comments: one rule is one line, whatever those say.
fn holds(rule: &str, found: impl Into<String>) -> Rule {
    Rule { rule: rule.to_owned(), holds: true, found: plain::line(&found.into()), remedy: None }
}

fn fails(rule: &str, found: impl Into<String>, remedy: impl Into<String>) -> Rule {
    let remedy = Some(plain::line(&remedy.into()));
    Rule { rule: rule.to_owned(), holds: false, found: plain::line(&found.into()), remedy }
}
