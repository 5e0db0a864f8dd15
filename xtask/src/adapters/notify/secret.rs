//! Reads secrets from where the configuration says that they are.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, bail};
use camino::Utf8PathBuf;

use crate::config::raw::notifications::Secret;

/// Knows the process's environment and the project's folder.
pub(super) struct Reader {
    pub(super) root: Utf8PathBuf,
    pub(super) environment: BTreeMap<String, String>,
}

impl Reader {
    /// The secret, without what ends its line.
    pub(super) fn read(&self, secret: &Secret) -> anyhow::Result<String> {
        let (place, value) = match secret {
            Secret::Env(name) => (format!("the variable {name}"), self.environment.get(name).cloned()),
            Secret::File(path) => {
                let path = self.root.join(path);
                let read = fs::read_to_string(&path);
                (format!("the file {path}"), Some(read.with_context(|| format!("failed to read {path}"))?))
            }
        };
        match value.map(|value| value.trim_end().to_owned()).filter(|value| !value.is_empty()) {
            Some(value) => Ok(value),
            None => bail!("{place}, which `notifications` of release.toml names, is empty or not there: set it"),
        }
    }
}
