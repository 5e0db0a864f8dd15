//! The audit trail in DynamoDB: the functions' table and its index by product and day, as `infra-local/tables/audit.json`
//! describes them. The index follows the table within a second or so: DynamoDB has no consistent read of one.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, error::ProvideErrorMetadata as _, types::AttributeValue};

use crate::{
    adapters::aws::errors::{CallError, why},
    model::trail::{Day, Look, Product, Row, Shard},
    ports::trail::{AuditTrail, TrailError},
};

/// The functions' indexes (`infra-local/tables/audit.json`).
const BY_PRODUCT: &str = "by_product_and_day";
const BY_DAY: &str = "by_day";

/// The items of one table.
pub struct DynamoTrail {
    client: Client,
    table: String,
}

impl DynamoTrail {
    /// The trail in this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// All items of an index with this partition key, in the order of its sort key.
    async fn items(
        &self,
        index: &str,
        key: &str,
        value: String,
    ) -> Result<Vec<HashMap<String, AttributeValue>>, TrailError> {
        let query = self.client.query().table_name(&self.table).index_name(index);
        let query = query.key_condition_expression("#key = :value").expression_attribute_names("#key", key);
        let query = query.expression_attribute_values(":value", AttributeValue::S(value));
        let items: Result<Vec<_>, _> = query.into_paginator().items().send().collect().await;
        items.map_err(|error| {
            let service = error.as_service_error();
            let code = service.and_then(|error| error.code()).unwrap_or_default();
            // A table without that index is refused in general terms.
            if code == "ResourceNotFoundException" || (code == "ValidationException" && why(&error).contains("index")) {
                return TrailError::Missing(format!(
                    "DynamoDB has no table {} with an index {index}: correct `audit.table` of the environment in \
                     release.toml, or have it made",
                    self.table
                ));
            }
            let what = format!("asking the table {}", self.table);
            TrailError::Unreachable { what, source: CallError::new(why(&error)).into() }
        })
    }
}

impl std::fmt::Debug for DynamoTrail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamoTrail").field("table", &self.table).finish_non_exhaustive()
    }
}

#[async_trait]
impl AuditTrail for DynamoTrail {
    async fn who(&self, product: &Product, day: Day) -> Result<Vec<Look>, TrailError> {
        self.items(BY_PRODUCT, "product_day", format!("{product}#{day}")).await?.iter().map(look).collect()
    }

    async fn rows(&self, day: Day, shard: Shard) -> Result<Vec<Row>, TrailError> {
        let items = self.items(BY_DAY, "day_shard", format!("{day}#{shard}")).await?;
        items.into_iter().map(whole).collect()
    }
}

/// All attributes as texts: the functions write texts and numbers only.
fn whole(item: HashMap<String, AttributeValue>) -> Result<Row, TrailError> {
    let text = |(name, value)| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => Ok((name, text)),
        _ => Err(TrailError::Strange(format!("its `{name}` is neither a text nor a number"))),
    };
    item.into_iter().map(text).collect()
}

fn look(item: &HashMap<String, AttributeValue>) -> Result<Look, TrailError> {
    let text = |name: &str| {
        let value = item.get(name).and_then(|value| value.as_s().ok());
        value.ok_or_else(|| TrailError::Strange(format!("it has no text `{name}`")))
    };
    let at = text("at")?.parse().map_err(|_error| TrailError::Strange("its `at` is no time".to_owned()))?;
    // Its keys may hold anything, personal data too.
    let user =
        text("pk")?.strip_prefix("USER#").ok_or_else(|| TrailError::Strange("its key is no user's".to_owned()))?;
    Ok(Look {
        at,
        user: user.to_owned(),
        action: text("action")?.clone(),
        status: text("status")?.clone(),
        purpose: text("purpose")?.clone(),
        request: text("request_id")?.clone(),
    })
}
