//! A fleet on this machine: functions, versions and aliases in a folder, invoked in real processes.
//!
//! It is as strict as AWS documents, and where AWS leaves room, as strict as it may be. It owns the state's rules and
//! its place on disk (`store`); how a process is run and spoken to is the host's.

mod aliases;
mod disk;
mod hosts;
mod package;
mod quota;
mod rules;
mod store;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use camino::Utf8PathBuf;
use uuid::Uuid;

pub use self::quota::Quota;
use self::{
    hosts::{Hosts, Warm},
    quota::{Kind, Meter},
    store::{Store, Version},
};
use crate::{
    adapters::local::{
        host::{self, Answer, HostError},
        places::Places,
        served::{self, Served},
    },
    model::{
        configuration::{Configuration, Variables},
        digest::Digest,
        names::{AliasName, FleetName},
    },
    ports::{
        clock::Clock,
        fleet::{
            AliasState, AliasTarget, CodeSource, Fleet, FleetError, FleetVersion, FunctionState, Invocation, Qualifier,
            Revision,
        },
    },
};

/// A fleet in a folder. Values over the same folder, in one process or in many, see one fleet; each keeps its own
/// warm hosts and stops them when it is dropped.
pub struct LocalFleet {
    store: Arc<Store>,
    hosts: Arc<Hosts>,
    meter: Meter,
}

/// What a [`LocalFleet`] is made of.
pub struct Setup {
    /// The fleet's folder; made when the first function is.
    pub root: Utf8PathBuf,
    /// The vault's folder, where the fleet fetches code itself, by key.
    pub vault: Utf8PathBuf,
    /// What placeholders in a variable's value stand for.
    pub places: Places,
    /// The infrastructure team's variables per function. A function that is not named here has none. Other variables
    /// than last time act on the unpublished state at once, as if that team had changed them.
    pub variables: BTreeMap<FleetName, Variables>,
    /// How long a write stays in progress, and a new version pending; zero for daily use.
    pub settle: Duration,
    /// How many calls are served per second, by all that share this value; `None` for daily use: there is nobody to share
    /// a laptop's fleet with, and nothing to wait for.
    pub quota: Option<Quota>,
    /// Tells when a write has settled.
    pub clock: Arc<dyn Clock>,
}

impl LocalFleet {
    /// A fleet in a folder; touches nothing yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let Setup { root, vault, places, variables, settle, quota, clock } = setup;
        let hosts = Arc::new(Hosts::new(&root, places));
        let meter = Meter::new(quota, Arc::clone(&clock));
        Self { store: Arc::new(Store { root, vault, variables, settle, clock }), hosts, meter }
    }

    /// One call of the control plane, if the quota has room for it.
    async fn control<T: Send + 'static>(
        &self,
        kind: Kind,
        work: impl FnOnce(&Store) -> Result<T, FleetError> + Send + 'static,
    ) -> Result<T, FleetError> {
        self.meter.admit(kind)?;
        self.blocking(work).await
    }

    /// Works on the store where blocking is allowed: locks and files wait.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, FleetError> + Send + 'static,
    ) -> Result<T, FleetError> {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || work(&store)).await.map_err(given_up)?
    }

    async fn start(
        &self,
        name: &FleetName,
        number: FleetVersion,
        version: &Arc<Version>,
    ) -> Result<Started, FleetError> {
        let (hosts, bytes, of) = (Arc::clone(&self.hosts), Arc::clone(version), name.clone());
        let unpacked =
            tokio::task::spawn_blocking(move || hosts.unpack(&of, number, &bytes)).await.map_err(given_up)?;
        match Hosts::start(unpacked?, version.state.code).await {
            Ok(warm) => Ok(Started::Warm(Box::new(warm))),
            Err(HostError::Init(error)) => Ok(Started::Failed(Answer {
                payload: error.document,
                function_error: Some("Unhandled".to_owned()),
                log_tail: error.log_tail,
                duration: Duration::ZERO,
                init: Some(error.init),
                max_memory_mb: error.max_memory_mb,
            })),
            Err(other) => Err(host_failed(name, other)),
        }
    }

    async fn answer(&self, name: &FleetName, call: &Call<'_>) -> Result<Answer, FleetError> {
        let (number, version) = (call.number, &call.version);
        if let Some(warm) = self.hosts.take(name, number, version.state.code) {
            match self.ask(name, call, warm).await {
                // Nothing was handed over, so that a fresh process may have the event.
                Err(HostError::Gone) => {}
                answered => return answered.map_err(|error| host_failed(name, error)),
            }
        }
        match self.start(name, number, version).await? {
            Started::Warm(warm) => self.ask(name, call, *warm).await.map_err(|error| host_failed(name, error)),
            Started::Failed(answer) => Ok(answer),
        }
    }

    /// Counts a call of an alias, as CloudWatch does by `Resource` and `ExecutedVersion`.
    async fn count(
        &self,
        name: &FleetName,
        alias: &AliasName,
        version: FleetVersion,
        failed: bool,
    ) -> Result<(), FleetError> {
        let (name, alias) = (name.clone(), alias.clone());
        self.blocking(move |store| {
            let served = Served { time: store.clock.now(), version, failed };
            served::note(&store.root, &name, &alias, served).map_err(disk::failed("counting a call in", &store.root))
        })
        .await
    }

    async fn ask(&self, name: &FleetName, call: &Call<'_>, mut warm: Warm) -> Result<Answer, HostError> {
        let answer = warm.host.invoke(call.id, Some(&call.qualifier), call.payload).await?;
        if warm.host.is_running() {
            self.hosts.keep(name, call.number, warm);
        }
        Ok(answer)
    }
}

/// One invocation on its way.
struct Call<'a> {
    id: Uuid,
    qualifier: String,
    number: FleetVersion,
    version: Arc<Version>,
    payload: &'a [u8],
}

/// What came of a start: a host, or the answer that stands for a start that failed.
enum Started {
    Warm(Box<Warm>),
    Failed(Answer),
}

#[async_trait]
impl Fleet for LocalFleet {
    /// One after the other: whoever looks for what a fault does counts calls.
    fn at_once(&self) -> usize {
        1
    }

    fn may_create(&self, _name: &FleetName) -> Result<(), FleetError> {
        Ok(())
    }

    async fn function(&self, name: &FleetName) -> Result<Option<FunctionState>, FleetError> {
        let name = name.clone();
        self.control(Kind::Read, move |store| store.existing(&name)?.map(|function| function.latest()).transpose())
            .await
    }

    async fn create(
        &self,
        name: &FleetName,
        code: &CodeSource,
        configuration: &Configuration,
    ) -> Result<FunctionState, FleetError> {
        let (name, code, configuration) = (name.clone(), code.clone(), configuration.clone());
        self.control(Kind::Other, move |store| store.create(&name, &code, &configuration)).await
    }

    async fn update_code(
        &self,
        name: &FleetName,
        code: &CodeSource,
        guard: &Revision,
        publish: bool,
    ) -> Result<FunctionState, FleetError> {
        let (name, code, guard) = (name.clone(), code.clone(), guard.clone());
        self.control(Kind::Other, move |store| store.required(&name)?.update_code(&code, &guard, publish)).await
    }

    async fn update_configuration(
        &self,
        name: &FleetName,
        configuration: &Configuration,
        guard: &Revision,
    ) -> Result<FunctionState, FleetError> {
        let (name, configuration, guard) = (name.clone(), configuration.clone(), guard.clone());
        self.control(Kind::Other, move |store| store.required(&name)?.update_configuration(&configuration, &guard))
            .await
    }

    async fn publish(
        &self,
        name: &FleetName,
        code: &Digest,
        guard: &Revision,
        description: &str,
    ) -> Result<FunctionState, FleetError> {
        let (name, code, guard, description) = (name.clone(), *code, guard.clone(), description.to_owned());
        self.control(Kind::Other, move |store| store.required(&name)?.publish(&code, &guard, &description)).await
    }

    async fn version(&self, name: &FleetName, version: FleetVersion) -> Result<Option<FunctionState>, FleetError> {
        let name = name.clone();
        self.control(Kind::Read, move |store| {
            let Some(function) = store.existing(&name)? else { return Ok(None) };
            Ok(function.published(version)?.map(|version| version.state))
        })
        .await
    }

    async fn live(&self, name: &FleetName, alias: &AliasName) -> Result<Option<FunctionState>, FleetError> {
        let (name, alias) = (name.clone(), alias.clone());
        self.control(Kind::Read, move |store| {
            let Some(function) = store.existing(&name)? else { return Ok(None) };
            let Some(alias) = function.alias(&alias)? else { return Ok(None) };
            function.require(alias.target.version).map(|version| Some(version.state))
        })
        .await
    }

    /// Functions of this machine run without layers (see the host).
    async fn layer(&self, _arn: &str) -> Result<Option<Digest>, FleetError> {
        Ok(None)
    }

    async fn alias(&self, name: &FleetName, alias: &AliasName) -> Result<Option<AliasState>, FleetError> {
        let (name, alias) = (name.clone(), alias.clone());
        self.control(Kind::Other, move |store| {
            store.existing(&name)?.map_or(Ok(None), |function| function.alias(&alias))
        })
        .await
    }

    async fn create_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
    ) -> Result<AliasState, FleetError> {
        let (name, alias, target) = (name.clone(), alias.clone(), target.clone());
        self.control(Kind::Other, move |store| store.required(&name)?.create_alias(&alias, &target)).await
    }

    async fn update_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
        guard: &Revision,
    ) -> Result<AliasState, FleetError> {
        let (name, alias, target, guard) = (name.clone(), alias.clone(), target.clone(), guard.clone());
        self.control(Kind::Other, move |store| store.required(&name)?.update_alias(&alias, &target, &guard)).await
    }

    async fn delete_alias(&self, name: &FleetName, alias: &AliasName) -> Result<(), FleetError> {
        let (name, alias) = (name.clone(), alias.clone());
        self.control(Kind::Other, move |store| {
            store.existing(&name)?.map_or(Ok(()), |function| function.delete_alias(&alias))
        })
        .await
    }

    async fn invoke(&self, name: &FleetName, qualifier: &Qualifier, payload: &[u8]) -> Result<Invocation, FleetError> {
        host::accept(payload).map_err(|error| host_failed(name, error))?;
        let id = Uuid::new_v4();
        let (of, by) = (name.clone(), qualifier.clone());
        let (number, version) = self.blocking(move |store| resolve(store, &of, &by, id)).await?;
        let asked = match qualifier {
            Qualifier::Version(number) => number.to_string(),
            Qualifier::Alias(alias) => alias.to_string(),
        };
        let call = Call { id, qualifier: asked, number, version: Arc::new(version), payload };
        let answer = self.answer(name, &call).await?;
        if let Qualifier::Alias(alias) = qualifier {
            self.count(name, alias, number, answer.function_error.is_some()).await?;
        }
        Ok(answer.by(number))
    }
}

/// The version that takes a request, if it can.
fn resolve(
    store: &Store,
    name: &FleetName,
    qualifier: &Qualifier,
    id: Uuid,
) -> Result<(FleetVersion, Version), FleetError> {
    let function = store.required(name)?;
    let number = match qualifier {
        Qualifier::Version(number) => *number,
        Qualifier::Alias(alias) => rules::route(&function.require_alias(alias)?.target, id),
    };
    let version = function.require(number)?;
    rules::check_ready(name.as_str(), number, &version.state.state)?;
    Ok((number, version))
}

fn host_failed(name: &FleetName, error: HostError) -> FleetError {
    match error {
        HostError::Event(reason) => {
            FleetError::Invalid(format!("the event for function `{name}` is refused: {reason}"))
        }
        // What this machine cannot run says nothing against the function: it must not count as the function's failure.
        other => FleetError::Unreachable { what: format!("running function `{name}`"), source: Box::new(other) },
    }
}

fn given_up(error: tokio::task::JoinError) -> FleetError {
    FleetError::Unreachable { what: "the work on its files ended early".to_owned(), source: Box::new(error) }
}
