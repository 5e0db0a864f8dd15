//! The pages that make the folder readable. Each repeats what signed or sealed objects beside it say, so that it can be
//! compared; only reviews and the tickets of a message's body come from the repository.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{gather::Gathered, uncounted};
use crate::{
    context::Context,
    engine::facts,
    model::{
        commit::{Commit, CommitId},
        digest::Digest,
        entry::Event as _,
        environment::EnvironmentEvent,
        evidence::TestSummary,
        manifest::Manifest,
        names::{EnvName, EvidenceKind, PersonId, RoleName},
        review::{NOT_SIGNED, Review, Run},
        smoke::CheckResult,
        time::Time,
    },
};

/// One commit of the release.
#[derive(Debug, Serialize)]
pub(super) struct CommitPage {
    commit: CommitId,
    subject: String,
    authors: Vec<String>,
    merge: bool,
    /// What the message calls its tickets.
    tickets: BTreeSet<String>,
    /// Who reviewed it, as its message says (`Reviewed-by:`); `null` where the commit is not in this repository.
    reviews: Option<Vec<String>>,
}

/// Every commit that is in the release and was not in the one before.
pub(super) async fn commits(context: &Context, manifest: &Manifest) -> Vec<CommitPage> {
    let messages = messages(context, manifest).await;
    let page = |change: &crate::model::manifest::Change| {
        let message = messages.get(&change.commit);
        CommitPage {
            commit: change.commit,
            subject: change.subject.clone(),
            authors: change.authors.clone(),
            merge: change.merge,
            tickets: tickets(message.unwrap_or(&change.subject)),
            reviews: message.map(|message| reviews(message)),
        }
    };
    manifest.changes.iter().map(page).collect()
}

/// The whole messages, where this repository has the commits. The vault keeps only their first lines.
async fn messages(context: &Context, manifest: &Manifest) -> BTreeMap<CommitId, String> {
    let previous = match &manifest.previous {
        Some(previous) => facts::manifest(context, previous.release).await.ok().map(|(manifest, _)| manifest.commit),
        None => None,
    };
    let hide: Vec<CommitId> = previous.into_iter().collect();
    let known = context.git.commits_since(manifest.commit, &hide).unwrap_or_default();
    known.into_iter().map(|Commit { id, message, .. }| (id, message)).collect()
}

/// `ABC-123` and `#123`, as issue trackers write them.
fn tickets(message: &str) -> BTreeSet<String> {
    let words = message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '#' || c == '_'));
    let is_ticket = |word: &&str| {
        let (project, number) = match word.strip_prefix('#') {
            Some(number) => ("A0", number),
            None => word.rsplit_once('-').unwrap_or_default(),
        };
        let named = project.len() > 1 && project.starts_with(|c: char| c.is_ascii_uppercase());
        let plain = project.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        named && plain && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    words.filter(is_ticket).map(str::to_owned).collect()
}

fn reviews(message: &str) -> Vec<String> {
    let reviewer = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("reviewed-by").then(|| value.trim().to_owned())
    };
    message.lines().filter_map(reviewer).collect()
}

/// A signed statement as a person reads it: name, date and time, and what the signature means (21 CFR 11.50).
#[derive(Debug, Serialize)]
pub(super) struct StatementPage {
    file: String,
    environment: EnvName,
    person: PersonId,
    /// The name by the policy of that time; `null` if it knew nobody of that id.
    name: Option<String>,
    role: RoleName,
    meaning: &'static str,
    time: Time,
    expires: Time,
    comment: Option<String>,
    key: String,
    manifest: Option<Digest>,
}

/// Every decision.
pub(super) fn approvals(gathered: &Gathered) -> Vec<StatementPage> {
    let page = |record: &crate::model::entry::Record<crate::model::approval::ApprovalEvent>| {
        let (entry, statement) = (&record.entry, record.entry.event.statement());
        let policy = gathered.policy.iter().rfind(|policy| policy.entry.time <= entry.time);
        let people = policy.and_then(|policy| policy.entry.state.people.as_ref());
        StatementPage {
            file: uncounted::file(record),
            environment: statement.environment.clone(),
            person: statement.person.clone(),
            name: people.and_then(|people| Some(people.persons.get(&statement.person)?.name.clone())),
            role: statement.role.clone(),
            meaning: entry.event.kind(),
            time: entry.time,
            expires: statement.expires,
            comment: statement.comment.clone(),
            key: statement.key.clone(),
            manifest: entry.manifest,
        }
    };
    gathered.decisions.made.iter().map(page).collect()
}

/// A review that a deployer saw, as a person reads it.
#[derive(Debug, Serialize)]
pub(super) struct ReviewPage {
    file: String,
    environment: EnvName,
    run: Run,
    observed: Time,
    meaning: &'static str,
    review: Review,
}

/// Every review that was seen: none of them is signed by whoever gave it.
pub(super) fn reviewed(gathered: &Gathered) -> Vec<ReviewPage> {
    let mut pages = Vec::new();
    for (environment, record) in gathered.entries.iter().flat_map(|(of, all)| all.iter().map(move |one| (of, one))) {
        let EnvironmentEvent::Observed { observation } = &record.entry.event else { continue };
        pages.extend(observation.reviews.iter().map(|review| ReviewPage {
            file: format!("ledger/environments/{environment}/{:08}.json", record.entry.number),
            environment: environment.clone(),
            run: observation.run.clone(),
            observed: observation.at,
            meaning: NOT_SIGNED,
            review: review.clone(),
        }));
    }
    pages
}

/// A glass that was broken for the release.
#[derive(Debug, Serialize)]
pub(super) struct GlassPage {
    file: String,
    environment: EnvName,
    time: Time,
    actor: String,
    reason: String,
}

/// Every entry through a freeze or before the soak time.
pub(super) fn glass(gathered: &Gathered) -> Vec<GlassPage> {
    let all = gathered.entries.iter().flat_map(|(of, all)| all.iter().map(move |one| (of, &one.entry)));
    let broken = all.filter_map(|(environment, entry)| match &entry.event {
        EnvironmentEvent::BrokeGlass { reason } => Some(GlassPage {
            file: format!("ledger/environments/{environment}/{:08}.json", entry.number),
            environment: environment.clone(),
            time: entry.time,
            actor: entry.actor.clone(),
            reason: reason.clone(),
        }),
        _ => None,
    });
    broken.collect()
}

/// What smoke checks answered at one step.
#[derive(Debug, Serialize)]
pub(super) struct SmokePage {
    environment: EnvName,
    entry: u64,
    time: Time,
    /// The step that the entry records: `shifting` is before traffic, `verified` and `rolled_back` through live.
    after: &'static str,
    results: Vec<CheckResult>,
}

/// What the release answered, environment by environment in the order of their names.
pub(super) fn smoke(gathered: &Gathered) -> Vec<SmokePage> {
    let mut pages = Vec::new();
    for (environment, entries) in &gathered.entries {
        for record in entries {
            let entry = &record.entry;
            let (EnvironmentEvent::Shifting { smoke, .. }
            | EnvironmentEvent::Verified { smoke }
            | EnvironmentEvent::RolledBack { smoke, .. }
            | EnvironmentEvent::Failed { smoke, .. }) = &entry.event
            else {
                continue;
            };
            let (number, time, after) = (entry.number, entry.time, entry.event.kind());
            let (environment, results) = (environment.clone(), smoke.clone());
            pages.push(SmokePage { environment, entry: number, time, after, results });
        }
    }
    pages.sort_by(|a, b| (&a.environment, a.entry).cmp(&(&b.environment, b.entry)));
    pages
}

/// One piece of evidence and its sums.
#[derive(Debug, Serialize)]
pub(super) struct TestPage {
    file: String,
    name: String,
    kind: EvidenceKind,
    environment: EnvName,
    time: Time,
    actor: String,
    tests: Option<TestSummary>,
}

/// Every piece of evidence.
pub(super) fn tests(gathered: &Gathered) -> Vec<TestPage> {
    let page = |piece: &crate::model::evidence::Evidence| TestPage {
        file: format!("evidence/{}.json", piece.sha256.hex()),
        name: piece.file.clone(),
        kind: piece.kind.clone(),
        environment: piece.environment.clone(),
        time: piece.time,
        actor: piece.actor.clone(),
        tests: piece.tests,
    };
    gathered.evidence.iter().map(page).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_message_names_its_tickets_and_reviewers() {
        let message = "fix(PAY-12): round #7\n\nSee ABC_D-42, not UTF-8x, x-1, A-, -3 or feat-9.\n\n\
                       Reviewed-by: Grace <grace@example.com>\nreviewed-by: Alan\nSigned-off-by: Ada";
        let tickets: Vec<_> = super::tickets(message).into_iter().collect();
        assert_eq!(tickets, ["#7", "ABC_D-42", "PAY-12"]);
        assert_eq!(super::reviews(message), ["Grace <grace@example.com>", "Alan"]);
    }
}
