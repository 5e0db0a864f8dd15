//! One function of several is bad, each in its own way: nothing else is left moved, and the ledger has the reason in the
//! function's own words.

use std::sync::Arc;

use async_trait::async_trait;
use xtask::{
    context::Context,
    model::{
        configuration::Configuration,
        digest::Digest,
        entry::ChainName,
        environment::EnvironmentEvent,
        names::{AliasName, FleetName},
    },
    ports::fleet::{
        AliasState, AliasTarget, CodeSource, Fleet, FleetError, FleetVersion, FunctionState, Invocation, LastUpdate,
        Qualifier, Revision, State,
    },
};

use crate::support::{
    invariants::{Witnessed, records},
    project::{Bad, Project},
    world::{code, release},
};

/// In which way beta is bad.
#[derive(Debug, Clone, Copy)]
enum Ill {
    /// By what it does.
    Does(Bad),
    /// Its code or configuration never gets ready: nobody knows why, so that nobody may call it dead.
    Pending,
    /// Its update never ends.
    InProgress,
    /// The fleet says that it cannot run.
    Failed,
    /// The fleet says that its update failed.
    UpdateFailed,
}

/// Each illness, the exit code, the finding, and what the function's own log says.
#[rustfmt::skip]
const ILLS: [(Ill, u8, &str, Option<&str>); 10] = [
    (Ill::Does(Bad::Start), 6, "before traffic: the function failed", Some("told to panic at the start")),
    (Ill::Does(Bad::Init), 6, "before traffic: the function failed: Fixture.Init: told to give up", Some("starting")),
    (Ill::Does(Bad::Answer), 6, "before traffic: expected \"beta\" at `/from`", Some("serving")),
    (Ill::Does(Bad::Hang), 6, "before traffic: the function failed", Some("Task timed out")),
    (Ill::Does(Bad::Slow), 6, "before traffic: expected an answer within 1200 ms", Some("serving")),
    (Ill::Does(Bad::TwoFaced), 6, "through live: the answer is no API Gateway response", Some("serving")),
    (Ill::Pending, 8, "beta-dev is still being prepared", None),
    (Ill::InProgress, 8, "beta-dev is still being prepared", None),
    (Ill::Failed, 6, "beta-dev: it cannot run: told so", None),
    (Ill::UpdateFailed, 6, "beta-dev: the update failed: told so", None),
];

/// A fleet that says of beta what it is told to say.
struct Sick(Arc<dyn Fleet>, Ill);

impl Sick {
    fn of(&self, name: &FleetName, state: FunctionState) -> FunctionState {
        let told = || "told so".to_owned();
        match self.1 {
            _ if !name.as_str().starts_with("beta") => state,
            Ill::Pending if state.version.is_some() => FunctionState { state: State::Pending, ..state },
            Ill::InProgress if state.version.is_none() => {
                FunctionState { last_update: LastUpdate::InProgress, ..state }
            }
            Ill::Failed if state.version.is_some() => FunctionState { state: State::Failed(told()), ..state },
            Ill::UpdateFailed if state.version.is_none() => {
                FunctionState { last_update: LastUpdate::Failed(told()), ..state }
            }
            _ => state,
        }
    }
}

#[async_trait]
impl Fleet for Sick {
    fn at_once(&self) -> usize {
        self.0.at_once()
    }

    fn may_create(&self, name: &FleetName) -> Result<(), FleetError> {
        self.0.may_create(name)
    }

    async fn function(&self, name: &FleetName) -> Result<Option<FunctionState>, FleetError> {
        Ok(self.0.function(name).await?.map(|state| self.of(name, state)))
    }

    async fn create(
        &self,
        name: &FleetName,
        code: &CodeSource,
        configuration: &Configuration,
    ) -> Result<FunctionState, FleetError> {
        Ok(self.of(name, self.0.create(name, code, configuration).await?))
    }

    async fn update_code(
        &self,
        name: &FleetName,
        code: &CodeSource,
        guard: &Revision,
        publish: bool,
    ) -> Result<FunctionState, FleetError> {
        Ok(self.of(name, self.0.update_code(name, code, guard, publish).await?))
    }

    async fn update_configuration(
        &self,
        name: &FleetName,
        configuration: &Configuration,
        guard: &Revision,
    ) -> Result<FunctionState, FleetError> {
        Ok(self.of(name, self.0.update_configuration(name, configuration, guard).await?))
    }

    async fn publish(
        &self,
        name: &FleetName,
        code: &Digest,
        guard: &Revision,
        description: &str,
    ) -> Result<FunctionState, FleetError> {
        Ok(self.of(name, self.0.publish(name, code, guard, description).await?))
    }

    async fn version(&self, name: &FleetName, version: FleetVersion) -> Result<Option<FunctionState>, FleetError> {
        // What is live already stays as it is.
        let live = self.0.alias(name, &"live".parse().unwrap()).await?.map(|alias| alias.target.version);
        let state = self.0.version(name, version).await?;
        Ok(if live == Some(version) { state } else { state.map(|state| self.of(name, state)) })
    }

    async fn live(&self, name: &FleetName, alias: &AliasName) -> Result<Option<FunctionState>, FleetError> {
        self.0.live(name, alias).await
    }

    async fn layer(&self, arn: &str) -> Result<Option<Digest>, FleetError> {
        self.0.layer(arn).await
    }

    async fn alias(&self, name: &FleetName, alias: &AliasName) -> Result<Option<AliasState>, FleetError> {
        self.0.alias(name, alias).await
    }

    async fn create_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
    ) -> Result<AliasState, FleetError> {
        self.0.create_alias(name, alias, target).await
    }

    async fn update_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
        guard: &Revision,
    ) -> Result<AliasState, FleetError> {
        self.0.update_alias(name, alias, target, guard).await
    }

    async fn delete_alias(&self, name: &FleetName, alias: &AliasName) -> Result<(), FleetError> {
        self.0.delete_alias(name, alias).await
    }

    async fn invoke(&self, name: &FleetName, qualifier: &Qualifier, payload: &[u8]) -> Result<Invocation, FleetError> {
        self.0.invoke(name, qualifier, payload).await
    }
}

/// The project's world, in which beta is ill.
fn ill(project: &Project, ill: Ill) -> Context {
    let context = project.context();
    let fleets = context.fleets.clone().into_iter();
    let fleets = fleets.map(|(environment, fleet)| (environment, Arc::new(Sick(fleet, ill)) as Arc<dyn Fleet>));
    Context { fleets: fleets.collect(), ..context }
}

/// Where live of each function points in dev.
async fn live(context: &Context) -> Vec<Option<FleetVersion>> {
    let fleet = context.fleet(&"dev".parse().unwrap()).unwrap();
    let mut live = Vec::new();
    for name in ["alpha-dev", "beta-dev"] {
        let alias = fleet.alias(&name.parse().unwrap(), &context.config.alias).await.unwrap();
        live.push(alias.map(|alias| alias.target.version));
    }
    live
}

async fn falls_ill(over_live: bool, (illness, ends, finding, log): (Ill, u8, &str, Option<&str>)) {
    let project = Project::new();
    if over_live {
        release(&project.context()).await.unwrap();
        project.improve("alpha", "second");
    }
    match illness {
        Ill::Does(bad) => project.break_function("beta", bad),
        _ => project.improve("beta", "second"),
    }
    project.commit("feat: bad beta");
    let (before, mut seen) = (live(&project.context()).await, Witnessed::new(project.local()));
    let ended = release(&ill(&project, illness)).await;
    let what = format!("{illness:?} over live: {over_live}: {ended:?}");
    assert_eq!(code(&ended), ends, "{what}");
    assert!(format!("{ended:?}").contains(finding), "it does not say `{finding}`: {what}");
    let context = project.context();
    assert_eq!(live(&context).await, before, "something was left moved: {what}");
    assert_eq!(seen.broken(&context).await, [""; 0], "{what}");

    let chain = ChainName::Environment("dev".parse().unwrap());
    let story = records::<EnvironmentEvent>(&context, &chain).await.unwrap();
    let failed = story.iter().rev().find_map(|record| match &record.entry.event {
        EnvironmentEvent::Failed { finding, log, .. } => Some((finding.clone(), log.clone())),
        _ => None,
    });
    if ends == 8 {
        assert_eq!(failed, None, "nobody may call it bad: {what}");
        release(&context).await.unwrap();
    } else {
        let (found, tail) = failed.unwrap();
        assert!(found.contains(finding), "{found}: {what}");
        assert!(log.is_none_or(|log| tail.as_deref().is_some_and(|tail| tail.contains(log))), "{tail:?}: {what}");
        let shown = project.xtask(&["history", "--env", "dev"]).expect(0).stdout;
        assert!(shown.contains(finding), "{shown}");
        assert_eq!(code(&release(&context).await), 3, "dead stays dead: {what}");
        project.heal("beta");
        project.commit("fix: beta");
        release(&context).await.unwrap();
    }
    assert_eq!(seen.broken(&context).await, [""; 0], "{what}");
}

#[test]
fn one_bad_function_of_two_moves_nothing() {
    // Most of the time they only wait, so they wait together.
    std::thread::scope(|scope| {
        for over_live in [false, true] {
            for illness in ILLS {
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
                    runtime.unwrap().block_on(falls_ill(over_live, illness));
                });
            }
        }
    });
}
