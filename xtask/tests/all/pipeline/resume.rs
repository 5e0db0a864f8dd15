//! Crash anywhere, run again: whatever call of the world fails, and however, the same command brings the same end.

use std::collections::BTreeMap;

use xtask::{
    context::Context,
    engine::{audit, ledger},
    model::{
        entry::{ChainName, Event},
        environment::EnvironmentEvent,
        releases::ReleaseEvent,
    },
    ports::fleet::Fleet as _,
};

use crate::support::{
    faults::{Fate, How},
    project::{Bad, Project, put_back, tree},
    world::{code, release},
};

/// How things stand: what every chain says happened, and where every alias of the fleet points.
#[derive(Debug, PartialEq)]
struct End {
    chains: BTreeMap<String, Vec<String>>,
    aliases: BTreeMap<String, u64>,
}

async fn end(context: &Context) -> End {
    let mut chains = BTreeMap::new();
    chains.insert("releases".to_owned(), kinds::<ReleaseEvent>(context, &ChainName::Releases).await);
    let mut aliases = BTreeMap::new();
    for environment in ["dev", "qa"] {
        let environment = environment.parse().unwrap();
        let chain = ChainName::Environment(environment);
        chains.insert(chain.to_string(), kinds::<EnvironmentEvent>(context, &chain).await);
        let ChainName::Environment(environment) = chain else { unreachable!() };
        for function in context.config.functions.keys() {
            let name = context.config.fleet_name(&environment, function).unwrap();
            let alias = context.fleet(&environment).unwrap().alias(&name, &context.config.alias).await.unwrap();
            aliases.extend(alias.map(|alias| (name.to_string(), alias.target.version.0)));
        }
    }
    End { chains, aliases }
}

async fn kinds<E: Event>(context: &Context, chain: &ChainName) -> Vec<String> {
    let last = ledger::head::<E>(context, chain).await.unwrap().map_or(0, |record| record.entry.number);
    let mut kinds = Vec::new();
    for number in 1..=last {
        let entry = ledger::entry::<E>(context, chain, number).await.unwrap().entry;
        kinds.push(format!("{} {}", entry.event.kind(), entry.release.unwrap()));
    }
    kinds
}

/// Kills the process after each thing that a release does to the world, each time from the same beginning, and runs
/// the same command again.
async fn killed_anywhere(project: &Project, undisturbed: u8) {
    let beginning = tree(project.local());
    let (fate, expected) = uneventful(project, undisturbed).await;
    for at in fate.effects() {
        put_back(project.local(), &beginning);
        let fate = Fate::new(How::KilledAfter, at);
        let killed = release(&fate.over(project.context())).await;
        let what = format!("killed after {}: {killed:?}", fate.struck());
        assert!(killed.is_err(), "{what}");
        let context = project.context();
        let again = release(&context).await;
        // Where everything was recorded before, there is nothing left to do.
        assert!([undisturbed, 3].contains(&code(&again)), "the same command ends otherwise: {what}: {again:?}");
        assert_eq!(end(&context).await, expected, "{what}");
        let audit = audit::run(&context).await.unwrap();
        assert!(audit.findings.is_empty(), "{what}: {:?}", audit.findings);
        assert_eq!(code(&release(&context).await), 3, "{what}");
    }
}

/// Lets each call on each object fail for a moment: the command is unfinished, kills nothing, and touches nothing more. What then is
/// there is what a killed process leaves, too.
async fn failing_anywhere(project: &Project, how: How, undisturbed: u8) {
    let beginning = tree(project.local());
    let (fate, _) = uneventful(project, undisturbed).await;
    let calls = if how == How::AnswerLost { fate.effects() } else { fate.firsts() };
    for at in calls {
        put_back(project.local(), &beginning);
        let fate = Fate::new(how, at);
        let failed = release(&fate.over(project.context())).await;
        let what = format!("{how:?} at {}: {failed:?}", fate.struck());
        assert_eq!(code(&failed), 8, "it must be unfinished: {what}");
        let after: Vec<_> = fate.effects().into_iter().filter(|effect| *effect > at).collect();
        assert!(after.is_empty(), "it went on to change the world: {what}");
    }
}

async fn uneventful(project: &Project, undisturbed: u8) -> (std::sync::Arc<Fate>, End) {
    let fate = Fate::new(How::Undisturbed, 0);
    assert_eq!(code(&release(&fate.over(project.context())).await), undisturbed);
    let (calls, effects) = (fate.firsts().len(), fate.effects().len());
    assert!(calls > 60 && effects > 25, "{calls} calls, {effects} effects");
    (fate, end(&project.context()).await)
}

/// A second release whose beta is good until it is live: it dies after the shift.
async fn about_to_die() -> Project {
    let project = Project::new();
    release(&project.context()).await.unwrap();
    project.improve("alpha", "new");
    project.break_function("beta", Bad::TwoFaced);
    project.commit("feat: two-faced");
    project
}

#[tokio::test]
async fn a_release_is_killed_anywhere() {
    killed_anywhere(&Project::new(), 0).await;
}

#[tokio::test]
async fn a_death_is_killed_anywhere() {
    killed_anywhere(&about_to_die().await, 6).await;
}

#[tokio::test]
async fn a_release_fails_for_a_moment() {
    let project = Project::new();
    failing_anywhere(&project, How::AnswerLost, 0).await;
    put_back(project.local(), &BTreeMap::new());
    failing_anywhere(&project, How::Refused, 0).await;
}

#[tokio::test]
async fn a_death_fails_for_a_moment() {
    failing_anywhere(&about_to_die().await, How::AnswerLost, 6).await;
    failing_anywhere(&about_to_die().await, How::Refused, 6).await;
}
