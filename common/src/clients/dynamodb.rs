//! DynamoDB: one operation, its retries and its time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::aws::{AwsClient, AwsError, Service};
use crate::types::{AwsAccess, Clock, StoreError};

/// How long one operation on a store may take, its retries included. A lookup is two of them, one after the other, and must be
/// answered before Lambda ends the function, which is declared to be after 5 seconds: then nobody would know what was recorded.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(2);

const DYNAMODB: Service = Service {
    name: "DynamoDB",
    signed_as: "dynamodb",
    target: "DynamoDB_20120810",
    content_type: "application/x-amz-json-1.0",
    // DynamoDB developer guide, "Error handling".
    passing: &["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"],
};

/// DynamoDB in one region, as one function's role.
#[derive(Clone)]
pub struct DynamoClient {
    aws: AwsClient,
}

impl DynamoClient {
    /// A client whose operations take as long as `limit` at most: [`OPERATION_TIMEOUT`] in a function. Connects to nothing yet.
    ///
    /// # Errors
    /// If the machine's certificates cannot be read; they are only where the endpoint needs them.
    pub fn new(access: AwsAccess, limit: Duration, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        Ok(Self { aws: AwsClient::new(&DYNAMODB, access, limit, clock)? })
    }

    /// Runs an operation, such as `PutItem`; in errors `action` says what it does ("read the price"), in which `store`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it is refused, or not answered in time.
    pub async fn run(
        &self,
        (store, action): (&'static str, &'static str),
        operation: &str,
        input: &Value,
    ) -> Result<Value, StoreError> {
        let answer = self.ask(operation, input).await;
        answer.map_err(|error| StoreError::Unavailable { action, store, source: error.into() })
    }

    /// Runs an operation whose refusal may be good news.
    pub(super) async fn ask(&self, operation: &str, input: &Value) -> Result<Value, AwsError> {
        self.aws.run(operation, input).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FixedClock, Replay, Reply, block_on};
    use serde_json::json;

    fn run(replay: &Replay, limit: Duration) -> Result<Value, String> {
        let client = DynamoClient::new(replay.access(), limit, Arc::new(FixedClock)).unwrap();
        let answer = block_on(client.run(("price", "read the price"), "GetItem", &json!({ "TableName": "t" })));
        answer.map_err(|error| {
            let cause = std::error::Error::source(&error).unwrap();
            format!("{error}: {cause}")
        })
    }

    #[test]
    fn a_request_is_signed_for_its_region_with_the_sessions_token() {
        let replay = Replay::new(|_, _| Reply::Json(json!({ "Item": 1 })));
        assert_eq!(run(&replay, OPERATION_TIMEOUT).unwrap(), json!({ "Item": 1 }));
        let asked = replay.asked().remove(0);
        assert_eq!((asked.operation.as_str(), asked.input), ("GetItem", json!({ "TableName": "t" })));
        let head = asked.head;
        assert!(
            head.contains("aws4-hmac-sha256 credential=akid/20260123/eu-central-1/dynamodb/aws4_request"),
            "{head}"
        );
        assert!(
            head.contains("signedheaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"),
            "{head}"
        );
        assert!(
            head.contains("x-amz-date: 20260123t120000z") && head.contains("x-amz-security-token: token"),
            "{head}"
        );
        assert!(!head.contains("hush"), "{head}");
    }

    #[test]
    fn what_passes_is_tried_three_times_and_what_does_not_once() {
        let unavailable = "cannot read the price in the price store: DynamoDB answers";
        for (status, name, attempts) in [
            (400, "ProvisionedThroughputExceededException", 3),
            (400, "ThrottlingException", 3),
            (500, "InternalServerError", 3),
            (400, "ResourceNotFoundException", 1),
            (400, "AccessDeniedException", 1),
            (400, "ConditionalCheckFailedException", 1),
        ] {
            let replay = Replay::new(move |_, _| Reply::Refuse(status, name));
            assert_eq!(run(&replay, OPERATION_TIMEOUT).unwrap_err(), format!("{unavailable} {status} {name}"));
            assert_eq!(replay.asked().len(), attempts, "{name}");
        }
        // A load balancer or proxy may answer anything at all.
        for body in ["[]", "\"Service Unavailable\"", "1", "true", "{}", "null", "<html>"] {
            let replay = Replay::new(move |_, _| Reply::Says(503, body));
            assert_eq!(
                run(&replay, OPERATION_TIMEOUT).unwrap_err(),
                format!("{unavailable} 503 without a reason"),
                "{body}"
            );
            assert_eq!(replay.asked().len(), 3, "{body}");
            let replay = Replay::new(move |_, _| Reply::Says(200, body));
            assert_eq!(run(&replay, OPERATION_TIMEOUT).is_ok(), body == "{}", "{body}");
        }
        let replay = Replay::new(|_, before| if before < 2 { Reply::Close } else { Reply::Json(json!({})) });
        assert_eq!(run(&replay, OPERATION_TIMEOUT).unwrap(), json!({}));
    }

    #[test]
    fn an_answer_that_does_not_come_is_not_waited_for() {
        let replay = Replay::new(|_, _| Reply::Hang);
        assert!(run(&replay, Duration::from_millis(100)).unwrap_err().ends_with("does not answer in time"));
        // Neither by waiting for the next attempt.
        let replay = Replay::new(|_, _| Reply::Refuse(500, "InternalServerError"));
        assert!(run(&replay, Duration::from_millis(100)).unwrap_err().ends_with("does not answer in time"));
    }

    #[test]
    fn a_lookup_ends_before_its_function_does() {
        let declared =
            include_str!("../../../release.toml").lines().filter_map(|line| line.strip_prefix("timeout_s = "));
        let declared: Vec<u64> = declared.map(|seconds| seconds.parse().unwrap()).collect();
        assert!(!declared.is_empty(), "no function says its time-out");
        assert!(declared.iter().all(|seconds| 2 * OPERATION_TIMEOUT < Duration::from_secs(*seconds)), "{declared:?}");
    }
}
