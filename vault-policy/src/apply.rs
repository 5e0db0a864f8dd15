//! Plans how to make a bucket what it should be: steps that can each be repeated, in an order in which nothing is open
//! that was closed, and the policy last. Nothing to do is no step.

use crate::{
    evaluate::Request,
    names::{BucketName, Region},
    policy::{Form, Policy},
    probe,
    render::{Document, RenderError, render},
    state::{Asked, BucketState, Lock, Versioning},
    vault::{Retention, Side, Store, Vault},
};

mod step;

pub use step::Step;

/// Why a bucket cannot be made what it should be where it stands.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Its policy cannot be rendered.
    #[error("the policy of the bucket cannot be rendered")]
    Render(#[from] RenderError),
    /// A question had no answer, so what to do is not known.
    #[error("bucket {bucket} does not say its {what}: {reason}; ask again as the vault administrator")]
    Unreachable {
        /// The bucket.
        bucket: BucketName,
        /// What it was asked about.
        what: &'static str,
        /// Why there was no answer.
        reason: String,
    },
    /// A bucket does not move.
    #[error("bucket {bucket} is in {found}, and the functions are in {expected}: name another bucket")]
    Region {
        /// The bucket.
        bucket: BucketName,
        /// Where it is.
        found: String,
        /// Where it must be.
        expected: Region,
    },
    /// Locking it now would leave what is in it unlocked.
    #[error(
        "bucket {0} has objects and was not locked when they were written, so they stay without a lock: make a new bucket"
    )]
    Unlocked(BucketName),
    /// The plan would shorten or soften the retention of what comes.
    #[error(
        "bucket {bucket} keeps objects {found}, and {expected} would be weaker: configure at least what is in force"
    )]
    Weaker {
        /// The bucket.
        bucket: BucketName,
        /// What is in force.
        found: String,
        /// What is configured.
        expected: String,
    },
    /// The policy in force keeps the vault administrator out.
    #[error(
        "bucket {bucket} has a policy whose statement `{statement}` refuses changes to the vault administrator: the account's root can delete it"
    )]
    LockedOut {
        /// The bucket.
        bucket: BucketName,
        /// The statement.
        statement: String,
    },
    /// Something was overwritten or deleted: to be understood before it is covered up.
    #[error("bucket {0} has keys that were written twice or deleted: run `cargo xtask audit verify` first")]
    Shadowed(BucketName),
}

/// The steps that make a bucket what it should be, in order; none if it is.
///
/// # Errors
/// If something about the bucket is not known, or cannot be mended in place.
pub fn plan(vault: &Vault, side: Side, state: &BucketState) -> Result<Vec<Step>, Refusal> {
    let store = vault.bucket(side);
    let policy = render(vault, &Document::Bucket(side))?;
    let bucket = &store.bucket;
    answered(bucket, state)?;
    let Some(region) = state.region.found() else {
        // Its lock comes with it: what is written before the default retention would stay unlocked.
        let mut steps = vec![Step::CreateBucket(store.region.clone())];
        steps.extend(settings(store, state));
        steps.extend([Step::EnableVersioning, Step::SetRetention(vault.retention), Step::PutPolicy(policy)]);
        return Ok(steps);
    };
    if region != store.region.as_str() {
        let (found, expected) = (region.clone(), store.region.clone());
        return Err(Refusal::Region { bucket: bucket.clone(), found, expected });
    }
    let mut steps = settings(store, state);
    steps.extend(lock(bucket, vault.retention, state)?);
    let closed = match state.policy.found().map(|text| Policy::parse(text, Form::Resource)) {
        Some(Ok(live)) => {
            let opened = opens(vault, bucket, &live, &steps)?;
            let holds = probe::judge(vault, side, &live)?.holes.is_empty();
            let open = opened.then(|| vault_administrator_excepted(&policy, vault)).transpose()?;
            steps.splice(0..0, open.map(Step::OpenPolicy));
            holds && !opened
        }
        // What cannot be judged is replaced first of all; it may refuse the steps.
        Some(Err(_)) => {
            if !steps.is_empty() {
                steps.insert(0, Step::OpenPolicy(vault_administrator_excepted(&policy, vault)?));
            }
            false
        }
        None => false,
    };
    if !closed {
        steps.push(Step::PutPolicy(policy));
    }
    Ok(steps)
}

fn lock(bucket: &BucketName, retention: Retention, state: &BucketState) -> Result<Vec<Step>, Refusal> {
    let mut steps = Vec::new();
    if state.versioning != Asked::Found(Versioning::Enabled) {
        steps.push(Step::EnableVersioning);
    }
    let live = state.lock.found();
    let unlocked = !steps.is_empty() || live.is_none_or(|lock| lock.default.is_none());
    if unlocked && state.contents.found().is_some() {
        return Err(Refusal::Unlocked(bucket.clone()));
    }
    if let Some(Lock { default: Some(found) }) = live {
        let days = u64::from(retention.years) * 365;
        if found.mode > retention.mode || found.period.days() > days {
            return Err(Refusal::Weaker {
                bucket: bucket.clone(),
                found: format!("{} days in mode {}", found.period.days(), found.mode),
                expected: format!("{days} days in mode {}", retention.mode),
            });
        }
        if found.mode == retention.mode && found.period.days() == days {
            return Ok(steps);
        }
    }
    steps.push(Step::SetRetention(retention));
    Ok(steps)
}

fn settings(store: &Store, state: &BucketState) -> Vec<Step> {
    let mut steps = Vec::new();
    let all = |block: &crate::state::PublicAccessBlock| {
        block.block_acls && block.ignore_acls && block.block_policy && block.restrict
    };
    if !state.public_access.found().is_some_and(all) {
        steps.push(Step::BlockPublicAccess);
    }
    // Grants have no effect once the owner owns everything.
    if state.ownership.found().is_none_or(|ownership| ownership != "BucketOwnerEnforced") {
        steps.push(Step::OwnEverything);
    }
    if state.lifecycle.found().is_some_and(|rules| rules.iter().any(|rule| rule.enabled && !rule.actions.is_empty())) {
        steps.push(Step::RemoveLifecycle);
    }
    if state.replication.found().is_some_and(|rules| !rules.is_empty()) {
        steps.push(Step::RemoveReplication);
    }
    if state.encryption.found().is_none_or(|algorithm| algorithm != "AES256") {
        steps.push(Step::Encrypt);
    }
    match (&store.log, state.log.found()) {
        (Some(target), found) if found.map(String::as_str) != Some(target.as_str()) => {
            steps.push(Step::SendLog(target.clone()));
        }
        (None, Some(_)) => steps.push(Step::SendNoLog),
        _ => {}
    }
    steps
}

/// Whether the policy in force refuses one of the steps, so that it must be opened for the vault administrator first.
fn opens(vault: &Vault, bucket: &BucketName, live: &Policy, steps: &[Step]) -> Result<bool, Refusal> {
    let ask = |action| Request::of(vault.roles.vault_administrator.as_str(), action, &format!("arn:aws:s3:::{bucket}"));
    if let Some(statement) = live.refusal(&ask("s3:PutBucketPolicy")) {
        return Err(Refusal::LockedOut { bucket: bucket.clone(), statement: statement.to_owned() });
    }
    Ok(steps.iter().any(|step| live.refusal(&ask(step.action())).is_some()))
}

/// The reviewed policy with its refusal of changes to the bucket narrowed to everyone but the vault administrator.
/// All that guards objects stays in force meanwhile.
fn vault_administrator_excepted(policy: &str, vault: &Vault) -> Result<String, RenderError> {
    let wrong = |what: String| RenderError::Template(what);
    let mut policy: serde_json::Value = serde_json::from_str(policy).map_err(|error| wrong(error.to_string()))?;
    let statements = policy.get_mut("Statement").and_then(serde_json::Value::as_array_mut);
    let refusal = statements.into_iter().flatten().find(|statement| statement["Sid"] == "RefuseBucketChanges");
    let refusal = refusal.ok_or_else(|| wrong("it has no statement `RefuseBucketChanges`".to_owned()))?;
    let administrator = vault.roles.vault_administrator.as_str();
    refusal["Condition"] = serde_json::json!({ "ArnNotEquals": { "aws:PrincipalArn": administrator } });
    Ok(policy.to_string())
}

/// What is not known is not planned around.
fn answered(bucket: &BucketName, state: &BucketState) -> Result<(), Refusal> {
    match unanswered(state).into_iter().next() {
        Some((what, reason)) => Err(Refusal::Unreachable { bucket: bucket.clone(), what, reason: reason.to_owned() }),
        None if state.contents.found().is_some_and(|contents| !contents.shadowed.is_empty()) => {
            Err(Refusal::Shadowed(bucket.clone()))
        }
        None => Ok(()),
    }
}

fn unanswered(state: &BucketState) -> Vec<(&'static str, &str)> {
    let all = [
        ("region", state.region.reason()),
        ("versioning", state.versioning.reason()),
        ("object lock", state.lock.reason()),
        ("policy", state.policy.reason()),
        ("lifecycle", state.lifecycle.reason()),
        ("replication", state.replication.reason()),
        ("public access block", state.public_access.reason()),
        ("ownership", state.ownership.reason()),
        ("grants", state.grants.reason()),
        ("encryption", state.encryption.reason()),
        ("access log", state.log.reason()),
        ("contents", state.contents.reason()),
    ];
    all.into_iter().filter_map(|(what, reason)| Some((what, reason?))).collect()
}

#[cfg(test)]
mod tests;
