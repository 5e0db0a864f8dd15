//! The team's configuration: read as it is written (`raw`), then validated into what the rest may rely on.

pub mod aws;
mod canary;
mod layers;
pub mod load;
mod local;
mod notifications;
pub mod people;
pub mod policies;
pub mod raw;
pub mod smoke;
pub mod validate;

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::model::{
    binary::Glibc,
    configuration::{Architecture, Configuration, Variables},
    gateway::Routes,
    layer::Layer,
    manifest::Stop,
    names::{AlarmName, AliasName, EnvName, FleetName, FunctionName, LayerName},
    version::Version,
};

/// A validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The version of the first release.
    pub first_release: Version,
    /// The cargo profile of the functions.
    pub cargo_profile: String,
    /// The target triple; `None` for this machine's own.
    pub target: Option<String>,
    /// The glibc to build for, at most; `None` for what the linker finds.
    pub glibc: Option<Glibc>,
    /// Every function.
    pub functions: BTreeMap<FunctionName, FunctionConfig>,
    /// What the functions' layers hold.
    pub layers: BTreeMap<LayerName, Layer>,
    /// The promotion path.
    pub path: Vec<Stop>,
    /// The alias that callers use.
    pub alias: AliasName,
    /// A function's name in the fleet, by environment.
    pub fleet_names: BTreeMap<(EnvName, FunctionName), FleetName>,
    /// The infrastructure team's variables, by environment. `{local}` still stands for the folder of local state.
    pub variables: BTreeMap<EnvName, Variables>,
    /// SQL files for the stores on this machine: from a database under the folder of local state, with `{environment}`,
    /// to a folder of files under the root.
    pub seeds: BTreeMap<String, Utf8PathBuf>,
    /// Where the functions' audit trail is on this machine, under the folder of local state, by environment.
    pub audit: BTreeMap<EnvName, String>,
    /// Which calls reach which function where `serve` is the gateway.
    pub routes: Routes,
    /// The functions' OpenAPI document, under the root.
    pub contract: Option<Utf8PathBuf>,
    /// What `local up` sets up for the functions in an emulator.
    pub emulator: Emulator,
    /// What `--profile aws` runs with, if the file has it.
    pub aws: Option<aws::Aws>,
    /// Whether the fleets are Lambda's; else they are folders of this machine.
    pub on_lambda: bool,
    /// Who is told when something happens to a release.
    pub notifications: raw::notifications::Notifications,
    /// The alarms on this machine.
    pub alarms: BTreeMap<AlarmName, raw::LocalAlarm>,
}

/// What functions find in an emulator of AWS.
#[derive(Debug, Clone)]
pub struct Emulator {
    /// The folder of their tables, under the root.
    pub tables: Option<Utf8PathBuf>,
    /// The table of their audit trail, by environment.
    pub audit_tables: BTreeMap<EnvName, String>,
    /// Their variables, by environment.
    pub variables: BTreeMap<EnvName, Variables>,
}

/// One function.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// The folder with its `smoke.toml`, under the root.
    pub path: Utf8PathBuf,
    /// Its declared settings, by environment.
    pub settings: BTreeMap<EnvName, Settings>,
    /// The shared libraries that its layers bring.
    pub libraries: BTreeSet<String>,
}

/// Declared settings with every default filled in; the architecture is known only when the target is.
#[derive(Debug, Clone)]
pub struct Settings(Configuration);

impl Settings {
    /// The layers, by the ARN of their versions.
    #[must_use]
    pub fn layers(&self) -> &[String] {
        &self.0.layers
    }

    /// The configuration on this architecture.
    #[must_use]
    pub fn on(&self, architecture: Architecture) -> Configuration {
        Configuration { architecture, ..self.0.clone() }
    }
}

impl Config {
    /// The same configuration for the profile `aws`: its names, and no variables or seeds of ours.
    ///
    /// # Errors
    /// Usage: the file has no `[profile.aws]`.
    pub fn on_aws(self) -> Result<Self, crate::failure::Failure> {
        let Some(aws) = self.aws.clone() else {
            let text = "release.toml has no [profile.aws]: it says which accounts, buckets and keys are used; \
                        README.md shows one";
            return Err(crate::failure::Failure::usage(text));
        };
        let (alias, fleet_names) = (aws.alias, aws.fleet_names);
        let (variables, seeds) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { alias, fleet_names, variables, seeds, on_lambda: true, ..self })
    }

    /// A function's name in an environment's fleet.
    ///
    /// # Errors
    /// If there is no such environment or function.
    pub fn fleet_name(
        &self,
        environment: &EnvName,
        function: &FunctionName,
    ) -> Result<FleetName, crate::failure::Failure> {
        self.fleet_names.get(&(environment.clone(), function.clone())).cloned().ok_or_else(|| {
            crate::failure::Failure::usage(format!(
                "release.toml has no function `{function}` in environment `{environment}`"
            ))
        })
    }

    /// The stop of this name.
    ///
    /// # Errors
    /// If the path has none; the message lists those that it has.
    pub fn stop(&self, environment: &EnvName) -> Result<&Stop, crate::failure::Failure> {
        self.path.iter().find(|stop| &stop.environment == environment).ok_or_else(|| {
            let names = self.path.iter().map(|stop| stop.environment.as_str()).collect::<Vec<_>>().join(", ");
            crate::failure::Failure::usage(format!("there is no environment `{environment}`; release.toml has {names}"))
        })
    }
}
