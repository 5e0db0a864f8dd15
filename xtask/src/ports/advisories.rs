//! A database of advisories: what is known to be wrong with packages.

use std::collections::BTreeSet;

use crate::model::advisories::Snapshot;

/// Databases of advisories.
pub trait Advisories: Send + Sync {
    /// What the newest commit of a database says about these packages. `database` is a repository: a folder of this
    /// machine, or an address that git can fetch. Blocks.
    ///
    /// # Errors
    /// Usage, if that is no database of advisories; unfinished, if it cannot be fetched or read.
    fn snapshot(&self, database: &str, packages: &BTreeSet<String>) -> anyhow::Result<Snapshot>;
}
