//! Where products come from: the port, and SQLite, Oracle or DynamoDB behind it.

use std::future::Future;

use common::clients::DynamoClient;
use common::models::{Currency, ProductId};
use common::types::{Invocation, Query, SqlStore, StoreError};
use serde_json::json;

/// Knows the products.
pub(crate) trait ProductStore: Send + Sync {
    /// The currency in which `product` is sold, or `None` if there is no such product.
    fn currency(
        &self,
        product: &ProductId,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Option<Currency>, StoreError>> + Send;
}

/// Products in SQLite or Oracle, by one text of SQL.
pub(crate) struct SqlProductStore<S> {
    sql: S,
}

const CURRENCY: &str = "SELECT currency FROM product_prices WHERE product_id = :product_id";

const STORE: &str = "product";

const READ: &str = "read the currency";

impl<S> SqlProductStore<S> {
    /// The products in this database.
    pub(crate) fn new(sql: S) -> Self {
        Self { sql }
    }
}

impl<S: SqlStore> ProductStore for SqlProductStore<S> {
    async fn currency(&self, product: &ProductId, invocation: &Invocation) -> Result<Option<Currency>, StoreError> {
        let query = Query::new(CURRENCY).bind("product_id", product.as_str());
        let rows = self.sql.rows(invocation, READ, query).await?;
        // NULL is malformed, like what is no currency.
        rows.first().map(|row| found(row.first().and_then(Option::as_deref))).transpose()
    }
}

/// Products in DynamoDB: an item under `PRICE#<product>` and `PRICE`, with `currency` as text.
pub(crate) struct DynamoProductStore {
    client: DynamoClient,
    table: String,
}

impl DynamoProductStore {
    /// The products in this table.
    pub(crate) fn new(client: DynamoClient, table: String) -> Self {
        Self { client, table }
    }
}

impl ProductStore for DynamoProductStore {
    async fn currency(&self, product: &ProductId, _: &Invocation) -> Result<Option<Currency>, StoreError> {
        let key = json!({ "pk": { "S": format!("PRICE#{product}") }, "sk": { "S": "PRICE" } });
        let get = json!({ "TableName": self.table, "Key": key, "ConsistentRead": true });
        let answer = self.client.run((STORE, READ), "GetItem", &get).await?;
        answer.get("Item").map(|item| found(item["currency"]["S"].as_str())).transpose()
    }
}

fn found(currency: Option<&str>) -> Result<Currency, StoreError> {
    let malformed = |error| StoreError::Malformed { what: "currency", store: STORE, source: error };
    let currency = currency.ok_or_else(|| malformed("it is no text".into()))?;
    currency.parse().map_err(|error| malformed(Box::from(error)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use common::clients::{Access, SqliteClient};
    use common::testing::{FixedClock, Replay, block_on, invocation, seeded, tables};

    use super::*;

    /// What every store of products must do that begins with what the seeds say.
    async fn gives_the_seeded_currencies(store: &impl ProductStore) {
        for (product, currency) in [("PROD-101", Some("USD")), ("PROD-103", Some("EUR")), ("PROD-999", None)] {
            let found = store.currency(&product.parse().unwrap(), &invocation()).await.unwrap();
            assert_eq!(found, currency.map(|code| code.parse().unwrap()), "{product}");
        }
    }

    #[test]
    fn sqlite_gives_the_seeded_currencies() {
        let folder = seeded();
        let client = SqliteClient::new(STORE, folder.data(), Access::Read);
        block_on(gives_the_seeded_currencies(&SqlProductStore::new(client)));
    }

    #[test]
    fn dynamodb_gives_the_seeded_currencies() {
        let replay = Replay::of_items(tables("data"));
        let client = DynamoClient::new(replay.access(), Duration::from_secs(2), Arc::new(FixedClock)).unwrap();
        block_on(gives_the_seeded_currencies(&DynamoProductStore::new(client, "Data_dev".into())));
    }

    #[test]
    fn what_is_no_currency_is_malformed() {
        for wrong in [None, Some(""), Some("dollars")] {
            assert!(matches!(found(wrong), Err(StoreError::Malformed { what: "currency", .. })), "{wrong:?}");
        }
    }
}
