//! The audit trail in DynamoDB: the functions' table and its index by product and day, as `infra-local/tables/audit.json`
//! describes them. The index follows the table within a second or so: DynamoDB has no consistent read of one.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::AttributeValue};

use crate::{
    adapters::aws::errors::{CallError, why},
    model::trail::{Day, Look, Product},
    ports::trail::{AuditTrail, TrailError},
};

/// The functions' index (`infra-local/tables/audit.json`).
const INDEX: &str = "by_product_and_day";

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
}

impl std::fmt::Debug for DynamoTrail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamoTrail").field("table", &self.table).finish_non_exhaustive()
    }
}

#[async_trait]
impl AuditTrail for DynamoTrail {
    async fn who(&self, product: &Product, day: Day) -> Result<Vec<Look>, TrailError> {
        let query = self.client.query().table_name(&self.table).index_name(INDEX);
        let query = query.key_condition_expression("product_day = :product_day");
        let query = query.expression_attribute_values(":product_day", AttributeValue::S(format!("{product}#{day}")));
        let mut pages = query.into_paginator().items().send();
        let mut looks = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| {
                let missing = error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception());
                if missing {
                    return TrailError::Missing(format!(
                        "DynamoDB has no table {} with an index {INDEX}: correct `audit.table` of the environment in \
                         release.toml, or have it made",
                        self.table
                    ));
                }
                let what = format!("asking the table {}", self.table);
                TrailError::Unreachable { what, source: CallError::new(why(&error)).into() }
            })?;
            looks.push(look(&item)?);
        }
        Ok(looks)
    }
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
