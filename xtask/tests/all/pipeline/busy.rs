//! A fleet that is too busy is waited for, and kills nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use xtask::{
    adapters::local::{fleet::Quota, locks::FileLocks},
    context::Context,
    model::{names::EnvName, time::Time, version::Version},
    ports::clock::Clock,
};

use crate::support::{
    project::{Bad, Project},
    world::{Hand, code, promote_to, release, seal},
};

#[tokio::test]
async fn a_busy_fleet_is_waited_for() {
    let project = Project::new();
    let busy = Quota { reads: 2, others: 1 };
    let (clock, began) = (Hand::new(), Hand::new());
    release(&project.context_at(&clock, Some(busy))).await.unwrap();
    assert!(clock.now() > began.now(), "nothing was throttled, so nothing was shown");
    project.xtask(&["verify", "--env", "qa"]).expect(0);
}

#[tokio::test]
async fn a_fleet_that_stays_busy_leaves_it_unfinished() {
    let project = Project::new();
    let shut = Quota { reads: 100, others: 0 };
    let clock = Hand::new();
    let ended = release(&project.context_at(&clock, Some(shut))).await;
    assert_eq!(code(&ended), 8, "{ended:?}");
    assert!(format!("{:#}", ended.unwrap_err()).contains("the fleet is busy"));
    assert_eq!(project.json(0, &["graveyard"]), serde_json::json!([]));
    let ended = release(&project.context_at(&clock, None)).await;
    assert_eq!(code(&ended), 0, "the same command goes on: {ended:?}");
    project.xtask(&["verify", "--env", "qa"]).expect(0);
}

#[tokio::test]
async fn an_update_that_ends_as_failed_kills_the_release() {
    let project = Project::new();
    release(&project.context()).await.unwrap();
    project.break_function("beta", Bad::Package);
    project.commit("feat: nothing to start");
    let context = project.context();
    let ended = release(&context).await;
    assert_eq!(code(&ended), 6, "{ended:?}");
    let text = format!("{:#}", ended.unwrap_err());
    assert!(text.contains("v1.1.0 died in dev: beta-dev: it cannot run: there is no `bootstrap`"), "{text}");
    assert!(text.contains("v1.0.0 is live in dev"), "{text}");
}

/// A clock that stands. Whoever waits with it wakes to find that another machine promoted the release meanwhile.
struct Thief {
    hand: Arc<Hand>,
    other: Context,
    dev: EnvName,
    release: Version,
    been: AtomicBool,
}

#[async_trait]
impl Clock for Thief {
    fn now(&self) -> Time {
        self.hand.now()
    }

    async fn sleep(&self, _wait: Duration) {
        if !self.been.swap(true, Ordering::SeqCst) {
            promote_to(&self.other, &self.dev, self.release).await.unwrap();
        }
    }
}

#[tokio::test]
async fn whoever_is_taken_over_while_it_waits_does_not_ask_again() {
    let project = Project::new();
    let dev: EnvName = "dev".parse().unwrap();
    release(&project.context_at(&Hand::new(), None)).await.unwrap();
    project.improve("alpha", "second");
    project.commit("feat: second");
    let second = seal(&project.context_at(&Hand::new(), None)).await.unwrap().release;
    let tomorrow = Hand::new();
    tomorrow.sleep(Duration::from_secs(24 * 60 * 60)).await;
    let other = Context {
        machine: "other".to_owned(),
        actor: "bob@other".to_owned(),
        locks: Arc::new(FileLocks::new(&project.local().join("other-locks"))),
        ..project.context_at(&tomorrow, None)
    };
    let hand = Hand::new();
    // Both aliases are looked at once; the first write finds the fleet busy.
    let context = project.context_at(&hand, Some(Quota { reads: 100, others: 2 }));
    let thief = Thief { hand, other, dev: dev.clone(), release: second, been: AtomicBool::new(false) };
    let ended = promote_to(&Context { clock: Arc::new(thief), ..context }, &dev, second).await;
    assert_eq!(code(&ended), 8, "{ended:?}");
    assert!(format!("{ended:?}").contains("was taken over by"), "{ended:?}");
}
