//! Every promotion has the vault keep the box that goes live, on behalf of the environment's deployer; one that could not
//! see to that is unfinished, and the same command ends it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use camino::Utf8Path;
use xtask::{
    context::Context,
    engine::facts::{self, Standing},
    model::{digest::Digest, entry::Writer, key::VaultKey},
    ports::vault::{Body, Listed, Vault, VaultError},
};

use crate::support::{
    project::Project,
    world::{code, promote_to, seal},
};

/// A vault that notes what is to be kept, and may refuse it.
struct Keeper {
    vault: Arc<dyn Vault>,
    kept: Mutex<Vec<String>>,
    refuses: AtomicBool,
}

#[async_trait]
impl Vault for Keeper {
    async fn create(&self, key: &VaultKey, body: Body<'_>) -> Result<(), VaultError> {
        self.vault.create(key, body).await
    }

    async fn read(&self, key: &VaultKey) -> Result<Option<Vec<u8>>, VaultError> {
        self.vault.read(key).await
    }

    async fn fetch(&self, key: &VaultKey, to: Option<&Utf8Path>) -> Result<Option<(Digest, u64)>, VaultError> {
        self.vault.fetch(key, to).await
    }

    async fn exists(&self, key: &VaultKey) -> Result<bool, VaultError> {
        self.vault.exists(key).await
    }

    async fn object_version(&self, key: &VaultKey) -> Result<Option<String>, VaultError> {
        self.vault.object_version(key).await
    }

    async fn keep(&self, key: &VaultKey, writer: &Writer) -> Result<(), VaultError> {
        if self.refuses.load(Ordering::SeqCst) {
            let source = Box::new(std::io::Error::other("403 AccessDenied"));
            return Err(VaultError::Unreachable { what: format!("keep {key}"), source });
        }
        self.kept.lock().unwrap().push(format!("{writer} {key}"));
        self.vault.keep(key, writer).await
    }

    async fn list(&self, folder: Option<&VaultKey>) -> Result<Vec<Listed>, VaultError> {
        self.vault.list(folder).await
    }
}

#[tokio::test]
async fn what_goes_live_is_kept_from_then_on() {
    let project = Project::new();
    let plain = project.context();
    let (vault, kept, refuses) = (Arc::clone(&plain.vault), Mutex::default(), AtomicBool::new(true));
    let keeper = Arc::new(Keeper { vault, kept, refuses });
    let context = Context { vault: Arc::clone(&keeper) as Arc<dyn Vault>, ..plain.clone() };
    let sealed = seal(&context).await.unwrap();
    let dev = "dev".parse().unwrap();

    let unfinished = promote_to(&context, &dev, sealed.release).await;
    assert_eq!(code(&unfinished), 8, "{unfinished:?}");
    let said = format!("{:#}", unfinished.unwrap_err());
    assert!(said.contains("failed to lengthen the retention of v1.0.0/SHA256SUMS"), "{said}");
    // Live, but neither verified nor dead.
    let standing = facts::standing(&context, &dev, sealed.release).await.unwrap();
    assert!(!matches!(standing, Standing::Verified | Standing::Dead(_)), "{standing:?}");

    keeper.refuses.store(false, Ordering::SeqCst);
    promote_to(&context, &dev, sealed.release).await.unwrap();
    let objects = [
        "SHA256SUMS",
        "alpha.zip",
        "beta.zip",
        "provenance.intoto.jsonl",
        "sbom/alpha.cdx.json",
        "sbom/beta.cdx.json",
        "manifest.json",
    ];
    let all = objects.map(|name| format!("deployer-dev v1.0.0/{name}"));
    assert_eq!(std::mem::take(&mut *keeper.kept.lock().unwrap()), all);
    assert!(matches!(facts::standing(&context, &dev, sealed.release).await.unwrap(), Standing::Verified));
    // What is there already has no new effect.
    promote_to(&context, &dev, sealed.release).await.unwrap();
    assert!(keeper.kept.lock().unwrap().is_empty());
}
