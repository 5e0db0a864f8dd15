//! The audit table in DynamoDB. Nothing here can change or take away an item: a put is refused where its key is taken, and
//! the function's role must not allow more than `dynamodb:PutItem`. Items and index: `infra-local/tables/audit.json`.

use serde_json::{Map, Value, json};

use crate::clients::DynamoClient;
use crate::models::AuditItem;
use crate::types::{AuditStore, StoreError};

/// Appends audit items to one table.
pub struct DynamoAuditStore {
    client: DynamoClient,
    table: String,
}

impl DynamoAuditStore {
    /// The audit store in this table.
    pub fn new(client: DynamoClient, table: String) -> Self {
        Self { client, table }
    }
}

impl AuditStore for DynamoAuditStore {
    async fn append(&self, item: &AuditItem) -> Result<(), StoreError> {
        let put = json!({
            "TableName": self.table,
            "Item": attributes(item),
            "ConditionExpression": "attribute_not_exists(pk)",
            // What is there comes back with a refusal; that needs no right to read.
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        match self.client.ask("PutItem", &put).await {
            Ok(_empty) => Ok(()),
            // An attempt whose answer was lost has written it.
            Err(error) if error.is_taken_by(&put["Item"]) => Ok(()),
            Err(error) => {
                Err(StoreError::Unavailable { action: "append an item", store: "audit", source: error.into() })
            }
        }
    }
}

/// The item as it lies in the table.
///
/// | attribute | type | is |
/// | --- | --- | --- |
/// | `pk` | S | `USER#<user id>`, the partition key |
/// | `sk` | S | `AUDIT#<time>#<version 7 UUID>`, the sort key |
/// | `at` | S | the time, RFC 3339 in UTC with milliseconds: the index's sort key |
/// | `product_day` | S | `<product>#<UTC day>`, the index's partition key; only items about a product have it |
/// | `day_shard` | S | `<UTC day>#<last digit of the UUID>`, the partition key of the index that the archive is read by: sixteen for each day, as one would take a thousand writes a second and no more |
/// | `action`, `status`, `purpose`, `environment`, `request_id`, `correlation_id` | S | as in the model |
/// | `product`, `configuration_key` | S | what was looked at; one of them |
/// | `expires_at` | N | the second since 1970-01-01 UTC after which the item may go: the table's time to live |
fn attributes(item: &AuditItem) -> Map<String, Value> {
    let (lookup, at) = (&item.lookup, format!("{:.3}", item.at));
    let day = at.split('T').next().unwrap_or_default();
    let product_day = lookup.subject.product().map(|product| format!("{product}#{day}"));
    let texts = [
        ("pk", Some(item.expose_pk())),
        ("sk", Some(item.sk())),
        ("product_day", product_day),
        ("day_shard", Some(format!("{day}#{}", item.shard()))),
        ("action", Some(lookup.action.as_str().to_owned())),
        ("status", Some(item.status.as_str().to_owned())),
        ("purpose", Some(lookup.user.purpose().as_str().to_owned())),
        ("product", lookup.subject.product().map(str::to_owned)),
        ("configuration_key", lookup.subject.configuration_key().map(str::to_owned)),
        ("environment", Some(item.environment.to_string())),
        ("request_id", Some(lookup.request_id.as_str().to_owned())),
        ("correlation_id", Some(lookup.correlation_id.as_str().to_owned())),
        ("at", Some(at)),
    ];
    let given = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!({ "S": text? }))));
    // Numbers travel as texts, so that none loses a digit.
    given.chain([("expires_at".to_owned(), json!({ "N": item.expires.to_string() }))]).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::models::{Action, Status, Subject};
    use crate::testing::{ALICE, FixedClock, Replay, Reply, block_on, conformance, lookup};

    /// What comes of an append to a table whose key is taken by what `there` makes of the item.
    fn appended(there: impl Fn(Value) -> Value + Send + 'static) -> (Result<(), StoreError>, usize) {
        let replay = Replay::with(move |_, before, input| match before {
            // It was written, and the answer is lost.
            0 => Reply::Close,
            _ => Reply::Taken(there(input["Item"].clone())),
        });
        let client = DynamoClient::new(replay.access(), Duration::from_secs(2), Arc::new(FixedClock)).unwrap();
        let written = block_on(DynamoAuditStore::new(client, "Audit".into()).append(&conformance::item(ALICE)));
        (written, replay.asked().len())
    }

    #[test]
    fn an_item_whose_answer_was_lost_is_there_and_another_one_is_not_ours() {
        let (written, asked) = appended(|own| own);
        assert!(written.is_ok() && asked == 2, "{written:?}");
        let (refused, asked) = appended(|mut other| {
            other["status"] = json!({ "S": "ERROR" });
            other
        });
        assert_eq!(asked, 2);
        let shown = format!("{:?}", refused.unwrap_err());
        assert!(shown.contains("ConditionalCheckFailedException") && !shown.contains("550e"), "{shown}");
        let (refused, _) = appended(|_| Value::Null);
        assert!(refused.is_err(), "nobody says what is there");
    }

    fn item(subject: Subject) -> Map<String, Value> {
        let lookup = lookup(Action::PriceFetch, ALICE, subject);
        let at = "2026-01-23T23:59:59.9999Z".parse().unwrap();
        attributes(&AuditItem::new(lookup, Status::Success, at, &"prod".parse().unwrap()))
    }

    #[test]
    fn an_item_about_a_product_is_found_by_product_and_day() {
        let item = item(Subject::Product("PROD-101".parse().unwrap()));
        assert_eq!(
            (&item["product_day"]["S"], &item["at"]["S"]),
            (&json!("PROD-101#2026-01-23"), &json!("2026-01-23T23:59:59.999Z"))
        );
        assert_eq!(item["pk"]["S"], format!("USER#{ALICE}"));
        // Six years, in seconds.
        assert_eq!(item["expires_at"], json!({ "N": (1_769_212_799_i64 + 2192 * 86_400).to_string() }));
        assert!(!item.contains_key("configuration_key"));
        // What an archive needs once the item is no longer in its table.
        for (name, text) in
            [("environment", "prod"), ("status", "SUCCESS"), ("action", "PRICE_FETCH"), ("purpose", "USER")]
        {
            assert_eq!(item[name]["S"], text, "{name}");
        }
        assert_eq!((&item["request_id"]["S"], &item["correlation_id"]["S"]), (&json!("r-1"), &json!("r-1")));
    }

    #[test]
    fn an_item_about_the_configuration_is_not_in_the_index() {
        let item = item(Subject::Configuration(None));
        assert_eq!(item["configuration_key"]["S"], "*");
        assert!(!item.contains_key("product_day") && !item.contains_key("product"));
    }
}
