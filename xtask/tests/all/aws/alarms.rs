//! Alarms and requests as CloudWatch tells them. MiniStack does not raise alarms by itself, so they are set by hand.

use aws_sdk_cloudwatch::{
    Client,
    primitives::DateTime,
    types::{ComparisonOperator, Dimension, MetricDatum, StateValue, Statistic},
};
use xtask::{
    adapters::aws::CloudWatchAlarms,
    ports::{
        alarms::{AlarmState, Alarms, AlarmsError},
        clock::Clock,
        fleet::FleetVersion,
    },
};

use super::{Hand, NOW, OPEN, recorded, recorded::Recorded, recorded::answer, sdk};

#[tokio::test]
async fn an_alarm_stands_as_cloudwatch_says() {
    let stack = OPEN.join();
    let client = Client::new(&sdk(&stack.endpoint()));
    let name = format!("errors-{}", uuid::Uuid::now_v7().simple());
    let watch = CloudWatchAlarms::new(client.clone(), Hand::at(NOW));
    let alarm = name.parse().unwrap();
    let missing = watch.alarm(&alarm).await;
    assert!(matches!(&missing, Err(AlarmsError::NotFound(found)) if *found == alarm), "{missing:?}");
    let made = client.put_metric_alarm().alarm_name(&name).namespace("AWS/Lambda").metric_name("Errors");
    let made = made.statistic(Statistic::Sum).period(60).evaluation_periods(1).threshold(1.0);
    made.comparison_operator(ComparisonOperator::GreaterThanThreshold).send().await.unwrap();
    assert_eq!(watch.alarm(&alarm).await.unwrap().state, AlarmState::InsufficientData);
    for (state, expected) in [(StateValue::Alarm, AlarmState::Alarm), (StateValue::Ok, AlarmState::Ok)] {
        let set = client.set_alarm_state().alarm_name(&name).state_value(state).state_reason("by\nhand");
        set.send().await.unwrap();
        let told = watch.alarm(&alarm).await.unwrap();
        assert_eq!((told.state, told.reason.as_str()), (expected, "by hand"));
    }
}

#[tokio::test]
async fn requests_are_counted_by_alias_version_and_minute() {
    let stack = OPEN.join();
    let client = Client::new(&sdk(&stack.endpoint()));
    let name = format!("f-{}", uuid::Uuid::now_v7().simple());
    // Twelve o'clock; what is older than its minute does not count.
    let clock = Hand::at(NOW);
    let noon = clock.now().timestamp().as_second();
    for (alias, version, at, calls) in [
        ("live", "2", -61, 7.0),
        ("live", "2", 5, 3.0),
        ("live", "2", 30, 2.0),
        ("live", "1", 5, 11.0),
        ("other", "2", 5, 13.0),
    ] {
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let datum =
            MetricDatum::builder().metric_name("Invocations").value(calls).timestamp(DateTime::from_secs(noon + at));
        let datum =
            datum.dimensions(dimension("FunctionName", &name)).dimensions(dimension("ExecutedVersion", version));
        let datum = datum.dimensions(dimension("Resource", &format!("{name}:{alias}"))).build();
        client.put_metric_data().namespace("AWS/Lambda").metric_data(datum).send().await.unwrap();
    }
    let watch = CloudWatchAlarms::new(client, clock.clone());
    let got = watch.requests(&name.parse().unwrap(), &"live".parse().unwrap(), FleetVersion(2), clock.now()).await;
    assert_eq!(got.unwrap(), 5);
    let none = watch.requests(&"f-none".parse().unwrap(), &"live".parse().unwrap(), FleetVersion(2), clock.now()).await;
    assert_eq!(none.unwrap(), 0);
}

#[tokio::test]
async fn what_cannot_be_asked_is_no_answer() {
    let denied = r#"{"__type":"AccessDeniedException","message":"not you"}"#;
    let headers = [("x-amzn-errortype", "AccessDeniedException"), ("content-type", "application/json")];
    let answers = Recorded::new(vec![answer(403, &headers, denied), answer(403, &headers, denied)]);
    let watch = CloudWatchAlarms::new(Client::new(&recorded(&answers)), Hand::at(NOW));
    let told = watch.alarm(&"errors".parse().unwrap()).await;
    assert!(matches!(told, Err(AlarmsError::Unreachable { .. })), "{told:?}");
    let (name, live, now) = ("f".parse().unwrap(), "live".parse().unwrap(), Hand::at(NOW).now());
    let counted = watch.requests(&name, &live, FleetVersion(1), now).await;
    assert!(matches!(counted, Err(AlarmsError::Unreachable { .. })), "{counted:?}");
}
