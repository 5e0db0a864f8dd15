//! The alarms of this machine: the port's rules, and what is raised by hand.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use async_trait::async_trait;
use camino::Utf8Path;
use serde_json::json;
use tempfile::TempDir;
use xtask::{
    adapters::local::{
        alarms::{LocalAlarms, Setup, Threshold},
        fleet::{LocalFleet, Setup as FleetSetup},
        places::Places,
    },
    model::{
        digest::Digest,
        names::{AlarmName, AliasName, FleetName},
        time::Time,
    },
    ports::{
        alarms::{AlarmState, Alarms},
        clock::Clock,
        fleet::{AliasTarget, CodeSource, Fleet, FleetVersion, Qualifier},
    },
};

use super::conformance::{self, World};
use crate::{
    fleet::{bootstrap, conformance::configuration},
    support::world::Hand,
};

conformance::conformance!(counted, crate::alarms::local::Watched::new());

/// A function with two versions in a temporary folder, and what watches it.
struct Watched {
    fleet: LocalFleet,
    alarms: LocalAlarms,
    clock: Arc<Hand>,
    home: TempDir,
}

impl Watched {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(home.path()).unwrap();
        let clock = Hand::new();
        let fleet = LocalFleet::new(FleetSetup {
            root: root.join("fleet"),
            vault: root.join("vault"),
            places: Places { local: root.to_owned(), ..Places::default() },
            variables: BTreeMap::new(),
            settle: Duration::ZERO,
            quota: None,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        });
        let period = "5m".parse().unwrap();
        let alarms = LocalAlarms::new(Setup {
            fleet: root.join("fleet"),
            by_hand: root.join("alarms/dev"),
            functions: vec![name()],
            alias: alias(),
            alarms: [
                ("errors".parse().unwrap(), Some(Threshold { errors_percent: 50, period })),
                ("pager".parse().unwrap(), None),
            ]
            .into(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        });
        let watched = Self { fleet, alarms, clock, home };
        watched.publish("one").await;
        watched.publish("two").await;
        watched
    }

    async fn publish(&self, answer: &str) {
        let zip = bootstrap::function(&json!({ "answer": answer }));
        let (digest, key) = (Digest::of(&zip), format!("v1.0.0/{answer}.zip"));
        let vault = self.home.path().join("vault/v1.0.0");
        fs::create_dir_all(&vault).unwrap();
        fs::write(vault.join(format!("{answer}.zip")), &zip).unwrap();
        let code = CodeSource {
            key: key.parse().unwrap(),
            object_version: None,
            digest,
            architecture: configuration().architecture,
        };
        let state = match self.fleet.function(&name()).await.unwrap() {
            None => self.fleet.create(&name(), &code, &configuration()).await.unwrap(),
            Some(state) => self.fleet.update_code(&name(), &code, &state.revision, false).await.unwrap(),
        };
        let state = self.fleet.function(&name()).await.unwrap().unwrap_or(state);
        self.fleet.publish(&name(), &digest, &state.revision, "").await.unwrap();
    }
}

fn name() -> FleetName {
    "watched".parse().unwrap()
}

fn alias() -> AliasName {
    "live".parse().unwrap()
}

#[async_trait]
impl World for Watched {
    fn alarms(&self) -> &dyn Alarms {
        &self.alarms
    }

    fn alarm(&self) -> AlarmName {
        "errors".parse().unwrap()
    }

    fn name(&self) -> FleetName {
        name()
    }

    fn alias(&self) -> AliasName {
        alias()
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    async fn pass(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    async fn call(&self, version: FleetVersion, fails: bool) {
        let target = AliasTarget { version, canary: None, description: String::new() };
        match self.fleet.alias(&name(), &alias()).await.unwrap() {
            None => self.fleet.create_alias(&name(), &alias(), &target).await.unwrap(),
            Some(now) => self.fleet.update_alias(&name(), &alias(), &target, &now.revision).await.unwrap(),
        };
        let event = if fails { json!({ "behaviour": { "mode": "error" } }) } else { json!({}) };
        let answer =
            self.fleet.invoke(&name(), &Qualifier::Alias(alias()), event.to_string().as_bytes()).await.unwrap();
        assert_eq!((answer.executed, answer.function_error.is_some()), (version, fails));
    }

    async fn call_directly(&self, version: FleetVersion) {
        self.fleet.invoke(&name(), &Qualifier::Version(version), b"{}").await.unwrap();
    }
}

#[tokio::test]
async fn anybody_raises_an_alarm_by_hand() {
    let watched = Watched::new().await;
    let pager: AlarmName = "pager".parse().unwrap();
    let told = async |alarm: &AlarmName| {
        let alarm = watched.alarms.alarm(alarm).await.unwrap();
        (alarm.state, alarm.reason)
    };
    assert_eq!(told(&pager).await.0, AlarmState::Ok, "nothing but a hand raises it");
    let folder = watched.home.path().join("alarms/dev");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("pager"), "\n customers call \n").unwrap();
    assert_eq!(told(&pager).await, (AlarmState::Alarm, "raised by hand: customers call".to_owned()));
    fs::write(folder.join("errors"), "").unwrap();
    assert_eq!(told(&watched.alarm()).await, (AlarmState::Alarm, "raised by hand".to_owned()));
    fs::remove_file(folder.join("pager")).unwrap();
    assert_eq!(told(&pager).await.0, AlarmState::Ok);
}

#[tokio::test]
async fn a_damaged_count_is_named() {
    let watched = Watched::new().await;
    watched.call(FleetVersion(1), false).await;
    let file = watched.home.path().join("fleet/watched/served/live.txt");
    fs::write(&file, "yesterday 1 ok\n").unwrap();
    let error = watched.alarms.alarm(&watched.alarm()).await.unwrap_err();
    let text = format!("{:#}", anyhow::Error::from(error));
    assert!(text.contains("served/live.txt: `yesterday 1 ok` is no call"), "{text}");
}
