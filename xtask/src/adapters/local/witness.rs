//! The witness of a laptop: `.local/witness.json`, outside the vault.

use std::fs::{self, File};

use anyhow::Context as _;
use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    adapters::local::files,
    failure::Failure,
    model::{canonical, entry::ChainName},
    ports::witness::{Head, Heads, Witness},
};

/// A witness in a file.
#[derive(Debug, Clone)]
pub struct FileWitness {
    path: Utf8PathBuf,
    workshop: Utf8PathBuf,
}

impl FileWitness {
    /// A witness in this file; drafts are written in `workshop`.
    #[must_use]
    pub fn new(path: &Utf8Path, workshop: &Utf8Path) -> Self {
        Self { path: path.to_owned(), workshop: workshop.to_owned() }
    }

    fn load(&self) -> anyhow::Result<Option<Heads>> {
        match fs::read(&self.path) {
            Ok(bytes) => canonical::from_slice(&bytes).map(Some).map_err(|error| {
                let what = format!("the witness {} is damaged: {error}", self.path);
                Failure::Integrity(format!("{what}; restore it from a copy, the vault cannot replace it")).into()
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("failed to read the witness {}", self.path)),
        }
    }
}

#[async_trait]
impl Witness for FileWitness {
    async fn heads(&self) -> anyhow::Result<Option<Heads>> {
        self.load()
    }

    async fn head(&self, chain: &ChainName) -> anyhow::Result<Option<Head>> {
        Ok(self.load()?.and_then(|heads| heads.get(chain).copied()))
    }

    async fn note(&self, chain: &ChainName, head: Head) -> anyhow::Result<()> {
        // Environments are promoted in parallel by different processes: without the lock one note could undo another.
        fs::create_dir_all(&self.workshop).with_context(|| format!("failed to make the folder {}", self.workshop))?;
        let path = self.workshop.join("witness.lock");
        let lock = File::create(&path).with_context(|| format!("failed to open the lock {path}"))?;
        lock.lock().with_context(|| format!("failed to take the lock {path}"))?;
        let mut heads = self.load()?.unwrap_or_default();
        if heads.get(chain).is_none_or(|noted| noted.number < head.number) {
            heads.insert(chain.clone(), head);
            files::replace(&self.workshop, &self.path, &canonical::to_vec(&heads)?)
                .with_context(|| format!("failed to write the witness {}", self.path))?;
        }
        Ok(())
    }
}
