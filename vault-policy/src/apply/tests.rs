//! A small bucket that takes the steps shows that they end in what was wanted, in an order that AWS accepts.

use super::*;
use crate::{
    doctor::{self, Verdict, tests::sound},
    sample::vault,
    state::{Contents, DefaultRetention, LifecycleRule, Period, PublicAccessBlock},
    vault::LockMode,
};

fn nothing() -> BucketState {
    BucketState {
        region: Asked::Absent,
        versioning: Asked::Absent,
        lock: Asked::Absent,
        policy: Asked::Absent,
        lifecycle: Asked::Absent,
        replication: Asked::Absent,
        public_access: Asked::Absent,
        ownership: Asked::Absent,
        grants: Asked::Absent,
        encryption: Asked::Absent,
        log: Asked::Absent,
        contents: Asked::Absent,
    }
}

/// Takes a step as S3 would for the vault administrator, who has the rights of its role.
fn take(state: &mut BucketState, step: Step) {
    let vault = vault();
    let role = Policy::parse(
        &render(&vault, &Document::Role(crate::vault::Actor::VaultAdministrator)).unwrap(),
        Form::Identity,
    );
    let bucket = format!("arn:aws:s3:::{}", vault.store.bucket);
    let request = Request::of(vault.roles.vault_administrator.as_str(), step.action(), &bucket);
    assert!(role.unwrap().permission(&request).is_some(), "its role permits {step:?}");
    if let Some(policy) = state.policy.found() {
        let refusal = Policy::parse(policy, Form::Resource).unwrap().refusal(&request).map(str::to_owned);
        assert_eq!(refusal, None, "{step:?}");
    }
    assert!(state.region.found().is_some() || matches!(step, Step::CreateBucket(_)), "{step:?}");
    match step {
        Step::CreateBucket(region) => {
            state.region = Asked::Found(region.to_string());
            state.versioning = Asked::Found(Versioning::Enabled);
            state.lock = Asked::Found(Lock { default: None });
        }
        Step::OpenPolicy(policy) | Step::PutPolicy(policy) => state.policy = Asked::Found(policy),
        Step::BlockPublicAccess => {
            let block = PublicAccessBlock { block_acls: true, ignore_acls: true, block_policy: true, restrict: true };
            state.public_access = Asked::Found(block);
        }
        Step::OwnEverything => state.ownership = Asked::Found("BucketOwnerEnforced".to_owned()),
        Step::EnableVersioning => state.versioning = Asked::Found(Versioning::Enabled),
        Step::SetRetention(Retention { mode, years }) => {
            assert_eq!(state.versioning, Asked::Found(Versioning::Enabled), "a lock needs versioning");
            state.lock = Asked::Found(Lock { default: Some(DefaultRetention { mode, period: Period::Years(years) }) });
        }
        Step::Encrypt => state.encryption = Asked::Found("AES256".to_owned()),
        Step::SendLog(target) => state.log = Asked::Found(target.to_string()),
        Step::SendNoLog => state.log = Asked::Absent,
        Step::RemoveLifecycle => state.lifecycle = Asked::Absent,
        Step::RemoveReplication => state.replication = Asked::Absent,
    }
}

fn planned(state: &BucketState) -> Vec<Step> {
    plan(&vault(), Side::Vault, state).unwrap()
}

fn refused(change: impl Fn(&mut BucketState)) -> String {
    let mut state = sound(&vault(), Side::Vault);
    change(&mut state);
    plan(&vault(), Side::Vault, &state).unwrap_err().to_string()
}

/// Killed after each step in turn, and run again to its end.
fn ends_well(start: &BucketState) {
    let steps = planned(start).len();
    for killed in 0..=steps {
        let mut state = start.clone();
        planned(&state).into_iter().take(killed).for_each(|step| take(&mut state, step));
        planned(&state).into_iter().for_each(|step| take(&mut state, step));
        assert_eq!(planned(&state), [], "after {killed} steps");
        let findings = doctor::examine(&vault(), Side::Vault, &state).unwrap();
        let wrong: Vec<_> = findings.into_iter().filter(|finding| finding.verdict != Verdict::Correct).collect();
        assert_eq!(wrong, [], "after {killed} steps");
    }
}

#[test]
fn a_new_bucket_is_closed_locked_and_guarded_in_this_order() {
    let steps: Vec<_> = planned(&nothing()).iter().map(Step::action).collect();
    assert_eq!(
        steps,
        [
            "s3:CreateBucket",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketOwnershipControls",
            "s3:PutEncryptionConfiguration",
            "s3:PutBucketLogging",
            "s3:PutBucketVersioning",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketPolicy",
        ]
    );
    ends_well(&nothing());
}

#[test]
fn nothing_to_do_is_no_step() {
    for side in [Side::Vault, Side::Mirror] {
        assert_eq!(plan(&vault(), side, &sound(&vault(), side)).unwrap(), []);
    }
}

#[test]
fn what_the_policy_refuses_is_opened_for_the_administrator_alone_and_closed_again() {
    let mut state = sound(&vault(), Side::Vault);
    let rule = LifecycleRule { id: "x".to_owned(), enabled: true, actions: vec!["Expiration".to_owned()] };
    state.lifecycle = Asked::Found(vec![rule]);
    state.replication = Asked::Found(vec!["x".to_owned()]);
    let steps = planned(&state);
    let [Step::OpenPolicy(open), Step::RemoveLifecycle, Step::RemoveReplication, Step::PutPolicy(_)] = &steps[..]
    else {
        panic!("{steps:?}")
    };
    let open = Policy::parse(open, Form::Resource).unwrap();
    let holes = probe::judge(&vault(), Side::Vault, &open).unwrap().holes;
    let administrator = vault().roles.vault_administrator.to_string();
    assert!(!holes.is_empty());
    for hole in holes {
        assert!(hole.rule == "RefuseBucketChanges" && hole.what.contains(&administrator), "{hole:?}");
    }
    ends_well(&state);
    // What the policy lets the administrator do needs no opening.
    let mut state = sound(&vault(), Side::Vault);
    state.public_access = Asked::Absent;
    assert_eq!(planned(&state), [Step::BlockPublicAccess]);
}

#[test]
fn an_empty_bucket_without_a_lock_can_be_mended() {
    let mut state = sound(&vault(), Side::Vault);
    (state.versioning, state.lock, state.contents) = (Asked::Absent, Asked::Absent, Asked::Absent);
    ends_well(&state);
    state.policy = Asked::Absent;
    ends_well(&state);
    state.policy = Asked::Found(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned());
    ends_well(&state);
    state.lock =
        Asked::Found(Lock { default: Some(DefaultRetention { mode: LockMode::Governance, period: Period::Days(30) }) });
    ends_well(&state);
}

#[test]
fn what_cannot_be_mended_in_place_is_refused_with_the_reason() {
    for (error, says) in [
        (refused(|s| s.lock = Asked::Absent), "acme-vault has objects and was not locked when they were written"),
        (refused(|s| s.versioning = Asked::Absent), "acme-vault has objects and was not locked"),
        (refused(|s| s.region = Asked::Found("us-east-1".to_owned())), "is in us-east-1, and the functions are in eu-"),
        (refused(|s| s.log = Asked::Unreachable("403".to_owned())), "does not say its access log: 403"),
        (
            refused(|s| s.contents = Asked::Found(Contents { shadowed: vec!["v1.0.0/a".to_owned()] })),
            "keys that were written twice or deleted",
        ),
        (refused(locked_out), "whose statement `Out` refuses changes to the vault administrator"),
        (
            refused(|s| {
                let (mode, period) = (LockMode::Compliance, Period::Years(7));
                s.lock = Asked::Found(Lock { default: Some(DefaultRetention { mode, period }) });
            }),
            "keeps objects 2555 days in mode COMPLIANCE, and 2190 days in mode COMPLIANCE would be weaker",
        ),
    ] {
        assert!(error.contains(says), "{says}: {error}");
    }
    let mut softer = vault();
    softer.retention.mode = LockMode::Governance;
    let error = plan(&softer, Side::Vault, &sound(&vault(), Side::Vault)).unwrap_err().to_string();
    assert!(error.contains("would be weaker"), "{error}");
}

fn locked_out(state: &mut BucketState) {
    let out = serde_json::json!({ "Version": "2012-10-17", "Statement": { "Sid": "Out", "Effect": "Deny",
        "Principal": "*", "Action": "s3:Put*", "Resource": "*" } });
    state.policy = Asked::Found(out.to_string());
}
