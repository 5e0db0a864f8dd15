//! The fleet: functions with published versions and aliases, as AWS Lambda has them, in one region of one account.
//!
//! Every write of what already exists carries a guard, the revision that the caller saw last: whoever lost its claim
//! in between is refused. The rules are Lambda's own (`UpdateFunctionCode`, `PublishVersion`, `UpdateAlias`).

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::model::{
    configuration::{Architecture, Configuration, Variables},
    digest::Digest,
    key::VaultKey,
    names::{AliasName, FleetName},
};

/// One region's functions.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// How many of its functions may be worked on at the same time; at least 1.
    fn at_once(&self) -> usize;

    /// The unpublished state (`$LATEST`) of a function, `None` if there is no such function.
    async fn function(&self, name: &FleetName) -> Result<Option<FunctionState>, FleetError>;

    /// Whether a function that does not exist may be made here; it changes nothing.
    ///
    /// # Errors
    /// `FleetError::NotAllowed`, with what would allow it.
    fn may_create(&self, name: &FleetName) -> Result<(), FleetError>;

    /// Makes a function that does not exist, without publishing it. The fleet fetches the code from the vault itself.
    async fn create(
        &self,
        name: &FleetName,
        code: &CodeSource,
        configuration: &Configuration,
    ) -> Result<FunctionState, FleetError>;

    /// Replaces the unpublished code, and with it the processor. Ends in `LastUpdate::InProgress` or `Successful`: ask again
    /// until it settles. With `publish` the result is frozen as a version in the same call, and that version is the answer.
    async fn update_code(
        &self,
        name: &FleetName,
        code: &CodeSource,
        guard: &Revision,
        publish: bool,
    ) -> Result<FunctionState, FleetError>;

    /// Replaces the unpublished declared configuration; variables stay as they are, and so does the processor, which goes
    /// with the code.
    async fn update_configuration(
        &self,
        name: &FleetName,
        configuration: &Configuration,
        guard: &Revision,
    ) -> Result<FunctionState, FleetError>;

    /// Freezes the unpublished state as a version, if its code has this digest. Where code and configuration equal
    /// those of the newest version, that version is the answer and none is made.
    async fn publish(
        &self,
        name: &FleetName,
        code: &Digest,
        guard: &Revision,
        description: &str,
    ) -> Result<FunctionState, FleetError>;

    /// A published version, `None` if there is no such version.
    async fn version(&self, name: &FleetName, version: FleetVersion) -> Result<Option<FunctionState>, FleetError>;

    /// The published version that an alias sends its calls to, or the rest of them beside a canary; `None` if there is no
    /// such alias. One question, where `alias` and `version` are two.
    async fn live(&self, name: &FleetName, alias: &AliasName) -> Result<Option<FunctionState>, FleetError>;

    /// The SHA-256 of a layer's zip, by the ARN of its version; `None` where functions run without layers. The fleet may refuse
    /// with `FleetError::NotFound`.
    async fn layer(&self, arn: &str) -> Result<Option<Digest>, FleetError>;

    /// An alias, `None` if there is no such alias.
    async fn alias(&self, name: &FleetName, alias: &AliasName) -> Result<Option<AliasState>, FleetError>;

    /// Makes an alias that does not exist.
    async fn create_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
    ) -> Result<AliasState, FleetError>;

    /// Points an alias elsewhere.
    async fn update_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
        guard: &Revision,
    ) -> Result<AliasState, FleetError>;

    /// Removes an alias; nothing to do if there is none. Lambda's `DeleteAlias` takes no guard.
    async fn delete_alias(&self, name: &FleetName, alias: &AliasName) -> Result<(), FleetError>;

    /// Calls a function and waits for its answer. A function's own failure is an answer, not an error.
    async fn invoke(&self, name: &FleetName, qualifier: &Qualifier, payload: &[u8]) -> Result<Invocation, FleetError>;
}

/// Where a fleet fetches code: one object of the vault, pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSource {
    /// The artifact in the vault.
    pub key: VaultKey,
    /// The store's own version of that object (S3's object version id); `None` where the store has none.
    pub object_version: Option<String>,
    /// What the bytes must hash to.
    pub digest: Digest,
    /// The processor that they are built for.
    pub architecture: Architecture,
}

/// The state of a function's unpublished code and configuration, or of one published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionState {
    /// `None` for the unpublished state.
    pub version: Option<FleetVersion>,
    /// What the bytes that would run hash to, freshly told by the fleet (Lambda's `CodeSha256`).
    pub code: Digest,
    /// The declared configuration.
    pub configuration: Configuration,
    /// The infrastructure team's variables.
    pub variables: Variables,
    /// Changes with every write.
    pub revision: Revision,
    /// Whether it can be invoked.
    pub state: State,
    /// How the last update of the unpublished state went.
    pub last_update: LastUpdate,
}

/// Whether a function or version can be invoked (Lambda's `State`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being prepared.
    Pending,
    /// Ready.
    Active,
    /// Idle for long, or its code is out of reach; an invocation may wake it.
    Inactive,
    /// Cannot run, and why: terminal.
    Failed(String),
}

/// How the last update went (Lambda's `LastUpdateStatus`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastUpdate {
    /// Done.
    Successful,
    /// Still going on: writes conflict until it ends.
    InProgress,
    /// Ended badly, and why: terminal.
    Failed(String),
}

/// The number that a fleet gives to a published version: 1, 2, 3, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FleetVersion(pub u64);

impl std::fmt::Display for FleetVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A revision id: opaque, equal only to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub String);

/// An alias as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasState {
    /// Where it points.
    pub target: AliasTarget,
    /// Changes with every write.
    pub revision: Revision,
}

/// Where an alias points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasTarget {
    /// The version that gets the calls, or the rest of them if `canary` is set. Never the unpublished state.
    pub version: FleetVersion,
    /// A second version and its share of the calls in thousandths, 0 to 1000.
    pub canary: Option<(FleetVersion, u16)>,
    /// Free text; writing it rotates the revision.
    pub description: String,
}

/// What to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Qualifier {
    /// One published version.
    Version(FleetVersion),
    /// Whatever an alias points to.
    Alias(AliasName),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The version that answered.
    pub executed: FleetVersion,
    /// The answer, or the error document if `function_error` is set.
    pub payload: Vec<u8>,
    /// `None` for an answer; Lambda's word (`Unhandled`) if the function failed, timed out or died.
    pub function_error: Option<String>,
    /// The end of what the function wrote while it ran, at most 4 KiB.
    pub log_tail: String,
    /// From handing over the event to the answer, without the start.
    pub duration: Duration,
    /// From starting the process to its first request for work, if this call started it.
    pub init: Option<Duration>,
    /// The most memory that the process held, in MiB, rounded up.
    pub max_memory_mb: u64,
}

/// Why a fleet did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// No such function, version or alias.
    #[error("{0} does not exist in the fleet")]
    NotFound(String),
    /// It exists already, or an update is still in progress (Lambda's `ResourceConflictException`).
    #[error("{0}")]
    Conflict(String),
    /// Someone wrote in between: the guard is not the current revision (Lambda's `PreconditionFailedException`).
    #[error("{0} was changed by someone else since it was read")]
    Guarded(String),
    /// Too many calls for now.
    #[error("the fleet is busy: {0}")]
    Throttled(String),
    /// It is not allowed here, and what would allow it.
    #[error("{0}")]
    NotAllowed(String),
    /// The request itself is wrong: a limit, a value, a digest.
    #[error("{0}")]
    Invalid(String),
    /// The fleet could not be asked, or its answer did not arrive.
    #[error("the fleet cannot be reached: {what}")]
    Unreachable {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
