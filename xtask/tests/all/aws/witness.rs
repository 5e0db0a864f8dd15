//! The witness in a bucket: the port's rules on it and on a file, and what only a bucket can suffer.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use camino::Utf8Path;
use xtask::{
    adapters::{aws::BucketWitness, local::witness::FileWitness},
    model::{digest::Digest, entry::ChainName},
    ports::{
        vault::Vault as _,
        witness::{Head, Heads, Witness},
    },
};

use super::Bed;

fn chain(name: &str) -> ChainName {
    name.parse().unwrap()
}

fn head(number: u64) -> Head {
    Head { number, sha256: Digest::of(&number.to_be_bytes()) }
}

/// What every witness must do.
async fn the_newest_head_stays(witness: Arc<dyn Witness>) {
    assert_eq!(witness.heads().await.unwrap(), None);
    let (dev, releases) = (chain("environments/dev"), chain("releases"));
    let evidence = chain(&format!("evidence/v1.0.0/{}", "a".repeat(64)));
    assert_eq!(witness.head(&dev).await.unwrap(), None);
    // An earlier head, an equal one, and a gap change nothing of what is newest.
    for number in [1, 2, 7, 3, 7, 10, 9] {
        witness.note(&dev, head(number)).await.unwrap();
    }
    witness.note(&releases, head(4)).await.unwrap();
    witness.note(&evidence, head(1)).await.unwrap();
    assert_eq!(witness.head(&dev).await.unwrap(), Some(head(10)));
    assert_eq!(witness.head(&chain("environments/qa")).await.unwrap(), None);
    let expected: Heads = [(dev, head(10)), (releases, head(4)), (evidence, head(1))].into();
    assert_eq!(witness.heads().await.unwrap(), Some(expected));
}

/// Many at the same time, in no order.
async fn of_many_the_highest_stays(witness: Arc<dyn Witness>) {
    let notes = (1..=40_u64).map(|n| {
        let witness = Arc::clone(&witness);
        tokio::spawn(async move { witness.note(&chain("policy"), head(1 + n * 7 % 41)).await })
    });
    for note in notes.collect::<Vec<_>>() {
        note.await.unwrap().unwrap();
    }
    assert_eq!(witness.head(&chain("policy")).await.unwrap(), Some(head(41)));
    assert_eq!(witness.heads().await.unwrap(), Some([(chain("policy"), head(41))].into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_hold_in_a_file() {
    for many in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(home.path()).unwrap();
        let witness = Arc::new(FileWitness::new(&root.join("witness.json"), &root.join("tmp")));
        if many { of_many_the_highest_stays(witness).await } else { the_newest_head_stays(witness).await }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_hold_in_a_bucket() {
    let bed = Bed::new().await;
    the_newest_head_stays(Arc::new(BucketWitness::of_primary(bed.bucket()))).await;
    // Two regions' heads in one bucket do not mix, and are no part of the vault in it.
    of_many_the_highest_stays(Arc::new(BucketWitness::of_recovery(bed.bucket()))).await;
    assert_eq!(bed.vault().beside_witness().list(None).await.unwrap(), []);
    assert!(!bed.vault().list(None).await.unwrap().is_empty(), "in a bucket without witnesses they would be strangers");
}

/// Fails as damage to the witness, exit code 5, and says this.
#[track_caller]
fn is_damaged<T: std::fmt::Debug>(result: anyhow::Result<T>, says: &str) {
    let error = result.unwrap_err();
    assert_eq!(xtask::failure::find(&error).map(xtask::failure::Failure::code), Some(5), "{error:#}");
    assert!(format!("{error:#}").contains(says), "{error:#}");
}

async fn put(bed: &Bed, name: &str) {
    let put = bed.client.put_object().bucket(&bed.name).key(name).body(ByteStream::from_static(b"{}"));
    put.send().await.unwrap();
}

#[tokio::test]
async fn a_note_that_was_removed_or_contradicted_shows() {
    let bed = Bed::new().await;
    let witness = BucketWitness::of_primary(bed.bucket());
    let dev = chain("environments/dev");
    for number in [1, 2] {
        witness.note(&dev, head(number)).await.unwrap();
    }
    let name = |left: &str, head: Head| format!("witness/primary/environments/dev/{left}-{}", head.sha256.hex());
    let newest = name("99999997", head(2));
    // Another second entry.
    put(&bed, &name("99999997", head(9))).await;
    is_damaged(witness.head(&dev).await, "the witness saw two entries 2 of environments/dev");
    // The newest note again, removed, and something that is no note.
    let bed = Bed::new().await;
    let witness = BucketWitness::of_primary(bed.bucket());
    witness.note(&dev, head(2)).await.unwrap();
    put(&bed, &newest).await;
    is_damaged(witness.head(&dev).await, "has more than one version");
    is_damaged(witness.heads().await, "has more than one version");
    bed.client.delete_object().bucket(&bed.name).key(&newest).send().await.unwrap();
    is_damaged(witness.head(&dev).await, "delete marker");
    is_damaged(witness.heads().await, "delete marker");
    put(&bed, "witness/primary/policy/note").await;
    is_damaged(witness.head(&chain("policy")).await, "is no note");
}
