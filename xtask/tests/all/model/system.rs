//! The toolchain under the model's commands: real repositories, vaults, fleets, keys and processes of the functions.

use std::{collections::BTreeMap, sync::Arc};

use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde_json::json;
use tokio::runtime::Runtime;
use xtask::{
    adapters::{git::LocalGit, ssh},
    context::Context,
    engine::{
        audit,
        decide::{self, Request, Verdict},
        dr, facts, policy,
        promote::{rollback, survey},
    },
    model::{names::EnvName, policy::PolicyEvent, version::Version},
};

use super::reference::{CLONES, Decision, ENVIRONMENTS, HISTORY, PEOPLE, Rules, Step};
use crate::support::{
    project::{Project, put_back, tree},
    world::{self, code, promote_to, release},
};

/// What is prepared once per test thread: a history of commits, clones of it, and a policy that is in force.
struct Stage {
    project: Project,
    clones: Vec<camino::Utf8PathBuf>,
    commits: Vec<String>,
    beginning: BTreeMap<String, Vec<u8>>,
    runtime: Runtime,
}

thread_local! {
    static STAGE: std::rc::Rc<Stage> = std::rc::Rc::new(Stage::new());
}

/// The toolchain, at the beginning of a sequence or some steps later.
pub(super) struct System(std::rc::Rc<Stage>);

impl Stage {
    fn new() -> Self {
        let project = Project::new();
        let smoke = std::fs::read_to_string(project.root().join("functions/alpha/smoke.toml")).unwrap();
        let qa = smoke.replace("schema = 1", "").replace("[[check]]", "[[environments.qa.check]]");
        let qa = qa.replace("[check.", "[environments.qa.check.").replace("answers", "tells the currency");
        let qa = qa.replace("json = { \"/from\" = \"alpha\" }", "json = { \"/currency\" = \"EUR\" }");
        project.repo().write("functions/alpha/smoke.toml", &format!("{smoke}{qa}"));
        let people = PEOPLE.map(|(id, roles)| (id, roles, ""));
        project.staff(&people, "");
        let commits = HISTORY.iter().enumerate().map(|(number, fate)| {
            let mut body = json!({ "from": "alpha", "currency": "EUR" });
            match fate {
                Some(0) => body["from"] = "nobody".into(),
                Some(_) => body["currency"] = "none".into(),
                None => {}
            }
            let answer = json!({ "statusCode": 200, "body": body.to_string() });
            project.behave("alpha", &json!({ "answer": answer, "note": number.to_string() }));
            project.commit("fix: alpha").to_string()
        });
        let commits: Vec<_> = commits.collect();
        let clones = (0..CLONES).map(|n| project.in_clone(&format!("clone-{n}"))).collect();
        let beginning = tree(project.local());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { project, clones, commits, beginning, runtime }
    }

    fn context(&self) -> Context {
        self.project.context()
    }

    /// What somebody on a clone sees.
    fn on(&self, clone: usize) -> Context {
        let root = &self.clones[clone];
        let git = Arc::new(LocalGit::open(root).unwrap());
        Context { git, ..world::context(root, self.project.local(), self.project.repo()) }
    }

    fn checkout(&self, clone: usize, commit: usize) {
        let commit = &self.commits[commit];
        self.project.repo().git_in(&self.clones[clone], &["checkout", "--quiet", "--detach", commit], b"");
    }

    async fn run(&self, step: &Step) -> anyhow::Result<()> {
        let context = self.context();
        match *step {
            Step::Checkout { clone, commit } => {
                self.checkout(clone, commit);
                Ok(())
            }
            Step::Release { clone } => release(&self.on(clone)).await.map(drop),
            Step::Promote { to, release } => promote_to(&context, &name(to), number(release)).await,
            Step::Decide { who, decision, to, release } => {
                let key = ssh::open(&self.project.key(PEOPLE[who].0), &BTreeMap::new())?;
                let verdict = match decision {
                    Decision::Approve => Verdict::Approve,
                    Decision::Reject => Verdict::Reject,
                    Decision::Revoke => Verdict::Revoke,
                };
                let (environment, release) = (name(to), number(release));
                let request = Request { environment, release, verdict, role: None, comment: None };
                decide::run(&context, &request, &*key).await.map(drop)
            }
            Step::Rollback { environment } => {
                let request = rollback::Request { from: None, reason: "because" };
                if ENVIRONMENTS[environment] == "dr" {
                    return dr::run_back(&context, request).await.map(drop);
                }
                let (plan, manifest) = rollback::plan(&context, &name(environment), request).await?;
                rollback::run(&context, &plan, &manifest).await.map(drop)
            }
            Step::DrSync => dr::run(&context, &dr::plan(&context, None).await?).await.map(drop),
            Step::Stop => {
                policy::append(&context, &PolicyEvent::Stopped { reason: "a leak".to_owned() }).await.map(drop)
            }
            Step::Resume => policy::append(&context, &PolicyEvent::Resumed { reason: "ok".to_owned() }).await.map(drop),
        }
    }

    async fn agrees(&self, rules: &Rules) {
        let context = self.context();
        for (release, expected) in rules.releases.iter().enumerate() {
            let (manifest, _) = facts::manifest(&context, number(release)).await.unwrap();
            assert_eq!(
                manifest.commit.to_string(),
                self.commits[expected.commit],
                "what v1.0.{release} was built from"
            );
            let dead = facts::death(&context, number(release)).await.unwrap();
            assert_eq!(dead.is_some(), expected.dead, "whether v1.0.{release} is dead: {dead:?}");
        }
        let newest = facts::newest_sealed(&context).await.unwrap();
        assert_eq!(newest, rules.releases.len().checked_sub(1).map(number), "the newest release");
        for (at, expected) in rules.environments.iter().enumerate() {
            let context = if ENVIRONMENTS[at] == "dr" { context.at_recovery() } else { context.clone() };
            let state = survey::state(&context, &name(at)).await.unwrap();
            let live = state.live.as_ref().map(|live| (live.release, live.verified));
            assert_eq!(live, expected.live.map(|live| (number(live), true)), "what is live in {}", ENVIRONMENTS[at]);
            assert_eq!(state.pin.is_some(), expected.pinned, "whether {} is pinned", ENVIRONMENTS[at]);
            assert!(state.holder.is_none(), "{} is held", ENVIRONMENTS[at]);
        }
    }
}

fn name(environment: usize) -> EnvName {
    ENVIRONMENTS[environment].parse().unwrap()
}

fn number(release: usize) -> Version {
    format!("v1.0.{release}").parse().unwrap()
}

impl StateMachineTest for System {
    type SystemUnderTest = Self;
    type Reference = Rules;

    fn init_test(_rules: &<Self::Reference as ReferenceStateMachine>::State) -> Self {
        let stage = STAGE.with(std::rc::Rc::clone);
        put_back(stage.project.local(), &stage.beginning);
        (0..CLONES).for_each(|clone| stage.checkout(clone, 0));
        Self(stage)
    }

    fn apply(system: Self, rules: &Rules, step: Step) -> Self {
        let stage = &system.0;
        let ended = stage.runtime.block_on(stage.run(&step));
        assert_eq!(Some(code(&ended)), rules.code, "{step:?}: {ended:?}");
        stage.runtime.block_on(stage.agrees(rules));
        system
    }

    fn teardown(system: Self, _rules: Rules) {
        let context = system.0.context();
        for context in [context.at_recovery(), context] {
            let audit = system.0.runtime.block_on(audit::run(&context)).unwrap();
            assert!(audit.findings.is_empty(), "{:?}", audit.findings);
        }
    }
}
