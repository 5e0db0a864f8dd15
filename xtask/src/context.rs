//! The one value through which everything that a command needs of the world comes in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use camino::Utf8PathBuf;

use crate::{
    config::Config,
    engine::{notify::Channels, patience::Patient},
    failure::Failure,
    model::{names::EnvName, version::Version},
    ports::{
        advisories::Advisories, alarms::Alarms, cargo::Cargo, clock::Clock, fleet::Fleet, git::Git, identity::Identity,
        lock::Locks, reviews::Reviews, signer::Signer, story::Story, vault::Vault, witness::Witness,
    },
};

/// The world, as parameters.
#[derive(Clone)]
pub struct Context {
    /// The folder of `release.toml`.
    pub root: Utf8PathBuf,
    /// Local state: work files, and on a laptop the vault itself.
    pub local: Utf8PathBuf,
    /// The validated configuration.
    pub config: Arc<Config>,
    /// Who runs the command, as `user@host`.
    pub actor: String,
    /// The address that git has for whoever runs the command.
    pub email: Option<String>,
    /// This machine: locks on it tell whether a claim's owner lives.
    pub machine: String,
    /// The tool and its version, as entries record it.
    pub tool: String,
    /// The vault.
    pub vault: Arc<dyn Vault>,
    /// The heads' witness.
    pub witness: Arc<dyn Witness>,
    /// The second region's own vault and witness.
    pub recovery: Site,
    /// Whether this is the second region's view: only there may its environment be changed.
    pub in_recovery: bool,
    /// The writers' keys.
    pub signer: Arc<dyn Signer>,
    /// This machine's locks.
    pub locks: Arc<dyn Locks>,
    /// The fleet of each environment.
    pub fleets: BTreeMap<EnvName, Arc<dyn Fleet>>,
    /// What this process is about.
    pub subject: Arc<Subject>,
    /// What was met on the way and is told once.
    pub notices: Arc<Notices>,
    /// Why environments cannot be deployed to from here, of those that cannot.
    pub withheld: BTreeMap<EnvName, String>,
    /// Who is told what happened.
    pub channels: Arc<Channels>,
    /// What watches each environment.
    pub alarms: BTreeMap<EnvName, Arc<dyn Alarms>>,
    /// The reviews of the workflow run that this process is a part of, if it is of one.
    pub reviews: Option<Arc<dyn Reviews>>,
    /// The run of a CI system that this process is a part of, if it is of one.
    pub identity: Option<Arc<dyn Identity>>,
    /// Databases of advisories.
    pub advisories: Arc<dyn Advisories>,
    /// The repository.
    pub git: Arc<dyn Git>,
    /// The build tool.
    pub cargo: Arc<dyn Cargo>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What a person reads meanwhile.
    pub story: Arc<dyn Story>,
}

/// What this process is about, as soon as it is known: whoever acts for it in other people's systems says so there.
#[derive(Debug, Default)]
pub struct Subject(OnceLock<Version>);

impl Subject {
    /// It is about this release; what was said first stays.
    pub fn about(&self, release: Version) {
        self.0.get_or_init(|| release);
    }

    /// The release, if it is known.
    #[must_use]
    pub fn release(&self) -> Option<Version> {
        self.0.get().copied()
    }
}

/// What a command met on its way, cannot mend and must not keep to itself: told once each, however often it is met.
#[derive(Debug, Default)]
pub struct Notices(Mutex<BTreeSet<String>>);

impl Notices {
    /// Warns of it, unless it was told before.
    pub fn tell(&self, story: &dyn Story, notice: &str) {
        if self.met().insert(notice.to_owned()) {
            story.warn(notice);
        }
    }

    /// All that was told.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.met().iter().cloned().collect()
    }

    fn met(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A region's vault and its witness.
#[derive(Clone)]
pub struct Site {
    /// The vault.
    pub vault: Arc<dyn Vault>,
    /// The heads' witness.
    pub witness: Arc<dyn Witness>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("root", &self.root).field("local", &self.local).finish_non_exhaustive()
    }
}

impl Context {
    /// The same world seen from the second region: its own vault is the vault.
    #[must_use]
    pub fn at_recovery(&self) -> Self {
        let Site { vault, witness } = self.recovery.clone();
        Self { vault, witness, in_recovery: true, ..self.clone() }
    }

    /// What watches an environment.
    ///
    /// # Errors
    /// If the configuration has no such environment.
    pub fn alarms(&self, environment: &EnvName) -> Result<&dyn Alarms, Failure> {
        let alarms = self.alarms.get(environment).map(AsRef::as_ref);
        alarms.ok_or_else(|| Failure::usage(format!("release.toml has no environment `{environment}`")))
    }

    /// The fleet of an environment, behind patience: whoever asks it need not care for throttling.
    ///
    /// # Errors
    /// If the configuration has no such environment, or it cannot be deployed to from here.
    pub fn fleet(&self, environment: &EnvName) -> Result<Patient<'_>, Failure> {
        if let Some(why) = self.withheld.get(environment) {
            return Err(Failure::usage(why.clone()));
        }
        let fleet = self.fleets.get(environment);
        let fleet = fleet.ok_or_else(|| Failure::usage(format!("release.toml has no environment `{environment}`")))?;
        Ok(Patient::new(fleet.as_ref(), self.clock.as_ref(), self.story.as_ref()))
    }
}
