//! A bucket with each hole in turn: precisely that hole is named, with a fix that mends it.

use serde_json::{Value, json};

use super::*;
use crate::{
    apply,
    sample::vault,
    state::{Asked, Contents, DefaultRetention, LifecycleRule, Lock, Period, PublicAccessBlock, Versioning},
    vault::LockMode,
};

pub(crate) fn sound(vault: &Vault, side: Side) -> BucketState {
    let store = vault.bucket(side);
    BucketState {
        region: Asked::Found(store.region.to_string()),
        versioning: Asked::Found(Versioning::Enabled),
        lock: Asked::Found(Lock {
            default: Some(DefaultRetention { mode: LockMode::Compliance, period: Period::Years(6) }),
        }),
        policy: Asked::Found(render(vault, &Document::Bucket(side)).unwrap()),
        lifecycle: Asked::Absent,
        replication: Asked::Absent,
        public_access: Asked::Found(PublicAccessBlock {
            block_acls: true,
            ignore_acls: true,
            block_policy: true,
            restrict: true,
        }),
        ownership: Asked::Found("BucketOwnerEnforced".to_owned()),
        grants: Asked::Absent,
        encryption: Asked::Found("AES256".to_owned()),
        log: Asked::Found(store.log.as_ref().unwrap().to_string()),
        contents: Asked::Found(Contents::default()),
    }
}

/// All findings that are not `Correct`, as `rule: Verdict`.
fn wrong(state: &BucketState) -> Vec<String> {
    let findings = examine(&vault(), Side::Vault, state).unwrap();
    let wrong = findings.iter().filter(|finding| finding.verdict != Verdict::Correct);
    wrong
        .map(|finding| {
            assert!(finding.fix.is_some() && !finding.found.is_empty(), "{finding:?}");
            format!("{}: {:?}", finding.rule, finding.verdict)
        })
        .collect()
}

fn changed(change: impl Fn(&mut BucketState)) -> BucketState {
    let mut state = sound(&vault(), Side::Vault);
    change(&mut state);
    state
}

fn without(state: &mut BucketState, sid: &str) {
    let mut policy: Value = serde_json::from_str(state.policy.found().unwrap()).unwrap();
    policy["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != sid);
    state.policy = Asked::Found(policy.to_string());
}

#[test]
fn a_sound_bucket_has_no_hole_and_every_rule_is_told() {
    for side in [Side::Vault, Side::Mirror] {
        let findings = examine(&vault(), side, &sound(&vault(), side)).unwrap();
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Correct && finding.fix.is_none()));
        assert!(findings.len() > 30, "{}", findings.len());
    }
}

/// A hole that is made, and the findings that name it.
type Case = (fn(&mut BucketState), &'static [&'static str]);

const CASES: &[Case] = &[
    (|s| s.versioning = Asked::Absent, &["versioning: Missing"]),
    (|s| s.versioning = Asked::Found(Versioning::Suspended), &["versioning: Incorrect"]),
    (|s| s.lock = Asked::Absent, &["object-lock: Missing", "default-retention: Missing"]),
    (|s| s.lock = Asked::Found(Lock { default: None }), &["default-retention: Missing"]),
    (|s| s.lock = retained(LockMode::Governance, Period::Years(6)), &["default-retention: Incorrect"]),
    (|s| s.lock = retained(LockMode::Compliance, Period::Days(30)), &["default-retention: Incorrect"]),
    (|s| s.lock = retained(LockMode::Compliance, Period::Days(2190)), &[]),
    (|s| s.policy = Asked::Absent, &["policy: Missing"]),
    (|s| s.policy = Asked::Found("{".to_owned()), &["policy: Incorrect"]),
    (|s| without(s, "RefuseDeletion"), &["policy/RefuseDeletion: Incorrect"]),
    (|s| without(s, "RefusePlainHttp"), &["policy/RefusePlainHttp: Incorrect"]),
    (|s| without(s, "RefuseUnconditionalWrites"), &["policy/RefuseUnconditionalWrites: Incorrect"]),
    (|s| without(s, "RefuseCopies"), &["policy/RefuseCopies: Incorrect"]),
    (|s| without(s, "RefuseReplicationInto"), &["policy/RefuseReplicationInto: Incorrect"]),
    (|s| without(s, "RefuseBucketChanges"), &["policy/RefuseBucketChanges: Incorrect"]),
    (|s| without(s, "OnlyDeployerWritesProd"), &["policy/OnlyDeployerWritesProd: Incorrect"]),
    (|s| s.lifecycle = expiry(true), &["lifecycle: Unexpected"]),
    (|s| s.lifecycle = expiry(false), &[]),
    (|s| s.replication = Asked::Found(vec!["all".to_owned()]), &["replication: Unexpected"]),
    (|s| s.public_access = Asked::Absent, &["public-access: Missing"]),
    (|s| s.public_access = Asked::Found(half_open()), &["public-access: Incorrect"]),
    (|s| s.ownership = Asked::Absent, &["ownership: Missing"]),
    (|s| s.ownership = Asked::Found("ObjectWriter".to_owned()), &["ownership: Incorrect"]),
    (|s| s.grants = Asked::Found(vec!["AllUsers: READ".to_owned()]), &["grants: Unexpected"]),
    (|s| s.encryption = Asked::Found("aws:kms".to_owned()), &["encryption: Incorrect"]),
    (|s| s.encryption = Asked::Absent, &["encryption: Missing"]),
    (|s| s.log = Asked::Found("acme-vault".to_owned()), &["access-log: Incorrect"]),
    (|s| s.log = Asked::Absent, &["access-log: Missing"]),
    (|s| s.region = Asked::Found("us-east-1".to_owned()), &["region: Incorrect"]),
    (|s| s.region = Asked::Absent, &["region: Missing"]),
    (|s| s.contents = Asked::Found(shadowed()), &["one-version-per-key: Incorrect"]),
    (|s| s.contents = Asked::Absent, &[]),
    (|s| s.policy = Asked::Unreachable("403".to_owned()), &["policy: Unreachable"]),
    (
        |s| s.lock = Asked::Unreachable("403".to_owned()),
        &["object-lock: Unreachable", "default-retention: Unreachable"],
    ),
    (|s| s.region = Asked::Unreachable("403".to_owned()), &["region: Unreachable"]),
];

fn retained(mode: LockMode, period: Period) -> Asked<Lock> {
    Asked::Found(Lock { default: Some(DefaultRetention { mode, period }) })
}

fn expiry(enabled: bool) -> Asked<Vec<LifecycleRule>> {
    let actions = vec!["NoncurrentVersionExpiration".to_owned()];
    Asked::Found(vec![LifecycleRule { id: "tidy".to_owned(), enabled, actions }])
}

fn half_open() -> PublicAccessBlock {
    PublicAccessBlock { block_acls: true, ignore_acls: true, block_policy: false, restrict: true }
}

fn shadowed() -> Contents {
    Contents { shadowed: vec!["v1.0.0/manifest.json".to_owned()] }
}

#[test]
fn precisely_the_hole_is_named() {
    for (at, (change, expected)) in CASES.iter().enumerate() {
        assert_eq!(wrong(&changed(change)), *expected, "case {at}");
    }
}

#[test]
fn a_finding_says_what_is_there_and_how_to_mend_it() {
    let finding = |change: fn(&mut BucketState), rule: &str| {
        let findings = examine(&vault(), Side::Vault, &changed(change)).unwrap();
        findings.into_iter().find(|finding| finding.rule == rule).unwrap()
    };
    let versioning = finding(|s| s.versioning = Asked::Found(Versioning::Suspended), "versioning");
    assert_eq!(versioning.found, "suspended");
    assert_eq!(
        versioning.fix.unwrap().to_string(),
        "`cargo xtask vault apply`, or by hand: aws s3api put-bucket-versioning --bucket acme-vault \
         --versioning-configuration Status=Enabled"
    );
    let deletion = finding(|s| without(s, "RefuseDeletion"), "policy/RefuseDeletion");
    assert!(deletion.found.starts_with("`s3:DeleteObject` on arn:aws:s3:::acme-vault/"), "{}", deletion.found);
    assert!(deletion.found.contains(" is not refused; and "), "{}", deletion.found);
    let Some(Fix::Statement(statement)) = deletion.fix else { panic!("{:?}", deletion.fix) };
    let statement: Value = serde_json::from_str(&statement).unwrap();
    assert_eq!(statement["Action"], json!(["s3:DeleteObject", "s3:DeleteObjectVersion"]));
    let public = finding(|s| s.public_access = Asked::Found(half_open()), "public-access");
    assert_eq!(public.found, "BlockPublicPolicy off");
    let lifecycle = finding(|s| s.lifecycle = expiry(true), "lifecycle");
    assert_eq!(lifecycle.found, "rule `tidy`: NoncurrentVersionExpiration");
    let unknown = finding(|s| s.policy = Asked::Found(odd_policy()), "policy");
    assert!(unknown.found.starts_with("statement `Odd` has the operator `IpAddress`"), "{}", unknown.found);
    let open = finding(|s| s.policy = Asked::Found(with_public_read(s)), "policy/ClosedToStrangers");
    assert_eq!(open.fix.unwrap().to_string(), "remove what permits it: the statement `Public`");
}

fn odd_policy() -> String {
    let condition = json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } });
    let statement = json!({ "Sid": "Odd", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": condition });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn with_public_read(state: &BucketState) -> String {
    let mut policy: Value = serde_json::from_str(state.policy.found().unwrap()).unwrap();
    let read = json!({ "Sid": "Public", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::acme-vault/*" });
    policy["Statement"].as_array_mut().unwrap().push(read);
    policy.to_string()
}

/// What the doctor finds wrong and what `vault apply` changes are the same: neither passes what the other sees.
#[test]
fn the_plan_is_empty_exactly_when_nothing_is_wrong() {
    for (at, (change, expected)) in CASES.iter().enumerate() {
        let state = changed(change);
        let nothing = apply::plan(&vault(), Side::Vault, &state).is_ok_and(|steps| steps.is_empty());
        // Grants have no effect while the bucket's owner owns everything: that is told, and nothing is to be done.
        let told_only = state.grants.found().is_some();
        assert_eq!(nothing, expected.is_empty() || told_only, "case {at}");
    }
}
