//! The process's own surroundings, and how a context is wired from them. The only place that picks adapters.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    adapters::{
        cargo::SystemCargo,
        git::LocalGit,
        local::{
            alarms::LocalAlarms,
            clock::SystemClock,
            fleet::{LocalFleet, Setup},
            keys::FileKeys,
            locks::FileLocks,
            seed,
            vault::LocalVault,
            witness::FileWitness,
        },
    },
    cmd::Globals,
    config::load::{self, Found},
    context::{Context, Site},
    engine::release::survey,
    failure::Failure,
    model::names::EnvName,
    output::progress::Narrator,
    ports::{alarms::Alarms, clock::Clock, fleet::Fleet, git::Git, story::Story},
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
        load::release(&self.working_directory, self.globals.config.as_deref())
    }

    /// The folder of local state: `XTASK_LOCAL`, or `.local` beside `release.toml`.
    #[must_use]
    pub fn local(&self, root: &Utf8Path) -> Utf8PathBuf {
        match self.environment.get("XTASK_LOCAL").filter(|path| !path.is_empty()) {
            Some(path) => self.working_directory.join(path),
            None => root.join(".local"),
        }
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
    pub fn writing_context(&self) -> anyhow::Result<Context> {
        let context = self.context()?;
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
    pub fn context(&self) -> anyhow::Result<Context> {
        let Found { root, config } = self.found()?;
        let git = LocalGit::open(&root).map_err(survey::git_failure)?;
        let local = self.local(&root);
        if local.exists() && !local.is_dir() {
            return Err(
                Failure::usage(format!("{local} is no folder, so it cannot hold local state; {NAME_ANOTHER}")).into()
            );
        }
        let workshop = local.join("tmp");
        let locks = FileLocks::new(&local.join("locks"));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let alarms = config.path.iter().map(|stop| {
            let region = if stop.recovery { local.join("dr") } else { local.clone() };
            let watch = LocalAlarms::of(&config, &stop.environment, &region, Arc::clone(&clock));
            (stop.environment.clone(), Arc::new(watch) as Arc<dyn Alarms>)
        });
        let fleets = config.path.iter().map(|stop| {
            let region = if stop.recovery { local.join("dr") } else { local.clone() };
            let fleet = self.fleet(&config, &stop.environment, &local, &region, &clock);
            (stop.environment.clone(), Arc::new(fleet) as Arc<dyn Fleet>)
        });
        Ok(Context {
            fleets: fleets.collect(),
            alarms: alarms.collect(),
            root: root.clone(),
            config: Arc::new(config.clone()),
            actor: format!("{}@{}", self.user, self.machine),
            email: git.user_email(),
            machine: match locks.known_identity() {
                Some(identity) => format!("{}/{identity}", self.machine),
                None => self.machine.clone(),
            },
            tool: format!("xtask {}", env!("CARGO_PKG_VERSION")),
            vault: Arc::new(LocalVault::new(&local.join("vault"), &workshop)),
            witness: Arc::new(FileWitness::new(&local.join("witness.json"), &workshop)),
            in_recovery: false,
            recovery: Site {
                vault: Arc::new(LocalVault::new(&local.join("dr/vault"), &workshop)),
                witness: Arc::new(FileWitness::new(&local.join("dr/witness.json"), &workshop)),
            },
            signer: Arc::new(FileKeys::new(&local.join("keys"))),
            locks: Arc::new(locks),
            git: Arc::new(git) as Arc<dyn Git>,
            cargo: Arc::new(self.cargo()),
            clock: Arc::clone(&clock),
            story: self.story(),
            local,
        })
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

    fn fleet(
        &self,
        config: &crate::config::Config,
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
            local: local.to_owned(),
            variables: here.map(|(_, name)| (name.clone(), variables.clone())).collect(),
            settle: Duration::ZERO,
            quota: None,
            clock: Arc::clone(clock),
        })
    }
}

const NAME_ANOTHER: &str = "mend that, or name another folder in the variable XTASK_LOCAL";

/// Local state hides itself from git, so that it never makes a tree dirty, whatever the project's own ignore file says.
fn ignore(local: &Utf8Path) -> Result<(), Failure> {
    let path = local.join(".gitignore");
    if path.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(local).and_then(|()| std::fs::write(&path, "*\n")).map_err(|error| {
        Failure::usage(format!("failed to make the folder {local} of local state: {error}; {NAME_ANOTHER}"))
    })
}
