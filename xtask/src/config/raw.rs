//! `release.toml` and `smoke.toml` as they are written. Unknown keys are errors: a misspelt rule must not fail open.

pub mod aws;
pub mod notifications;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::{
    binary::Glibc,
    canary::CanaryRules,
    configuration::Tracing,
    gateway::Route,
    layer::Layer,
    manifest::GateRules,
    names::{AlarmName, AliasName, EnvName, FunctionName, LayerName},
    smoke::Check,
    soak::Soak,
    version::Version,
};

/// The team's one config file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "release.toml")]
pub struct Release {
    /// The form of this file: 1.
    pub schema: u32,
    /// The version of the first release, `1.0.0` if not given.
    #[schemars(with = "Option<String>")]
    pub first_release: Option<Version>,
    /// How the functions are built.
    #[serde(default)]
    pub build: Build,
    /// The functions, by name. A function's cargo package and its binary have the same name.
    pub functions: BTreeMap<FunctionName, Function>,
    /// What the functions' layers hold, by a name of the layer's own.
    #[serde(default)]
    pub layers: BTreeMap<LayerName, Layer>,
    /// The environments, in the order in which a release goes through them.
    pub environments: Vec<Environment>,
    /// Who is told when something happens to a release.
    #[serde(default)]
    pub notifications: notifications::Notifications,
    /// Where things run and are kept.
    pub profile: Profiles,
}

/// How the functions are built.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The cargo profile, `function` if not given.
    pub profile: Option<String>,
    /// The target triple, this machine's own if not given.
    pub target: Option<String>,
    /// The glibc that the functions may need at most, for example `2.34`; the machine's own if not given. Builds with
    /// cargo-zigbuild.
    #[schemars(with = "Option<String>")]
    pub glibc: Option<Glibc>,
}

/// One function: what is declared for every environment, and what differs in single ones.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// The folder with its `smoke.toml`, `functions/<name>` if not given.
    pub path: Option<String>,
    /// The shared libraries that its layers bring, by file name, for example `libclntsh.so.23.1`.
    #[serde(default)]
    pub libraries: BTreeSet<String>,
    /// What holds in every environment.
    #[serde(default)]
    pub configuration: Settings,
    /// What differs in single environments.
    #[serde(default)]
    pub environments: BTreeMap<EnvName, Settings>,
}

/// Declared configuration; what is not given comes from the function's own `configuration`, then from the defaults
/// (128 MiB, 3 seconds, 30 days).
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Memory in MiB, 128 to 10240.
    pub memory_mb: Option<u32>,
    /// The longest that one invocation may take, in seconds, 1 to 900.
    pub timeout_s: Option<u32>,
    /// Layers by versioned ARN, at most five.
    pub layers: Option<Vec<String>>,
    /// X-Ray tracing.
    pub tracing: Option<Tracing>,
    /// Days that the log is kept.
    pub log_retention_days: Option<u32>,
}

/// One environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Its name.
    pub name: EnvName,
    /// Only checks declared safe run there.
    #[serde(default)]
    pub safe_smoke_only: bool,
    /// It is the second region, fed by synchronisation after the environment before it.
    #[serde(default)]
    pub recovery: bool,
    /// What must hold before a release may enter, beside the order.
    #[serde(default)]
    pub gate: GateRules,
    /// How a release gets the calls there; all at once if not given. A first deployment and a rollback get them at once.
    pub canary: Option<CanaryRules>,
}

/// The profiles.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    /// This machine: no cloud, container or daemon.
    pub local: Profile,
    /// S3, Lambda and KMS in AWS.
    pub aws: Option<aws::Aws>,
}

/// A file whose `[profile.aws]` stands in for that of `release.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandIn {
    /// Nothing else.
    pub profile: StandInProfile,
}

/// As above.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandInProfile {
    /// S3, Lambda and KMS.
    pub aws: aws::Aws,
}

/// One profile.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// A function's name in the fleet; `{function}` and `{environment}` stand for the names.
    pub function_name: String,
    /// The alias that callers use, `live` if not given.
    pub alias: Option<AliasName>,
    /// The variables that an infrastructure team would set; `{environment}` stands for the environment, `{local}` for
    /// the folder of local state, `{env:NAME}` for what the variable `NAME` holds where the function is started: a secret
    /// stands in no file.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// SQL files that make and fill the stores on this machine: from a database's path under the folder of local state
    /// to a folder of files.
    #[serde(default)]
    pub seeds: BTreeMap<String, String>,
    /// The SQLite database of the functions' audit trail, under the folder of local state; `{environment}` stands for the
    /// environment. `audit who` reads it.
    pub audit: Option<String>,
    /// Which calls reach which function where `serve` is the gateway, as HTTP APIs write routes: `GET /price`.
    #[serde(default)]
    pub routes: BTreeMap<Route, FunctionName>,
    /// The functions' OpenAPI document, a path under the project; `serve` gives it as `/openapi.json`.
    pub contract: Option<String>,
    /// The alarms that canaries on this machine listen to.
    #[serde(default)]
    pub alarms: BTreeMap<AlarmName, LocalAlarm>,
    /// What `local up` sets up in an emulator of AWS, as an infrastructure team would in AWS.
    #[serde(default)]
    pub emulator: Emulator,
    /// What differs in single environments.
    #[serde(default)]
    pub environments: BTreeMap<EnvName, ProfileEnvironment>,
}

/// What the functions find in an emulator of AWS, beside what the toolchain itself needs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Emulator {
    /// A folder with one JSON file for each table of DynamoDB; none if not given. Every environment gets its own tables.
    pub tables: Option<String>,
    /// The table of the functions' audit trail, for `audit who`; `{environment}` stands for the environment.
    pub audit_table: Option<String>,
    /// The functions' variables; `{environment}` stands for the environment.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

/// One alarm on this machine. Anybody raises it by hand with a file `alarms/<environment>/<alarm>` under the folder of local
/// state, which says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalAlarm {
    /// The share of a version's calls that fail, in percent, 1 to 100, from which on it is raised. Not given: only by hand.
    #[schemars(range(min = 1, max = 100))]
    pub errors_percent: Option<u8>,
    /// The calls of how long count, `5m` if not given.
    pub period: Option<Soak>,
}

/// What a profile says of one environment.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileEnvironment {
    /// A function's name in the fleet there.
    pub function_name: Option<String>,
}

/// The smoke checks of one function.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Smoke {
    /// The form of this file: 1.
    pub schema: u32,
    /// The checks, in order.
    #[serde(default)]
    pub check: Vec<Check>,
    /// Checks of single environments: one of a known name takes its place, another is added.
    #[serde(default)]
    pub environments: BTreeMap<EnvName, SmokeEnvironment>,
}

/// What differs in one environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmokeEnvironment {
    /// The checks.
    pub check: Vec<Check>,
}
