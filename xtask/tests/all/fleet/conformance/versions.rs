//! Publishing.

use serde_json::json;
use xtask::{
    model::{configuration::Configuration, digest::Digest},
    ports::fleet::{FleetVersion, Qualifier, Revision, State},
};

use super::{World, answer, answering, assert_refused, configuration, latest, made, published, released};

pub(crate) async fn versions_count_from_one_and_never_change(world: &dyn World) {
    let (one, two) = (answering(world, "one").await, answering(world, "two").await);
    let (name, _) = made(world, &one).await;
    assert_eq!(published(world, &name).await, FleetVersion(1));
    let first = world.fleet().version(&name, FleetVersion(1)).await.unwrap().unwrap();
    assert_eq!((first.version, first.code, &first.state), (Some(FleetVersion(1)), one.digest, &State::Active));
    assert_eq!(released(world, &name, &two).await, FleetVersion(2));
    let second = world.fleet().version(&name, FleetVersion(2)).await.unwrap().unwrap();
    assert_eq!(second.code, two.digest);
    assert_eq!(world.fleet().version(&name, FleetVersion(1)).await.unwrap(), Some(first));
    assert_eq!(world.fleet().version(&name, FleetVersion(3)).await.unwrap(), None);
}

pub(crate) async fn without_a_change_no_version_is_made(world: &dyn World) {
    let (one, two) = (answering(world, "one").await, answering(world, "two").await);
    let (name, _) = made(world, &one).await;
    assert_eq!(published(world, &name).await, FleetVersion(1));
    assert_eq!(published(world, &name).await, FleetVersion(1));
    let state = latest(world, &name).await;
    let longer = Configuration { timeout_s: 21, ..configuration() };
    world.fleet().update_configuration(&name, &longer, &state.revision).await.unwrap();
    assert_eq!(published(world, &name).await, FleetVersion(2));
    assert_eq!(released(world, &name, &two).await, FleetVersion(3));
    // Equal to an older version, but not to the newest.
    assert_eq!(released(world, &name, &one).await, FleetVersion(4));
}

pub(crate) async fn what_is_written_again_is_no_change(world: &dyn World) {
    let one = answering(world, "one").await;
    let (name, _) = made(world, &one).await;
    assert_eq!(published(world, &name).await, FleetVersion(1));
    assert_eq!(released(world, &name, &one).await, FleetVersion(1));
    let state = latest(world, &name).await;
    let again = world.fleet().update_code(&name, &one, &state.revision, true).await.unwrap();
    assert_eq!(again.version, Some(FleetVersion(1)));
}

pub(crate) async fn code_is_written_and_published_at_once(world: &dyn World) {
    let (one, two) = (answering(world, "one").await, answering(world, "two").await);
    let (name, first) = made(world, &one).await;
    assert_eq!(published(world, &name).await, FleetVersion(1));
    assert_refused!(world.fleet().update_code(&name, &two, &Revision("other".to_owned()), true).await, Guarded);
    assert_eq!(world.fleet().version(&name, FleetVersion(2)).await.unwrap(), None);
    let state = latest(world, &name).await;
    let written = world.fleet().update_code(&name, &two, &state.revision, true).await.unwrap();
    assert_eq!((written.version, written.code), (Some(FleetVersion(2)), two.digest));
    let now = latest(world, &name).await;
    assert_eq!((now.version, now.code), (None, two.digest));
    assert_ne!(now.revision, first.revision);
    let second = world.fleet().version(&name, FleetVersion(2)).await.unwrap().unwrap();
    assert_eq!((second.code, &second.state), (two.digest, &State::Active));
    assert_eq!(answer(world, &name, Qualifier::Version(FleetVersion(1))).await, json!("one"));
    assert_eq!(answer(world, &name, Qualifier::Version(FleetVersion(2))).await, json!("two"));
}

pub(crate) async fn a_stale_revision_publishes_nothing(world: &dyn World) {
    let (name, first) = made(world, &answering(world, "one").await).await;
    let wider = Configuration { memory_mb: 512, ..configuration() };
    world.fleet().update_configuration(&name, &wider, &first.revision).await.unwrap();
    latest(world, &name).await;
    assert_refused!(world.fleet().publish(&name, &first.code, &first.revision, "").await, Guarded);
    assert_eq!(world.fleet().version(&name, FleetVersion(1)).await.unwrap(), None);
}

pub(crate) async fn publishes_only_what_was_named(world: &dyn World) {
    let (name, state) = made(world, &answering(world, "one").await).await;
    assert_refused!(world.fleet().publish(&name, &Digest::of(b"other"), &state.revision, "").await, Invalid);
    assert_eq!(world.fleet().version(&name, FleetVersion(1)).await.unwrap(), None);
}
