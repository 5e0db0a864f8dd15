//! `vault apply`: from nothing to two buckets without a hole, and nothing more to do.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use serde_json::Value;

use super::{OPEN, estate::Estate};

async fn estate() -> Estate {
    let estate = Estate::new(OPEN.join()).await;
    estate.make_roles("*");
    estate
}

/// The actions of the steps, bucket by bucket.
fn actions(plans: &Value) -> Vec<Vec<&str>> {
    plans.as_array().unwrap().iter().map(|plan| names(&plan["steps"])).collect()
}

fn names(steps: &Value) -> Vec<&str> {
    steps.as_array().unwrap().iter().map(|step| step["action"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_is_made_of_nothing_and_then_there_is_nothing_to_do() {
    let estate = estate().await;
    let (primary, recovery) = (&estate.primary, &estate.recovery);
    let plan = estate.xtask(&["vault", "apply", "--plan", "--json"]).expect(0).json();
    let steps = [
        "s3:CreateBucket",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketOwnershipControls",
        "s3:PutEncryptionConfiguration",
        "s3:PutBucketVersioning",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketPolicy",
    ];
    assert_eq!(actions(&plan), [steps, steps]);
    let by_hand = plan[1]["steps"][0]["command"].as_str().unwrap();
    assert!(
        by_hand.starts_with(&format!("aws s3api create-bucket --bucket {recovery} --region us-west-2")),
        "{by_hand}"
    );
    // A plan makes nothing.
    estate.xtask(&["vault", "doctor"]).expect(5).says(&format!("{primary}: region; {recovery}: region"));

    let made = estate.xtask(&["vault", "apply", "--json"]).expect(0).json();
    assert_eq!(made, plan, "what was planned was done");
    let sound = estate.xtask(&["vault", "doctor"]).expect(0);
    assert!(
        sound.stdout.contains("policy/RefuseUnconditionalWrites") && !sound.stdout.contains("fix of"),
        "{}",
        sound.stdout
    );
    let again = estate.xtask(&["vault", "apply"]).expect(0).stdout;
    assert_eq!(again, format!("{primary} in us-east-1: nothing to do\n{recovery} in us-west-2: nothing to do\n"));
    // What the toolchain writes gets the lock that was set.
    let [client, _] = estate.root();
    let lock = client.get_object_lock_configuration().bucket(primary).send().await.unwrap();
    let default = lock.object_lock_configuration().unwrap().rule().unwrap().default_retention().unwrap().clone();
    assert_eq!((default.mode().unwrap().as_str(), default.years()), ("GOVERNANCE", Some(7)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_become_a_vault_is_refused_before_anything_is_changed() {
    let estate = estate().await;
    let [east, west] = estate.root();
    let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::UsWest2).build();
    west.create_bucket().bucket(&estate.recovery).create_bucket_configuration(place).send().await.unwrap();
    let put = west.put_object().bucket(&estate.recovery).key("releases/00000001.json");
    put.body(ByteStream::from_static(b"{}")).send().await.unwrap();
    let refused = estate.xtask(&["vault", "apply"]).expect(4);
    refused.says(&format!("bucket {} has objects and was not locked when they were written", estate.recovery));
    assert!(east.head_bucket().bucket(&estate.primary).send().await.is_err(), "the other one was not made either");

    // In the other region a bucket answers there, and is named.
    east.create_bucket().bucket(&estate.primary).send().await.unwrap();
    let text = std::fs::read_to_string(estate.project.root().join("release.toml")).unwrap();
    let moved = text.replace("us-east-1', account", "eu-west-1', account");
    estate.project.repo().write("release.toml", &moved);
    estate.xtask(&["vault", "apply"]).expect(2).says("is in us-east-1, and the functions are in eu-west-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_role_the_vault_says_nothing_and_that_is_no_hole() {
    let estate = Estate::new(OPEN.join()).await;
    let mut unknown = estate.command(&["vault", "doctor"]);
    unknown.env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9");
    let ran = crate::support::project::Ran::of(unknown.output().unwrap());
    ran.expect(8).says("some rules could not be asked");
}
