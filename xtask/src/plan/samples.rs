//! Sample events: what the services that call functions send, with nothing real in it. Sources: the Lambda developer guide,
//! the page of each service.

use serde_json::{Value, json};

use crate::{
    model::{smoke::EventForm, time::Time},
    plan::gateway::{self, Call, Gateway, Texts},
};

/// A service that calls functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// A REST API of API Gateway (payload format 1.0)
    ApigwV1,
    /// An HTTP API of API Gateway (payload format 2.0)
    ApigwV2,
    /// An Application Load Balancer
    Alb,
    /// A queue of SQS
    Sqs,
    /// A bucket of S3
    S3,
    /// A schedule of EventBridge
    Schedule,
}

/// What the event says, where its source has a place for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// GET, POST, …
    pub method: String,
    /// The path, with its leading slash.
    pub path: String,
    /// What follows the question mark.
    pub query: String,
    /// The body of a call or a message.
    pub body: String,
    /// When it happened.
    pub time: Time,
    /// The event's own id.
    pub id: String,
}

/// An event as a service sends it.
#[must_use]
pub fn event(source: Source, said: &Said) -> Value {
    match source {
        Source::ApigwV1 => call(EventForm::V1, said),
        Source::ApigwV2 => call(EventForm::V2, said),
        Source::Alb => json!({
            "requestContext": { "elb": { "targetGroupArn": arn("elasticloadbalancing", "targetgroup/sample/0000000000000000") } },
            "httpMethod": said.method, "path": said.path, "queryStringParameters": query(said),
            "headers": { "host": "sample.invalid", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https" },
            "body": said.body, "isBase64Encoded": false
        }),
        Source::Sqs => json!({ "Records": [{
            "messageId": said.id, "receiptHandle": "sample", "body": said.body,
            "attributes": {
                "ApproximateReceiveCount": "1", "SentTimestamp": said.time.timestamp().as_millisecond().to_string(),
                "SenderId": "sample", "ApproximateFirstReceiveTimestamp": said.time.timestamp().as_millisecond().to_string()
            },
            "messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": arn("sqs", "sample"),
            "awsRegion": REGION
        }] }),
        Source::S3 => json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": REGION, "eventTime": said.time,
            "eventName": "ObjectCreated:Put", "userIdentity": { "principalId": "sample" },
            "requestParameters": { "sourceIPAddress": "127.0.0.1" },
            "responseElements": { "x-amz-request-id": said.id },
            "s3": {
                "s3SchemaVersion": "1.0", "configurationId": "sample",
                "bucket": { "name": "sample", "ownerIdentity": { "principalId": "sample" }, "arn": "arn:aws:s3:::sample" },
                "object": {
                    "key": said.path.trim_start_matches('/'), "size": said.body.len(), "versionId": "sample",
                    "sequencer": "0"
                }
            }
        }] }),
        Source::Schedule => json!({
            "version": "0", "id": said.id, "detail-type": "Scheduled Event", "source": "aws.events", "account": ACCOUNT,
            "time": said.time, "region": REGION, "resources": [arn("events", "rule/sample")], "detail": {}
        }),
    }
}

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

fn query(said: &Said) -> Texts {
    form_urlencoded::parse(said.query.as_bytes()).into_owned().collect()
}

fn call(form: EventForm, said: &Said) -> Value {
    let headers = [("accept", "*/*"), ("content-type", "application/json"), ("host", "sample.invalid")];
    let call = Call {
        method: said.method.clone(),
        path: said.path.clone(),
        query: said.query.clone(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: said.body.clone().into_bytes(),
        source_ip: "127.0.0.1".to_owned(),
    };
    let route = format!("{} {}", said.method, said.path);
    let parameters = Texts::new();
    let gateway = Gateway {
        domain: "sample.invalid",
        resource: &said.path,
        route: &route,
        parameters: &parameters,
        request_id: &said.id,
        time: said.time,
    };
    gateway::event(form, &call, &gateway)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_says_what_it_is_told() {
        let said = Said {
            method: "POST".to_owned(),
            path: "/a/b".to_owned(),
            query: "id=1&x=%41".to_owned(),
            body: "{\"n\":1}".to_owned(),
            time: "2026-01-23T12:00:00Z".parse().unwrap(),
            id: "e-1".to_owned(),
        };
        for (source, pointer, expected) in [
            (Source::ApigwV1, "/queryStringParameters/x", "A"),
            (Source::ApigwV1, "/body", "{\"n\":1}"),
            (Source::ApigwV2, "/rawQueryString", "id=1&x=%41"),
            (Source::ApigwV2, "/requestContext/http/method", "POST"),
            (Source::Alb, "/queryStringParameters/x", "A"),
            (Source::Sqs, "/Records/0/body", "{\"n\":1}"),
            (Source::Sqs, "/Records/0/attributes/SentTimestamp", "1769169600000"),
            (Source::S3, "/Records/0/s3/object/key", "a/b"),
            (Source::S3, "/Records/0/eventTime", "2026-01-23T12:00:00.000Z"),
            (Source::Schedule, "/time", "2026-01-23T12:00:00.000Z"),
            (Source::Schedule, "/resources/0", "arn:aws:events:us-east-1:000000000000:rule/sample"),
        ] {
            let event = event(source, &said);
            assert_eq!(event.pointer(pointer), Some(&json!(expected)), "{source:?} {event:#}");
        }
    }
}
