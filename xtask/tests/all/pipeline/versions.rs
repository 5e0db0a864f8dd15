//! A store that names the versions of its objects: the names are recorded at the seal, and nothing else is staged.

use std::sync::Arc;

use async_trait::async_trait;
use camino::Utf8Path;
use xtask::{
    context::Context,
    engine::facts,
    model::{digest::Digest, entry::Writer, key::VaultKey},
    ports::vault::{Body, Listed, Vault, VaultError},
};

use crate::support::{
    project::Project,
    world::{code, promote_to, seal},
};

/// A vault whose objects all have this version.
struct Versioned(Arc<dyn Vault>, &'static str);

#[async_trait]
impl Vault for Versioned {
    async fn create(&self, key: &VaultKey, body: Body<'_>) -> Result<(), VaultError> {
        self.0.create(key, body).await
    }

    async fn read(&self, key: &VaultKey) -> Result<Option<Vec<u8>>, VaultError> {
        self.0.read(key).await
    }

    async fn fetch(&self, key: &VaultKey, to: Option<&Utf8Path>) -> Result<Option<(Digest, u64)>, VaultError> {
        self.0.fetch(key, to).await
    }

    async fn exists(&self, key: &VaultKey) -> Result<bool, VaultError> {
        self.0.exists(key).await
    }

    async fn object_version(&self, key: &VaultKey) -> Result<Option<String>, VaultError> {
        Ok(self.0.exists(key).await?.then(|| self.1.to_owned()))
    }

    async fn keep(&self, key: &VaultKey, writer: &Writer) -> Result<(), VaultError> {
        self.0.keep(key, writer).await
    }

    async fn list(&self, folder: Option<&VaultKey>) -> Result<Vec<Listed>, VaultError> {
        self.0.list(folder).await
    }
}

#[tokio::test]
async fn another_version_than_was_sealed_is_not_staged() {
    let project = Project::new();
    let plain = project.context();
    let of = |version| Context { vault: Arc::new(Versioned(Arc::clone(&plain.vault), version)), ..plain.clone() };
    let sealed = seal(&of("one")).await.unwrap();
    let recorded = facts::object_versions(&plain, sealed.release).await.unwrap();
    let names: Vec<_> = recorded.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "SHA256SUMS",
            "alpha.zip",
            "beta.zip",
            "manifest.json",
            "provenance.intoto.jsonl",
            "sbom/alpha.cdx.json",
            "sbom/beta.cdx.json",
        ]
    );
    assert!(recorded.values().all(|version| version == "one"));

    let dev = "dev".parse().unwrap();
    let refused = promote_to(&of("two"), &dev, sealed.release).await;
    assert_eq!(code(&refused), 5, "{refused:?}");
    let said = format!("{:#}", refused.unwrap_err());
    assert!(said.contains("alpha.zip is another version than was sealed: expected one, found two"), "{said}");
    // The recorded one is what the fleet is given; the one on this machine knows no versions and says so.
    let asked = format!("{:#}", promote_to(&of("one"), &dev, sealed.release).await.unwrap_err());
    assert!(
        asked.contains("a local vault keeps no object versions, so none of `v1.0.0/alpha.zip` is `one`"),
        "{asked}"
    );
}
