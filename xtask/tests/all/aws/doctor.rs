//! A bucket with each hole in turn: `vault doctor` names precisely that hole, and `vault apply` closes it.

use aws_sdk_s3::{
    Client,
    primitives::ByteStream,
    types::{
        BucketLifecycleConfiguration, BucketLoggingStatus, BucketVersioningStatus, DefaultRetention, ExpirationStatus,
        LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, LoggingEnabled, ObjectLockConfiguration,
        ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule, ObjectOwnership, OwnershipControls,
        OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
        ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
    },
};
use serde_json::{Value, json};

use super::{OPEN, estate::Estate};

/// What is wrong: bucket 0 or 1 and its rule, with the verdict.
fn wrong(estate: &Estate, code: i32) -> Vec<String> {
    let reports = estate.xtask(&["vault", "doctor", "--json"]).expect(code).json();
    let mut wrong = Vec::new();
    for (at, report) in reports.as_array().unwrap().iter().enumerate() {
        for rule in report["rules"].as_array().unwrap().iter().filter(|rule| rule["verdict"] != "Correct") {
            assert!(rule["fix"].is_string(), "{rule}");
            wrong.push(format!("{at} {} {}", rule["rule"].as_str().unwrap(), rule["verdict"].as_str().unwrap()));
        }
    }
    wrong
}

#[derive(Debug, Clone, Copy)]
enum Hole {
    Versioning,
    NoRetention,
    ShortRetention,
    NoPolicy,
    Deletes,
    Stranger,
    Expiry,
    NoBlock,
    HalfBlock,
    Ownership,
    Encryption,
    Log,
}

const HOLES: [(Hole, &str); 12] = [
    (Hole::Versioning, "versioning Incorrect"),
    (Hole::NoRetention, "default-retention Missing"),
    (Hole::ShortRetention, "default-retention Incorrect"),
    (Hole::NoPolicy, "policy Missing"),
    (Hole::Deletes, "policy/RefuseDeletion Incorrect"),
    (Hole::Stranger, "policy/ClosedToStrangers Incorrect"),
    (Hole::Expiry, "lifecycle Unexpected"),
    (Hole::NoBlock, "public-access Missing"),
    (Hole::HalfBlock, "public-access Incorrect"),
    (Hole::Ownership, "ownership Incorrect"),
    (Hole::Encryption, "encryption Incorrect"),
    (Hole::Log, "access-log Unexpected"),
];

/// The reviewed policy with its statements changed.
async fn policy(client: &Client, bucket: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let now = client.get_bucket_policy().bucket(bucket).send().await.unwrap();
    let mut policy: Value = serde_json::from_str(now.policy().unwrap()).unwrap();
    change(policy["Statement"].as_array_mut().unwrap());
    client.put_bucket_policy().bucket(bucket).policy(policy.to_string()).send().await.unwrap();
}

async fn lock(client: &Client, bucket: &str, default: Option<DefaultRetention>) {
    let rule = default.map(|default| ObjectLockRule::builder().default_retention(default).build());
    let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).set_rule(rule);
    client.put_object_lock_configuration().bucket(bucket).object_lock_configuration(lock.build()).send().await.unwrap();
}

async fn punch(client: &Client, bucket: &str, hole: Hole) {
    match hole {
        Hole::Versioning => {
            let off = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
            client.put_bucket_versioning().bucket(bucket).versioning_configuration(off).send().await.unwrap();
        }
        Hole::NoRetention => lock(client, bucket, None).await,
        Hole::ShortRetention => {
            let short = DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(30).build();
            lock(client, bucket, Some(short)).await;
        }
        Hole::NoPolicy => drop(client.delete_bucket_policy().bucket(bucket).send().await.unwrap()),
        Hole::Deletes => policy(client, bucket, |all| all.retain(|one| one["Sid"] != "RefuseDeletion")).await,
        Hole::Stranger => {
            // A block of public access lets this pass: another account is not the public.
            let other = json!({ "Sid": "Other", "Effect": "Allow", "Principal": { "AWS": "999999999999" },
                "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*") });
            policy(client, bucket, |all| all.push(other)).await;
        }
        Hole::Expiry => {
            let rule = LifecycleRule::builder().id("tidy").status(ExpirationStatus::Enabled);
            let rule = rule.filter(LifecycleRuleFilter::builder().prefix("").build());
            let rule = rule.expiration(LifecycleExpiration::builder().days(1).build()).build().unwrap();
            let rules = BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
            let put = client.put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(rules);
            put.send().await.unwrap();
        }
        Hole::NoBlock => drop(client.delete_public_access_block().bucket(bucket).send().await.unwrap()),
        Hole::HalfBlock => {
            let half = PublicAccessBlockConfiguration::builder().block_public_acls(true).ignore_public_acls(true);
            let put = client.put_public_access_block().bucket(bucket).public_access_block_configuration(half.build());
            put.send().await.unwrap();
        }
        Hole::Ownership => {
            let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::ObjectWriter).build();
            let rules = OwnershipControls::builder().rules(rule.unwrap()).build().unwrap();
            client.put_bucket_ownership_controls().bucket(bucket).ownership_controls(rules).send().await.unwrap();
        }
        Hole::Encryption => {
            let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms);
            let rule = ServerSideEncryptionRule::builder();
            let rule = rule.apply_server_side_encryption_by_default(default.build().unwrap()).build();
            let rules = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
            let put = client.put_bucket_encryption().bucket(bucket).server_side_encryption_configuration(rules);
            put.send().await.unwrap();
        }
        Hole::Log => {
            let to = LoggingEnabled::builder().target_bucket(bucket).target_prefix("log/").build().unwrap();
            let status = BucketLoggingStatus::builder().logging_enabled(to).build();
            client.put_bucket_logging().bucket(bucket).bucket_logging_status(status).send().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn precisely_the_hole_is_named_and_then_closed() {
    let estate = Estate::new(OPEN.join()).await;
    estate.make_roles("*");
    estate.xtask(&["vault", "apply"]).expect(0);
    let clients = estate.root();
    let buckets = [&estate.primary, &estate.recovery];
    for (at, (hole, named)) in HOLES.into_iter().enumerate() {
        // Every hole in one of the two buckets, in turn.
        let side = at % 2;
        punch(&clients[side], buckets[side], hole).await;
        assert_eq!(wrong(&estate, 5), [format!("{side} {named}")], "{hole:?}");
        estate.xtask(&["vault", "apply"]).expect(0);
    }
    assert_eq!(wrong(&estate, 0), [""; 0]);

    // What lies in a bucket tells, too, and is not covered up.
    for body in ["first", "second"] {
        let put = clients[0].put_object().bucket(&estate.primary).key("v1.0.0/manifest.json");
        put.body(ByteStream::from(body.as_bytes().to_vec())).send().await.unwrap();
    }
    let twice = estate.xtask(&["vault", "doctor"]).expect(5);
    assert!(twice.stdout.contains("1 keys written twice or deleted: v1.0.0/manifest.json"), "{}", twice.stdout);
    assert_eq!(wrong(&estate, 5), ["0 one-version-per-key Incorrect"]);
    estate.xtask(&["vault", "apply"]).expect(5).says("run `cargo xtask audit verify` first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_never_locked_is_named_and_mended_while_it_is_empty() {
    let estate = Estate::new(OPEN.join()).await;
    estate.make_roles("*");
    estate.xtask(&["vault", "apply"]).expect(0);
    let [client, _] = estate.root();
    let bucket = &estate.primary;
    let policy = client.get_bucket_policy().bucket(bucket).send().await.unwrap();
    client.delete_bucket().bucket(bucket).send().await.unwrap();
    assert_eq!(wrong(&estate, 5), ["0 region Missing"]);
    // The same bucket in everything but its lock and its versions.
    client.create_bucket().bucket(bucket).send().await.unwrap();
    let block = PublicAccessBlockConfiguration::builder().block_public_acls(true).ignore_public_acls(true);
    let block = block.block_public_policy(true).restrict_public_buckets(true).build();
    client.put_public_access_block().bucket(bucket).public_access_block_configuration(block).send().await.unwrap();
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced).build();
    let rules = OwnershipControls::builder().rules(rule.unwrap()).build().unwrap();
    client.put_bucket_ownership_controls().bucket(bucket).ownership_controls(rules).send().await.unwrap();
    client.put_bucket_policy().bucket(bucket).policy(policy.policy().unwrap()).send().await.unwrap();
    let no_lock = ["0 versioning Missing", "0 object-lock Missing", "0 default-retention Missing"];
    assert_eq!(wrong(&estate, 5), no_lock);
    estate.xtask(&["vault", "apply"]).expect(0);
    assert_eq!(wrong(&estate, 0), [""; 0]);
}
