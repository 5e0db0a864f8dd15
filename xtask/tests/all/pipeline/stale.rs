//! A holder that stood still until its claim was taken over: wherever it wakes, it changes nothing in the fleet and says
//! why.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use xtask::{
    context::Context,
    engine::audit,
    model::{names::EnvName, time::Time, version::Version},
    ports::clock::Clock,
};

use crate::support::{
    faults::{Fate, How},
    project::{Bad, FUNCTIONS, Project, put_back, tree},
    world::{Impatient, code, promote_to, release, seal},
};

/// Another machine, after the claim of the first has expired.
fn another(project: &Project) -> Context {
    let (machine, actor) = ("other".to_owned(), "bob@other".to_owned());
    let locks = Arc::new(xtask::adapters::local::locks::FileLocks::new(&project.local().join("other-locks")));
    Context { machine, actor, locks, clock: Arc::new(Tomorrow), ..project.context() }
}

struct Tomorrow;

#[async_trait]
impl Clock for Tomorrow {
    fn now(&self) -> Time {
        Impatient.now().after(Duration::from_secs(24 * 60 * 60))
    }

    async fn sleep(&self, wait: Duration) {
        Impatient.sleep(wait).await;
    }
}

/// What the fleet is, without what its processes wrote.
fn fleet(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(&project.local().join("fleet"));
    files.retain(|name, _| ["/latest/", "/versions/", "/aliases/"].iter().any(|part| name.contains(part)));
    files
}

/// Stops a promotion of `first` before each kind of its calls, lets another machine take over with `second`, and wakes it.
async fn wakes_anywhere(project: &Project, first: Version, second: Version, taker: u8) {
    let dev: EnvName = "dev".parse().unwrap();
    let beginning = tree(project.local());
    let undisturbed = Fate::new(How::Undisturbed, 0);
    promote_to(&undisturbed.over(project.context()), &dev, first).await.unwrap_or_default();
    let claimed = undisturbed.calls_of("create environments/dev/")[0] + 1;
    let mut woken = 0;
    for at in undisturbed.firsts().into_iter().filter(|at| *at >= claimed) {
        put_back(project.local(), &beginning);
        let fate = Fate::new(How::Paused, at);
        let (context, environment) = (fate.over(project.context()), dev.clone());
        let stale = tokio::spawn(async move { promote_to(&context, &environment, first).await });
        fate.reached().await;
        let what = format!("asleep before {}", fate.struck());
        let taken = promote_to(&another(project), &dev, second).await;
        assert_eq!(code(&taken), taker, "{what}: {taken:?}");
        let before = fleet(project);
        fate.go_on();
        let ended = stale.await.unwrap();
        assert_eq!(fleet(project), before, "{what}: it changed the fleet: {ended:?}");
        assert_eq!(code(&ended), 8, "{what}: {ended:?}");
        assert!(format!("{ended:?}").contains("was taken over by"), "{what}: {ended:?}");
        let findings = audit::run(&another(project)).await.unwrap().findings;
        assert!(findings.is_empty(), "{what}: {findings:?}");
        woken += 1;
    }
    assert!(woken > 15, "{woken}");
}

async fn sealed(project: &Project) -> Version {
    seal(&project.context()).await.unwrap().release
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_first_promotion() {
    let project = Project::new();
    let first = sealed(&project).await;
    wakes_anywhere(&project, first, first, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_release_that_another_follows() {
    let project = Project::new();
    release(&project.context()).await.unwrap();
    FUNCTIONS.iter().for_each(|function| project.improve(function, "second"));
    project.commit("feat: second");
    let second = sealed(&project).await;
    FUNCTIONS.iter().for_each(|function| project.improve(function, "third"));
    project.commit("feat: third");
    let third = sealed(&project).await;
    wakes_anywhere(&project, second, third, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_release_that_dies() {
    let project = Project::new();
    release(&project.context()).await.unwrap();
    project.improve("alpha", "new");
    project.break_function("beta", Bad::TwoFaced);
    project.commit("feat: two-faced");
    let second = sealed(&project).await;
    wakes_anywhere(&project, second, second, 6).await;
}

/// The taker dies right before it makes the same write itself, so that nothing but the takeover stands in the way of the
/// one that was about to happen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_middle_of_a_write() {
    let project = Project::new();
    release(&project.context()).await.unwrap();
    FUNCTIONS.iter().for_each(|function| project.improve(function, "second"));
    project.commit("feat: second");
    let second = sealed(&project).await;
    let dev: EnvName = "dev".parse().unwrap();
    let beginning = tree(project.local());
    let undisturbed = Fate::new(How::Undisturbed, 0);
    promote_to(&undisturbed.over(project.context()), &dev, second).await.unwrap();
    let writes = ["update code", "publish", "update alias"].map(|write| undisturbed.calls_of(write));
    for at in writes.into_iter().flatten() {
        put_back(project.local(), &beginning);
        let fate = Fate::new(How::Paused, at);
        let (context, environment) = (fate.over(project.context()), dev.clone());
        let stale = tokio::spawn(async move { promote_to(&context, &environment, second).await });
        fate.reached().await;
        let what = format!("asleep before {}", fate.struck());
        let asleep = tree(project.local());
        let taking = Fate::new(How::Undisturbed, 0);
        promote_to(&taking.over(another(&project)), &dev, second).await.unwrap();
        let own = *taking.calls_of(&fate.struck()).last().unwrap();
        put_back(project.local(), &asleep);
        let taker = Fate::new(How::KilledAfter, own - 1);
        promote_to(&taker.over(another(&project)), &dev, second).await.unwrap_err();
        let before = fleet(&project);
        fate.go_on();
        let ended = stale.await.unwrap();
        assert_eq!(fleet(&project), before, "{what}: it changed the fleet: {ended:?}");
        assert!(code(&ended) == 8 && format!("{ended:?}").contains("was taken over by"), "{what}: {ended:?}");
        promote_to(&another(&project), &dev, second).await.unwrap();
        assert_eq!(audit::run(&another(&project)).await.unwrap().findings, [], "{what}");
    }
}
