//! Gathers what the release board is computed from. Each chain is read once, so that the work grows with the length of the
//! ledger and not faster; what it means is `plan::board`'s.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use crate::{
    context::Context,
    engine::{
        dr, gate,
        ledger::{self, statements},
    },
    failure::{self, Failure},
    model::{
        commit::CommitId,
        digest::Digest,
        entry::{ChainName, Entry, Event},
        environment::EnvironmentEvent,
        manifest::{Manifest, Stop},
        names::EnvName,
        policy::{PolicyEvent, PolicyState},
        releases::ReleaseEvent,
        time::Time,
        version::Version,
    },
    plan::{
        board::{self, Board, Judged, Waiting},
        gate::{self as judgement, Death, SKEW, Signed},
    },
    ports::witness::{Head, Heads, Witness},
};

/// The board as it stands now.
///
/// # Errors
/// Integrity or unfinished, as reading goes.
pub async fn board(context: &Context) -> anyhow::Result<Board> {
    let now = context.clock.now();
    Ok(Board::of(&facts(context).await?, now))
}

/// What the board is computed from.
///
/// # Errors
/// Integrity or unfinished, as reading goes.
pub async fn facts(context: &Context) -> anyhow::Result<board::Facts> {
    // One chain per release and gate: asking the witness for each would read all of its notes each time.
    let noted = Arc::new(Noted(ledger::heads(context).await?));
    let context = &Context { witness: noted, ..context.clone() };
    let phase = context.story.phase("reading the ledger");
    let releases = entries::<ReleaseEvent>(context, &ChainName::Releases).await?;
    let mut manifests = BTreeMap::new();
    for entry in releases.iter().filter(|entry| matches!(entry.event, ReleaseEvent::Sealed { .. })) {
        if let (Some(release), Some(digest)) = (entry.release, entry.manifest) {
            phase.now(&format!("the seal of {release}"));
            manifests.insert(release, (digest, super::facts::sealed_as(context, release, digest).await?));
        }
    }
    let mut environments = BTreeMap::new();
    for environment in everywhere(context, &manifests) {
        phase.now(environment.as_str());
        let chain = ChainName::Environment(environment.clone());
        environments.insert(environment, entries::<EnvironmentEvent>(context, &chain).await?);
    }
    let policies = entries::<PolicyEvent>(context, &ChainName::Policy).await?;
    phase.now("what people stated");
    let Stated { statements, faults, notices } = statements(context, &manifests, &policies).await?;
    let mut facts = board::Facts {
        path: context.config.path.clone(),
        releases,
        manifests,
        environments,
        statements,
        waiting: Vec::new(),
        stop: policies.last().and_then(|entry| entry.state.stop.clone()),
        faults,
        notices,
        committed: committed(context),
    };
    for (environment, release) in board::candidates(&facts) {
        if let Some((_, manifest)) = facts.manifests.get(&release) {
            match believed(gate::judge(context, &environment, manifest).await)? {
                Ok(gate) => facts.waiting.push(Waiting { release, gate }),
                Err(fault) => facts.faults.push(fault),
            }
        }
    }
    phase.done(&format!("{} releases", facts.manifests.len()));
    Ok(facts)
}

async fn entries<E: Event>(context: &Context, chain: &ChainName) -> anyhow::Result<Vec<Entry<E>>> {
    Ok(ledger::whole::<E>(context, chain).await?.into_iter().map(|record| record.entry).collect())
}

/// Today's environments, and those that a release froze before they were taken out of `release.toml`.
fn everywhere(context: &Context, manifests: &BTreeMap<Version, (Digest, Manifest)>) -> Vec<EnvName> {
    let mut names: Vec<EnvName> = context.config.path.iter().map(|stop| stop.environment.clone()).collect();
    for stop in manifests.values().flat_map(|(_, manifest)| &manifest.path) {
        if !names.contains(&stop.environment) {
            names.push(stop.environment.clone());
        }
    }
    names
}

/// Everything that people stated.
#[derive(Default)]
struct Stated {
    statements: BTreeMap<Version, Vec<Judged>>,
    /// The chains that cannot be believed.
    faults: Vec<String>,
    /// Junk: anybody who may approve may write it, and nothing can remove it again. It takes the board from nobody.
    notices: Vec<String>,
}

async fn statements(
    context: &Context,
    manifests: &BTreeMap<Version, (Digest, Manifest)>,
    policies: &[Entry<PolicyEvent>],
) -> anyhow::Result<Stated> {
    let mut all = Stated::default();
    let (listed, mut read) = (statements::listed(context, None).await?, BTreeMap::new());
    for chain in dr::chains(context, "approvals", &listed).await? {
        let ChainName::Approvals { release, environment } = &chain else { continue };
        // What is about no sealed release, or for an environment that it never had, is a stray.
        let Some((digest, manifest)) = manifests.get(release) else { continue };
        let today = context.config.path.iter().find(|stop| &stop.environment == environment);
        let Some(stop) = today.or_else(|| manifest.stop(environment)) else { continue };
        let believed = believed(statements::read(context, &chain).await)?;
        // Of a chain that is not believed every object is told of at once.
        read.insert(chain.clone(), believed.as_ref().map_or(u64::MAX, |found| found.objects.len() as u64));
        match believed {
            Err(fault) => all.faults.push(fault),
            Ok(found) => {
                all.notices.extend(found.junk.into_iter().map(|junk| junk.what));
                for made in found.made {
                    let signed = gate::signed(&chain, made.record, made.linked)?;
                    let judged = judge(signed, (manifest, *digest), stop, policies);
                    all.statements.entry(*release).or_default().push(judged);
                }
            }
        }
    }
    all.notices.extend(statements::strays(context, &listed, &read).into_iter().map(|junk| junk.what));
    Ok(all)
}

/// What was read, or why it cannot be believed. That the world failed is neither.
fn believed<T>(read: anyhow::Result<T>) -> anyhow::Result<Result<T, String>> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(error) => match failure::find(&error) {
            Some(Failure::Integrity(what)) => Ok(Err(what.clone())),
            _ => Err(error),
        },
    }
}

/// A statement is judged by the policies that held when it was signed, as the gate judges a rejection.
fn judge(
    signed: Signed,
    (manifest, digest): (&Manifest, Digest),
    stop: &Stop,
    policies: &[Entry<PolicyEvent>],
) -> Judged {
    let nothing = PolicyState::default();
    let mut held = held(policies, signed.entry.time);
    if held.is_empty() {
        held.push(&nothing);
    }
    let facts = |policy| judgement::Facts::when_signed(manifest, digest, stop, policy, &signed);
    let mut verdicts = held.iter().map(|policy| judgement::made(&facts(policy), &signed));
    let first = verdicts.next().and_then(Result::err);
    let unsound = first.filter(|_| !verdicts.any(|verdict| verdict.is_ok()));
    let before = manifest.stop_before(&stop.environment).map_or(stop, |before| before);
    let rejects = matches!(signed.entry.event, crate::model::approval::ApprovalEvent::Rejected { .. });
    let finding = held.iter().filter(|_| rejects).find_map(|p| judgement::rejection(&facts(p), &signed).ok());
    let death = finding.map(|finding| Death {
        environment: before.environment.clone(),
        time: signed.entry.time,
        finding,
        actor: signed.entry.actor.clone(),
    });
    Judged { entry: signed.entry, unsound, death }
}

/// The policies that held at a moment of someone's clock, the newest first; see `policy::around`.
fn held(policies: &[Entry<PolicyEvent>], time: Time) -> Vec<&PolicyState> {
    let known = policies.iter().rev().skip_while(|entry| entry.time > time.after(SKEW));
    let mut held = Vec::new();
    for entry in known {
        held.push(&entry.state);
        if entry.time <= time {
            break;
        }
    }
    held
}

/// When the commits of this repository were made. The board does not fail where git cannot tell: it says what it misses.
fn committed(context: &Context) -> BTreeMap<CommitId, Time> {
    let commits = context.git.head().and_then(|head| context.git.commits_since(head.commit, &[]));
    match commits {
        Ok(commits) => commits.into_iter().map(|commit| (commit.id, commit.time)).collect(),
        Err(error) => {
            context.story.warn(&format!("lead times cannot be told: {error}"));
            BTreeMap::new()
        }
    }
}

/// What the witness saw before anything was read. The vault may be ahead of it, never behind.
struct Noted(Option<Heads>);

#[async_trait]
impl Witness for Noted {
    async fn heads(&self) -> anyhow::Result<Option<Heads>> {
        Ok(self.0.clone())
    }

    async fn head(&self, chain: &ChainName) -> anyhow::Result<Option<Head>> {
        Ok(self.0.as_ref().and_then(|heads| heads.get(chain).copied()))
    }

    async fn note(&self, chain: &ChainName, _head: Head) -> anyhow::Result<()> {
        anyhow::bail!("the board reads; it has nothing to note of {chain}")
    }
}
