//! Where the system configuration comes from: the port, and SQLite behind it.

use std::collections::BTreeMap;
use std::future::Future;

use camino::Utf8PathBuf;
use common::clients::{Access, SqliteClient};
use common::models::Environment;
use common::types::StoreError;
use rusqlite::{OptionalExtension as _, named_params};

use crate::dto::ConfigurationKey;

/// Knows the configuration of every environment.
pub(crate) trait ConfigurationStore: Send + Sync {
    /// The value of `key` in `environment`, or `None` if it is not set there.
    fn one(
        &self,
        environment: &Environment,
        key: &ConfigurationKey,
    ) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Value by key of all that is set in `environment`.
    fn all(
        &self,
        environment: &Environment,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, StoreError>> + Send;
}

/// The configuration in SQLite.
pub(crate) struct SqliteConfigurationStore {
    client: SqliteClient,
}

const ONE: &str = "SELECT value FROM system_configuration WHERE environment = :environment AND key = :key";
const ALL: &str = "SELECT key, value FROM system_configuration WHERE environment = :environment";

impl SqliteConfigurationStore {
    /// The configuration in the database at `path`.
    pub(crate) fn new(path: Utf8PathBuf) -> Self {
        Self { client: SqliteClient::new("configuration", path, Access::Read) }
    }
}

impl ConfigurationStore for SqliteConfigurationStore {
    async fn one(&self, environment: &Environment, key: &ConfigurationKey) -> Result<Option<String>, StoreError> {
        self.client.run("read one key", |connection| {
            let mut statement = connection.prepare_cached(ONE)?;
            let parameters = named_params! {":environment": environment.as_str(), ":key": key.as_str()};
            statement.query_row(parameters, |row| row.get("value")).optional()
        })
    }

    async fn all(&self, environment: &Environment) -> Result<BTreeMap<String, String>, StoreError> {
        self.client.run("read every key", |connection| {
            let mut statement = connection.prepare_cached(ALL)?;
            let parameters = named_params! {":environment": environment.as_str()};
            statement.query_map(parameters, |row| Ok((row.get("key")?, row.get("value")?)))?.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use common::testing::{block_on, seeded};

    use super::*;

    #[test]
    fn every_environment_has_its_own_rows() {
        let folder = seeded();
        let store = SqliteConfigurationStore::new(folder.data());
        let level = |environment: &str| {
            let key = "logging.level".parse().unwrap();
            block_on(store.one(&environment.parse().unwrap(), &key)).unwrap()
        };
        assert_eq!((level("dev").as_deref(), level("prod").as_deref()), (Some("info"), Some("warn")));
        assert_eq!(level("nowhere"), None);
        assert_eq!(block_on(store.all(&"uat".parse().unwrap())).unwrap().len(), 4);
        assert_eq!(block_on(store.all(&"nowhere".parse().unwrap())).unwrap().len(), 0);
    }

    #[test]
    fn a_missing_table_is_unavailable() {
        let folder = seeded();
        let connection = rusqlite::Connection::open(folder.data()).unwrap();
        connection.execute_batch("DROP TABLE system_configuration").unwrap();
        let store = SqliteConfigurationStore::new(folder.data());
        assert!(matches!(block_on(store.all(&"dev".parse().unwrap())), Err(StoreError::Unavailable { .. })));
    }
}
