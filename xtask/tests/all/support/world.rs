//! The toolchain in process, on a project of its own: the real adapters, but artifacts are packed from a program that
//! is compiled once, so that a release takes a moment. Every port can be wrapped before use.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use camino::Utf8Path;
use xtask::{
    adapters::{
        binary,
        git::GitAdvisories,
        local::{
            alarms::LocalAlarms,
            clock::SystemClock,
            fleet::{LocalFleet, Quota, Setup},
            keys::FileKeys,
            locks::FileLocks,
            places::Places,
            vault::LocalVault,
            witness::FileWitness,
        },
    },
    config::{load, smoke},
    context::{Context, Site},
    engine::{
        facts::{self, Standing},
        promote,
        release::{self, Sealed},
    },
    model::{binary::Binary, digest::Digest, manifest::Toolchain, names::EnvName, time::Time, version::Version},
    plan::release::ReleasePlan,
    ports::{
        alarms::Alarms,
        cargo::{Artifact, BuildRequest, Built, Cargo},
        clock::Clock,
        fleet::Fleet,
        git::Git,
        story::{Phase, Story},
    },
};

use crate::{
    fleet::bootstrap,
    support::{project::Project, repo::Repo},
};

impl Project {
    /// What a fresh process would see of the world.
    pub(crate) fn context(&self) -> Context {
        context(self.root(), self.local(), self.repo())
    }

    /// The same, at a time that a test holds in its hand, with a fleet that serves this many calls.
    pub(crate) fn context_at(&self, clock: &Arc<Hand>, quota: Option<Quota>) -> Context {
        context_with(
            self.root(),
            self.local(),
            Arc::new(self.repo().open()),
            Arc::clone(clock) as Arc<dyn Clock>,
            quota,
        )
    }
}

/// What a fresh process would see, with `release.toml` in `root` and its state in `local`.
pub(crate) fn context(root: &Utf8Path, local: &Utf8Path, repo: &Repo) -> Context {
    context_in(root, local, Arc::new(repo.open()))
}

/// The same, in a clone that is opened already.
pub(crate) fn context_in(root: &Utf8Path, local: &Utf8Path, git: Arc<dyn Git>) -> Context {
    context_with(root, local, git, Arc::new(Impatient), None)
}

fn context_with(
    root: &Utf8Path,
    local: &Utf8Path,
    git: Arc<dyn Git>,
    clock: Arc<dyn Clock>,
    quota: Option<Quota>,
) -> Context {
    let load::Found { root, config } = load::release(root, None, None).unwrap();
    let local = local.to_owned();
    let workshop = local.join("tmp");
    fs::create_dir_all(&local).unwrap();
    fs::write(local.join(".gitignore"), "*\n").unwrap();
    let alarms = config.path.iter().map(|stop| {
        let region = if stop.recovery { local.join("dr") } else { local.clone() };
        let watch = LocalAlarms::of(&config, &stop.environment, &region, Arc::clone(&clock));
        (stop.environment.clone(), Arc::new(watch) as Arc<dyn Alarms>)
    });
    let fleets = config.path.iter().map(|stop| {
        let variables = config.variables.get(&stop.environment).cloned().unwrap_or_default();
        let here = config.fleet_names.iter().filter(|((environment, _), _)| environment == &stop.environment);
        let region = if stop.recovery { local.join("dr") } else { local.clone() };
        let fleet = LocalFleet::new(Setup {
            root: region.join("fleet"),
            vault: region.join("vault"),
            places: Places { local: local.clone(), ..Places::default() },
            variables: here.map(|(_, name)| (name.clone(), variables.clone())).collect(),
            settle: Duration::ZERO,
            quota,
            clock: Arc::clone(&clock),
        });
        (stop.environment.clone(), Arc::new(fleet) as Arc<dyn Fleet>)
    });
    Context {
        fleets: fleets.collect(),
        alarms: alarms.collect(),
        config: Arc::new(config.clone()),
        actor: "ada@laptop".to_owned(),
        email: Some("ada@example.com".to_owned()),
        machine: "laptop".to_owned(),
        tool: "xtask 0.0.0".to_owned(),
        vault: Arc::new(LocalVault::new(&local.join("vault"), &workshop)),
        witness: Arc::new(FileWitness::new(&local.join("witness.json"), &workshop)),
        in_recovery: false,
        recovery: Site {
            vault: Arc::new(LocalVault::new(&local.join("dr/vault"), &workshop)),
            witness: Arc::new(FileWitness::new(&local.join("dr/witness.json"), &workshop)),
        },
        signer: Arc::new(FileKeys::new(&local.join("keys"))),
        locks: Arc::new(FileLocks::new(&local.join("locks"))),
        subject: Arc::default(),
        channels: Arc::default(),
        notices: Arc::default(),
        reviews: None,
        identity: None,
        advisories: Arc::new(GitAdvisories),
        withheld: BTreeMap::new(),
        git,
        cargo: Arc::new(Packer),
        clock,
        story: Arc::new(Silence),
        root,
        local,
    }
}

/// What `release` does, as the command does it.
pub(crate) async fn release(context: &Context) -> anyhow::Result<Sealed> {
    let (plan, sealed) = seal_by_plan(context).await?;
    for environment in &plan.through {
        if facts::standing(context, environment, sealed.release).await? != Standing::Verified {
            promote_to(context, environment, sealed.release).await?;
        }
    }
    Ok(sealed)
}

/// What `release --until sealed` does.
pub(crate) async fn seal(context: &Context) -> anyhow::Result<Sealed> {
    Ok(seal_by_plan(context).await?.1)
}

async fn seal_by_plan(context: &Context) -> anyhow::Result<(ReleasePlan, Sealed)> {
    let _lock = release::lock(context).await?;
    let plan = release::survey::plan(context, true).await?;
    let checks = smoke::all(&context.root, &context.config)?;
    let sealed = release::run(context, &plan, &checks).await?;
    Ok((plan, sealed))
}

/// What `promote` does.
pub(crate) async fn promote_to(context: &Context, to: &EnvName, release: Version) -> anyhow::Result<()> {
    let (plan, manifest) = promote::survey::plan(context, to, release).await?;
    promote::run(context, &plan, &manifest).await.map(drop)
}

/// The exit code that a result ends with.
pub(crate) fn code<T>(result: &anyhow::Result<T>) -> u8 {
    match result {
        Ok(_) => 0,
        Err(error) => xtask::failure::find(error).map_or(1, xtask::failure::Failure::code),
    }
}

/// Packs the fixture with the behaviour that the work tree gives to each function.
struct Packer;

impl Cargo for Packer {
    fn build(&self, request: &BuildRequest<'_>, _progress: &dyn Fn(&str)) -> anyhow::Result<Built> {
        fs::create_dir_all(request.out)?;
        let mut artifacts = std::collections::BTreeMap::new();
        for function in request.functions {
            let behaviour = fs::read(request.root.join(format!("functions/{function}/behaviour.json")))?;
            let behaviour: serde_json::Value = serde_json::from_slice(&behaviour)?;
            let zip = match behaviour.get("package") {
                None => bootstrap::function(&behaviour),
                Some(_) => bootstrap::zip(&[("behaviour.json", 0o644, behaviour.to_string().as_bytes())]),
            };
            let path = request.out.join(format!("{function}.zip"));
            fs::write(&path, &zip)?;
            let (sha256, size) = (Digest::of(&zip), zip.len() as u64);
            // What Lambda could not start is the business of the fleets here; where this was compiled is nobody's.
            let sound = request.out.join("sound");
            fs::write(&sound, bootstrap::function(&serde_json::json!({})))?;
            let binary = Binary { leaks: Vec::new(), ..binary::inspect(&sound, &[])? };
            artifacts.insert(function.clone(), Artifact { executable: path.clone(), path, sha256, size, binary });
        }
        let toolchain = self.toolchain(request)?;
        let lockfile = Digest::of(&fs::read(request.root.join("Cargo.lock"))?);
        Ok(Built { artifacts, toolchain, lockfile, linked: BTreeMap::new() })
    }

    fn toolchain(&self, request: &BuildRequest<'_>) -> anyhow::Result<Toolchain> {
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let (rustc, cargo, profile) = ("rustc".to_owned(), "cargo".to_owned(), request.profile.to_owned());
        Ok(Toolchain { rustc, cargo, host: target.clone(), target, profile, zig: None })
    }

    fn difference(&self, sealed: &Utf8Path, artifact: &Artifact) -> anyhow::Result<Vec<String>> {
        binary::difference(sealed, &artifact.path)
    }
}

/// The real time, without waiting.
pub(crate) struct Impatient;

#[async_trait]
impl Clock for Impatient {
    fn now(&self) -> Time {
        SystemClock.now()
    }

    async fn sleep(&self, _wait: Duration) {
        tokio::task::yield_now().await;
    }
}

/// A clock that stands until it is moved; whoever waits moves it.
pub(crate) struct Hand(Mutex<Time>);

impl Hand {
    /// Puts it to this time.
    pub(crate) fn set(&self, time: Time) {
        *self.0.lock().unwrap() = time;
    }

    /// It stands at noon.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-01-23T12:00:00Z".parse().unwrap())))
    }
}

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Time {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.after(wait);
    }
}

/// A clock that is behind the real one by so much.
pub(crate) struct Ago(pub(crate) Duration);

#[async_trait]
impl Clock for Ago {
    fn now(&self) -> Time {
        SystemClock.now().before(self.0)
    }

    async fn sleep(&self, _wait: Duration) {
        tokio::task::yield_now().await;
    }
}

/// Nobody listens.
pub(crate) struct Silence;

impl Story for Silence {
    fn phase(&self, _name: &str) -> Box<dyn Phase> {
        Box::new(Self)
    }

    fn note(&self, _text: &str) {}

    fn warn(&self, _text: &str) {}
}

impl Phase for Silence {
    fn now(&self, _detail: &str) {}

    fn done(self: Box<Self>, _detail: &str) {}
}
