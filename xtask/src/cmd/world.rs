//! The process's own surroundings, and how a context is wired from them. The only place that picks adapters.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};

#[cfg(feature = "aws")]
use crate::adapters::aws::{Session, Surroundings};
use crate::{
    adapters::{
        cargo::SystemCargo,
        git::{GitAdvisories, LocalGit},
        github::{JobIdentity, WorkflowRun},
        local::{
            alarms::LocalAlarms,
            clock::SystemClock,
            fleet::{LocalFleet, Setup},
            keys::FileKeys,
            locks::FileLocks,
            places::Places,
            seed,
            vault::LocalVault,
            witness::FileWitness,
        },
        notify,
    },
    cmd::{Globals, Profile},
    config::{
        Config,
        load::{self, Found},
    },
    context::{Context, Site, Subject},
    engine::{notify::Channels, release::survey},
    failure::Failure,
    model::{manifest::Stop, names::EnvName},
    output::progress::Narrator,
    ports::{
        alarms::Alarms, buckets::Buckets, clock::Clock, fleet::Fleet, git::Git, identity::Identity, reviews::Reviews,
        signer::Signer, story::Story,
    },
};

/// What this process was started with.
#[derive(Debug, Clone)]
pub struct World {
    /// Where it was started.
    pub working_directory: Utf8PathBuf,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Who started it.
    pub user: String,
    /// This machine's name.
    pub machine: String,
    /// How many columns its stdout has; `None` where it is no terminal.
    pub columns: Option<usize>,
    /// The options of every command.
    pub globals: Globals,
}

impl World {
    /// The configuration and its folder.
    ///
    /// # Errors
    /// Usage: there is none, or it is wrong.
    pub fn found(&self) -> Result<Found, Failure> {
        match self.globals.profile {
            Profile::Local => self.project(None),
            Profile::Aws => {
                let stand_in = self.environment.get("XTASK_AWS_FILE").filter(|path| !path.is_empty());
                let Found { root, config } = self.project(stand_in.map(Utf8Path::new))?;
                Ok(Found { root, config: config.on_aws()? })
            }
        }
    }

    /// The same, whatever the profile; the `[profile.aws]` of another file may stand in for its own.
    ///
    /// # Errors
    /// As `found`.
    pub fn project(&self, stand_in: Option<&Utf8Path>) -> Result<Found, Failure> {
        load::release(&self.working_directory, self.globals.config.as_deref(), stand_in)
    }

    /// The folder of local state: `XTASK_LOCAL`, or `.local` beside `release.toml`.
    #[must_use]
    pub fn local(&self, root: &Utf8Path) -> Utf8PathBuf {
        match self.environment.get("XTASK_LOCAL").filter(|path| !path.is_empty()) {
            Some(path) => self.working_directory.join(path),
            None => root.join(".local"),
        }
    }

    /// Who runs the command, as the ledger names them: in a workflow run whoever started it, by their login alone; else
    /// `user@host`.
    fn actor(&self) -> String {
        let of = |name: &str| self.environment.get(name).filter(|value| !value.is_empty());
        let workflow = of("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let login = of("GITHUB_TRIGGERING_ACTOR").or_else(|| of("GITHUB_ACTOR")).filter(|_| workflow);
        login.cloned().unwrap_or_else(|| format!("{}@{}", self.user, self.machine))
    }

    /// The story on stderr.
    #[must_use]
    pub fn story(&self) -> Arc<dyn Story> {
        Arc::new(Narrator::new(self.globals.level(), self.globals.color.into(), Arc::new(SystemClock)))
    }

    /// The build tool.
    #[must_use]
    pub fn cargo(&self) -> SystemCargo {
        SystemCargo::new(&self.environment)
    }

    /// Everything that a command needs of the world, with a place for what it will write.
    ///
    /// # Errors
    /// As `context`, and if the folder of local state cannot be made.
    pub async fn writing_context(&self) -> anyhow::Result<Context> {
        let context = self.context().await?;
        ignore(&context.local)?;
        let locks = FileLocks::new(&context.local.join("locks"));
        let identity = locks.identity();
        let identity = identity.map_err(|error| Failure::unfinished("failed to name this machine's locks", error))?;
        Ok(Context { machine: format!("{}/{identity}", self.machine), ..context })
    }

    /// Everything that a command needs of the world. Makes nothing, so that a copy can be read where nothing may be
    /// written.
    ///
    /// # Errors
    /// Usage: no configuration, or no repository.
    pub async fn context(&self) -> anyhow::Result<Context> {
        let Found { root, config } = self.found()?;
        let git = LocalGit::open(&root).map_err(survey::git_failure)?;
        let local = self.local(&root);
        if local.exists() && !local.is_dir() {
            return Err(
                Failure::usage(format!("{local} is no folder, so it cannot hold local state; {NAME_ANOTHER}")).into()
            );
        }
        let locks = FileLocks::new(&local.join("locks"));
        let actor = self.actor();
        let subject = Arc::new(Subject::default());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let Cloud { primary, recovery, signer, fleets, alarms, withheld } = match self.globals.profile {
            Profile::Local => self.on_this_machine(&config, &local, &clock),
            Profile::Aws => self.on_aws(&config, &local, &clock, &actor, &subject).await?,
        };
        let channels = Channels::new(notify::open(&config.notifications, &root, &self.environment));
        let channels = Arc::new(channels);
        Ok(Context {
            root: root.clone(),
            config: Arc::new(config),
            actor,
            email: git.user_email(),
            machine: match locks.known_identity() {
                Some(identity) => format!("{}/{identity}", self.machine),
                None => self.machine.clone(),
            },
            tool: format!("xtask {}", env!("CARGO_PKG_VERSION")),
            vault: primary.vault,
            witness: primary.witness,
            in_recovery: false,
            recovery,
            signer,
            locks: Arc::new(locks),
            fleets,
            alarms,
            identity: JobIdentity::of(&self.environment).map(|job| Arc::new(job) as Arc<dyn Identity>),
            reviews: WorkflowRun::of(&self.environment, &clock).map(|run| Arc::new(run) as Arc<dyn Reviews>),
            channels,
            subject,
            notices: Arc::default(),
            withheld,
            advisories: Arc::new(GitAdvisories),
            git: Arc::new(git) as Arc<dyn Git>,
            cargo: Arc::new(self.cargo()),
            clock,
            story: self.story(),
            local,
        })
    }

    /// The vault's buckets, asked and changed with a role: in AWS, or in an emulator as its root.
    ///
    /// # Errors
    /// Usage: the credentials are of none of the configured accounts. Unfinished: there are none, or AWS is out of reach.
    #[cfg(feature = "aws")]
    pub async fn buckets(&self, config: &Config, role: &str, emulated: bool) -> Result<Arc<dyn Buckets>, Failure> {
        let role = role.parse().map_err(|error| Failure::usage(format!("a role is taken by its ARN: {error}")))?;
        let session = self.session(config, emulated).await?;
        Ok(session.buckets(&role, &(Arc::new(SystemClock) as Arc<dyn Clock>)))
    }

    /// A connection with the credentials at hand, or with an emulator's root.
    #[cfg(feature = "aws")]
    pub(super) async fn session(&self, config: &Config, emulated: bool) -> Result<Session, Failure> {
        let Some(aws) = &config.aws else { return Err(Failure::usage("release.toml has no [profile.aws]")) };
        let (actor, subject) = (self.actor(), Arc::new(Subject::default()));
        let around = Surroundings { actor, subject, environment: self.environment.clone() };
        if emulated { Session::emulated(aws, &around).await } else { Session::open(aws, &around).await }
    }

    /// Such a build has started itself again before it comes here.
    ///
    /// # Errors
    /// Usage, always.
    #[cfg(not(feature = "aws"))]
    pub async fn buckets(&self, _config: &Config, _role: &str, _emulated: bool) -> Result<Arc<dyn Buckets>, Failure> {
        Err(Failure::usage("this build has no `--profile aws`: build it with `--features aws`"))
    }

    /// Makes and fills an environment's stores on this machine.
    ///
    /// # Errors
    /// If a seed does not run; the message names it.
    pub fn seed(&self, context: &Context, environment: &EnvName) -> anyhow::Result<()> {
        for (database, folder) in &context.config.seeds {
            let database = context.local.join(database.replace("{environment}", environment.as_str()));
            seed::apply(&database, &context.root.join(folder))?;
        }
        Ok(())
    }

    fn on_this_machine(&self, config: &Config, local: &Utf8Path, clock: &Arc<dyn Clock>) -> Cloud {
        let workshop = local.join("tmp");
        let site = |folder: &Utf8Path| Site {
            vault: Arc::new(LocalVault::new(&folder.join("vault"), &workshop)),
            witness: Arc::new(FileWitness::new(&folder.join("witness.json"), &workshop)),
        };
        let region = |stop: &Stop| if stop.recovery { local.join("dr") } else { local.to_owned() };
        let alarms = config.path.iter().map(|stop| {
            let watch = LocalAlarms::of(config, &stop.environment, &region(stop), Arc::clone(clock));
            (stop.environment.clone(), Arc::new(watch) as Arc<dyn Alarms>)
        });
        let fleets = config.path.iter().map(|stop| {
            let fleet = self.fleet(config, &stop.environment, local, &region(stop), clock);
            (stop.environment.clone(), Arc::new(fleet) as Arc<dyn Fleet>)
        });
        Cloud {
            primary: site(local),
            recovery: site(&local.join("dr")),
            signer: Arc::new(FileKeys::new(&local.join("keys"))),
            fleets: fleets.collect(),
            alarms: alarms.collect(),
            withheld: BTreeMap::new(),
        }
    }

    #[cfg(feature = "aws")]
    async fn on_aws(
        &self,
        config: &Config,
        local: &Utf8Path,
        clock: &Arc<dyn Clock>,
        actor: &str,
        subject: &Arc<Subject>,
    ) -> Result<Cloud, Failure> {
        let Some(aws) = &config.aws else { return Err(Failure::usage("release.toml has no [profile.aws]")) };
        let environment = self.environment.clone();
        let surroundings = Surroundings { actor: actor.to_owned(), subject: Arc::clone(subject), environment };
        let session = Session::open(aws, &surroundings).await?;
        let workshop = local.join("tmp");
        let withheld = config.path.iter().filter_map(|stop| {
            let why = session.withheld(&stop.environment)?;
            Some((stop.environment.clone(), why))
        });
        Ok(Cloud {
            primary: session.primary(&workshop, clock),
            recovery: session.recovery(&workshop, clock),
            signer: session.signer(),
            fleets: session.fleets(&config.path, clock),
            alarms: session.alarms(clock),
            withheld: withheld.collect(),
        })
    }

    /// Such a build has started itself again before it comes here.
    #[cfg(not(feature = "aws"))]
    async fn on_aws(
        &self,
        _config: &Config,
        _local: &Utf8Path,
        _clock: &Arc<dyn Clock>,
        _actor: &str,
        _subject: &Arc<Subject>,
    ) -> Result<Cloud, Failure> {
        Err(Failure::usage("this build has no `--profile aws`: build it with `--features aws`"))
    }

    fn fleet(
        &self,
        config: &Config,
        environment: &EnvName,
        local: &Utf8Path,
        region: &Utf8Path,
        clock: &Arc<dyn Clock>,
    ) -> LocalFleet {
        let variables = config.variables.get(environment).cloned().unwrap_or_default();
        let here = config.fleet_names.iter().filter(|((env, _), _)| env == environment);
        LocalFleet::new(Setup {
            root: region.join("fleet"),
            vault: region.join("vault"),
            places: Places { local: local.to_owned(), environment: self.environment.clone() },
            variables: here.map(|(_, name)| (name.clone(), variables.clone())).collect(),
            settle: Duration::ZERO,
            quota: None,
            clock: Arc::clone(clock),
        })
    }
}

/// What differs between the profiles.
struct Cloud {
    primary: Site,
    recovery: Site,
    signer: Arc<dyn Signer>,
    fleets: BTreeMap<EnvName, Arc<dyn Fleet>>,
    alarms: BTreeMap<EnvName, Arc<dyn Alarms>>,
    withheld: BTreeMap<EnvName, String>,
}

const NAME_ANOTHER: &str = "mend that, or name another folder in the variable XTASK_LOCAL";

/// Local state hides itself from git, so that it never makes a tree dirty, whatever the project's own ignore file says.
pub(super) fn ignore(local: &Utf8Path) -> Result<(), Failure> {
    let path = local.join(".gitignore");
    if path.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(local).and_then(|()| std::fs::write(&path, "*\n")).map_err(|error| {
        Failure::usage(format!("failed to make the folder {local} of local state: {error}; {NAME_ANOTHER}"))
    })
}
