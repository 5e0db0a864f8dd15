//! Decisions by people: approvals, rejections, revocations. What would not count is refused before it is signed, with
//! the reason that the gate would give.

use std::time::Duration;

use serde::Serialize;
use ssh_key::HashAlg;

use crate::{
    context::Context,
    engine::{facts, gate, ledger, policy},
    failure::Failure,
    model::{
        approval::{ApprovalEvent, Statement},
        digest::Digest,
        entry::{ChainName, Entry, Record},
        manifest::{GateRules, Manifest},
        names::{EnvName, PersonId, RoleName},
        people::{People, same_text},
        review::NOT_SIGNED,
        version::Version,
    },
    plan::gate::{self as plan, Observed, Signed},
    ports::person_key::PersonKey,
};

/// What is to be decided.
#[derive(Debug, Clone)]
pub struct Request {
    /// For which environment.
    pub environment: EnvName,
    /// About which release.
    pub release: Version,
    /// Which way.
    pub verdict: Verdict,
    /// In which role; without one, the first that the gate still lacks and the person holds.
    pub role: Option<RoleName>,
    /// What they want to say.
    pub comment: Option<String>,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may enter.
    Approve,
    /// It must not.
    Reject,
    /// What this person approved is taken back.
    Revoke,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// About which release.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// For which environment.
    pub environment: EnvName,
    /// `approved`, `rejected` or `revoked`.
    pub decision: &'static str,
    /// By whom.
    pub person: PersonId,
    /// In which role.
    pub role: RoleName,
    /// Whether the person is made up.
    pub throwaway: bool,
    /// The `SSHSIG` namespace.
    pub namespace: String,
    /// The signed bytes.
    pub statement: String,
    /// The armoured signature, as `ssh-keygen -Y verify` takes it.
    pub signature: String,
    /// Where it lies in the vault.
    pub entry: String,
    /// The reviews that were seen of that release there, one line each: nobody but the deployer signed them.
    pub observed: Vec<String>,
}

/// The roles that the gate of an environment still lacks for a release, then the others that it asks for.
///
/// # Errors
/// As reading goes.
pub async fn roles(context: &Context, environment: &EnvName, release: Version) -> anyhow::Result<Vec<RoleName>> {
    let (manifest, _) = facts::manifest(context, release).await?;
    let gathered = gate::gather(context, environment, &manifest).await?;
    let facts = gathered.facts();
    let GateRules { approvals: demands, break_glass, .. } = plan::rules(&manifest, facts.today, facts.policy);
    // The gate judges its demands in their order, each by one rule.
    let judged = plan::judge(&facts).rules.into_iter().filter(|rule| rule.rule == "approval").map(|rule| rule.holds);
    let mut all: Vec<(bool, RoleName)> = judged.zip(demands).map(|(holds, demand)| (holds, demand.role)).collect();
    all.sort_by_key(|(holds, _)| *holds);
    // Whoever may break the glass is asked last: most entries never need them.
    let glass = break_glass.map(|glass| glass.role).filter(|role| all.iter().all(|(_, known)| known != role));
    Ok(all.into_iter().map(|(_, role)| role).chain(glass).collect())
}

/// Signs and records a decision.
///
/// # Errors
/// Refused, if it would not count, with the reason; as signing, reading and writing goes.
pub async fn run(context: &Context, request: &Request, key: &dyn PersonKey) -> anyhow::Result<Decided> {
    let (manifest, digest) = facts::manifest(context, request.release).await?;
    let state = policy::state(context).await?;
    let people = state.people.ok_or_else(|| {
        let how = "run `cargo xtask doctor --fix`, or write people.toml and run `cargo xtask policy apply`";
        Failure::Refused(format!("no policy is applied, so nobody may decide yet; {how}"))
    })?;
    let statement = statement(context, request, &people, key).await?;
    let event = match request.verdict {
        Verdict::Approve => ApprovalEvent::Approved { statement },
        Verdict::Reject => ApprovalEvent::Rejected { statement },
        Verdict::Revoke => ApprovalEvent::Revoked { statement },
    };
    let chain = ChainName::Approvals { release: request.release, environment: request.environment.clone() };
    would_count(context, request, &manifest, digest, &chain, &event).await?;
    let record = ledger::append_signed(context, &chain, Some(key), |_| {
        Ok(ledger::Draft { release: Some(request.release), manifest: Some(digest), event: event.clone() })
    })
    .await?;
    let observed = gate::observed(context, request.release, &request.environment).await?;
    let observed = observed.iter().flat_map(|seen| seen.reviews.iter().map(move |review| (seen, review)));
    let observed =
        observed.map(|(seen, review)| format!("{review} (run {} of {}, {NOT_SIGNED})", seen.run.id, seen.at));
    decided(&chain, &record, &people, request, (digest, observed.collect()))
}

async fn statement(
    context: &Context,
    request: &Request,
    people: &People,
    key: &dyn PersonKey,
) -> anyhow::Result<Statement> {
    let fingerprint = key.public().fingerprint(HashAlg::Sha256).to_string();
    let [id] = people.owners(&fingerprint)[..] else {
        let text = format!("the key {fingerprint} is not the key of one person in the policy");
        return Err(
            Failure::Refused(format!("{text}; add it to people.toml and run `cargo xtask policy apply`")).into()
        );
    };
    let held = people.persons.get(id).map(|person| person.roles.clone()).unwrap_or_default();
    let asked = roles(context, &request.environment, request.release).await?;
    let role = match &request.role {
        Some(role) => role.clone(),
        None => asked.iter().find(|role| held.contains(*role)).cloned().ok_or_else(|| {
            let asked = asked.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", ");
            let asked = if asked.is_empty() { "nobody".to_owned() } else { asked };
            Failure::Refused(format!("the gate of {} asks for {asked}, and {id} holds none of it", request.environment))
        })?,
    };
    Ok(Statement {
        environment: request.environment.clone(),
        person: id.clone(),
        role,
        expires: context.clock.now().after(Duration::from_secs(u64::from(people.valid_days) * 24 * 60 * 60)),
        comment: request.comment.clone(),
        key: fingerprint,
    })
}

/// Judges the statement as if it stood in the chain already.
async fn would_count(
    context: &Context,
    request: &Request,
    manifest: &Manifest,
    digest: Digest,
    chain: &ChainName,
    event: &ApprovalEvent,
) -> anyhow::Result<()> {
    let gathered = gate::gather(context, &request.environment, manifest).await?;
    let entry = Entry {
        schema: 1,
        chain: chain.clone(),
        number: gathered.approvals.len() as u64 + 1,
        previous: None,
        time: context.clock.now(),
        actor: context.actor.clone(),
        writer: chain.writer(),
        tool: context.tool.clone(),
        release: Some(request.release),
        manifest: Some(digest),
        event: event.clone(),
        state: Default::default(),
    };
    let signed = Signed { entry, signature_ok: true, linked: true };
    let person = &event.statement().person;
    let judged = match request.verdict {
        Verdict::Approve => match gathered.facts().death {
            Some(death) => {
                let (environment, time, finding) = (&death.environment, death.time, &death.finding);
                Err(format!(
                    "it died in {environment} at {time}: {finding}; dead stays dead: the next release carries the fix"
                ))
            }
            None => plan::counts(&gathered.facts(), &signed),
        },
        Verdict::Reject => plan::rejection(&gathered.facts(), &signed).map(drop),
        Verdict::Revoke => {
            let own = |s: &&Signed| &s.entry.event.statement().person == person;
            let mine = gathered.approvals.iter().filter(own).map(|s| &s.entry.event).next_back();
            match mine {
                Some(ApprovalEvent::Approved { .. }) => Ok(()),
                Some(ApprovalEvent::Rejected { .. }) => {
                    Err("dead stays dead: a rejection cannot be taken back".to_owned())
                }
                _ if reviewed(&gathered.observed, &gathered.facts(), person) => Ok(()),
                _ => Err(format!("{person} has approved nothing here")),
            }
        }
    };
    judged.map_err(|why| {
        let text = format!("{person} cannot decide about {} for {}", request.release, request.environment);
        Failure::Refused(format!("{text}: {why}")).into()
    })
}

/// Whether a review of this person was seen, which they can take back as well.
fn reviewed(observed: &[Observed], facts: &plan::Facts<'_>, person: &PersonId) -> bool {
    let people = facts.policy.people.as_ref();
    let own = people.and_then(|people| people.persons.get(person)?.github.as_ref());
    let mut logins = observed.iter().flat_map(|seen| &seen.reviews).filter_map(|review| review.login.as_ref());
    own.is_some_and(|own| logins.any(|login| same_text(own, login)))
}

fn decided(
    chain: &ChainName,
    record: &Record<ApprovalEvent>,
    people: &People,
    request: &Request,
    (manifest, observed): (Digest, Vec<String>),
) -> anyhow::Result<Decided> {
    use crate::model::entry::Event as _;
    let statement = record.entry.event.statement();
    Ok(Decided {
        release: request.release,
        manifest,
        environment: request.environment.clone(),
        decision: record.entry.event.kind(),
        person: statement.person.clone(),
        role: statement.role.clone(),
        throwaway: people.throwaway,
        namespace: chain.namespace(),
        statement: String::from_utf8_lossy(&record.signed_bytes()?).into_owned(),
        signature: record.signature.clone(),
        entry: chain.key(record.entry.number)?.to_string(),
        observed,
    })
}
