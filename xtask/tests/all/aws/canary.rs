//! A canary in AWS, by the real binary: aliases share their calls, CloudWatch counts and raises alarms. The emulator does
//! neither by itself, so requests are counted and the alarm is set by hand; that shares are honoured is the twin's.

use std::{
    process::{Child, Stdio},
    time::Duration,
};

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{ComparisonOperator, Dimension, MetricDatum, StateValue, Statistic},
};
use serde_json::Value;
use xtask::{adapters::local::clock::SystemClock, ports::clock::Clock as _};

use super::{pipeline::Cloud, sdk};
use crate::support::project::{FUNCTIONS, RELEASE, Ran};

/// A cloud whose dev has a canary of one step.
struct Watched {
    cloud: Cloud,
    alarm: String,
    lambda: aws_sdk_lambda::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
}

impl Watched {
    async fn new() -> Self {
        let cloud = Cloud::new().await;
        let config = sdk(&cloud.stack.endpoint());
        let (lambda, cloudwatch) = (aws_sdk_lambda::Client::new(&config), aws_sdk_cloudwatch::Client::new(&config));
        let alarm = format!("{}-errors", cloud.prefix);
        let rules = format!(
            "steps = [{{ weight = 25, bake = '6s' }}], min_requests = 5, wait_at_most = '1s', alarms = ['{alarm}']"
        );
        let path = cloud.project.root().join("release.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(RELEASE));
        let text = text.replacen("name = \"dev\"", &format!("name = \"dev\"\ncanary = {{ {rules} }}"), 1);
        cloud.project.repo().write("release.toml", &format!("{text}\n[profile.local.alarms.{alarm}]\n"));
        cloud.project.commit("build: a canary in dev");
        let made = cloudwatch.put_metric_alarm().alarm_name(&alarm).namespace("AWS/Lambda").metric_name("Errors");
        let made = made.statistic(Statistic::Sum).period(60).evaluation_periods(1).threshold(1.0);
        made.comparison_operator(ComparisonOperator::GreaterThanThreshold).send().await.unwrap();
        let watched = Self { cloud, alarm, lambda, cloudwatch };
        watched.set(StateValue::Ok, "calm").await;
        watched
    }

    async fn set(&self, state: StateValue, reason: &str) {
        let set = self.cloudwatch.set_alarm_state().alarm_name(&self.alarm).state_value(state).state_reason(reason);
        set.send().await.unwrap();
    }

    /// Counts requests of the versions that come next, for the minutes in which somebody may look.
    async fn called(&self) {
        let now = SystemClock.now().timestamp().as_second();
        for (function, version) in FUNCTIONS.into_iter().flat_map(|function| (2..9).map(move |next| (function, next))) {
            let name = self.name(function);
            let dimension = |name: &str, value: String| Dimension::builder().name(name).value(value).build();
            for minute in 0..4 {
                let datum = MetricDatum::builder().metric_name("Invocations").value(5.0);
                let datum = datum.timestamp(DateTime::from_secs(now + 60 * minute));
                let datum = datum.dimensions(dimension("FunctionName", name.clone()));
                let datum = datum.dimensions(dimension("ExecutedVersion", version.to_string()));
                let datum = datum.dimensions(dimension("Resource", format!("{name}:live"))).build();
                self.cloudwatch.put_metric_data().namespace("AWS/Lambda").metric_data(datum).send().await.unwrap();
            }
        }
    }

    fn name(&self, function: &str) -> String {
        format!("{}-{function}-dev", self.cloud.prefix)
    }

    /// Where live points of both functions, and the share that another version has.
    async fn live(&self) -> Vec<(String, Option<f64>)> {
        let mut live = Vec::new();
        for function in FUNCTIONS {
            let alias = self.lambda.get_alias().function_name(self.name(function)).name("live").send().await.unwrap();
            let shares = alias.routing_config().and_then(|routing| routing.additional_version_weights());
            let share = shares.and_then(|shares| shares.values().next().copied());
            live.push((alias.function_version().unwrap().to_owned(), share));
        }
        live
    }

    /// Begins a command, and waits until both aliases share their calls.
    async fn until_shared(&self, args: &[&str]) -> Child {
        let mut command = self.cloud.command(args);
        let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !self.live().await.iter().all(|(_, share)| *share == Some(0.25)) {
            if running.try_wait().unwrap().is_some() {
                panic!("it never shared: {:?}", Ran::of(running.wait_with_output().unwrap()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        running
    }

    fn cell(&self, release: usize) -> Value {
        let status = self.cloud.xtask(&["status", "--json"]).expect(0).json();
        status["releases"][release]["cells"][0].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_the_calls_proves_a_release_or_an_alarm_kills_it() {
    let watched = Watched::new().await;
    let cloud = &watched.cloud;
    cloud.xtask(&["release"]).expect(0);
    let first = watched.live().await;
    assert!(first.iter().all(|(_, share)| share.is_none()));

    // Nobody calls the new versions: nothing is known of them, and nothing of them stays.
    FUNCTIONS.iter().for_each(|function| cloud.project.improve(function, "second"));
    cloud.project.commit("fix: second");
    cloud.xtask(&["release"]).expect(8).says("got 0 of 5 requests");
    assert_eq!(watched.live().await, first);
    assert_ne!(watched.cell(0), "dead");

    watched.called().await;
    let passes = watched.until_shared(&["release"]).await;
    Ran::of(passes.wait_with_output().unwrap()).expect(0);
    let second = watched.live().await;
    assert!(second.iter().zip(&first).all(|(now, then)| now.0 != then.0 && now.1.is_none()), "{second:?}");
    assert_eq!(watched.cell(0), "live");

    FUNCTIONS.iter().for_each(|function| cloud.project.improve(function, "third"));
    cloud.project.commit("fix: third");
    let dies = watched.until_shared(&["release"]).await;
    watched.set(StateValue::Alarm, "customers call").await;
    let died = Ran::of(dies.wait_with_output().unwrap()).expect(6);
    died.says(&format!("alarm `{}` is raised: customers call", watched.alarm));
    assert_eq!(watched.live().await, second, "everything is back, and nothing is shared");
    assert_eq!(watched.cell(0), "dead");
    cloud.xtask(&["verify", "--env", "dev"]).expect(0);
    cloud.xtask(&["audit", "verify"]).expect(0);
}
