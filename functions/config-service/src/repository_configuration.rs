//! Where the system configuration comes from: the port, and SQLite, Oracle or DynamoDB behind it.

use std::collections::BTreeMap;
use std::future::Future;

use common::clients::DynamoClient;
use common::models::{ConfigurationKey, Environment};
use common::types::{Invocation, Query, Row, SqlStore, StoreError};
use serde_json::{Value, json};

/// Knows the configuration of every environment.
pub(crate) trait ConfigurationStore: Send + Sync {
    /// The value of `key` in `environment`, or `None` if it is not set there.
    fn one(
        &self,
        environment: &Environment,
        key: &ConfigurationKey,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Value by key of all that is set in `environment`.
    fn all(
        &self,
        environment: &Environment,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, StoreError>> + Send;
}

/// The configuration in SQLite or Oracle, by one text of SQL.
pub(crate) struct SqlConfigurationStore<S> {
    sql: S,
}

const ONE: &str = "SELECT value FROM system_configuration WHERE environment = :environment AND key = :key";
const ALL: &str = "SELECT key, value FROM system_configuration WHERE environment = :environment";

impl<S> SqlConfigurationStore<S> {
    /// The configuration in this database.
    pub(crate) fn new(sql: S) -> Self {
        Self { sql }
    }
}

impl<S: SqlStore> ConfigurationStore for SqlConfigurationStore<S> {
    async fn one(
        &self,
        environment: &Environment,
        key: &ConfigurationKey,
        invocation: &Invocation,
    ) -> Result<Option<String>, StoreError> {
        let query = Query::new(ONE).bind("environment", environment.as_str()).bind("key", key.as_str());
        let rows = self.sql.rows(invocation, "read one key", query).await?;
        rows.into_iter().next().map(|row| row.into_iter().next().flatten().ok_or_else(|| null("value"))).transpose()
    }

    async fn all(
        &self,
        environment: &Environment,
        invocation: &Invocation,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let query = Query::new(ALL).bind("environment", environment.as_str());
        let rows = self.sql.rows(invocation, "read every key", query).await?;
        let pair = |row: Row| {
            let mut columns = row.into_iter().map(|column| column.ok_or_else(|| null("row")));
            let mut next = || columns.next().unwrap_or_else(|| Err(null("row")));
            Ok((next()?, next()?))
        };
        rows.into_iter().map(pair).collect()
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
    async fn one(
        &self,
        environment: &Environment,
        key: &ConfigurationKey,
        _: &Invocation,
    ) -> Result<Option<String>, StoreError> {
        let key = json!({ "pk": { "S": partition(environment) }, "sk": { "S": key.as_str() } });
        let get = json!({ "TableName": self.table, "Key": key, "ConsistentRead": true });
        let answer = self.client.run((STORE, "read one key"), "GetItem", &get).await?;
        answer.get("Item").map(|item| text(item, "value")).transpose()
    }

    async fn all(&self, environment: &Environment, _: &Invocation) -> Result<BTreeMap<String, String>, StoreError> {
        let mut query = json!({ "TableName": self.table, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": partition(environment) } } });
        let mut all = BTreeMap::new();
        // An answer holds a megabyte at most, and says where the next one begins.
        for _ in 0..PAGES_MAX {
            let mut page = self.client.run((STORE, "read every key"), "Query", &query).await?;
            for item in page["Items"].as_array().into_iter().flatten() {
                all.insert(text(item, "sk")?, text(item, "value")?);
            }
            match page["LastEvaluatedKey"].take() {
                Value::Null => return Ok(all),
                next => query["ExclusiveStartKey"] = next,
            }
        }
        let source = "it is larger than an answer may be".into();
        Err(StoreError::Malformed { what: "configuration", store: STORE, source })
    }
}

const STORE: &str = "configuration";

/// Megabytes of configuration that an answer of Lambda can hold (quotas of AWS Lambda: 6 MB).
const PAGES_MAX: usize = 6;

/// Oracle takes an empty text for NULL.
fn null(what: &'static str) -> StoreError {
    StoreError::Malformed { what, store: STORE, source: "it is NULL".into() }
}

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

    use common::clients::{Access, SqliteClient};
    use common::testing::{FixedClock, Folder, Replay, Reply, block_on, invocation, seeded, tables};

    use super::*;

    /// What every store of the configuration must do that begins with what the seeds say.
    async fn gives_the_seeded_configuration(store: &impl ConfigurationStore) {
        let one = async |environment: &str, key: &str| {
            let (environment, key) = (environment.parse().unwrap(), key.parse().unwrap());
            store.one(&environment, &key, &invocation()).await.unwrap()
        };
        let all = async |environment: &str| store.all(&environment.parse().unwrap(), &invocation()).await.unwrap();
        for (environment, bulk, level, timeout) in [
            ("dev", "true", "info", "30"),
            ("qa", "true", "info", "30"),
            ("uat", "false", "info", "60"),
            ("prod", "false", "warn", "300"),
            ("dr", "false", "warn", "300"),
        ] {
            let expected = [
                ("currency.default", "USD"),
                ("feature.bulk-lookup", bulk),
                ("logging.level", level),
                ("request.timeout-seconds", timeout),
            ];
            let expected = BTreeMap::from(expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
            assert_eq!(all(environment).await, expected, "{environment}");
            assert_eq!(one(environment, "logging.level").await.as_deref(), Some(level), "{environment}");
            assert_eq!(one(environment, "logging").await, None, "{environment}");
        }
        assert_eq!(one("nowhere", "logging.level").await, None);
        assert_eq!(all("nowhere").await, BTreeMap::new());
    }

    fn on_sqlite(folder: &Folder) -> SqlConfigurationStore<SqliteClient> {
        SqlConfigurationStore::new(SqliteClient::new(STORE, folder.data(), Access::Read))
    }

    #[test]
    fn sqlite_gives_the_seeded_configuration() {
        let folder = seeded();
        block_on(gives_the_seeded_configuration(&on_sqlite(&folder)));
    }

    #[test]
    fn dynamodb_gives_the_seeded_configuration() {
        let replay = Replay::of_items(tables("data"));
        let client = DynamoClient::new(replay.access(), Duration::from_secs(2), Arc::new(FixedClock)).unwrap();
        block_on(gives_the_seeded_configuration(&DynamoConfigurationStore::new(client, "Data_dev".into())));
    }

    /// On a server that is there; without its variables this fails.
    #[cfg(feature = "oracle-live")]
    #[test]
    fn oracle_gives_the_seeded_configuration() {
        let store = SqlConfigurationStore::new(common::testing::oracle_live::seeded((STORE, "config-service")));
        block_on(gives_the_seeded_configuration(&store));
    }

    #[test]
    fn a_missing_table_is_unavailable_and_null_is_malformed() {
        let (folder, key) = (seeded(), "a.b".parse().unwrap());
        let (store, dev) = (on_sqlite(&folder), "dev".parse().unwrap());
        let connection = rusqlite::Connection::open(folder.data()).unwrap();
        connection.execute_batch("DROP TABLE system_configuration").unwrap();
        assert!(matches!(block_on(store.all(&dev, &invocation())), Err(StoreError::Unavailable { .. })));
        connection.execute_batch("CREATE TABLE system_configuration (environment, key, value)").unwrap();
        connection.execute_batch("INSERT INTO system_configuration VALUES ('dev', 'a.b', NULL)").unwrap();
        assert!(matches!(block_on(store.all(&dev, &invocation())), Err(StoreError::Malformed { .. })));
        assert!(matches!(block_on(store.one(&dev, &key, &invocation())), Err(StoreError::Malformed { .. })));
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
        assert_eq!(block_on(store.one(&dev, &key, &invocation())).unwrap().as_deref(), Some("v"));
        assert_eq!(block_on(store.one(&dev, &key, &invocation())).unwrap(), None);
        assert!(matches!(
            block_on(store.one(&dev, &key, &invocation())),
            Err(StoreError::Malformed { what: "value", .. })
        ));
        let all = block_on(store.all(&dev, &invocation())).unwrap();
        assert_eq!(all.into_keys().collect::<Vec<_>>(), ["a.b", "c.d"]);
        let asked = replay.asked();
        assert_eq!(asked[0].input["Key"], json!({ "pk": { "S": "CONFIGURATION#dev" }, "sk": { "S": "a.b" } }));
        assert_eq!(asked[4].input["ExclusiveStartKey"], json!({ "sk": { "S": "a.b" } }));
    }
}
