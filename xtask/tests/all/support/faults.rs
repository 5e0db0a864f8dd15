//! A world that fails at a chosen moment: every call of a port that may fail is counted, and one of them goes wrong.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use camino::Utf8Path;
use tokio::sync::Notify;
use xtask::{
    context::{Context, Site},
    model::{
        configuration::Configuration,
        digest::Digest,
        entry::{ChainName, Writer},
        key::VaultKey,
        names::{AlarmName, AliasName, FleetName},
        time::Time,
    },
    ports::{
        alarms::{Alarm, Alarms, AlarmsError},
        fleet::{
            AliasState, AliasTarget, CodeSource, Fleet, FleetError, FleetVersion, FunctionState, Invocation, Qualifier,
            Revision,
        },
        signer::Signer,
        vault::{Body, Listed, Vault, VaultError},
        witness::{Head, Heads, Witness},
    },
};

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Not at all: calls are only counted.
    Undisturbed,
    /// The process is killed right after this call took effect.
    KilledAfter,
    /// This one call fails and has no effect; the world recovers at once.
    Refused,
    /// This one call takes effect, but its answer is lost; the world recovers at once.
    AnswerLost,
    /// The process stands still right before this call, until it is told to go on.
    Paused,
}

/// When and how the world fails.
pub(crate) struct Fate {
    how: How,
    at: usize,
    calls: AtomicUsize,
    effects: Mutex<Vec<usize>>,
    story: Mutex<Vec<String>>,
    reached: Notify,
    go_on: Notify,
}

impl Fate {
    /// It fails at this call, counted from 1.
    pub(crate) fn new(how: How, at: usize) -> Arc<Self> {
        let (reached, go_on) = (Notify::new(), Notify::new());
        let (effects, story) = (Mutex::default(), Mutex::default());
        Arc::new(Self { how, at, calls: AtomicUsize::new(0), effects, story, reached, go_on })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Waits until the process stands still.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.go_on.notify_one();
    }

    /// Which of the calls change the world.
    pub(crate) fn effects(&self) -> Vec<usize> {
        self.effects.lock().unwrap().clone()
    }

    /// The first call of each kind on each object.
    pub(crate) fn firsts(&self) -> Vec<usize> {
        let story = self.story.lock().unwrap();
        let first = |at: &usize| !story[..*at].contains(&story[*at]);
        (0..story.len()).filter(first).map(|at| at + 1).collect()
    }

    /// The first call of this description.
    pub(crate) fn place(&self, what: &str) -> usize {
        self.story.lock().unwrap().iter().position(|call| call == what).unwrap() + 1
    }

    /// The calls whose description begins like this.
    pub(crate) fn calls_of(&self, what: &str) -> Vec<usize> {
        let story = self.story.lock().unwrap();
        (1..=story.len()).filter(|at| story[at - 1].starts_with(what)).collect()
    }

    /// What a call was.
    pub(crate) fn called(&self, at: usize) -> String {
        self.story.lock().unwrap()[at - 1].clone()
    }

    /// The call that failed.
    pub(crate) fn struck(&self) -> String {
        self.called(self.at)
    }

    /// The same context in a world of this fate.
    pub(crate) fn over(self: &Arc<Self>, context: Context) -> Context {
        let fleets = context.fleets.into_iter().map(|(environment, inner)| {
            (environment, Arc::new(Fated { fate: Arc::clone(self), inner }) as Arc<dyn Fleet>)
        });
        let alarms = context.alarms.into_iter().map(|(environment, inner)| {
            (environment, Arc::new(Fated { fate: Arc::clone(self), inner }) as Arc<dyn Alarms>)
        });
        Context {
            alarms: alarms.collect(),
            fleets: fleets.collect(),
            vault: Arc::new(Fated { fate: Arc::clone(self), inner: context.vault }),
            witness: Arc::new(Fated { fate: Arc::clone(self), inner: context.witness }),
            recovery: Site {
                vault: Arc::new(Fated { fate: Arc::clone(self), inner: context.recovery.vault }),
                witness: Arc::new(Fated { fate: Arc::clone(self), inner: context.recovery.witness }),
            },
            signer: Arc::new(Fated { fate: Arc::clone(self), inner: context.signer }),
            ..context
        }
    }

    /// A call that changes the world.
    async fn effect<T, E>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, E>>,
        error: impl Fn() -> E,
    ) -> Result<T, E> {
        self.effects.lock().unwrap().push(self.calls() + 1);
        self.call(what, call, error).await
    }

    async fn call<T, E>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, E>>,
        error: impl Fn() -> E,
    ) -> Result<T, E> {
        let now = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.story.lock().unwrap().push(what.to_owned());
        if self.how == How::Paused && now == self.at {
            self.reached.notify_one();
            self.go_on.notified().await;
        }
        match self.how {
            How::KilledAfter if now > self.at => Err(error()),
            How::Refused if now == self.at => Err(error()),
            How::KilledAfter | How::AnswerLost if now == self.at => call.await.and_then(|_lost| Err(error())),
            _ => call.await,
        }
    }
}

struct Fated<P: ?Sized> {
    fate: Arc<Fate>,
    inner: Arc<P>,
}

fn storm() -> std::io::Error {
    std::io::Error::other("a storm")
}

fn vault_error() -> VaultError {
    VaultError::Unreachable { what: "reach the vault".to_owned(), source: Box::new(storm()) }
}

impl<P: ?Sized> Fated<P> {
    /// A call that did not come through. A busy fleet is no storm: the engine waits for it by itself.
    fn fleet_error(&self) -> FleetError {
        FleetError::Unreachable { what: "a call".to_owned(), source: Box::new(storm()) }
    }
}

#[async_trait]
impl Vault for Fated<dyn Vault> {
    async fn create(&self, key: &VaultKey, body: Body<'_>) -> Result<(), VaultError> {
        self.fate.effect(&format!("create {key}"), self.inner.create(key, body), vault_error).await
    }

    async fn read(&self, key: &VaultKey) -> Result<Option<Vec<u8>>, VaultError> {
        self.fate.call(&format!("read {key}"), self.inner.read(key), vault_error).await
    }

    async fn fetch(&self, key: &VaultKey, to: Option<&Utf8Path>) -> Result<Option<(Digest, u64)>, VaultError> {
        self.fate.call(&format!("fetch {key}"), self.inner.fetch(key, to), vault_error).await
    }

    async fn exists(&self, key: &VaultKey) -> Result<bool, VaultError> {
        self.fate.call(&format!("exists {key}"), self.inner.exists(key), vault_error).await
    }

    async fn list(&self, folder: Option<&VaultKey>) -> Result<Vec<Listed>, VaultError> {
        self.fate.call("list", self.inner.list(folder), vault_error).await
    }
}

#[async_trait]
impl Witness for Fated<dyn Witness> {
    async fn heads(&self) -> anyhow::Result<Option<Heads>> {
        self.fate.call("heads", self.inner.heads(), || storm().into()).await
    }

    async fn note(&self, chain: &ChainName, head: Head) -> anyhow::Result<()> {
        self.fate.effect(&format!("note {chain}"), self.inner.note(chain, head), || storm().into()).await
    }
}

#[async_trait]
impl Signer for Fated<dyn Signer> {
    async fn sign(&self, writer: &Writer, namespace: &str, bytes: &[u8], fresh: bool) -> anyhow::Result<String> {
        self.fate.call("sign", self.inner.sign(writer, namespace, bytes, fresh), || storm().into()).await
    }

    async fn keyed_digest(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<Digest> {
        self.fate.call("keyed digest", self.inner.keyed_digest(writer, bytes), || storm().into()).await
    }

    async fn trusted(&self, writer: &Writer) -> anyhow::Result<Vec<ssh_key::PublicKey>> {
        self.fate.call("trusted", self.inner.trusted(writer), || storm().into()).await
    }
}

fn alarms_error() -> AlarmsError {
    AlarmsError::Unreachable { what: "a call".to_owned(), source: Box::new(storm()) }
}

#[async_trait]
impl Alarms for Fated<dyn Alarms> {
    async fn alarm(&self, alarm: &AlarmName) -> Result<Alarm, AlarmsError> {
        self.fate.call(&format!("alarm {alarm}"), self.inner.alarm(alarm), alarms_error).await
    }

    async fn requests(
        &self,
        name: &FleetName,
        alias: &AliasName,
        version: FleetVersion,
        since: Time,
    ) -> Result<u64, AlarmsError> {
        let requests = self.inner.requests(name, alias, version, since);
        self.fate.call(&format!("alarm requests of {name}"), requests, alarms_error).await
    }
}

#[async_trait]
impl Fleet for Fated<dyn Fleet> {
    async fn function(&self, name: &FleetName) -> Result<Option<FunctionState>, FleetError> {
        self.fate.call(&format!("function {name}"), self.inner.function(name), || self.fleet_error()).await
    }

    async fn create(
        &self,
        name: &FleetName,
        code: &CodeSource,
        configuration: &Configuration,
    ) -> Result<FunctionState, FleetError> {
        let create = self.inner.create(name, code, configuration);
        self.fate.effect(&format!("create {name}"), create, || self.fleet_error()).await
    }

    async fn update_code(
        &self,
        name: &FleetName,
        code: &CodeSource,
        guard: &Revision,
    ) -> Result<FunctionState, FleetError> {
        let update = self.inner.update_code(name, code, guard);
        self.fate.effect(&format!("update code of {name}"), update, || self.fleet_error()).await
    }

    async fn update_configuration(
        &self,
        name: &FleetName,
        configuration: &Configuration,
        guard: &Revision,
    ) -> Result<FunctionState, FleetError> {
        let update = self.inner.update_configuration(name, configuration, guard);
        self.fate.effect(&format!("update configuration of {name}"), update, || self.fleet_error()).await
    }

    async fn publish(
        &self,
        name: &FleetName,
        code: &Digest,
        guard: &Revision,
        description: &str,
    ) -> Result<FunctionState, FleetError> {
        let publish = self.inner.publish(name, code, guard, description);
        self.fate.effect(&format!("publish {name}"), publish, || self.fleet_error()).await
    }

    async fn version(&self, name: &FleetName, version: FleetVersion) -> Result<Option<FunctionState>, FleetError> {
        let look = self.inner.version(name, version);
        self.fate.call(&format!("version {version} of {name}"), look, || self.fleet_error()).await
    }

    async fn alias(&self, name: &FleetName, alias: &AliasName) -> Result<Option<AliasState>, FleetError> {
        self.fate.call(&format!("alias of {name}"), self.inner.alias(name, alias), || self.fleet_error()).await
    }

    async fn create_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
    ) -> Result<AliasState, FleetError> {
        let create = self.inner.create_alias(name, alias, target);
        self.fate.effect(&format!("create alias of {name}"), create, || self.fleet_error()).await
    }

    async fn update_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
        guard: &Revision,
    ) -> Result<AliasState, FleetError> {
        let update = self.inner.update_alias(name, alias, target, guard);
        self.fate.effect(&format!("update alias of {name}"), update, || self.fleet_error()).await
    }

    async fn delete_alias(&self, name: &FleetName, alias: &AliasName) -> Result<(), FleetError> {
        let delete = self.inner.delete_alias(name, alias);
        self.fate.effect(&format!("delete alias of {name}"), delete, || self.fleet_error()).await
    }

    async fn invoke(&self, name: &FleetName, qualifier: &Qualifier, payload: &[u8]) -> Result<Invocation, FleetError> {
        let invoke = self.inner.invoke(name, qualifier, payload);
        self.fate.call(&format!("invoke {name} {qualifier:?}"), invoke, || self.fleet_error()).await
    }
}
