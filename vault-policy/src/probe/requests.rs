//! Makes the requests of each rule.

use super::{Must, PUT, Probe, is_foreign, rules_of, rules_of_retention};
use crate::{
    evaluate::{Principal, Request},
    vault::{Actor, Side, Vault},
};

/// Actions on objects that nobody may take, by the statement that refuses them.
const OBJECT_ACTIONS: [(&str, &[&str]); 4] = [
    ("RefuseDeletion", &["s3:DeleteObject", "s3:DeleteObjectVersion"]),
    ("RefuseLiftingLocks", &["s3:BypassGovernanceRetention", "s3:PutObjectLegalHold"]),
    (
        "RefuseReplicationInto",
        &["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"],
    ),
    (
        "RefuseAttributeChanges",
        &[
            "s3:PutObjectAcl",
            "s3:PutObjectVersionAcl",
            "s3:PutObjectTagging",
            "s3:PutObjectVersionTagging",
            "s3:DeleteObjectTagging",
            "s3:DeleteObjectVersionTagging",
        ],
    ),
];

/// The same of the bucket.
const BUCKET_ACTIONS: [&str; 6] = [
    "s3:DeleteBucket",
    "s3:PutBucketAcl",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
];

/// Actions on the bucket that the vault administrator alone may take.
const ADMINISTRATION: [&str; 6] = [
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketLogging",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
];

const LENGTHEN: &str = "s3:PutObjectRetention";
const DAYS: &str = "s3:object-lock-remaining-retention-days";
const MODE: &str = "s3:object-lock-mode";

/// Who asks, and about what.
pub(super) struct Asker<'a> {
    pub(super) vault: &'a Vault,
    pub(super) side: Side,
    pub(super) bucket: String,
    pub(super) account: String,
    /// Every role, with the part that it plays; strangers play none.
    pub(super) everyone: Vec<(Option<Actor>, String)>,
    pub(super) keys: Vec<String>,
}

impl Asker<'_> {
    /// One actor's requests after the other's: a policy that names many roles and keys makes very many.
    pub(super) fn all(&self) -> impl Iterator<Item = Probe> {
        let of_one = |(actor, role): &(Option<Actor>, String)| {
            let mut probes = Vec::new();
            self.of_the_bucket(actor.as_ref(), role, &mut probes);
            for key in &self.keys {
                let object = format!("{}/{key}", self.bucket);
                self.of_objects(role, &object, &mut probes);
                self.writes(actor.as_ref(), role, key, &object, &mut probes);
                self.retention(actor.as_ref(), role, key, &object, &mut probes);
            }
            probes
        };
        let mut strangers = Vec::new();
        self.strangers(&mut strangers);
        self.everyone.iter().flat_map(of_one).chain(strangers)
    }

    fn of_the_bucket(&self, actor: Option<&Actor>, role: &str, probes: &mut Vec<Probe>) {
        let bucket = &self.bucket;
        for action in BUCKET_ACTIONS {
            probes.push(refuse("RefuseBucketChanges", Request::of(role, action, bucket), ""));
        }
        for action in ADMINISTRATION {
            if actor != Some(&Actor::VaultAdministrator) {
                probes.push(refuse("OnlyVaultAdministratorChangesThis", Request::of(role, action, bucket), ""));
            }
        }
        let plain = Request::of(role, "s3:ListBucket", bucket).with("aws:SecureTransport", "false");
        probes.push(refuse("RefusePlainHttp", plain, " over plain HTTP"));
        // The vault administrator looks at the bucket, not into it.
        if actor.is_some_and(|actor| *actor != Actor::VaultAdministrator) {
            for action in ["s3:ListBucket", "s3:ListBucketVersions"] {
                probes.push(allow("EveryRoleLists", Request::of(role, action, bucket)));
            }
            for action in ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"] {
                let object = format!("{bucket}/releases/00000001.json");
                probes.push(allow("EveryRoleReads", Request::of(role, action, &object)));
            }
        }
    }

    fn of_objects(&self, role: &str, object: &str, probes: &mut Vec<Probe>) {
        for (rule, actions) in OBJECT_ACTIONS {
            probes.extend(actions.iter().map(|action| refuse(rule, Request::of(role, action, object), "")));
        }
        let plain = Request::of(role, "s3:GetObject", object).with("aws:SecureTransport", "false");
        probes.push(refuse("RefusePlainHttp", plain, " over plain HTTP"));
    }

    fn writes(&self, actor: Option<&Actor>, role: &str, key: &str, object: &str, probes: &mut Vec<Probe>) {
        let create = create(role, object);
        let bare = create.clone().without("s3:if-none-match");
        let copy = create.clone().with("s3:x-amz-copy-source", "/elsewhere/x");
        // An upload in parts cannot carry the condition before it is completed (fact 4).
        let part = bare.clone().with("s3:ObjectCreationOperation", "false");
        probes.push(refuse("RefuseUnconditionalWrites", bare, " without If-None-Match"));
        probes.push(refuse("RefuseCopies", copy, " as a copy"));
        match rules_of(self.vault, self.side, key) {
            None => probes.push(refuse("RefuseWritesElsewhere", create, "")),
            Some((_, may)) if actor.is_some() && self.vault.owner(self.side, key).as_ref() == actor => {
                probes.push(allow(&may, part));
                probes.push(allow(&may, create));
            }
            Some((only, _)) => {
                probes.push(refuse(&only, part, " in parts"));
                probes.push(refuse(&only, create, ""));
            }
        }
    }

    fn retention(&self, actor: Option<&Actor>, role: &str, key: &str, object: &str, probes: &mut Vec<Probe>) {
        let retention = self.vault.retention;
        let (fewest, most) = (retention.fewest_days(), retention.most_days());
        let locked =
            |request: Request, days: u32| request.with(MODE, &retention.mode.to_string()).with(DAYS, &days.to_string());
        let other = match retention.mode {
            crate::vault::LockMode::Compliance => "GOVERNANCE",
            crate::vault::LockMode::Governance => "COMPLIANCE",
        };
        for request in [Request::of(role, LENGTHEN, object), create(role, object)] {
            for days in [0, 1, fewest.saturating_sub(1)] {
                probes.push(refuse("RefuseShorterRetention", locked(request.clone(), days), " for less time"));
            }
            for days in [most + 1, 36_500] {
                probes.push(refuse("RefuseEndlessRetention", locked(request.clone(), days), " for too long"));
            }
            let mode = locked(request, most).with(MODE, other);
            probes.push(refuse("RefuseOtherLockModes", mode, " in the other mode"));
        }
        let rules = rules_of_retention(self.vault, self.side, key, actor);
        for days in [fewest, retention.years * 365, most] {
            let request = locked(Request::of(role, LENGTHEN, object), days);
            // Whoever creates an object with a lock is asked for this right, too.
            probes.push(match &rules {
                Some((_, Some(may))) => allow(may, request),
                Some((only, None)) => refuse(only, request, ""),
                None => refuse("RefuseWritesElsewhere", request, ""),
            });
        }
    }

    /// Who is not of this account gets in by the bucket's own permission alone: there must be none.
    fn strangers(&self, probes: &mut Vec<Probe>) {
        let object = format!("{}/releases/00000001.json", self.bucket);
        let requests =
            [("s3:GetObject", &object), ("s3:ListBucket", &self.bucket), ("s3:GetBucketPolicy", &self.bucket)];
        let foreign = self.everyone.iter().filter(|(actor, role)| actor.is_none() && is_foreign(role, &self.account));
        let foreign: Vec<_> = foreign.map(|(_, role)| role.clone()).chain([super::stranger("999999999999")]).collect();
        for (action, resource) in requests {
            let anonymous = Request::anonymous(action, resource);
            probes.push(closed(anonymous.clone()));
            probes.push(closed(Request { principal: Principal::Service, ..anonymous }));
            probes.extend(foreign.iter().map(|role| closed(Request::of(role, action, resource))));
        }
        for key in &self.keys {
            let write = create("", &format!("{}/{key}", self.bucket)).without("aws:PrincipalArn");
            let write = write.without("aws:PrincipalAccount");
            probes.push(closed(Request { principal: Principal::Service, ..write.clone() }));
            probes.push(closed(Request { principal: Principal::Anonymous, ..write }));
        }
    }
}

/// A write as the toolchain makes it: over TLS, and only if nothing is there.
pub(super) fn create(role: &str, object: &str) -> Request {
    Request::of(role, PUT, object).with("s3:if-none-match", "*").with("s3:ObjectCreationOperation", "true")
}

fn refuse(rule: &str, request: Request, how: &'static str) -> Probe {
    Probe { rule: rule.to_owned(), request, how, must: Must::Refuse }
}

fn allow(rule: &str, request: Request) -> Probe {
    Probe { rule: rule.to_owned(), request, how: "", must: Must::Allow }
}

fn closed(request: Request) -> Probe {
    Probe { rule: "ClosedToStrangers".to_owned(), request, how: "", must: Must::NotPermit }
}
