//! What everything that watches must do, written once over the port. An adapter joins by a [`World`] and one line of
//! [`conformance!`].

use std::time::Duration;

use async_trait::async_trait;
use xtask::{
    model::{
        names::{AlarmName, AliasName, FleetName},
        time::Time,
    },
    ports::{
        alarms::{AlarmState, Alarms, AlarmsError},
        fleet::FleetVersion,
    },
};

/// One function with versions 1 and 2, and an alarm that is raised when half of a version's calls of the last five minutes
/// failed.
#[async_trait]
pub(crate) trait World: Send + Sync {
    /// What watches.
    fn alarms(&self) -> &dyn Alarms;

    /// That alarm.
    fn alarm(&self) -> AlarmName;

    /// The function.
    fn name(&self) -> FleetName;

    /// The alias that is watched.
    fn alias(&self) -> AliasName;

    /// What time it is.
    fn now(&self) -> Time;

    /// Lets time pass.
    async fn pass(&self, time: Duration);

    /// Calls a version through the alias, to succeed or to fail.
    async fn call(&self, version: FleetVersion, fails: bool);

    /// Calls a version by its number.
    async fn call_directly(&self, version: FleetVersion);
}

macro_rules! conformance {
    ($adapter:ident, $world:expr) => {
        mod $adapter {
            $crate::alarms::conformance::conformance!(@rules $world; without_calls_nothing_is_known, too_many_errors_raise_it,
                errors_are_counted_by_version, what_is_past_counts_no_more, requests_count_by_version_and_time,
                an_unknown_alarm_is_an_error);
        }
    };
    (@rules $world:expr; $($rule:ident),*) => {
        $(
            #[tokio::test]
            async fn $rule() {
                $crate::alarms::conformance::$rule(&$world.await).await;
            }
        )*
    };
}
pub(crate) use conformance;

const ONE: FleetVersion = FleetVersion(1);
const TWO: FleetVersion = FleetVersion(2);
const MINUTE: Duration = Duration::from_secs(60);

async fn state(world: &dyn World) -> AlarmState {
    let alarm = world.alarms().alarm(&world.alarm()).await.unwrap();
    assert!(!alarm.reason.is_empty());
    alarm.state
}

pub(crate) async fn without_calls_nothing_is_known(world: &dyn World) {
    assert_eq!(state(world).await, AlarmState::InsufficientData);
    world.call(ONE, false).await;
    assert_eq!(state(world).await, AlarmState::Ok);
}

pub(crate) async fn too_many_errors_raise_it(world: &dyn World) {
    for _ in 0..3 {
        world.call(ONE, false).await;
    }
    for _ in 0..2 {
        world.call(ONE, true).await;
    }
    assert_eq!(state(world).await, AlarmState::Ok, "2 of 5");
    world.call(ONE, true).await;
    assert_eq!(state(world).await, AlarmState::Alarm, "3 of 6");
}

pub(crate) async fn errors_are_counted_by_version(world: &dyn World) {
    for _ in 0..9 {
        world.call(ONE, false).await;
    }
    world.call(TWO, true).await;
    assert_eq!(state(world).await, AlarmState::Alarm, "all calls of version 2, one in ten of all");
}

pub(crate) async fn what_is_past_counts_no_more(world: &dyn World) {
    world.call(ONE, true).await;
    world.pass(4 * MINUTE).await;
    assert_eq!(state(world).await, AlarmState::Alarm);
    world.pass(2 * MINUTE).await;
    assert_eq!(state(world).await, AlarmState::InsufficientData);
}

pub(crate) async fn requests_count_by_version_and_time(world: &dyn World) {
    let (watch, name, alias) = (world.alarms(), world.name(), world.alias());
    let began = world.now();
    let got = async |version, since| watch.requests(&name, &alias, version, since).await.unwrap();
    assert_eq!(got(ONE, began).await, 0);
    world.call(ONE, false).await;
    world.call(TWO, false).await;
    world.call(TWO, true).await;
    world.call_directly(ONE).await;
    assert_eq!((got(ONE, began).await, got(TWO, began).await), (1, 2), "calls past the alias are nobody's requests");
    world.pass(2 * MINUTE).await;
    let later = world.now();
    assert_eq!(got(TWO, later).await, 0);
    world.call(TWO, false).await;
    assert_eq!((got(TWO, later).await, got(TWO, began).await), (1, 3));
    let other = watch.requests(&name, &"other".parse().unwrap(), TWO, began).await.unwrap();
    assert_eq!(other, 0);
}

pub(crate) async fn an_unknown_alarm_is_an_error(world: &dyn World) {
    let unknown = "no-such-alarm".parse().unwrap();
    let result = world.alarms().alarm(&unknown).await;
    assert!(matches!(&result, Err(AlarmsError::NotFound(name)) if *name == unknown), "{result:?}");
}
