//! The rules about a bucket's settings and about what lies in it.

use super::{Finding, Fix, Verdict};
use crate::{
    apply::Step,
    state::{Asked, BucketState, Contents, Lock, PublicAccessBlock, Versioning},
    vault::{Retention, Store},
};

type Judged = (Verdict, String, Option<Fix>);

/// One finding per setting. A bucket that is not there has no settings: that is the one finding.
pub(super) fn findings(store: &Store, retention: Retention, state: &BucketState) -> Vec<Finding> {
    let step = |step| Some(Fix::Step(store.bucket.clone(), step));
    let region = of("region", &state.region, "s3:GetBucketLocation", |region| match region {
        Some(region) if region == store.region.as_str() => right(region),
        Some(region) => {
            let fix = format!("functions in {} cannot take code from here: make a bucket there", store.region);
            (Verdict::Incorrect, region.clone(), Some(Fix::Do(fix)))
        }
        None => (Verdict::Missing, "no such bucket".to_owned(), step(Step::CreateBucket(store.region.clone()))),
    });
    if state.region.found().is_none() {
        return vec![region];
    }
    let versioning = of("versioning", &state.versioning, "s3:GetBucketVersioning", |versioning| match versioning {
        Some(Versioning::Enabled) => right("enabled"),
        Some(Versioning::Suspended) => (Verdict::Incorrect, "suspended".to_owned(), step(Step::EnableVersioning)),
        None => (Verdict::Missing, "never enabled".to_owned(), step(Step::EnableVersioning)),
    });
    vec![
        region,
        versioning,
        lock(retention, state, &step),
        retained(retention, state, &step),
        public_access(state, &step),
        ownership(state, &step),
        grants(state, &step),
        lifecycle(state, &step),
        replication(state, &step),
        encryption(state, &step),
        log(store, state, &step),
        contents(state),
    ]
}

fn of<T>(rule: &str, asked: &Asked<T>, action: &str, judge: impl FnOnce(Option<&T>) -> Judged) -> Finding {
    let (verdict, found, fix) = match asked {
        Asked::Found(found) => judge(Some(found)),
        Asked::Absent => judge(None),
        Asked::Unreachable(reason) => {
            let fix = Fix::Do(format!("let the auditor's role call {action}, then ask again"));
            (Verdict::Unreachable, reason.clone(), Some(fix))
        }
    };
    Finding { rule: rule.to_owned(), verdict, found, fix }
}

fn right(found: &str) -> Judged {
    (Verdict::Correct, found.to_owned(), None)
}

/// Whether the bucket locks at all; how long is the next rule's.
fn lock(retention: Retention, state: &BucketState, step: &dyn Fn(Step) -> Option<Fix>) -> Finding {
    of("object-lock", &state.lock, "s3:GetBucketObjectLockConfiguration", |lock| match lock {
        Some(_) => right("enabled"),
        // What was written without a lock stays without one.
        None if state.contents.found().is_some() => {
            let fix = "make a new bucket with Object Lock: what is in this one was written without it".to_owned();
            (Verdict::Missing, "off, and the bucket has objects".to_owned(), Some(Fix::Do(fix)))
        }
        None => (Verdict::Missing, "off".to_owned(), step(Step::SetRetention(retention))),
    })
}

fn retained(retention: Retention, state: &BucketState, step: &dyn Fn(Step) -> Option<Fix>) -> Finding {
    let days = u64::from(retention.years) * 365;
    let expected = format!("{days} days in mode {}", retention.mode);
    of("default-retention", &state.lock, "s3:GetBucketObjectLockConfiguration", |lock| match lock {
        Some(Lock { default: Some(found) }) if found.mode == retention.mode && found.period.days() == days => {
            right(&expected)
        }
        Some(Lock { default: Some(found) }) => {
            let weaker = found.mode > retention.mode || found.period.days() > days;
            let configure = || Some(Fix::Do("configure what is in force: it is more than is asked for".to_owned()));
            let fix = if weaker { configure() } else { step(Step::SetRetention(retention)) };
            let text = format!("{} days in mode {}, expected {expected}", found.period.days(), found.mode);
            (Verdict::Incorrect, text, fix)
        }
        Some(Lock { default: None }) => {
            (Verdict::Missing, format!("none, expected {expected}"), step(Step::SetRetention(retention)))
        }
        None => (Verdict::Missing, "none without Object Lock".to_owned(), step(Step::SetRetention(retention))),
    })
}

fn public_access(state: &BucketState, step: &dyn Fn(Step) -> Option<Fix>) -> Finding {
    of("public-access", &state.public_access, "s3:GetBucketPublicAccessBlock", |block| {
        let Some(block) = block else {
            return (Verdict::Missing, "not blocked".to_owned(), step(Step::BlockPublicAccess));
        };
        let PublicAccessBlock { block_acls, ignore_acls, block_policy, restrict } = *block;
        let switches = [
            ("BlockPublicAcls", block_acls),
            ("IgnorePublicAcls", ignore_acls),
            ("BlockPublicPolicy", block_policy),
            ("RestrictPublicBuckets", restrict),
        ];
        let off: Vec<_> = switches.iter().filter(|(_, on)| !on).map(|(name, _)| *name).collect();
        if off.is_empty() {
            right("blocked")
        } else {
            (Verdict::Incorrect, format!("{} off", off.join(", ")), step(Step::BlockPublicAccess))
        }
    })
}

fn ownership(state: &BucketState, step: &dyn Fn(Step) -> Option<Fix>) -> Finding {
    of("ownership", &state.ownership, "s3:GetBucketOwnershipControls", |ownership| match ownership {
        Some(found) if found == "BucketOwnerEnforced" => right(found),
        Some(found) => (Verdict::Incorrect, found.clone(), step(Step::OwnEverything)),
        None => (Verdict::Missing, "access lists are in force".to_owned(), step(Step::OwnEverything)),
    })
}

fn grants(state: &BucketState, step: &dyn Fn(Step) -> Option<Fix>) -> Finding {
    of("grants", &state.grants, "s3:GetBucketAcl", |grants| match grants {
        Some(grants) if !grants.is_empty() => (Verdict::Unexpected, grants.join(", "), step(Step::OwnEverything)),
        _ => right("none but the owner's"),
    })
}

fn lifecycle(state: &BucketState, step: &dyn Fn(Step) -> Option<Fix>) -> Finding {
    of("lifecycle", &state.lifecycle, "s3:GetLifecycleConfiguration", |rules| {
        let acting = rules.into_iter().flatten().filter(|rule| rule.enabled && !rule.actions.is_empty());
        let acting: Vec<_> = acting.map(|rule| format!("rule `{}`: {}", rule.id, rule.actions.join(", "))).collect();
        if acting.is_empty() {
            right("no rule that touches objects")
        } else {
            (Verdict::Unexpected, acting.join("; "), step(Step::RemoveLifecycle))
        }
    })
}

fn replication(state: &BucketState, step: &dyn Fn(Step) -> Option<Fix>) -> Finding {
    of("replication", &state.replication, "s3:GetReplicationConfiguration", |rules| match rules {
        Some(rules) if !rules.is_empty() => {
            (Verdict::Unexpected, format!("rule {}", rules.join(", ")), step(Step::RemoveReplication))
        }
        _ => right("none: the mirror is verified as it is written"),
    })
}

fn encryption(state: &BucketState, step: &dyn Fn(Step) -> Option<Fix>) -> Finding {
    of("encryption", &state.encryption, "s3:GetEncryptionConfiguration", |algorithm| match algorithm {
        Some(found) if found == "AES256" => right(found),
        Some(found) => (Verdict::Incorrect, format!("{found}, which no role has the key of"), step(Step::Encrypt)),
        None => (Verdict::Missing, "not configured".to_owned(), step(Step::Encrypt)),
    })
}

fn log(store: &Store, state: &BucketState, step: &dyn Fn(Step) -> Option<Fix>) -> Finding {
    of("access-log", &state.log, "s3:GetBucketLogging", |found| match (&store.log, found) {
        (Some(target), Some(found)) if found == target.as_str() => right(found),
        (None, None) => right("none, as configured"),
        (Some(target), None) => (Verdict::Missing, "none".to_owned(), step(Step::SendLog(target.clone()))),
        (Some(target), Some(found)) => {
            let why = if found == store.bucket.as_str() { ", which refuses it" } else { "" };
            (Verdict::Incorrect, format!("goes to {found}{why}"), step(Step::SendLog(target.clone())))
        }
        (None, Some(found)) => (Verdict::Unexpected, format!("goes to {found}"), step(Step::SendNoLog)),
    })
}

/// A write over a delete marker succeeds (fact 2), and no lock protects a marker (fact 3): what is there tells whether
/// it happened.
fn contents(state: &BucketState) -> Finding {
    of("one-version-per-key", &state.contents, "s3:ListBucketVersions", |contents| match contents {
        Some(Contents { shadowed }) if !shadowed.is_empty() => {
            let first: Vec<_> = shadowed.iter().take(5).map(String::as_str).collect();
            let found = format!("{} keys written twice or deleted: {}", shadowed.len(), first.join(", "));
            let fix = "run `cargo xtask audit verify`, and look in CloudTrail for who did it".to_owned();
            (Verdict::Incorrect, found, Some(Fix::Do(fix)))
        }
        _ => right("every key was written once"),
    })
}
