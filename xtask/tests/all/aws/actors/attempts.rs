//! What everybody may not do, tried by everybody.

use aws_sdk_kms::{
    primitives::Blob,
    types::{MacAlgorithmSpec, MessageType, SigningAlgorithmSpec},
};
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::{ByteStream, DateTime},
    types::{
        BucketCannedAcl, BucketLoggingStatus, BucketVersioningStatus, ObjectCannedAcl, ObjectLockConfiguration,
        ObjectLockEnabled, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention,
        ObjectLockRetentionMode, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
        PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
        ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
    },
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::json;
use vault_policy::{
    ownership,
    vault::{Side, Vault},
};
use xtask::config::{load, policies};

use super::{City, s3, user};

const BOX: &str = "v1.0.0/alpha.zip";

/// Whether something was refused for want of a permission.
pub(super) fn refused<T, E>(result: Result<T, SdkError<E, HttpResponse>>) -> bool
where
    E: ProvideErrorMetadata,
{
    let code = match &result {
        Ok(_) => return false,
        Err(error) => error.as_service_error().and_then(|error| error.code()),
    };
    matches!(code, Some("AccessDenied" | "AccessDeniedException"))
}

/// Everybody tries everything.
pub(super) async fn all(city: &City) {
    let config = load::release(city.estate.project.root(), None, None).unwrap().config;
    let vault = policies::vault(&config).unwrap();
    let mut everybody = Vec::new();
    for actor in city.estate.actors() {
        everybody.push((actor.clone(), city.job(&actor).await));
    }
    // Nobody of the vault's own: one who gave themselves every right of the account, and one who has none.
    everybody.push(("mallory".to_owned(), user(&city.estate, "mallory", &json!("*"))));
    everybody.push(("oscar".to_owned(), user(&city.estate, "oscar", &json!("sts:GetCallerIdentity"))));
    assert_eq!(everybody.len(), 13);
    for (actor, credentials) in &everybody {
        let base = city.sdk(credentials);
        let west = base.to_builder().region(aws_config::Region::new("us-west-2")).build();
        for (side, client) in [(Side::Vault, s3(&base)), (Side::Mirror, s3(&west))] {
            let bucket = vault.bucket(side).bucket.as_str();
            let mut open = objects(&client, bucket).await;
            open.extend(settings(&client, bucket).await);
            // Whoever may do anything in the account may also take the guard away: no policy can keep root out of that.
            open.retain(|what| !(actor == "vault-administrator" && ADMINISTRATION.contains(what)));
            assert_eq!(open, [""; 0], "{actor} in {side:?}");
            writes(&vault, side, actor, &client).await;
        }
        keys(city, actor, &aws_sdk_kms::Client::new(&base)).await;
    }
}

/// What the vault administrator does when `vault apply` runs.
const ADMINISTRATION: [&str; 5] =
    ["put the policy", "move the log", "unblock the public", "give objects away", "encrypt otherwise"];

/// What was let through of what nobody may do to objects.
async fn objects(client: &Client, bucket: &str) -> Vec<&'static str> {
    let version = client.list_object_versions().bucket(bucket).prefix(BOX).send().await;
    let version = version.ok().and_then(|page| page.versions().first()?.version_id().map(str::to_owned));
    let version = version.unwrap_or_else(|| "unknown".to_owned());
    let shorter = ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Governance);
    let shorter = shorter.retain_until_date(DateTime::from_secs(1_800_000_000)).build();
    let hold = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::On).build();
    let tags = Tagging::builder().tag_set(Tag::builder().key("k").value("v").build().unwrap()).build().unwrap();
    let delete = || client.delete_object().bucket(bucket).key(BOX);
    let shorten =
        || client.put_object_retention().bucket(bucket).key(BOX).version_id(&version).retention(shorter.clone());
    let tried = [
        ("delete", refused(delete().send().await)),
        ("delete a version", refused(delete().version_id(&version).send().await)),
        ("delete past the lock", refused(delete().version_id(&version).bypass_governance_retention(true).send().await)),
        ("shorten", refused(shorten().send().await)),
        ("shorten past the lock", refused(shorten().bypass_governance_retention(true).send().await)),
        ("hold", refused(client.put_object_legal_hold().bucket(bucket).key(BOX).legal_hold(hold).send().await)),
        ("tag", refused(client.put_object_tagging().bucket(bucket).key(BOX).tagging(tags).send().await)),
        ("untag", refused(client.delete_object_tagging().bucket(bucket).key(BOX).send().await)),
        (
            "open an object",
            refused(client.put_object_acl().bucket(bucket).key(BOX).acl(ObjectCannedAcl::PublicRead).send().await),
        ),
    ];
    tried.into_iter().filter(|(_, refused)| !refused).map(|(what, _)| what).collect()
}

/// The same of the bucket.
async fn settings(client: &Client, bucket: &str) -> Vec<&'static str> {
    let off = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).build();
    let block = PublicAccessBlockConfiguration::builder().block_public_acls(false).build();
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::ObjectWriter).build().unwrap();
    let rules = OwnershipControls::builder().rules(rule).build().unwrap();
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms).build().unwrap();
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
    let encrypted = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let log = BucketLoggingStatus::builder().build();
    let now = client.get_bucket_policy().bucket(bucket).send().await;
    let now = now.ok().and_then(|now| now.policy).unwrap_or_else(|| "{}".to_owned());
    let tried = [
        (
            "suspend versions",
            refused(client.put_bucket_versioning().bucket(bucket).versioning_configuration(off).send().await),
        ),
        (
            "change the lock",
            refused(client.put_object_lock_configuration().bucket(bucket).object_lock_configuration(lock).send().await),
        ),
        ("expire", refused(client.delete_bucket_lifecycle().bucket(bucket).send().await)),
        ("replicate", refused(client.delete_bucket_replication().bucket(bucket).send().await)),
        (
            "open the bucket",
            refused(client.put_bucket_acl().bucket(bucket).acl(BucketCannedAcl::PublicRead).send().await),
        ),
        ("delete the bucket", refused(client.delete_bucket().bucket(bucket).send().await)),
        ("delete the policy", refused(client.delete_bucket_policy().bucket(bucket).send().await)),
        ("move the log", refused(client.put_bucket_logging().bucket(bucket).bucket_logging_status(log).send().await)),
        (
            "unblock the public",
            refused(
                client.put_public_access_block().bucket(bucket).public_access_block_configuration(block).send().await,
            ),
        ),
        (
            "give objects away",
            refused(client.put_bucket_ownership_controls().bucket(bucket).ownership_controls(rules).send().await),
        ),
        (
            "encrypt otherwise",
            refused(
                client
                    .put_bucket_encryption()
                    .bucket(bucket)
                    .server_side_encryption_configuration(encrypted)
                    .send()
                    .await,
            ),
        ),
        // Last, and with what is in force, so that the others meet it.
        ("put the policy", refused(client.put_bucket_policy().bucket(bucket).policy(now).send().await)),
    ];
    tried.into_iter().filter(|(_, refused)| !refused).map(|(what, _)| what).collect()
}

/// A key under every prefix: its one writer writes it, and nobody else does.
async fn writes(vault: &Vault, side: Side, actor: &str, client: &Client) {
    let bucket = vault.bucket(side).bucket.as_str();
    let mut keys: Vec<String> =
        ["v9.0.0/x.zip", "releases/x", "approvals/v9.0.0/prod/x", "policy/x", "evidence/v9.0.0/x", "other/x"]
            .map(str::to_owned)
            .into();
    keys.extend(vault.environments.keys().map(|name| format!("environments/{name}/x")));
    let notes = |site: &str| keys.iter().map(|key| format!("{site}{key}")).collect::<Vec<_>>();
    let notes = [notes(ownership::WITNESS_OF_PRIMARY), notes(ownership::WITNESS_OF_RECOVERY)].concat();
    for key in keys.iter().chain(&notes) {
        let owns = vault.owner(side, key).is_some_and(|owner| owner.to_string() == actor);
        let put = client.put_object().bucket(bucket).key(key).if_none_match("*").body(ByteStream::from_static(b"x"));
        assert_eq!(refused(put.send().await), !owns, "{actor} writes {key} in {side:?}");
    }
}

/// Each key signs, and each digests, for one role.
async fn keys(city: &City, actor: &str, kms: &aws_sdk_kms::Client) {
    for (owner, arn) in city.signing_keys() {
        let sign = kms.sign().key_id(arn).message(Blob::new([0; 32])).message_type(MessageType::Digest);
        let signed = sign.signing_algorithm(SigningAlgorithmSpec::EcdsaSha256).send().await;
        assert_eq!(refused(signed), owner != actor, "{actor} signs with the key of {owner}");
    }
    for (name, arn) in city.digesting_keys() {
        let digest = kms.generate_mac().key_id(arn).message(Blob::new("x")).mac_algorithm(MacAlgorithmSpec::HmacSha256);
        let owns = name.replace("variables-", "deployer-") == actor;
        assert_eq!(refused(digest.send().await), !owns, "{actor} digests with {name}");
    }
}
