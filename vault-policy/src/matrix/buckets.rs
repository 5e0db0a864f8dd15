//! The buckets.

use proptest::prelude::*;

use super::*;

/// What it is called; the action; the key, or nothing for the bucket itself; condition keys that are set or taken away;
/// who may do it in the vault, and who in the mirror. `all` is every actor.
type Ask = (&'static str, &'static str, &'static str, Keys, &'static str, &'static str);
type Keys = &'static [(&'static str, &'static str)];

const DAYS: &str = "s3:object-lock-remaining-retention-days";
const MODE: &str = "s3:object-lock-mode";
const GONE: &str = "-";

const ASKED: &[Ask] = &[
    ("create a box", "s3:PutObject", "v1.0.0/manifest.json", &[], "releaser", "deployer-dr"),
    ("create a number", "s3:PutObject", "releases/00000001.json", &[], "releaser", "deployer-dr"),
    ("create in dev", "s3:PutObject", "environments/dev/00000001.json", &[], "deployer-dev", "deployer-dr"),
    ("create in qa-east", "s3:PutObject", "environments/qa-east/00000001.json", &[], "deployer-qa-east", "deployer-dr"),
    ("create in prod", "s3:PutObject", "environments/prod/00000001.json", &[], "deployer-prod", "deployer-dr"),
    ("create in dr", "s3:PutObject", "environments/dr/00000001.json", &[], "deployer-dr", "deployer-dr"),
    ("create in no environment", "s3:PutObject", "environments/x/00000001.json", &[], "", ""),
    ("approve for dev", "s3:PutObject", "approvals/v1.0.0/dev/00000001.json", &[], "approver", "deployer-dr"),
    ("approve for prod", "s3:PutObject", "approvals/v1.0.0/prod/00000001.json", &[], "approver", "deployer-dr"),
    ("change people", "s3:PutObject", "policy/00000001.json", &[], "policy-administrator", "deployer-dr"),
    ("add evidence", "s3:PutObject", "evidence/v1.0.0/0.json", &[], "evidence", "deployer-dr"),
    ("create elsewhere", "s3:PutObject", "other/x", &[], "", ""),
    ("create at the top", "s3:PutObject", "x", &[], "", ""),
    ("overwrite a box", "s3:PutObject", "v1.0.0/manifest.json", &[("s3:if-none-match", GONE)], "", ""),
    ("overwrite in prod", "s3:PutObject", "environments/prod/00000001.json", &[("s3:if-none-match", GONE)], "", ""),
    (
        "upload a part of a box",
        "s3:PutObject",
        "v1.0.0/a.zip",
        &[("s3:if-none-match", GONE), ("s3:ObjectCreationOperation", "false")],
        "releaser",
        "deployer-dr",
    ),
    ("copy over a box", "s3:PutObject", "v1.0.0/a.zip", &[("s3:x-amz-copy-source", "/x/y")], "", ""),
    ("create over http", "s3:PutObject", "v1.0.0/a.zip", &[("aws:SecureTransport", "false")], "", ""),
    ("create for a day", "s3:PutObject", "environments/prod/1.json", &[(DAYS, "1"), (MODE, "COMPLIANCE")], "", ""),
    (
        "create with a soft lock",
        "s3:PutObject",
        "environments/prod/1.json",
        &[(DAYS, "2190"), (MODE, "GOVERNANCE")],
        "",
        "",
    ),
    (
        "lengthen to six years",
        "s3:PutObjectRetention",
        "v1.0.0/a.zip",
        &[(DAYS, "2190"), (MODE, "COMPLIANCE")],
        "deployer-dev deployer-dr deployer-prod deployer-qa-east releaser",
        "deployer-dr",
    ),
    (
        "lengthen an entry of prod",
        "s3:PutObjectRetention",
        "environments/prod/00000001.json",
        &[(DAYS, "2190"), (MODE, "COMPLIANCE")],
        "deployer-dev deployer-dr deployer-prod deployer-qa-east",
        "deployer-dr",
    ),
    ("note a number", "s3:PutObject", "witness/primary/releases/99999998-0.json", &[], "", "releaser"),
    ("note in prod", "s3:PutObject", "witness/primary/environments/prod/99999998-0", &[], "", "deployer-prod"),
    ("note an approval", "s3:PutObject", "witness/primary/approvals/v1.0.0/prod/99999998-0", &[], "", "approver"),
    ("note the policy", "s3:PutObject", "witness/primary/policy/99999998-0", &[], "", "policy-administrator"),
    ("note evidence", "s3:PutObject", "witness/primary/evidence/v1.0.0/0/99999998-0", &[], "", "evidence"),
    ("note a box", "s3:PutObject", "witness/primary/v1.0.0/a.zip", &[], "", ""),
    ("note there", "s3:PutObject", "witness/recovery/environments/dr/99999998-0", &[], "", "deployer-dr"),
    ("note elsewhere", "s3:PutObject", "witness/x", &[], "", ""),
    (
        "note again",
        "s3:PutObject",
        "witness/primary/environments/prod/99999998-0",
        &[("s3:if-none-match", GONE)],
        "",
        "",
    ),
    ("shorten to five years", "s3:PutObjectRetention", "v1.0.0/a.zip", &[(DAYS, "1825"), (MODE, "COMPLIANCE")], "", ""),
    (
        "lengthen to a century",
        "s3:PutObjectRetention",
        "v1.0.0/a.zip",
        &[(DAYS, "36500"), (MODE, "COMPLIANCE")],
        "",
        "",
    ),
    ("soften", "s3:PutObjectRetention", "v1.0.0/a.zip", &[(DAYS, "2190"), (MODE, "GOVERNANCE")], "", ""),
    ("bypass", "s3:BypassGovernanceRetention", "v1.0.0/a.zip", &[], "", ""),
    ("hold", "s3:PutObjectLegalHold", "v1.0.0/a.zip", &[], "", ""),
    ("delete", "s3:DeleteObject", "v1.0.0/a.zip", &[], "", ""),
    ("delete an own entry", "s3:DeleteObject", "environments/prod/00000001.json", &[], "", ""),
    ("delete a version", "s3:DeleteObjectVersion", "v1.0.0/a.zip", &[], "", ""),
    ("replicate", "s3:ReplicateObject", "v1.0.0/a.zip", &[], "", ""),
    ("replicate a deletion", "s3:ReplicateDelete", "v1.0.0/a.zip", &[], "", ""),
    ("tag", "s3:PutObjectTagging", "v1.0.0/a.zip", &[], "", ""),
    ("open an object", "s3:PutObjectAcl", "v1.0.0/a.zip", &[], "", ""),
    ("suspend versioning", "s3:PutBucketVersioning", "", &[], "", ""),
    ("change the lock", "s3:PutBucketObjectLockConfiguration", "", &[], "", ""),
    ("expire", "s3:PutLifecycleConfiguration", "", &[], "", ""),
    ("set up replication", "s3:PutReplicationConfiguration", "", &[], "", ""),
    ("delete the bucket", "s3:DeleteBucket", "", &[], "", ""),
    ("change the policy", "s3:PutBucketPolicy", "", &[], "vault-administrator", "vault-administrator"),
    ("delete the policy", "s3:DeleteBucketPolicy", "", &[], "", ""),
    ("let the public in", "s3:PutBucketPublicAccessBlock", "", &[], "vault-administrator", "vault-administrator"),
    ("move the log", "s3:PutBucketLogging", "", &[], "vault-administrator", "vault-administrator"),
    ("read", "s3:GetObject", "environments/prod/00000001.json", &[], "all", "all"),
    ("read a version", "s3:GetObjectVersion", "v1.0.0/a.zip", &[], "all", "all"),
    ("read over http", "s3:GetObject", "v1.0.0/a.zip", &[("aws:SecureTransport", "false")], "", ""),
    ("list", "s3:ListBucket", "", &[], "all", "all"),
    ("list versions", "s3:ListBucketVersions", "", &[], "all", "all"),
    ("read the policy", "s3:GetBucketPolicy", "", &[], "auditor vault-administrator", "auditor vault-administrator"),
];

fn request(role: &str, bucket: &str, (_, action, key, keys, ..): &Ask) -> Request {
    let resource = if key.is_empty() { bucket.to_owned() } else { format!("{bucket}/{key}") };
    let mut request = Request::of(role, action, &resource);
    if *action == "s3:PutObject" {
        request = request.with("s3:if-none-match", "*").with("s3:ObjectCreationOperation", "true");
    }
    for (name, value) in *keys {
        request = if *value == GONE { request.without(name) } else { request.with(name, value) };
    }
    request
}

#[test]
fn each_actor_may_do_what_the_table_says_and_nothing_else() {
    let world = World::new();
    let all = world.actors.iter().map(|(actor, ..)| actor.to_string()).collect::<Vec<_>>().join(" ");
    for side in [Side::Vault, Side::Mirror] {
        for ask in ASKED {
            let expected = if side == Side::Vault { ask.4 } else { ask.5 };
            let mut may = Vec::new();
            for (actor, role, identity) in &world.actors {
                if world.may(side, identity, &request(role, &world.bucket(side).1, ask)) {
                    may.push(actor.to_string());
                }
            }
            let mut expected: Vec<_> = if expected == "all" { &all } else { expected }.split_whitespace().collect();
            may.sort();
            expected.sort_unstable();
            assert_eq!(may, expected, "{} in {side:?}", ask.0);
        }
    }
}

/// Rights that somebody gave themselves do not help: the bucket refuses.
#[test]
fn with_every_right_of_the_account_it_is_still_refused() {
    let world = World::new();
    let stranger = format!("arn:aws:iam::{HOME}:role/administrator");
    let reads = ["s3:Get", "s3:List"];
    for side in [Side::Vault, Side::Mirror] {
        for ask in
            ASKED.iter().filter(|ask| !reads.iter().any(|read| ask.1.starts_with(read)) || ask.0.contains("http"))
        {
            let expected = if side == Side::Vault { ask.4 } else { ask.5 };
            let own = world.actors.iter().map(|(actor, role, _)| (actor.to_string(), role.as_str()));
            for (name, role) in own.chain([("administrator".to_owned(), stranger.as_str())]) {
                let may = world.may(side, &everything(), &request(role, &world.bucket(side).1, ask));
                let right = expected.split_whitespace().any(|expected| expected == name)
                    // It may change the policy, so it may take it away: only the root of the account could undo that.
                    || (ask.1 == "s3:DeleteBucketPolicy" && name == "vault-administrator");
                assert_eq!(may, right, "{name}: {} in {side:?}", ask.0);
            }
        }
    }
}

/// What a role's own policy permits by itself, even if a bucket had no policy.
#[test]
fn a_role_does_not_count_on_the_bucket_to_refuse() {
    let world = World::new();
    // How a write is made, and over what, only the bucket decides.
    let decided = ASKED.iter().filter(|ask| ask.3.is_empty());
    for (side, ask) in
        [Side::Vault, Side::Mirror].into_iter().flat_map(|side| decided.clone().map(move |ask| (side, ask)))
    {
        let expected = if side == Side::Vault { ask.4 } else { ask.5 };
        for (actor, role, identity) in &world.actors {
            let may = allowed(Guard::None, identity, &request(role, &world.bucket(side).1, ask));
            let right = expected == "all" || expected.split_whitespace().any(|name| name == actor.to_string());
            // It has the rights that it needs while `vault apply` has opened the policy.
            assert!(!may || right || *actor == Actor::VaultAdministrator, "{actor}: {} in {side:?}", ask.0);
        }
    }
}

#[test]
fn nobody_from_outside_gets_in() {
    let world = World::new();
    for side in [Side::Vault, Side::Mirror] {
        let (_, bucket) = world.bucket(side);
        for ask in ASKED {
            let foreign = request("arn:aws:iam::999999999999:role/vault-releaser", &bucket, ask);
            assert!(!world.may(side, &everything(), &foreign), "{}", ask.0);
            for principal in [Principal::Anonymous, Principal::Service] {
                let nobody = foreign.clone().without("aws:PrincipalArn").without("aws:PrincipalAccount");
                assert!(!world.may(side, &[], &Request { principal, ..nobody }), "{}", ask.0);
            }
        }
    }
}

/// Keys that are near the owners' prefixes, and around them.
fn key() -> impl Strategy<Value = String> {
    let known = ["v1.0.0", "v10.2.33", "v1", "v", "releases", "environments", "approvals", "policy", "evidence"];
    let known = [&known[..], &["witness", "witness/primary", "witness/recovery"]].concat();
    let odd = ["dev", "qa-east", "prod", "dr", "d", "", ".", "..", "*", "00000001.json", "manifest.json", "vx/a.b.c"];
    let word = prop_oneof![
        4 => prop::sample::select([&known[..], &odd[..]].concat()).prop_map(str::to_owned),
        1 => "[ -~]{0,8}",
    ];
    prop::collection::vec(word, 1..6).prop_map(|words| words.join("/"))
}

proptest! {
    /// Neither with its own policy nor with every right does an actor write what the table gives to another.
    #[test]
    fn nobody_writes_what_another_owns(key in key()) {
        thread_local!(static WORLD: (World, Vec<Policy>) = (World::new(), everything()));
        WORLD.with(|(world, everything)| {
            for side in [Side::Vault, Side::Mirror] {
                let object = format!("{}/{key}", world.bucket(side).1);
                for rights in [None, Some(everything)] {
                    let may = world.actors.iter().filter(|(_, role, own)| {
                        let write = Request::of(role, "s3:PutObject", &object);
                        let write = write.with("s3:if-none-match", "*").with("s3:ObjectCreationOperation", "true");
                        world.may(side, rights.unwrap_or(own), &write)
                    });
                    let may: Vec<_> = may.map(|(actor, ..)| actor).collect();
                    // What looks like an owner's key to a wildcard, and is none, is that one's to waste.
                    prop_assert!(may.len() <= 1, "{may:?} write {key} in {side:?}");
                    let right = world.vault.owner(side, &key);
                    let rightly = may.iter().all(|actor| right.as_ref().is_none_or(|right| right == *actor));
                    prop_assert!(rightly, "{may:?} {key}");
                }
            }
            Ok(())
        })?;
    }

    /// Every key that the toolchain writes can be written, by its owner, with its own policy.
    #[test]
    fn every_owner_writes_its_keys(
        version in "v[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
        name in "[a-z0-9][a-z0-9._-]{0,20}",
        environment in prop::sample::select(vec!["dev", "qa-east", "prod", "dr"]),
    ) {
        thread_local!(static WORLD: World = World::new());
        WORLD.with(|world| {
            for key in [
                format!("{version}/{name}"),
                format!("{version}/sbom/{name}"),
                format!("releases/{name}"),
                format!("environments/{environment}/{name}"),
                format!("approvals/{version}/{environment}/{name}"),
                format!("policy/{name}"),
                format!("evidence/{version}/{name}"),
                format!("witness/primary/releases/{name}"),
                format!("witness/primary/environments/{environment}/{name}"),
                format!("witness/primary/approvals/{version}/{environment}/{name}"),
                format!("witness/primary/policy/{name}"),
                format!("witness/primary/evidence/{version}/{name}"),
                format!("witness/recovery/environments/{environment}/{name}"),
            ] {
                for side in [Side::Vault, Side::Mirror] {
                    let object = format!("{}/{key}", world.bucket(side).1);
                    for (actor, role, identity) in &world.actors {
                        let write = Request::of(role, "s3:PutObject", &object);
                        let write = write.with("s3:if-none-match", "*").with("s3:ObjectCreationOperation", "true");
                        let expected = world.vault.owner(side, &key).as_ref() == Some(actor);
                        prop_assert_eq!(world.may(side, identity, &write), expected, "{} {} {:?}", actor, key, side);
                        // The role's own policy says the same by itself.
                        let alone = allowed(Guard::None, identity, &write);
                        prop_assert_eq!(alone, expected, "{} by itself {} {:?}", actor, key, side);
                    }
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn the_deployer_of_dev_reaches_nothing_of_prod() {
    let world = World::new();
    let deployer = Actor::Writer(Writer::Deployer("dev".to_owned()));
    let writes = |side, key: &str| world.vault.owner(side, key).as_ref() == Some(&deployer);
    assert!(!writes(Side::Vault, "environments/prod/00000001.json"));
    assert!(writes(Side::Vault, "environments/dev/00000001.json"));
    assert!(!writes(Side::Mirror, "environments/dev/00000001.json"));
    assert!(!writes(Side::Mirror, "witness/primary/environments/prod/99999998-0"));
}
