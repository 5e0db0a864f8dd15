//! A fleet that is too busy is waited for, and kills nothing.

use xtask::{adapters::local::fleet::Quota, ports::clock::Clock as _};

use crate::support::{
    project::{Bad, Project},
    world::{Hand, code, release},
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
    assert!(text.contains("v1.1.0 died in dev: beta-dev: the update failed: there is no `bootstrap`"), "{text}");
    assert!(text.contains("v1.0.0 is live in dev"), "{text}");
}
