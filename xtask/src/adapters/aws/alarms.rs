//! What CloudWatch says of one environment: how its alarms stand, and how many requests a version got.

use async_trait::async_trait;
use aws_sdk_cloudwatch::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::DateTime,
    types::{AlarmType, Dimension, Metric, MetricDataQuery, MetricStat, StateValue, StatusCode},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::{
    adapters::aws::errors::{CallError, why},
    model::{
        names::{AlarmName, AliasName, FleetName},
        time::Time,
    },
    ports::{
        alarms::{Alarm, AlarmState, Alarms, AlarmsError},
        clock::Clock,
        fleet::FleetVersion,
    },
};

/// CloudWatch counts per minute.
const PERIOD_S: i32 = 60;

/// How often an answer that is not whole is asked for again.
const PAGES: u32 = 100;

/// The alarms and metrics of one environment.
pub struct CloudWatchAlarms {
    client: Client,
    clock: std::sync::Arc<dyn Clock>,
}

impl CloudWatchAlarms {
    /// What this client sees.
    #[must_use]
    pub fn new(client: Client, clock: std::sync::Arc<dyn Clock>) -> Self {
        Self { client, clock }
    }
}

impl std::fmt::Debug for CloudWatchAlarms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudWatchAlarms").finish_non_exhaustive()
    }
}

#[async_trait]
impl Alarms for CloudWatchAlarms {
    async fn alarm(&self, alarm: &AlarmName) -> Result<Alarm, AlarmsError> {
        let call = self.client.describe_alarms().alarm_names(alarm.as_str());
        // Without its kind only alarms of metrics are told, not those that are made of others.
        let call = call.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
        let told = call.send().await.map_err(|error| failed(format!("reading alarm `{alarm}`"), &error))?;
        let metric = told.metric_alarms().iter().map(|a| (a.alarm_name(), a.state_value(), a.state_reason()));
        let composite = told.composite_alarms().iter().map(|a| (a.alarm_name(), a.state_value(), a.state_reason()));
        let own = metric.chain(composite).find(|(name, ..)| *name == Some(alarm.as_str()));
        let Some((_, state, reason)) = own else { return Err(AlarmsError::NotFound(alarm.clone())) };
        let (state, name) = match state {
            Some(StateValue::Ok) => (AlarmState::Ok, "OK"),
            Some(StateValue::Alarm) => (AlarmState::Alarm, "ALARM"),
            _ => (AlarmState::InsufficientData, "INSUFFICIENT_DATA"),
        };
        let reason = reason.map(|reason| reason.split_whitespace().collect::<Vec<_>>().join(" "));
        let reason = reason.filter(|reason| !reason.is_empty()).unwrap_or_else(|| format!("it stands at {name}"));
        Ok(Alarm { state, reason })
    }

    async fn requests(
        &self,
        name: &FleetName,
        alias: &AliasName,
        version: FleetVersion,
        since: Time,
    ) -> Result<u64, AlarmsError> {
        let what = || format!("counting the requests of version {version} of `{name}`");
        // Whole minutes, as CloudWatch has no others: the first may have begun earlier, the last has not ended.
        let period = i64::from(PERIOD_S);
        let first = since.timestamp().as_second().div_euclid(period) * period;
        let last = (self.clock.now().timestamp().as_second().div_euclid(period) + 1) * period;
        let query = invocations(name, alias, version);
        let mut next: Option<String> = None;
        let mut requests = 0.0_f64;
        for _ in 0..PAGES {
            let call = self.client.get_metric_data().metric_data_queries(query.clone());
            let call =
                call.start_time(DateTime::from_secs(first)).end_time(DateTime::from_secs(last.max(first + period)));
            let page = call.set_next_token(next).send().await.map_err(|error| failed(what(), &error))?;
            for result in page.metric_data_results() {
                if matches!(result.status_code(), Some(StatusCode::InternalError | StatusCode::Forbidden)) {
                    let source = Box::new(CallError::new("CloudWatch has no whole answer"));
                    return Err(AlarmsError::Unreachable { what: what(), source });
                }
                requests += result.values().iter().sum::<f64>();
            }
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                // Sums of whole numbers, far below where a fraction could hide.
                return Ok(requests.round() as u64);
            }
        }
        let source = Box::new(CallError::new(format!("CloudWatch has more than {PAGES} pages")));
        Err(AlarmsError::Unreachable { what: what(), source })
    }
}

/// The metric of what an alias gave to a version. Lambda tells `ExecutedVersion` for calls of an alias with two versions.
fn invocations(name: &FleetName, alias: &AliasName, version: FleetVersion) -> MetricDataQuery {
    let dimension = |name: &str, value: String| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder().namespace("AWS/Lambda").metric_name("Invocations");
    let metric = metric.dimensions(dimension("FunctionName", name.to_string()));
    let metric = metric.dimensions(dimension("Resource", format!("{name}:{alias}")));
    let metric = metric.dimensions(dimension("ExecutedVersion", version.to_string())).build();
    let stat = MetricStat::builder().metric(metric).period(PERIOD_S).stat("Sum").build();
    MetricDataQuery::builder().id("requests").metric_stat(stat).return_data(true).build()
}

fn failed<E>(what: String, error: &SdkError<E, HttpResponse>) -> AlarmsError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    AlarmsError::Unreachable { what, source: Box::new(CallError::new(why(error))) }
}
