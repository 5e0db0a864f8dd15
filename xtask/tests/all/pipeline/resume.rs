//! Crash anywhere, run again: whatever call of the world fails, and however, the same command brings the same end.

use std::{collections::BTreeMap, fs};

use camino::Utf8Path;
use xtask::{
    context::Context,
    engine::{audit, ledger},
    model::{
        entry::{ChainName, Event},
        environment::EnvironmentEvent,
        releases::ReleaseEvent,
    },
};

use crate::support::{
    faults::{Fate, How},
    project::{Bad, Project, tree},
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

/// Lets every call of one release fail in this way, each from the same beginning, and runs it again after each.
async fn every_failure_is_survived(project: &Project, how: How, undisturbed: u8) {
    let beginning = tree(project.local());
    let fate = Fate::new(How::Undisturbed, 0);
    assert_eq!(code(&release(&fate.over(project.context())).await), undisturbed);
    let expected = end(&project.context()).await;
    let calls = fate.calls();
    assert!(calls > 100, "{calls}");
    for at in 1..=calls {
        put_back(project.local(), &beginning);
        let fate = Fate::new(how, at);
        let first = release(&fate.over(project.context())).await;
        let what = format!("{how:?} {at}, {}: {first:?}", fate.struck());
        // The last calls may fail when everything is recorded already.
        assert!(code(&first) == 8, "it must be unfinished, not {}: {what}", code(&first));
        let context = project.context();
        let again = release(&context).await;
        let settled = code(&again);
        assert!(settled == undisturbed || settled == 3, "the same command ends with {settled}: {what}: {again:?}");
        assert_eq!(end(&context).await, expected, "{what}");
        let audit = audit::run(&context).await.unwrap();
        assert!(audit.findings.is_empty(), "{what}: {:?}", audit.findings);
        assert!(matches!(code(&release(&project.context()).await), 3), "{what}");
    }
}

fn put_back(local: &Utf8Path, files: &BTreeMap<String, Vec<u8>>) {
    fs::remove_dir_all(local).unwrap_or_default();
    for (name, bytes) in files {
        let path = local.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
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

macro_rules! each {
    ($($name:ident: $how:ident),*) => {
        $(
            mod $name {
                #[tokio::test]
                async fn a_release() {
                    let project = super::Project::new();
                    super::every_failure_is_survived(&project, super::How::$how, 0).await;
                }

                #[tokio::test]
                async fn a_death() {
                    let project = super::about_to_die().await;
                    super::every_failure_is_survived(&project, super::How::$how, 6).await;
                }
            }
        )*
    };
}
each!(killed_before: KilledBefore, killed_after: KilledAfter, refused: Refused, answer_lost: AnswerLost);
