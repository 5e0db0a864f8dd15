//! The commands that the ring disturbs, each at its place in one history that is made once.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex, OnceLock},
};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;
use xtask::{
    adapters::{git::LocalGit, github::WorkflowRun},
    context::Context,
    engine::{
        dr,
        promote::{
            self,
            rollback::{self, Request},
        },
    },
    model::{digest::Digest, version::Version},
};

use crate::{
    reviews::github::{GitHub, TOKEN, review},
    support::{
        faults::Fate,
        invariants::{End, Witnessed},
        people::STAFF,
        project::{Bad, FUNCTIONS, Project, RELEASE, tree},
        world::{self, code, promote_to, release},
    },
};

/// A command at a place in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Work {
    /// `release`, where nothing was released yet.
    First,
    /// `release`, over a live one.
    Second,
    /// `release` of what is good until it is live: it dies.
    Death,
    /// `promote --to uat`, approved, over a live one.
    Promote,
    /// `dr-sync`, over a live one.
    Sync,
    /// `rollback --env uat`.
    Rollback,
    /// `promote --to uat` in a workflow run whose review is the approval.
    Reviewed,
    /// `promote --to uat --break-glass`, approved, in a freeze.
    Glass,
}

/// All of them.
pub(super) const ALL: [Work; 8] =
    [Work::First, Work::Second, Work::Death, Work::Promote, Work::Sync, Work::Rollback, Work::Reviewed, Work::Glass];

/// How a run ends that nothing disturbs.
pub(super) struct Undisturbed {
    pub(super) fate: Arc<Fate>,
    pub(super) code: u8,
    pub(super) end: End,
}

/// The local state at the place of each command, and the clone that it runs in.
struct History {
    /// Keeps the repository.
    _project: Mutex<Project>,
    places: BTreeMap<Work, (Utf8PathBuf, BTreeMap<String, Vec<u8>>)>,
}

/// A copy of a place of the history, for one run.
pub(super) struct Stage {
    folder: TempDir,
    pub(super) work: Work,
    pub(super) seen: Witnessed,
}

impl Stage {
    pub(super) fn new(work: Work) -> Self {
        let folder = TempDir::new().unwrap();
        let local = local(&folder);
        for (name, bytes) in &history().places[&work].1 {
            let path = local.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let seen = Witnessed::new(&local);
        Self { folder, work, seen }
    }

    /// The local state.
    pub(super) fn local(&self) -> Utf8PathBuf {
        local(&self.folder)
    }

    /// The work tree.
    pub(super) fn root(&self) -> &'static Utf8Path {
        self.work.root()
    }

    /// What a fresh process would see.
    pub(super) fn context(&self) -> Context {
        self.work.context(self.root(), &self.local())
    }
}

fn local(folder: &TempDir) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap().join("local")).unwrap()
}

/// The API of a GitHub where Rita approved `promote v1.1.0 to uat` in a run that bob dispatched. It serves until this process
/// ends, whatever runtime asks.
fn github(local: &Utf8Path) -> &'static str {
    static API: OnceLock<String> = OnceLock::new();
    API.get_or_init(|| {
        let manifest = Digest::of(&fs::read(local.join("vault/v1.1.0/manifest.json")).unwrap()).hex();
        let (told, api) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (github, reviews) = (GitHub::new().await, [review("rita-hub", "approved", &["uat"], "")]);
                github.knows(&format!("promote v1.1.0 to uat ({manifest})"), ("bob-hub", "bob-hub"), &reviews);
                told.send(github.api.clone()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        api.recv().unwrap()
    })
}

impl Work {
    /// What a fresh process would see of a work tree and a local state.
    pub(super) fn context(self, root: &Utf8Path, local: &Utf8Path) -> Context {
        let context = world::context_in(root, local, Arc::new(LocalGit::open(root).unwrap()));
        if self != Self::Reviewed {
            return context;
        }
        let of_run = [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "4711"), ("GITHUB_REPOSITORY", "example/prices")];
        let of_api = [("GITHUB_API_URL", github(local)), ("GITHUB_TOKEN", TOKEN)];
        let variables = of_run.iter().chain(&of_api).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let reviews = WorkflowRun::of(&variables.collect(), &context.clock).unwrap();
        Context { reviews: Some(Arc::new(reviews)), ..context }
    }

    /// Runs it, as the command does.
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let uat = "uat".parse().unwrap();
        match self {
            Self::First | Self::Second | Self::Death => release(context).await.map(drop),
            Self::Promote | Self::Reviewed => promote_to(context, &uat, version("v1.1.0")).await,
            Self::Glass => {
                let (release, reason) = (version("v1.1.0"), Some("customers cannot pay"));
                let (plan, manifest) = promote::survey::plan_breaking(context, &uat, release, reason).await?;
                promote::run(context, &plan, &manifest).await.map(drop)
            }
            Self::Sync => {
                let plan = dr::plan(context, None).await?;
                dr::run(context, &plan).await.map(drop)
            }
            Self::Rollback => {
                let (plan, manifest) = rollback::plan(context, &uat, Request { from: None, reason: "a leak" }).await?;
                rollback::run(context, &plan, &manifest).await.map(drop)
            }
        }
    }

    /// Whether it is a `release`, which says so where nothing is left to do.
    pub(super) fn releases(self) -> bool {
        matches!(self, Self::First | Self::Second | Self::Death)
    }

    /// The work tree that it runs in.
    pub(super) fn root(self) -> &'static Utf8Path {
        &history().places[&self].0
    }

    /// How it ends undisturbed.
    pub(super) fn undisturbed(self) -> &'static Undisturbed {
        static KNOWN: Mutex<BTreeMap<Work, &'static Undisturbed>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.entry(self).or_insert_with(|| {
            let made = alone(|| async move {
                let (mut stage, fate) = (Stage::new(self), Fate::undisturbed());
                let ended = self.run(&fate.over_tools(stage.context())).await;
                let expected = if self == Self::Death { 6 } else { 0 };
                assert_eq!(code(&ended), expected, "{self:?} undisturbed: {ended:?}");
                let context = stage.context();
                assert_eq!(stage.seen.broken(&context).await, [""; 0], "{self:?} undisturbed");
                Undisturbed { fate, code: expected, end: End::of(&context).await.unwrap() }
            });
            Box::leak(Box::new(made))
        })
    }
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// Runs this to its end on a thread of its own: whoever asks may be in a runtime already.
pub(super) fn alone<T: Send, F: Future<Output = T>>(future: impl FnOnce() -> F + Send) -> T {
    let run = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    std::thread::scope(|scope| scope.spawn(|| run().block_on(future())).join().unwrap())
}

fn history() -> &'static History {
    static MADE: OnceLock<History> = OnceLock::new();
    MADE.get_or_init(|| alone(make))
}

const UAT_GATE: &str = r#"gate.approvals = [{ role = "qa-lead", count = 1 }]"#;
/// Whose review counts, and who may break the glass.
const ADMITTING: &str = r#"gate = { approvals = [{ role = "qa-lead", count = 1 }], reviews = { source = "github" }, break_glass = { role = "manager" } }"#;
const RITA: &str =
    "[people.rita]\nname = \"Rita\"\nemails = [\"rita@example.com\"]\ngithub = \"Rita-Hub\"\nroles = [\"qa-lead\"]\n";
const FREEZE: &str = "[[freezes]]\nname = \"audit\"\nzone = \"UTC\"\nenvironments = [\"uat\"]\n\
                      from = \"2026-01-01T00:00\"\nto = \"2099-01-01T00:00\"\n";

/// v1.0.0 went all the way; v1.1.0 follows, step by step.
async fn make() -> History {
    let project = Project::new();
    project.repo().write("release.toml", &RELEASE.replace(UAT_GATE, ADMITTING));
    project.people(&STAFF, RITA);
    project.commit("chore: people");
    project.xtask(&["policy", "apply"]).expect(0);
    let to = async |environment: &str, release: &str| {
        let people: &[&str] = if environment == "uat" { &["quinn"] } else { &["pia", "max"] };
        people
            .iter()
            .for_each(|who| drop(project.decide(who, &format!("approve {environment} {release}"), &[]).expect(0)));
    };
    let take = async |environment: &str, release: &str| {
        promote_to(&project.context(), &environment.parse().unwrap(), version(release)).await.unwrap();
    };
    let mut places = BTreeMap::new();
    let mut place = |work: Work, root: Utf8PathBuf| {
        let mut files = tree(project.local());
        files.retain(|name, _| !["tmp/", "locks/", "build/"].iter().any(|start| name.starts_with(start)));
        files.retain(|name, _| !name.contains(".hosts/") && !name.ends_with("/log.txt"));
        places.insert(work, (root, files));
    };
    release(&project.context()).await.unwrap();
    for environment in ["uat", "prod"] {
        to(environment, "v1.0.0").await;
        take(environment, "v1.0.0").await;
    }
    Work::Sync.run(&project.context()).await.unwrap();
    FUNCTIONS.iter().for_each(|function| project.improve(function, "second"));
    project.commit("feat: second");
    let root = project.root().to_owned();
    place(Work::Second, root.clone());
    release(&project.context()).await.unwrap();
    place(Work::Reviewed, root.clone());
    to("uat", "v1.1.0").await;
    place(Work::Promote, root.clone());
    project.decide("max", "approve uat v1.1.0", &["--as", "manager"]).expect(0);
    project.staff(&STAFF, &format!("{RITA}{FREEZE}"));
    place(Work::Glass, root.clone());
    project.staff(&STAFF, RITA);
    take("uat", "v1.1.0").await;
    place(Work::Rollback, root.clone());
    to("prod", "v1.1.0").await;
    take("prod", "v1.1.0").await;
    place(Work::Sync, root.clone());
    let clone = project.in_clone("two-faced");
    project.repo().git(&["checkout", "--quiet", "-b", "two-faced"]);
    project.improve("alpha", "third");
    project.break_function("beta", Bad::TwoFaced);
    let bad = project.commit("feat: two-faced").to_string();
    project.repo().git_in(&clone, &["fetch", "--quiet", "origin", "two-faced"], b"");
    project.repo().git_in(&clone, &["checkout", "--quiet", &bad], b"");
    project.repo().checkout("main");
    place(Work::Death, clone);
    places.insert(Work::First, (root, BTreeMap::new()));
    History { _project: Mutex::new(project), places }
}
