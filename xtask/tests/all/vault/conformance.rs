//! What every vault must do, written once over the port. An adapter joins by one line of [`conformance!`].

use std::sync::Arc;

use camino::Utf8Path;
use xtask::{
    model::{digest::Digest, entry::Writer, key::VaultKey},
    ports::vault::{Body, READ_LIMIT, Vault, VaultError},
};

/// Runs every rule against the empty vaults that an expression makes: something to keep, and the vault.
macro_rules! conformance {
    ($adapter:ident, $world:expr) => {
        mod $adapter {
            $crate::vault::conformance::conformance!(@ $world; what_is_written_is_read, a_taken_name_stays_as_it_is,
                one_of_many_writers_wins, what_is_not_there_is_none, everything_is_listed_by_name, files_are_streamed,
                large_objects_are_fetched_and_not_read, an_object_is_no_folder, a_missing_source_writes_nothing,
                readers_never_see_a_part, what_is_there_can_be_kept);
        }
    };
    (@ $world:expr; $($rule:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $rule() {
                let (_keep, vault) = $world;
                $crate::vault::conformance::$rule(vault).await;
            }
        )*
    };
}
pub(crate) use conformance;

pub(crate) fn key(text: &str) -> VaultKey {
    text.parse().unwrap()
}

async fn names(vault: &dyn Vault) -> Vec<String> {
    let listed = vault.list(None).await.unwrap();
    listed.into_iter().map(|item| item.key.expect("a valid object").to_string()).collect()
}

pub(crate) async fn what_is_written_is_read(vault: Arc<dyn Vault>) {
    for (name, bytes) in [("releases/00000001.json", &b"{}"[..]), ("v1.0.0/SHA256SUMS", b""), ("a", b"\0\xff")] {
        vault.create(&key(name), Body::Bytes(bytes)).await.unwrap();
        assert_eq!(vault.read(&key(name)).await.unwrap().as_deref(), Some(bytes));
        let fetched = vault.fetch(&key(name), None).await.unwrap();
        assert_eq!(fetched, Some((Digest::of(bytes), bytes.len() as u64)));
        assert!(vault.exists(&key(name)).await.unwrap());
    }
}

pub(crate) async fn a_taken_name_stays_as_it_is(vault: Arc<dyn Vault>) {
    let name = key("v1.0.0/manifest.json");
    vault.create(&name, Body::Bytes(b"first")).await.unwrap();
    for other in [&b"first"[..], b"other", b""] {
        match vault.create(&name, Body::Bytes(other)).await {
            Err(VaultError::Exists(taken)) => assert_eq!(taken, name),
            found => panic!("{found:?}"),
        }
        assert_eq!(vault.read(&name).await.unwrap().as_deref(), Some(&b"first"[..]));
    }
    assert_eq!(names(&*vault).await, ["v1.0.0/manifest.json"]);
}

pub(crate) async fn one_of_many_writers_wins(vault: Arc<dyn Vault>) {
    let body = |n: u8| vec![n; 10_000 + usize::from(n)];
    let writers: Vec<_> = (0..50_u8)
        .map(|n| {
            let vault = Arc::clone(&vault);
            let body = body(n);
            tokio::spawn(async move { (n, vault.create(&key("releases/00000001.json"), Body::Bytes(&body)).await) })
        })
        .collect();
    let mut won = Vec::new();
    for writer in writers {
        match writer.await.unwrap() {
            (n, Ok(())) => won.push(n),
            (_, Err(VaultError::Exists(_))) => {}
            (_, Err(other)) => panic!("{other:?}"),
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!(vault.read(&key("releases/00000001.json")).await.unwrap(), Some(body(won[0])));
    assert_eq!(names(&*vault).await, ["releases/00000001.json"]);
}

pub(crate) async fn what_is_not_there_is_none(vault: Arc<dyn Vault>) {
    for name in ["a", "v1.0.0/manifest.json", "environments/dev/00000001.json"] {
        assert_eq!(vault.read(&key(name)).await.unwrap(), None);
        assert_eq!(vault.fetch(&key(name), None).await.unwrap(), None);
        assert!(!vault.exists(&key(name)).await.unwrap());
    }
    assert!(names(&*vault).await.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let to = Utf8Path::from_path(folder.path()).unwrap().join("copy");
    assert_eq!(vault.fetch(&key("a"), Some(&to)).await.unwrap(), None);
    assert!(!to.exists());
}

pub(crate) async fn everything_is_listed_by_name(vault: Arc<dyn Vault>) {
    let all =
        ["a", "a.b/c", "a/b", "environments/dev/00000010.json", "environments/dev/00000009.json", "v1.0.0/SHA256SUMS"];
    for name in all {
        vault.create(&key(name), Body::Bytes(name.as_bytes())).await.unwrap_or_else(|error| {
            // A name that is an object's and a folder's is possible in some stores and not in others.
            assert_eq!(name, "a/b", "{error:?}");
        });
    }
    let listed = names(&*vault).await;
    let mut sorted = listed.clone();
    sorted.sort();
    assert_eq!(listed, sorted);
    assert!(all.iter().filter(|name| **name != "a/b").all(|name| listed.iter().any(|found| found == name)));
}

pub(crate) async fn files_are_streamed(vault: Arc<dyn Vault>) {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 7 % 251) as u8).collect();
    std::fs::write(folder.join("from"), &bytes).unwrap();
    vault.create(&key("v1.0.0/alpha.zip"), Body::File(&folder.join("from"))).await.unwrap();
    let to = folder.join("to");
    let fetched = vault.fetch(&key("v1.0.0/alpha.zip"), Some(&to)).await.unwrap();
    assert_eq!(fetched, Some((Digest::of(&bytes), 3_000_000)));
    assert!(std::fs::read(&to).unwrap() == bytes);
    // What is uploaded later does not change what was.
    std::fs::write(folder.join("from"), b"other").unwrap();
    assert_eq!(vault.fetch(&key("v1.0.0/alpha.zip"), None).await.unwrap(), Some((Digest::of(&bytes), 3_000_000)));
}

pub(crate) async fn large_objects_are_fetched_and_not_read(vault: Arc<dyn Vault>) {
    let folder = tempfile::tempdir().unwrap();
    let file = Utf8Path::from_path(folder.path()).unwrap().join("large");
    for (name, size) in [("largest", READ_LIMIT), ("larger", READ_LIMIT + 1)] {
        std::fs::File::create(&file).unwrap().set_len(size).unwrap();
        vault.create(&key(name), Body::File(&file)).await.unwrap();
        assert_eq!(vault.fetch(&key(name), None).await.unwrap().unwrap().1, size);
    }
    assert_eq!(vault.read(&key("largest")).await.unwrap().unwrap().len() as u64, READ_LIMIT);
    assert!(matches!(vault.read(&key("larger")).await, Err(VaultError::TooLarge(found)) if found == key("larger")));
}

pub(crate) async fn an_object_is_no_folder(vault: Arc<dyn Vault>) {
    vault.create(&key("v1.0.0/manifest.json"), Body::Bytes(b"{}")).await.unwrap();
    assert!(!vault.exists(&key("v1.0.0/manifest.json/deeper")).await.unwrap());
    assert_eq!(vault.read(&key("v1.0.0/manifest.json/deeper")).await.unwrap(), None);
    assert_eq!(vault.fetch(&key("v1.0.0/manifest.json/deeper"), None).await.unwrap(), None);
}

pub(crate) async fn a_missing_source_writes_nothing(vault: Arc<dyn Vault>) {
    let written = vault.create(&key("a"), Body::File(Utf8Path::new("no/such/file"))).await;
    assert!(matches!(written, Err(VaultError::Unreachable { .. })), "{written:?}");
    assert!(!vault.exists(&key("a")).await.unwrap());
    assert!(names(&*vault).await.is_empty());
}

pub(crate) async fn readers_never_see_a_part(vault: Arc<dyn Vault>) {
    let body = vec![7; 30_000_000];
    for n in 0..3 {
        let name = key(&format!("large-{n}"));
        let writer = {
            let (vault, name, body) = (Arc::clone(&vault), name.clone(), body.clone());
            tokio::spawn(async move { vault.create(&name, Body::Bytes(&body)).await })
        };
        while !vault.exists(&name).await.unwrap() {
            assert!(vault.list(None).await.unwrap().iter().all(|item| item.key.is_some()), "a draft shows");
            tokio::task::yield_now().await;
        }
        let (digest, size) = vault.fetch(&name, None).await.unwrap().unwrap();
        assert_eq!((size, digest), (30_000_000, Digest::of(&body)), "it shows before it is complete");
        writer.await.unwrap().unwrap();
    }
}

pub(crate) async fn what_is_there_can_be_kept(vault: Arc<dyn Vault>) {
    let (name, writer) = (key("v1.0.0/alpha.zip"), Writer::Deployer("dev".parse().unwrap()));
    match vault.keep(&name, &writer).await {
        Err(error @ VaultError::Unsound { .. }) => {
            assert_eq!(error.to_string(), "v1.0.0/alpha.zip in the vault is missing");
        }
        found => panic!("{found:?}"),
    }
    vault.create(&name, Body::Bytes(b"bytes")).await.unwrap();
    for _ in 0..2 {
        vault.keep(&name, &writer).await.unwrap();
    }
    assert_eq!(vault.read(&name).await.unwrap().as_deref(), Some(&b"bytes"[..]));
    assert_eq!(names(&*vault).await, ["v1.0.0/alpha.zip"]);
}
