//! The vault in a folder: the port's rules, and what is special to a folder.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;
use xtask::{
    adapters::local::vault::LocalVault,
    ports::vault::{Body, Vault, VaultError},
};

use super::conformance::{self, key};

conformance::conformance!(in_a_folder, crate::vault::local::shared());

pub(crate) fn shared() -> (TempDir, Arc<dyn Vault>) {
    let (home, vault, _) = folder();
    (home, Arc::new(vault))
}

/// The vault lies in `vault`, drafts in `tmp`.
fn folder() -> (TempDir, LocalVault, Utf8PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(home.path()).unwrap().to_owned();
    (home, LocalVault::new(&root.join("vault"), &root.join("tmp")), root)
}

fn is_unreachable<T: std::fmt::Debug>(result: Result<T, VaultError>) -> bool {
    matches!(result, Err(VaultError::Unreachable { .. }))
}

#[tokio::test]
async fn objects_are_read_only_and_no_draft_stays() {
    let (_home, vault, root) = folder();
    vault.create(&key("v1.0.0/a.zip"), Body::Bytes(b"a")).await.unwrap();
    vault.create(&key("v1.0.0/a.zip"), Body::Bytes(b"b")).await.unwrap_err();
    vault.create(&key("b"), Body::File(Utf8Path::new("no/such/file"))).await.unwrap_err();
    let mode = fs::metadata(root.join("vault/v1.0.0/a.zip")).unwrap().permissions().mode();
    assert_eq!(mode & 0o222, 0, "{mode:o}");
    assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_no_plain_object_is_named_and_not_followed() {
    let (_home, vault, root) = folder();
    vault.create(&key("v1.0.0/a.zip"), Body::Bytes(b"a")).await.unwrap();
    let within = |name: &str| root.join("vault").join(name);
    fs::write(root.join("outside"), "secret").unwrap();
    std::os::unix::fs::symlink(root.join("outside"), within("link")).unwrap();
    std::os::unix::fs::symlink(root.join("nowhere"), within("dangling")).unwrap();
    std::os::unix::fs::symlink(&root, within("folder-link")).unwrap();
    fs::create_dir(within("empty")).unwrap();
    fs::write(within(".hidden"), "").unwrap();
    fs::write(within("with space"), "").unwrap();
    fs::write(within("v1.0.0/ünï"), "").unwrap();
    fs::write(Path::new(within("").as_str()).join(std::ffi::OsStr::new("\\back")), "").unwrap();
    let bytes: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9");
    fs::write(Path::new(within("").as_str()).join(bytes), "").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(within("socket")).unwrap();

    let listed = vault.list(None).await.unwrap();
    let strange: Vec<_> = listed.iter().filter(|item| item.key.is_none()).map(|item| item.name.as_str()).collect();
    let expected = [
        ".hidden",
        "\\back",
        "caf\u{fffd}",
        "dangling",
        "empty/",
        "folder-link",
        "link",
        "socket",
        "v1.0.0/ünï",
        "with space",
    ];
    assert_eq!(strange, expected);
    assert_eq!(listed.len(), expected.len() + 1);
    for name in ["link", "dangling", "folder-link", "empty", "socket"] {
        assert!(matches!(vault.read(&key(name)).await, Err(VaultError::NotPlain(_))), "{name}");
        assert!(matches!(vault.fetch(&key(name), None).await, Err(VaultError::NotPlain(_))), "{name}");
        assert!(vault.exists(&key(name)).await.unwrap(), "{name} is taken");
        let taken = vault.create(&key(name), Body::Bytes(b"x")).await;
        assert!(matches!(taken, Err(VaultError::Exists(_))), "{name}: {taken:?}");
    }
    // Nor is a folder that is a link: what lies behind it is not in the vault.
    let behind = key("folder-link/inside");
    assert!(matches!(vault.exists(&behind).await, Err(VaultError::NotPlain(_))));
    assert!(matches!(vault.create(&behind, Body::Bytes(b"x")).await, Err(VaultError::NotPlain(_))));
    assert_eq!(fs::read_to_string(root.join("outside")).unwrap(), "secret");
}

#[tokio::test]
async fn a_vault_that_cannot_be_written_is_out_of_reach() {
    let (_home, _, root) = folder();
    // A file in the place of the folder refuses whoever asks, also root.
    fs::write(root.join("file"), "").unwrap();
    let no_vault = LocalVault::new(&root.join("file/vault"), &root.join("tmp"));
    let error = no_vault.create(&key("a"), Body::Bytes(b"a")).await.unwrap_err();
    assert!(format!("{error:?}").contains("file/vault/a"), "{error:?}");
    assert!(is_unreachable(no_vault.create(&key("a/b"), Body::Bytes(b"a")).await));
    assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);
    let no_workshop = LocalVault::new(&root.join("vault"), &root.join("file/tmp"));
    assert!(is_unreachable(no_workshop.create(&key("a"), Body::Bytes(b"a")).await));
    assert!(!no_workshop.exists(&key("a")).await.unwrap());
    assert!(!root.join("vault").exists());
}

#[tokio::test]
async fn a_full_disk_leaves_nothing() {
    let (_home, vault, root) = folder();
    // The device that is always full: what cannot be read to its end is not written either.
    let full = LocalVault::new(&root.join("vault"), Utf8Path::new("/proc"));
    assert!(is_unreachable(full.create(&key("a"), Body::Bytes(b"a")).await));
    assert!(is_unreachable(vault.create(&key("a"), Body::File(&root)).await), "a folder has no bytes");
    vault.create(&key("a"), Body::Bytes(b"a")).await.unwrap();
    let to_a_full_disk = vault.fetch(&key("a"), Some(Utf8Path::new("/dev/full"))).await;
    assert!(is_unreachable(to_a_full_disk));
    assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);
}
