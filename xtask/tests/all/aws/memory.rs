//! What a process holds does not grow with what it stores, fetches and brings to the second region: objects are streamed from
//! and to files. The kernel counts for a child of this test binary, as it counts everything that a process ever held.

use std::{
    fs::{self, File},
    io::Write as _,
    process::{Command, Stdio},
};

use aws_sdk_s3::Client;
use camino::Utf8Path;
use xtask::{
    model::{digest::Digest, entry::Writer},
    ports::vault::{Body, Vault},
};

use super::{Bed, Hand, NOW, S3Vault, bucket_of, make_bucket, s3, sdk};
use crate::{support::project::Ran, vault::conformance::key};

/// What a child is told: the endpoint, two buckets, how much, and in which way.
const CHILD: &str = "MEMORY_CHILD";

const MIB: usize = 1 << 20;

/// It is a child if it is told so.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let [endpoint, first, second, size, way] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("{told}?") };
    let home = tempfile::tempdir().unwrap();
    let (home, client) = (Utf8Path::from_path(home.path()).unwrap(), s3(&sdk(endpoint)));
    let (source, fetched) = (home.join("source"), home.join("fetched"));
    let sha256 = write(&source, size.parse().unwrap());
    let vault = |client: &Client, name: &str| S3Vault::new(bucket_of(client.clone(), name, Hand::at(NOW)), home);
    let (vault, mirror) = (vault(&client, first), vault(&client, second));
    let name = key(&format!("v{size}.0.0/alpha.zip"));
    if way == "whole" {
        let bytes = fs::read(&source).unwrap();
        vault.create(&key(&format!("v{size}.0.1/alpha.zip")), Body::Bytes(&bytes)).await.unwrap();
    } else {
        vault.create(&name, Body::File(&source)).await.unwrap();
        assert_eq!(vault.fetch(&name, None).await.unwrap().unwrap().0, sha256);
        assert_eq!(vault.fetch(&name, Some(&fetched)).await.unwrap().unwrap().0, sha256);
        mirror.create(&name, Body::Object { vault: &vault, sha256 }).await.unwrap();
        mirror.keep(&name, &Writer::Releaser).await.unwrap();
    }
    println!("PEAK {}", peak_kib());
}

/// A file of so many MiB; no two pieces of it are equal.
fn write(path: &Utf8Path, mib: usize) -> Digest {
    let mut hasher = xtask::model::digest::Hasher::default();
    let mut file = File::create(path).unwrap();
    for number in 0..mib {
        let piece: Vec<u8> = (0..MIB).map(|at| (at / 7 + number * 31) as u8).collect();
        file.write_all(&piece).unwrap();
        hasher.update(&piece);
    }
    hasher.finish().0
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn the_size_of_an_artifact_does_not_show_in_memory() {
    let bed = Bed::new().await;
    let mirror = make_bucket(&bed.client, None).await;
    let peak = |mib: usize, way: &str| -> u64 {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "aws::memory::child", "--nocapture", "--test-threads", "1"]).stdin(Stdio::null());
        let told = format!("{} {} {mirror} {mib} {way}", bed.stack.endpoint(), bed.name);
        let ran = Ran::of(child.env(CHILD, told).output().unwrap()).expect(0);
        let told = ran.stdout.lines().find_map(|line| line.split_once("PEAK ").map(|(_, peak)| peak.to_owned()));
        told.unwrap_or_else(|| panic!("{ran:?}")).parse().unwrap()
    };
    let (small, large) = (peak(4, "streamed"), peak(40, "streamed"));
    assert!(large < small + 8 * 1024, "4 MiB: {small} KiB, 40 MiB: {large} KiB");
    // What is not streamed is seen.
    let whole = peak(40, "whole");
    assert!(whole > small + 32 * 1024, "4 MiB: {small} KiB, 40 MiB in memory: {whole} KiB");
}
