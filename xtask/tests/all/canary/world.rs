//! A project whose dev has a canary, a second release waiting at it, and the weather that it meets there.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;
use xtask::{
    context::Context,
    engine::{audit, ledger, policy},
    model::{
        entry::{ChainName, Event as _},
        environment::EnvironmentEvent,
        names::{AlarmName, AliasName, EnvName, FleetName},
        policy::PolicyEvent,
        time::Time,
        version::Version,
    },
    ports::{
        alarms::{Alarm, AlarmState, Alarms, AlarmsError},
        clock::Clock as _,
        fleet::FleetVersion,
    },
};

use crate::support::{
    faults::{Fate, How},
    project::{FUNCTIONS, Project, RELEASE},
    world::{Hand, promote_to, seal},
};

/// What the new versions meet. Times count from when a promotion of the second release may begin.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Weather {
    /// Ten requests a minute, no alarm.
    Fine,
    /// No requests.
    Quiet,
    /// An alarm that has no data.
    Silent,
    /// An alarm from then on.
    AlarmAfter(Duration),
    /// Nothing can be asked until then.
    DeafUntil(Duration),
    /// An emergency stop from then on.
    StopAfter(Duration),
}

/// The project, and what its second release meets in dev.
pub(crate) struct Street {
    pub(crate) project: Project,
    pub(crate) clock: Arc<Hand>,
    pub(crate) dev: EnvName,
    pub(crate) second: Version,
    watch: Arc<Watch>,
}

impl Street {
    /// The first release is live in dev, the second is sealed.
    pub(crate) async fn with_second_release(weather: Weather) -> Self {
        let steps = "steps = [{ weight = 10, bake = '5m' }, { weight = 50, bake = '10m' }]";
        let canary = format!("{steps}, min_requests = 5, wait_at_most = '30m', alarms = ['errors']");
        let project = with_canary(&canary, "errors_percent = 50");
        let (clock, dev) = (Hand::new(), "dev".parse::<EnvName>().unwrap());
        let context = project.context_at(&clock, None);
        let first = seal(&context).await.unwrap().release;
        promote_to(&context, &dev, first).await.unwrap();
        assert_eq!(clock.now(), Hand::new().now(), "nothing was live, so there was nobody to share calls with");
        FUNCTIONS.iter().for_each(|function| project.improve(function, "second"));
        project.commit("feat: second");
        let second = seal(&context).await.unwrap().release;
        let watch = Watch {
            weather: Mutex::new(weather),
            began: clock.now(),
            clock: Arc::clone(&clock),
            behind: context,
            seen: Mutex::default(),
        };
        Self { project, clock, dev, second, watch: Arc::new(watch) }
    }

    /// What a fresh process sees.
    pub(crate) fn context(&self) -> Context {
        let context = self.project.context_at(&self.clock, None);
        let alarms = [(self.dev.clone(), Arc::clone(&self.watch) as Arc<dyn Alarms>)];
        Context { alarms: alarms.into(), ..context }
    }

    /// What `promote --to dev` does.
    pub(crate) async fn promote(&self) -> anyhow::Result<()> {
        promote_to(&self.context(), &self.dev, self.second).await
    }

    /// Promotes, and kills the process after the call of this description.
    pub(crate) async fn killed_after(&self, what: &str) {
        let (fate, local) = (Fate::new(How::Undisturbed, 0), self.project.local());
        let (beginning, clock) = (crate::support::project::tree(local), self.clock.now());
        promote_to(&fate.over(self.context()), &self.dev, self.second).await.unwrap();
        crate::support::project::put_back(local, &beginning);
        self.clock.set(clock);
        let fate = Fate::new(How::KilledAfter, fate.place(what));
        promote_to(&fate.over(self.context()), &self.dev, self.second).await.unwrap_err();
    }

    /// Other weather from now on.
    pub(crate) fn turn(&self, weather: Weather) {
        *self.watch.weather.lock().unwrap() = weather;
    }

    /// The share of the calls of alpha's and of beta's new version at every look at the alarm, in thousandths; equal
    /// neighbours once.
    pub(crate) fn seen(&self) -> Vec<(Option<u64>, Option<u64>)> {
        let mut seen = self.watch.seen.lock().unwrap().clone();
        seen.dedup();
        seen
    }

    /// Forgets what was seen so far.
    pub(crate) fn forget(&self) {
        self.watch.seen.lock().unwrap().clear();
    }

    /// What happened in dev, in order.
    pub(crate) async fn kinds(&self) -> Vec<String> {
        let (context, chain) = (self.context(), ChainName::Environment(self.dev.clone()));
        let head = ledger::head::<EnvironmentEvent>(&context, &chain).await.unwrap().unwrap();
        let mut kinds = Vec::new();
        for number in 1..=head.entry.number {
            let entry = ledger::entry::<EnvironmentEvent>(&context, &chain, number).await.unwrap().entry;
            kinds.push(entry.event.kind().to_owned());
        }
        kinds
    }

    /// Every alias points to this version, with all calls; the environment is free, and tells of the same version.
    #[track_caller]
    pub(crate) fn is_live(&self, version: u64) -> impl Future<Output = ()> {
        for function in FUNCTIONS {
            let alias = alias(&self.project, function);
            assert_eq!((&alias["target"]["version"], &alias["target"]["canary"]), (&version.into(), &Value::Null));
        }
        async move {
            let chain = ChainName::Environment(self.dev.clone());
            let head = ledger::head::<EnvironmentEvent>(&self.context(), &chain).await.unwrap().unwrap();
            let state = head.entry.state;
            assert!(state.holder.is_none() && state.canary.is_none(), "{state:?}");
            let live = state.live.unwrap();
            assert!(live.functions.values().all(|deployed| deployed.version.0 == version), "{live:?}");
        }
    }

    /// The whole ledger follows from its events.
    pub(crate) async fn is_sound(&self) {
        let findings = audit::run(&self.context()).await.unwrap().findings;
        assert!(findings.is_empty(), "{findings:?}");
    }
}

/// A project with this canary in dev, and this alarm `errors`.
pub(crate) fn with_canary(canary: &str, errors: &str) -> Project {
    let project = Project::new();
    let text = RELEASE.replacen("name = \"dev\"", &format!("name = \"dev\"\ncanary = {{ {canary} }}"), 1);
    project.repo().write("release.toml", &format!("{text}\n[profile.local.alarms.errors]\n{errors}\n"));
    project.commit("chore: canary in dev");
    project
}

fn alias(project: &Project, function: &str) -> Value {
    let file = project.local().join(format!("fleet/{function}-dev/aliases/live.json"));
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// Watches as the weather says.
struct Watch {
    weather: Mutex<Weather>,
    began: Time,
    clock: Arc<Hand>,
    behind: Context,
    seen: Mutex<Vec<(Option<u64>, Option<u64>)>>,
}

impl Watch {
    fn weather(&self) -> (Weather, Duration) {
        (*self.weather.lock().unwrap(), self.clock.now().since(self.began))
    }
}

fn deaf() -> AlarmsError {
    AlarmsError::Unreachable { what: "a call".to_owned(), source: Box::new(std::io::Error::other("a storm")) }
}

#[async_trait]
impl Alarms for Watch {
    async fn alarm(&self, alarm: &AlarmName) -> Result<Alarm, AlarmsError> {
        assert_eq!(alarm.as_str(), "errors");
        let share = |function: &str| {
            let file = self.behind.local.join(format!("fleet/{function}-dev/aliases/live.json"));
            let alias: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            alias["target"]["canary"][1].as_u64()
        };
        self.seen.lock().unwrap().push((share("alpha"), share("beta")));
        let (state, reason) = match self.weather() {
            (Weather::DeafUntil(time), now) if now < time => return Err(deaf()),
            (Weather::Silent, _) => (AlarmState::InsufficientData, "no data"),
            (Weather::AlarmAfter(time), now) if now >= time => (AlarmState::Alarm, "5 of 9 calls failed"),
            (Weather::StopAfter(time), now) if now >= time && now < time + Duration::from_secs(15) => {
                let stop = PolicyEvent::Stopped { reason: "a leak".to_owned() };
                policy::append(&self.behind, &stop).await.unwrap();
                (AlarmState::Ok, "calm")
            }
            _ => (AlarmState::Ok, "calm"),
        };
        Ok(Alarm { state, reason: reason.to_owned() })
    }

    async fn requests(
        &self,
        name: &FleetName,
        alias: &AliasName,
        version: FleetVersion,
        since: Time,
    ) -> Result<u64, AlarmsError> {
        assert!(name.as_str().ends_with("-dev") && alias.as_str() == "live");
        assert_ne!(version, FleetVersion(1), "only the new version's requests prove it");
        match self.weather() {
            (Weather::DeafUntil(time), now) if now < time => Err(deaf()),
            (Weather::Quiet, _) => Ok(0),
            _ => Ok(self.clock.now().since(since).as_secs() / 6),
        }
    }
}
