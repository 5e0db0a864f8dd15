//! Where prices come from: the port, and SQLite or DynamoDB behind it.

use std::future::Future;

use camino::Utf8PathBuf;
use common::clients::{Access, DynamoClient, SqliteClient};
use common::models::{Currency, InvalidPrice, Price, ProductId};
use common::types::StoreError;
use rusqlite::{OptionalExtension as _, named_params};
use serde_json::json;

/// Knows the price of a product.
pub(crate) trait PriceStore: Send + Sync {
    /// The price of `product`, or `None` if there is no such product.
    fn price(&self, product: &ProductId) -> impl Future<Output = Result<Option<Found>, StoreError>> + Send;
}

/// A price as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) price: Price,
    pub(crate) currency: Currency,
}

/// Prices in SQLite.
pub(crate) struct SqlitePriceStore {
    client: SqliteClient,
}

const PRICE: &str = "SELECT price, currency FROM product_prices WHERE product_id = :product_id";

impl SqlitePriceStore {
    /// The prices in the database at `path`.
    pub(crate) fn new(path: Utf8PathBuf) -> Self {
        Self { client: SqliteClient::new("price", path, Access::Read) }
    }
}

impl PriceStore for SqlitePriceStore {
    async fn price(&self, product: &ProductId) -> Result<Option<Found>, StoreError> {
        let row = self.client.run("read the price", |connection| {
            let mut statement = connection.prepare_cached(PRICE)?;
            let columns =
                |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>("price")?, row.get::<_, String>("currency")?));
            statement.query_row(named_params! {":product_id": product.as_str()}, columns).optional()
        })?;
        row.map(|(price, currency)| found(&price, &currency)).transpose().map_err(malformed)
    }
}

/// Prices in DynamoDB: an item under `PRICE#<product>` and `PRICE`, with `price` and `currency` as texts.
pub(crate) struct DynamoPriceStore {
    client: DynamoClient,
    table: String,
}

impl DynamoPriceStore {
    /// The prices in this table.
    pub(crate) fn new(client: DynamoClient, table: String) -> Self {
        Self { client, table }
    }
}

impl PriceStore for DynamoPriceStore {
    async fn price(&self, product: &ProductId) -> Result<Option<Found>, StoreError> {
        let key = json!({ "pk": { "S": format!("PRICE#{product}") }, "sk": { "S": "PRICE" } });
        let get = json!({ "TableName": self.table, "Key": key, "ConsistentRead": true });
        let answer = self.client.run(("price", "read the price"), "GetItem", &get).await?;
        let Some(item) = answer.get("Item") else { return Ok(None) };
        // What is missing or no text is malformed, like what is no price.
        let text = |name: &str| item[name]["S"].as_str().unwrap_or_default();
        found(text("price"), text("currency")).map(Some).map_err(malformed)
    }
}

fn found(price: &str, currency: &str) -> Result<Found, InvalidPrice> {
    Ok(Found { price: price.parse()?, currency: currency.parse()? })
}

fn malformed(error: InvalidPrice) -> StoreError {
    StoreError::Malformed { what: "price", store: "price", source: error.into() }
}

#[cfg(test)]
mod tests {
    use common::testing::{Folder, block_on, seeded};

    use super::*;

    fn price(folder: &Folder, product: &str) -> Result<Option<Found>, StoreError> {
        block_on(SqlitePriceStore::new(folder.data()).price(&product.parse().unwrap()))
    }

    #[test]
    fn the_seeded_price_is_found_and_another_is_not() {
        let folder = seeded();
        assert_eq!(price(&folder, "PROD-101").unwrap(), Some(found("99.99", "USD").unwrap()));
        assert_eq!(price(&folder, "PROD-102").unwrap().unwrap().price.to_string(), "149.90");
        assert_eq!(price(&folder, "PROD-999").unwrap(), None);
    }

    #[test]
    fn malformed_rows_and_missing_tables_are_told_apart() {
        let folder = seeded();
        let connection = rusqlite::Connection::open(folder.data()).unwrap();
        connection.execute_batch("UPDATE product_prices SET price = '9,99' WHERE product_id = 'PROD-101'").unwrap();
        assert!(matches!(price(&folder, "PROD-101"), Err(StoreError::Malformed { .. })));
        connection.execute_batch("DROP TABLE product_prices").unwrap();
        assert!(matches!(price(&folder, "PROD-101"), Err(StoreError::Unavailable { .. })));
    }
}
