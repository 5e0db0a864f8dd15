//! Where prices come from: the port, and SQLite, Oracle or DynamoDB behind it.

use std::future::Future;

use common::clients::DynamoClient;
use common::models::{InvalidPrice, ProductId, ProductPrice};
use common::types::{Invocation, Query, SqlStore, StoreError};
use serde_json::json;

/// Knows the price of a product.
pub(crate) trait PriceStore: Send + Sync {
    /// The price of `product`, or `None` if there is no such product. A database may or may not keep zeros at the end: 99.90
    /// and 99.9 are equal.
    fn price(
        &self,
        product: &ProductId,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Option<ProductPrice>, StoreError>> + Send;
}

/// Prices in SQLite or Oracle, by one text of SQL.
pub(crate) struct SqlPriceStore<S> {
    sql: S,
}

const PRICE: &str = "SELECT price, currency FROM product_prices WHERE product_id = :product_id";

impl<S> SqlPriceStore<S> {
    /// The prices in this database.
    pub(crate) fn new(sql: S) -> Self {
        Self { sql }
    }
}

impl<S: SqlStore> PriceStore for SqlPriceStore<S> {
    async fn price(&self, product: &ProductId, invocation: &Invocation) -> Result<Option<ProductPrice>, StoreError> {
        let query = Query::new(PRICE).bind("product_id", product.as_str());
        let rows = self.sql.rows(invocation, "read the price", query).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        // NULL is malformed, like what is no price.
        let text = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
        ProductPrice::read(product, text(0), text(1)).map(Some).map_err(malformed)
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
    async fn price(&self, product: &ProductId, _: &Invocation) -> Result<Option<ProductPrice>, StoreError> {
        let key = json!({ "pk": { "S": format!("PRICE#{product}") }, "sk": { "S": "PRICE" } });
        let get = json!({ "TableName": self.table, "Key": key, "ConsistentRead": true });
        let answer = self.client.run(("price", "read the price"), "GetItem", &get).await?;
        let Some(item) = answer.get("Item") else { return Ok(None) };
        // What is missing or no text is malformed, like what is no price.
        let text = |name: &str| item[name]["S"].as_str().unwrap_or_default();
        ProductPrice::read(product, text("price"), text("currency")).map(Some).map_err(malformed)
    }
}

fn malformed(error: InvalidPrice) -> StoreError {
    StoreError::Malformed { what: "price", store: "price", source: error.into() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use common::clients::{Access, SqliteClient};
    use common::testing::{FixedClock, Folder, Replay, block_on, invocation, seeded, tables};
    use common::types::Row;

    use super::*;

    /// What every store of prices must do that begins with what the seeds say.
    async fn gives_the_seeded_prices(store: &impl PriceStore) {
        let price = async |product: &str| store.price(&product.parse().unwrap(), &invocation()).await.unwrap();
        for (product, amount, currency) in [
            ("PROD-101", "99.99", "USD"),
            ("PROD-102", "149.90", "USD"),
            ("PROD-103", "0.10", "EUR"),
            ("PROD-104", "1250", "JPY"),
            ("PROD-105", "123456789.123456", "USD"),
        ] {
            let expected = ProductPrice::read(&product.parse().unwrap(), amount, currency).unwrap();
            assert_eq!(price(product).await, Some(expected), "{product}");
        }
        for unknown in ["PROD-999", "prod-101", "PROD-10", "PROD-1011"] {
            assert_eq!(price(unknown).await, None, "{unknown}");
        }
    }

    fn on_sqlite(folder: &Folder) -> SqlPriceStore<SqliteClient> {
        SqlPriceStore::new(SqliteClient::new("price", folder.data(), Access::Read))
    }

    fn price(folder: &Folder, product: &str) -> Result<Option<ProductPrice>, StoreError> {
        block_on(on_sqlite(folder).price(&product.parse().unwrap(), &invocation()))
    }

    #[test]
    fn sqlite_gives_the_seeded_prices_with_every_digit() {
        let folder = seeded();
        block_on(gives_the_seeded_prices(&on_sqlite(&folder)));
        assert_eq!(price(&folder, "PROD-102").unwrap().unwrap().price.to_string(), "149.90");
    }

    /// Prices as ODPI-C writes what Oracle keeps of them: a NUMBER has no zeros at its end, and one before its point.
    struct Numbers;

    impl SqlStore for Numbers {
        async fn rows(&self, _: &Invocation, _: &'static str, query: Query) -> Result<Vec<Row>, StoreError> {
            let rows = [
                ("PROD-101", Some("99.99"), "USD"),
                ("PROD-102", Some("149.9"), "USD"),
                ("PROD-103", Some("0.1"), "EUR"),
                ("PROD-104", Some("1250"), "JPY"),
                ("PROD-105", Some("123456789.123456"), "USD"),
                ("TOO-LONG", Some("12345678901234567890123456789012345678"), "USD"),
                ("MINUS", Some("-0.01"), "USD"),
                ("NULL", None, "USD"),
            ];
            let row = rows.iter().find(|(product, ..)| *product == query.binds()[0].1);
            let texts = |(_, price, currency): &(&str, Option<&str>, &str)| {
                vec![price.map(str::to_owned), Some((*currency).to_owned())]
            };
            Ok(row.map(texts).into_iter().collect())
        }
    }

    #[test]
    fn numbers_of_oracle_are_the_seeded_prices_and_what_cannot_be_kept_exactly_is_malformed() {
        let store = SqlPriceStore::new(Numbers);
        block_on(gives_the_seeded_prices(&store));
        for product in ["TOO-LONG", "MINUS", "NULL"] {
            let price = block_on(store.price(&product.parse().unwrap(), &invocation()));
            assert!(matches!(price, Err(StoreError::Malformed { what: "price", .. })), "{product}");
        }
    }

    #[test]
    fn dynamodb_gives_the_seeded_prices() {
        let replay = Replay::of_items(tables("data"));
        let client = DynamoClient::new(replay.access(), Duration::from_secs(2), Arc::new(FixedClock)).unwrap();
        block_on(gives_the_seeded_prices(&DynamoPriceStore::new(client, "Data_dev".into())));
    }

    #[test]
    fn malformed_rows_and_missing_tables_are_told_apart() {
        let folder = seeded();
        let connection = rusqlite::Connection::open(folder.data()).unwrap();
        connection.execute_batch("UPDATE product_prices SET price = '9,99' WHERE product_id = 'PROD-101'").unwrap();
        assert!(matches!(price(&folder, "PROD-101"), Err(StoreError::Malformed { .. })));
        connection.execute_batch("DROP TABLE product_prices").unwrap();
        assert!(matches!(price(&folder, "PROD-101"), Err(StoreError::Unavailable { .. })));
        connection.execute_batch("CREATE TABLE product_prices (product_id, price, currency)").unwrap();
        connection.execute_batch("INSERT INTO product_prices VALUES ('PROD-101', '1.00', NULL)").unwrap();
        assert!(matches!(price(&folder, "PROD-101"), Err(StoreError::Malformed { .. })));
    }

    /// On a server that is there; without its variables this fails. One test, as a second would seed the same tables beside it.
    #[cfg(feature = "oracle-live")]
    #[test]
    fn oracle_gives_the_seeded_prices_in_a_tagged_session_and_refuses_a_wrong_password() {
        use common::testing::oracle_live;

        let names = ("price", "price-fetcher");
        let sql = oracle_live::seeded(names);
        let tags = "SELECT sys_context('USERENV', 'MODULE'), sys_context('USERENV', 'ACTION'), \
                    sys_context('USERENV', 'CLIENT_IDENTIFIER') FROM dual";
        let rows = block_on(sql.rows(&invocation(), "read the tags", Query::new(tags))).unwrap();
        assert_eq!(rows, [["price-fetcher", "read the tags", "r-1"].map(|tag| Some(tag.to_owned()))]);
        block_on(gives_the_seeded_prices(&SqlPriceStore::new(sql)));

        let refused = SqlPriceStore::new(oracle_live::with_password(names, "wrong"));
        let error = block_on(refused.price(&"PROD-101".parse().unwrap(), &invocation())).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.starts_with("ORACLE_CREDENTIALS (ORA-01017)"), "{cause}");
    }
}
