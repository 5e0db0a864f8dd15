//! Where the system configuration comes from: the port, and SQLite or DynamoDB behind it.

use std::collections::BTreeMap;
use std::future::Future;

use camino::Utf8PathBuf;
use common::clients::{Access, DynamoClient, SqliteClient};
use common::models::Environment;
use common::types::StoreError;
use rusqlite::{OptionalExtension as _, named_params};
use serde_json::{Value, json};

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
        Self { client: SqliteClient::new(STORE, path, Access::Read) }
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

/// The configuration in DynamoDB: an item under `CONFIGURATION#<environment>` and the key, with its `value` as text.
pub(crate) struct DynamoConfigurationStore {
    client: DynamoClient,
    table: String,
}

impl DynamoConfigurationStore {
    /// The configuration in this table.
    pub(crate) fn new(client: DynamoClient, table: String) -> Self {
        Self { client, table }
    }
}

impl ConfigurationStore for DynamoConfigurationStore {
    async fn one(&self, environment: &Environment, key: &ConfigurationKey) -> Result<Option<String>, StoreError> {
        let key = json!({ "pk": { "S": partition(environment) }, "sk": { "S": key.as_str() } });
        let get = json!({ "TableName": self.table, "Key": key, "ConsistentRead": true });
        let answer = self.client.run((STORE, "read one key"), "GetItem", &get).await?;
        answer.get("Item").map(|item| text(item, "value")).transpose()
    }

    async fn all(&self, environment: &Environment) -> Result<BTreeMap<String, String>, StoreError> {
        let mut query = json!({ "TableName": self.table, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": partition(environment) } } });
        let mut all = BTreeMap::new();
        // An answer holds a megabyte at most, and says where the next one begins.
        loop {
            let mut page = self.client.run((STORE, "read every key"), "Query", &query).await?;
            for item in page["Items"].as_array().into_iter().flatten() {
                all.insert(text(item, "sk")?, text(item, "value")?);
            }
            match page["LastEvaluatedKey"].take() {
                Value::Null => return Ok(all),
                next => query["ExclusiveStartKey"] = next,
            }
        }
    }
}

const STORE: &str = "configuration";

fn partition(environment: &Environment) -> String {
    format!("CONFIGURATION#{environment}")
}

fn text(item: &Value, name: &'static str) -> Result<String, StoreError> {
    let text = item[name]["S"].as_str().map(str::to_owned);
    text.ok_or(StoreError::Malformed { what: name, store: STORE, source: "it is no text".into() })
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use common::testing::{FixedClock, Replay, Reply, block_on, seeded};

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

    #[test]
    fn dynamodb_gives_one_key_and_every_page_of_all() {
        let replay = Replay::new(|operation, before| {
            let item = |key: &str| json!({ "sk": { "S": key }, "value": { "S": "v" } });
            Reply::Json(match (operation, before) {
                ("GetItem", 0) => json!({ "Item": item("a.b") }),
                ("GetItem", 1) => json!({}),
                ("GetItem", _) => json!({ "Item": { "value": { "N": "1" } } }),
                (_, 0) => json!({ "Items": [item("a.b")], "LastEvaluatedKey": { "sk": { "S": "a.b" } } }),
                _ => json!({ "Items": [item("c.d")] }),
            })
        });
        let client = DynamoClient::new(replay.access(), Duration::from_secs(2), Arc::new(FixedClock)).unwrap();
        let store = DynamoConfigurationStore::new(client, "Data_dev".into());
        let (dev, key) = ("dev".parse().unwrap(), "a.b".parse().unwrap());
        assert_eq!(block_on(store.one(&dev, &key)).unwrap().as_deref(), Some("v"));
        assert_eq!(block_on(store.one(&dev, &key)).unwrap(), None);
        assert!(matches!(block_on(store.one(&dev, &key)), Err(StoreError::Malformed { what: "value", .. })));
        let all = block_on(store.all(&dev)).unwrap();
        assert_eq!(all.into_keys().collect::<Vec<_>>(), ["a.b", "c.d"]);
        let asked = replay.asked();
        assert_eq!(asked[0].input["Key"], json!({ "pk": { "S": "CONFIGURATION#dev" }, "sk": { "S": "a.b" } }));
        assert_eq!(asked[4].input["ExclusiveStartKey"], json!({ "sk": { "S": "a.b" } }));
    }
}
