//! Looks at the repository and the ledger, and makes the plan of a release from what it sees. Writes nothing.

use crate::{
    context::Context,
    engine::{
        facts::{self, Standing},
        ledger, policy, together,
    },
    failure::Failure,
    model::{
        commit::{Commit, CommitId},
        entry::ChainName,
        manifest::Stop,
        releases::{ReleaseEvent, ReleasesState, Reservation, SealedRelease},
        version::Version,
    },
    plan::{
        gate,
        next_version::{self, Fate, Highest, LastState, NextVersion, Reason, Since, Used},
        notes,
        release::{self, ReleaseAction, ReleasePlan},
    },
    ports::{
        fleet::Fleet as _,
        git::{GitError, Head},
    },
};

/// The plan of a release. `alone` says that no other process of this machine is releasing.
///
/// # Errors
/// Usage (no repository, shallow), refused (dirty, not a descendant), busy, nothing to release (no commit at all), or
/// as reading the vault goes.
pub async fn plan(context: &Context, alone: bool) -> anyhow::Result<ReleasePlan> {
    let head = head(context)?;
    let mut state = state(context).await?;
    if let Some(open) = state.open.as_ref().filter(|open| !alone || !is_free(context, open)) {
        return Err(busy(open).into());
    }
    let record = unrecorded(context, &state, &head).await?;
    if let Some(sealed) = &record {
        (state.open, state.sealed) = (None, Some(sealed.clone()));
    }
    let action = match &state.open {
        Some(open) if open.commit == head.commit => ReleaseAction::Resume { version: open.version },
        open => next(context, &state, &head, open.as_ref()).await?,
    };
    let path = gates(context).await?;
    let (through, stops_at) = release::route(&path);
    Ok(ReleasePlan {
        record,
        action,
        commit: head.commit,
        functions: context.config.functions.keys().cloned().collect(),
        through: through.iter().map(|stop| stop.environment.clone()).collect(),
        stops_at,
        refused: Vec::new(),
    })
}

/// The same plan with the functions that its environments lack and must not be given: whoever releases learns that before
/// a number is used. Where functions may be made nobody is asked whether they are there.
///
/// # Errors
/// Unfinished, if a fleet cannot be asked.
pub async fn with_refusals(context: &Context, plan: ReleasePlan) -> anyhow::Result<ReleasePlan> {
    if matches!(plan.action, ReleaseAction::Nothing { .. }) {
        return Ok(plan);
    }
    let mut refused = Vec::new();
    for environment in plan.through.iter().filter(|environment| !context.withheld.contains_key(*environment)) {
        let fleet = context.fleet(environment)?;
        let look = async |function| -> anyhow::Result<Option<String>> {
            let name = context.config.fleet_name(environment, function)?;
            let Err(why) = fleet.may_create(&name) else { return Ok(None) };
            let found = fleet.function(&name).await;
            let found = found.map_err(|error| Failure::unfinished(format!("failed to look at {name}"), error))?;
            Ok(found.is_none().then(|| why.to_string()))
        };
        let found = together::all(fleet.at_once(), plan.functions.iter().map(look).collect()).await?;
        refused.extend(found.into_iter().flatten());
    }
    Ok(ReleasePlan { refused, ..plan })
}

/// The path with the gates that hold today: the stricter of `release.toml` and the policy.
async fn gates(context: &Context) -> anyhow::Result<Vec<Stop>> {
    let policy = policy::state(context).await?;
    let stops = context.config.path.iter().map(|stop| {
        let applied = policy.gates.get(&stop.environment);
        let rules: Vec<_> = applied.into_iter().chain([&stop.gate]).collect();
        Stop { gate: gate::stricter(&rules), ..stop.clone() }
    });
    Ok(stops.collect())
}

/// The open number of another commit, if its manifest is written already.
async fn unrecorded(context: &Context, state: &ReleasesState, head: &Head) -> anyhow::Result<Option<SealedRelease>> {
    let Some(open) = state.open.as_ref().filter(|open| open.commit != head.commit) else { return Ok(None) };
    let manifest = super::sealed_already(context, open.version, open.commit).await?;
    Ok(manifest.map(|manifest| SealedRelease { version: open.version, manifest, commit: open.commit }))
}

/// How the numbers stand.
///
/// # Errors
/// As reading the vault goes.
pub async fn state(context: &Context) -> anyhow::Result<ReleasesState> {
    let head = ledger::head::<ReleaseEvent>(context, &ChainName::Releases).await?;
    Ok(head.map(|record| record.entry.state).unwrap_or_default())
}

/// What is checked out, clean and whole.
///
/// # Errors
/// Usage, refused or nothing to release, as above.
pub fn head(context: &Context) -> Result<Head, Failure> {
    let git = &context.git;
    if git.is_shallow().map_err(git_failure)? {
        return Err(git_failure(GitError::Shallow));
    }
    let head = git.head().map_err(git_failure)?;
    let local = context.local.strip_prefix(git.root()).ok();
    let dirty = git.dirty(local).map_err(git_failure)?;
    if !dirty.is_empty() {
        let shown = dirty.iter().take(10).map(|path| format!("\n  - {path}")).collect::<String>();
        let more = if dirty.len() > 10 { format!("\n  - and {} more", dirty.len() - 10) } else { String::new() };
        return Err(Failure::Refused(format!(
            "the tree is not clean, so the box would not be what the commit says; commit, stash or ignore:{shown}{more}"
        )));
    }
    Ok(head)
}

/// Git's errors as failures: what the user can mend is usage, no commit at all is nothing to release.
#[must_use]
pub fn git_failure(error: GitError) -> Failure {
    match error {
        GitError::Unborn(_) => Failure::NothingToRelease(error.to_string()),
        GitError::MissingCommit(_) => Failure::Refused(error.to_string()),
        GitError::MissingObject { .. } | GitError::Other { .. } => {
            Failure::unfinished("failed to read the repository", error)
        }
        _ => Failure::Usage(error.to_string()),
    }
}

/// The commits that `head` has and `base` has not; where the base is not in this repository, all of them.
///
/// # Errors
/// As reading the repository goes.
pub fn commits(context: &Context, head: CommitId, bases: &[CommitId]) -> Result<Vec<Commit>, Failure> {
    let mut bases = bases.to_vec();
    loop {
        match context.git.commits_since(head, &bases) {
            Err(GitError::MissingCommit(missing)) if bases.contains(&missing) => bases.retain(|base| *base != missing),
            found => return found.map_err(git_failure),
        }
    }
}

/// A reservation of this machine is free as soon as its lock is; another's when it has expired.
fn is_free(context: &Context, open: &Reservation) -> bool {
    open.machine == context.machine || open.expires < context.clock.now()
}

fn busy(open: &Reservation) -> Failure {
    Failure::Busy(format!(
        "{} is being released by {} since {}, until {} at the latest; wait for it to end",
        open.version, open.owner, open.since, open.expires
    ))
}

async fn next(
    context: &Context,
    state: &ReleasesState,
    head: &Head,
    abandoned: Option<&Reservation>,
) -> anyhow::Result<ReleaseAction> {
    let living = living(context, state.sealed.clone()).await?;
    if let Some(living) = &living {
        descends(context, head, living)?;
    }
    let last = LastState {
        living: living.as_ref().map(|l| Used { version: l.version, commit: l.commit }),
        highest: highest(state, living.as_ref()),
        first: context.config.first_release,
    };
    let since = since(context, head.commit, &last)?;
    let why = next_version::next_version(&last, head.commit, &since).map_err(|e| Failure::Refused(e.to_string()))?;
    Ok(match (&why, living) {
        (NextVersion::Release { version, .. }, _) => {
            let commits: Vec<Commit> = since.highest.iter().chain(&since.counted).cloned().collect();
            let notes = notes::notes(&commits);
            ReleaseAction::Release { version: *version, burn: abandoned.map(|open| open.version), notes, why }
        }
        (NextVersion::Nothing { .. }, Some(living))
            if living.commit == head.commit && !is_through(context, living.version).await? =>
        {
            ReleaseAction::CarryOn { version: living.version, manifest: living.manifest }
        }
        (NextVersion::Nothing { reason, .. }, living) => {
            let reason = match (reason, living) {
                (Reason::AlreadyReleased, Some(living)) => format!("{} already holds this commit", living.version),
                (reason, Some(living)) => format!("{reason} (the last one is {})", living.version),
                (reason, None) => reason.to_string(),
            };
            ReleaseAction::Nothing { reason, why: Some(why) }
        }
    })
}

/// The newest sealed release that is not dead, following each manifest to the one before.
async fn living(context: &Context, newest: Option<SealedRelease>) -> anyhow::Result<Option<SealedRelease>> {
    let mut here = newest;
    while let Some(sealed) = here {
        if facts::death(context, sealed.version).await?.is_none() {
            return Ok(Some(sealed));
        }
        let (manifest, _) = facts::manifest(context, sealed.version).await?;
        here = match manifest.previous {
            None => None,
            Some(previous) => {
                let (manifest, digest) = facts::manifest(context, previous.release).await?;
                Some(SealedRelease { version: previous.release, manifest: digest, commit: manifest.commit })
            }
        };
    }
    Ok(None)
}

fn highest(state: &ReleasesState, living: Option<&SealedRelease>) -> Option<Highest> {
    let number = state.highest.as_ref()?;
    let is = |sealed: Option<&SealedRelease>| sealed.is_some_and(|sealed| sealed.version == number.version);
    let fate = match (is(living), is(state.sealed.as_ref())) {
        (true, _) => Fate::Living,
        (false, true) => Fate::Dead,
        (false, false) => Fate::Burned,
    };
    Some(Highest { version: number.version, commit: number.commit, fate })
}

fn since(context: &Context, head: CommitId, last: &LastState) -> Result<Since, Failure> {
    let living: Vec<CommitId> = last.living.iter().map(|used| used.commit).collect();
    let both: Vec<CommitId> = living.iter().copied().chain(last.highest.map(|highest| highest.commit)).collect();
    Ok(Since::split(commits(context, head, &living)?, &commits(context, head, &both)?))
}

/// HEAD must descend from the last release (DESIGN §7): else it would take back what is released.
fn descends(context: &Context, head: &Head, living: &SealedRelease) -> Result<(), Failure> {
    if context.git.descends(head.commit, living.commit).map_err(git_failure)? {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "HEAD ({}) does not descend from {}, the last release ({}): releasing it would take back what was released; \
         merge or rebase onto it",
        head.commit.short(),
        living.version,
        living.commit.short()
    )))
}

async fn is_through(context: &Context, release: Version) -> anyhow::Result<bool> {
    let path = gates(context).await?;
    for stop in release::route(&path).0 {
        if facts::standing(context, &stop.environment, release).await? != Standing::Verified {
            return Ok(false);
        }
    }
    Ok(true)
}
