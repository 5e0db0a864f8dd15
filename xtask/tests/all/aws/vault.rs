//! What is special to a vault in S3, on MiniStack.

use std::sync::Arc;

use aws_sdk_s3::{
    error::ProvideErrorMetadata as _,
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ObjectLockMode},
};
use xtask::{
    model::{digest::Digest, entry::Writer},
    ports::vault::{Body, Vault, VaultError},
};

use super::{Bed, Hand, NOW, S3Vault, bucket_of};
use crate::vault::conformance::key;

/// What is wrong, if that is what it says.
fn unsound<T: std::fmt::Debug>(result: Result<T, VaultError>) -> String {
    match result {
        Err(error @ VaultError::Unsound { .. }) => {
            let text = error.to_string();
            assert_eq!(error.failed("look").code(), 5);
            text
        }
        found => panic!("{found:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_writers_one_wins_and_the_others_learn_whether_its_bytes_are_theirs() {
    let bed = Bed::new().await;
    let (vault, name) = (Arc::new(bed.vault()), key("v1.0.0/alpha.zip"));
    // Half of them have the same bytes.
    let body = |n: u32| if n.is_multiple_of(2) { vec![7; 50_000] } else { vec![n as u8; 50_000] };
    let writers: Vec<_> = (0..50)
        .map(|n| {
            let (vault, name, body) = (Arc::clone(&vault), name.clone(), body(n));
            tokio::spawn(async move { (n, vault.create(&name, Body::Bytes(&body)).await) })
        })
        .collect();
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for writer in writers {
        match writer.await.unwrap() {
            (n, Ok(())) => won.push(n),
            (n, Err(VaultError::Exists(_))) => lost.push(n),
            (_, Err(other)) => panic!("{other:?}"),
        }
    }
    assert_eq!((won.len(), lost.len()), (1, 49));
    let winner = Digest::of(&body(won[0]));
    for n in lost {
        let (there, _) = vault.fetch(&name, None).await.unwrap().unwrap();
        assert_eq!(there == Digest::of(&body(n)), body(n) == body(won[0]), "writer {n}");
        assert_eq!(there, winner);
    }
    assert_eq!(vault.list(None).await.unwrap()[0].fault, None, "one version, however many tried");
}

#[tokio::test]
async fn what_is_written_is_kept_and_has_one_version() {
    let bed = Bed::new().await;
    let (vault, name) = (bed.vault(), key("v1.0.0/alpha.zip"));
    assert_eq!(vault.object_version(&name).await.unwrap(), None);
    vault.create(&name, Body::Bytes(b"bytes")).await.unwrap();
    let version = vault.object_version(&name).await.unwrap().unwrap();
    let head = bed.client.head_object().bucket(&bed.name).key(name.as_str()).send().await.unwrap();
    assert_eq!(head.version_id(), Some(version.as_str()));
    assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Governance));
    let until: xtask::model::time::Time = "2033-11-23T12:00:00Z".parse().unwrap();
    assert_eq!(head.object_lock_retain_until_date().unwrap().secs(), until.timestamp().as_second());
    let removed = bed.client.delete_object().bucket(&bed.name).key(name.as_str()).version_id(version).send().await;
    assert_eq!(removed.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(vault.read(&name).await.unwrap().as_deref(), Some(&b"bytes"[..]));
}

#[tokio::test]
async fn a_delete_marker_is_tampering() {
    let bed = Bed::new().await;
    let (vault, name) = (bed.vault(), key("releases/00000001.json"));
    vault.create(&name, Body::Bytes(b"{}")).await.unwrap();
    vault.create(&key("releases/00000001.json.more"), Body::Bytes(b"{}")).await.unwrap();
    bed.client.delete_object().bucket(&bed.name).key(name.as_str()).send().await.unwrap();
    let said = "releases/00000001.json in the vault was deleted: its newest version is a delete marker";
    assert_eq!(unsound(vault.read(&name).await), said);
    assert_eq!(unsound(vault.fetch(&name, None).await), said);
    assert_eq!(unsound(vault.exists(&name).await), said);
    assert_eq!(unsound(vault.object_version(&name).await), said);
    let listed = vault.list(None).await.unwrap();
    assert_eq!(listed.iter().map(|item| item.fault.is_some()).collect::<Vec<_>>(), [true, false], "{listed:?}");
    // S3 lets a write through over a delete marker; whoever reads still sees what happened.
    vault.create(&name, Body::Bytes(b"{}")).await.unwrap();
    assert!(unsound(vault.read(&name).await).contains("more than one version"));
}

#[tokio::test]
async fn a_second_version_is_tampering() {
    let bed = Bed::new().await;
    let (vault, name) = (bed.vault(), key("v1.0.0/manifest.json"));
    vault.create(&name, Body::Bytes(b"first")).await.unwrap();
    for body in ["first", "other"] {
        let put =
            bed.client.put_object().bucket(&bed.name).key(name.as_str()).body(ByteStream::from_static(body.as_bytes()));
        put.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
        let said = "v1.0.0/manifest.json in the vault has more than one version: somebody wrote it again";
        assert_eq!(unsound(vault.read(&name).await), said);
        assert_eq!(unsound(vault.exists(&name).await), said);
        let listed = vault.list(Some(&key("v1.0.0"))).await.unwrap();
        assert_eq!((listed.len(), listed[0].fault.is_some()), (1, true));
    }
    assert!(matches!(vault.create(&name, Body::Bytes(b"first")).await, Err(VaultError::Exists(_))));
}

#[tokio::test]
async fn what_another_program_wrote_shows() {
    let bed = Bed::new().await;
    let (vault, name) = (bed.vault(), key("v1.0.0/alpha.zip"));
    let put = bed.client.put_object().bucket(&bed.name).key(name.as_str()).body(ByteStream::from_static(b"x"));
    put.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.unwrap();
    assert!(unsound(vault.read(&name).await).contains("has no SHA-256 checksum"));
    let strange =
        bed.client.put_object().bucket(&bed.name).key("v1.0.0/with space").body(ByteStream::from_static(b"x"));
    strange.send().await.unwrap();
    let listed = vault.list(None).await.unwrap();
    assert_eq!(listed.iter().map(|item| item.key.is_some()).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn more_than_a_page_is_listed_whole() {
    let bed = Bed::new().await;
    let vault = bed.vault();
    let all: Vec<String> = (1..=1105).map(|n| format!("releases/{n:08}.json")).collect();
    for names in all.chunks(32) {
        let puts = names.iter().map(|name| {
            let put = bed.client.put_object().bucket(&bed.name).key(name).body(ByteStream::from_static(b"{}")).send();
            tokio::spawn(put)
        });
        for put in puts.collect::<Vec<_>>() {
            put.await.unwrap().unwrap();
        }
    }
    let listed: Vec<_> = vault.list(None).await.unwrap().into_iter().map(|item| item.name).collect();
    assert!(listed == all, "{} of {}", listed.len(), all.len());
}

#[tokio::test]
async fn a_bucket_that_keeps_nothing_is_refused() {
    let bed = Bed::new().await;
    let plain = format!("{}-plain", bed.name);
    bed.client.create_bucket().bucket(&plain).send().await.unwrap();
    let folder = camino::Utf8Path::from_path(bed.home.path()).unwrap();
    let vault = S3Vault::new(bucket_of(bed.client.clone(), &plain, Hand::at(NOW)), folder);
    let refused = vault.create(&key("a"), Body::Bytes(b"a")).await.unwrap_err();
    assert!(matches!(refused, VaultError::Unreachable { .. } | VaultError::Unsound { .. }), "{refused:?}");
    let nowhere = S3Vault::new(bucket_of(bed.client.clone(), "no-such-bucket", Hand::at(NOW)), folder);
    let error = format!("{:#}", anyhow::Error::from(nowhere.read(&key("a")).await.unwrap_err()));
    assert!(error.contains("NoSuchBucket") && error.contains("make the bucket"), "{error}");
}

/// Until when the first version of an object is kept, as a time.
async fn kept_until(bed: &Bed, name: &str) -> String {
    let head = bed.client.head_object().bucket(&bed.name).key(name).send().await.unwrap();
    assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Governance));
    head.object_lock_retain_until_date().unwrap().fmt(aws_sdk_s3::primitives::DateTimeFormat::DateTime).unwrap()
}

#[tokio::test]
async fn retention_is_lengthened_from_the_last_effect_on_and_never_shortened() {
    let bed = Bed::new().await;
    let folder = camino::Utf8Path::from_path(bed.home.path()).unwrap();
    let at = |now: &str| S3Vault::new(bucket_of(bed.client.clone(), &bed.name, Hand::at(now)), folder);
    let (name, writer) = (key("v1.0.0/alpha.zip"), Writer::Deployer("dev".parse().unwrap()));
    bed.vault().create(&name, Body::Bytes(b"bytes")).await.unwrap();
    for (now, until) in [
        ("2026-11-23T12:00:00Z", "2033-11-23T12:00:00Z"),
        ("2028-02-29T00:00:00Z", "2035-02-28T00:00:00Z"),
        // A clock that is behind, or somebody who comes late with it, changes nothing.
        ("2027-01-01T00:00:00Z", "2035-02-28T00:00:00Z"),
        ("2028-02-29T00:00:01Z", "2035-02-28T00:00:01Z"),
    ] {
        at(now).keep(&name, &writer).await.unwrap();
        assert_eq!(kept_until(&bed, name.as_str()).await, until, "{now}");
    }
    assert_eq!(bed.vault().list(None).await.unwrap()[0].fault, None, "it has one version still");
    // What was written twice is not covered up.
    let put = bed.client.put_object().bucket(&bed.name).key(name.as_str()).body(ByteStream::from_static(b"x"));
    put.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    assert!(unsound(at(NOW).keep(&name, &writer).await).contains("more than one version"));
}
