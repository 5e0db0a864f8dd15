//! The alarms of one environment on this machine. An alarm is raised by the share of calls that fail, as the fleet counted
//! them, or by hand: a file of its name says why, and removing the file clears it.

use std::{collections::BTreeMap, fs, io, sync::Arc};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    adapters::local::served::{self, Served},
    config::Config,
    model::{
        names::{AlarmName, AliasName, EnvName, FleetName},
        soak::Soak,
        time::Time,
    },
    ports::{
        alarms::{Alarm, AlarmState, Alarms, AlarmsError},
        clock::Clock,
        fleet::FleetVersion,
    },
};

/// The alarms of one environment.
pub struct LocalAlarms {
    setup: Setup,
}

/// What [`LocalAlarms`] are made of.
pub struct Setup {
    /// The fleet's folder, where it counts.
    pub fleet: Utf8PathBuf,
    /// The folder of what was raised by hand.
    pub by_hand: Utf8PathBuf,
    /// The environment's functions.
    pub functions: Vec<FleetName>,
    /// The alias that callers use.
    pub alias: AliasName,
    /// Every alarm; without a threshold one is raised only by hand.
    pub alarms: BTreeMap<AlarmName, Option<Threshold>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// When too many calls fail.
#[derive(Debug, Clone, Copy)]
pub struct Threshold {
    /// The share of a version's calls, in percent, from which on it is too many.
    pub errors_percent: u8,
    /// The calls of how long count.
    pub period: Soak,
}

impl LocalAlarms {
    /// The alarms that a configuration gives to an environment; `region` is the folder with its fleet.
    #[must_use]
    pub fn of(config: &Config, environment: &EnvName, region: &Utf8Path, clock: Arc<dyn Clock>) -> Self {
        let here = config.fleet_names.iter().filter(|((env, _), _)| env == environment);
        let alarms = config.alarms.iter().map(|(name, own)| {
            let period = own.period.unwrap_or(Soak::FIVE_MINUTES);
            (name.clone(), own.errors_percent.map(|errors_percent| Threshold { errors_percent, period }))
        });
        Self::new(Setup {
            fleet: region.join("fleet"),
            by_hand: region.join("alarms").join(environment.as_str()),
            functions: here.map(|(_, name)| name.clone()).collect(),
            alias: config.alias.clone(),
            alarms: alarms.collect(),
            clock,
        })
    }

    /// Alarms over these folders; touches nothing.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self { setup }
    }

    /// Why an alarm was raised by hand, if it was.
    fn by_hand(&self, alarm: &AlarmName) -> Result<Option<String>, AlarmsError> {
        let path = self.setup.by_hand.join(alarm.as_str());
        match fs::read_to_string(&path) {
            Ok(text) => {
                let first = text.lines().map(str::trim).find(|line| !line.is_empty());
                Ok(Some(first.map_or_else(|| "raised by hand".to_owned(), |why| format!("raised by hand: {why}"))))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreachable(format!("reading {path}"), error)),
        }
    }

    fn by_errors(&self, threshold: Threshold) -> Result<Alarm, AlarmsError> {
        let Threshold { errors_percent, period } = threshold;
        let from = self.setup.clock.now().before(period.duration());
        let mut any = false;
        for name in &self.setup.functions {
            for (version, (calls, failed)) in counted(&self.calls(name, from)?) {
                any = true;
                if failed > 0 && failed * 100 >= calls * u64::from(errors_percent) {
                    let of = format!("{failed} of {calls} calls of {name} version {version} failed");
                    let reason = format!("{of} in the last {period}, allowed is less than {errors_percent}%");
                    return Ok(Alarm { state: AlarmState::Alarm, reason });
                }
            }
        }
        Ok(if any {
            let reason = format!("less than {errors_percent}% of the calls failed in the last {period}");
            Alarm { state: AlarmState::Ok, reason }
        } else {
            Alarm { state: AlarmState::InsufficientData, reason: format!("no call in the last {period}") }
        })
    }

    fn calls(&self, name: &FleetName, since: Time) -> Result<Vec<Served>, AlarmsError> {
        let Setup { fleet, alias, .. } = &self.setup;
        served::since(fleet, name, alias, since)
            .map_err(|error| unreachable(format!("counting calls of {name}"), error))
    }
}

/// Calls, and how many of them failed, by version.
fn counted(calls: &[Served]) -> BTreeMap<FleetVersion, (u64, u64)> {
    let mut counted = BTreeMap::new();
    for call in calls {
        let (all, failed) = counted.entry(call.version).or_insert((0, 0));
        *all += 1;
        *failed += u64::from(call.failed);
    }
    counted
}

fn unreachable(what: String, error: io::Error) -> AlarmsError {
    AlarmsError::Unreachable { what, source: Box::new(error) }
}

#[async_trait]
impl Alarms for LocalAlarms {
    async fn alarm(&self, alarm: &AlarmName) -> Result<Alarm, AlarmsError> {
        let Some(threshold) = self.setup.alarms.get(alarm) else {
            return Err(AlarmsError::NotFound(alarm.clone()));
        };
        if let Some(reason) = self.by_hand(alarm)? {
            return Ok(Alarm { state: AlarmState::Alarm, reason });
        }
        match threshold {
            Some(threshold) => self.by_errors(*threshold),
            None => Ok(Alarm { state: AlarmState::Ok, reason: "not raised by hand".to_owned() }),
        }
    }

    async fn requests(
        &self,
        name: &FleetName,
        alias: &AliasName,
        version: FleetVersion,
        since: Time,
    ) -> Result<u64, AlarmsError> {
        let calls = served::since(&self.setup.fleet, name, alias, since);
        let calls = calls.map_err(|error| unreachable(format!("counting calls of {name}"), error))?;
        Ok(calls.iter().filter(|call| call.version == version).count() as u64)
    }
}
