//! Aliases.

use serde_json::json;
use xtask::{
    model::names::{AliasName, FleetName},
    ports::fleet::{AliasTarget, FleetVersion, Qualifier},
};

use super::{World, answer, answering, assert_refused, made, published, released};

fn live() -> AliasName {
    "live".parse().unwrap()
}

fn to(version: u64) -> AliasTarget {
    AliasTarget { version: FleetVersion(version), canary: None, description: String::new() }
}

/// A function with versions 1 and 2, which answer "one" and "two".
async fn two_versions(world: &dyn World) -> FleetName {
    let (name, _) = made(world, &answering(world, "one").await).await;
    published(world, &name).await;
    released(world, &name, &answering(world, "two").await).await;
    name
}

pub(crate) async fn an_alias_is_made_moved_and_removed(world: &dyn World) {
    let (name, alias, fleet) = (two_versions(world).await, live(), world.fleet());
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), None);
    assert_eq!(fleet.live(&name, &alias).await.unwrap(), None);
    let first = fleet.create_alias(&name, &alias, &to(1)).await.unwrap();
    assert_eq!(first.target, to(1));
    assert_eq!(fleet.live(&name, &alias).await.unwrap(), fleet.version(&name, FleetVersion(1)).await.unwrap());
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), Some(first.clone()));
    assert_refused!(fleet.create_alias(&name, &alias, &to(2)).await, Conflict);
    let second = fleet.update_alias(&name, &alias, &to(2), &first.revision).await.unwrap();
    assert_eq!(second.target, to(2));
    assert_refused!(fleet.update_alias(&name, &alias, &to(1), &first.revision).await, Guarded);
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), Some(second.clone()));
    assert_eq!(fleet.live(&name, &alias).await.unwrap(), fleet.version(&name, FleetVersion(2)).await.unwrap());
    // A share is told as it was given, and cleared by whoever gives none.
    let shared = AliasTarget { canary: Some((FleetVersion(1), 55)), ..to(2) };
    let third = fleet.update_alias(&name, &alias, &shared, &second.revision).await.unwrap();
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), Some(third.clone()));
    assert_eq!(third.target, shared);
    let fourth = fleet.update_alias(&name, &alias, &to(2), &third.revision).await.unwrap();
    assert_eq!(fleet.alias(&name, &alias).await.unwrap().map(|alias| alias.target), Some(to(2)));
    assert_ne!(fourth.revision, third.revision);
    fleet.delete_alias(&name, &alias).await.unwrap();
    fleet.delete_alias(&name, &alias).await.unwrap();
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), None);
}

pub(crate) async fn an_alias_names_published_versions(world: &dyn World) {
    let (name, alias, fleet) = (two_versions(world).await, live(), world.fleet());
    let canary = |version, share| AliasTarget { canary: Some((FleetVersion(version), share)), ..to(1) };
    assert_refused!(fleet.create_alias(&name, &alias, &canary(1, 100)).await, Invalid);
    assert_refused!(fleet.create_alias(&name, &alias, &canary(2, 1001)).await, Invalid);
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), None);
    let state = fleet.create_alias(&name, &alias, &to(1)).await.unwrap();
    assert_refused!(fleet.update_alias(&name, &alias, &canary(2, 1001), &state.revision).await, Invalid);
    assert_refused!(fleet.update_alias(&name, &"other".parse().unwrap(), &to(1), &state.revision).await, NotFound);
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), Some(state));
}

pub(crate) async fn an_alias_of_what_is_not_there_is_refused(world: &dyn World) {
    let (name, alias, fleet) = (two_versions(world).await, live(), world.fleet());
    let canary = AliasTarget { canary: Some((FleetVersion(3), 100)), ..to(1) };
    assert_refused!(fleet.create_alias(&name, &alias, &to(3)).await, NotFound);
    assert_refused!(fleet.create_alias(&name, &alias, &canary).await, NotFound);
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), None);
    let state = fleet.create_alias(&name, &alias, &to(1)).await.unwrap();
    assert_refused!(fleet.update_alias(&name, &alias, &to(3), &state.revision).await, NotFound);
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), Some(state));
}

pub(crate) async fn a_description_rotates_the_revision(world: &dyn World) {
    let (name, alias, fleet) = (two_versions(world).await, live(), world.fleet());
    let first = fleet.create_alias(&name, &alias, &to(1)).await.unwrap();
    let taken = AliasTarget { description: "claim 7".to_owned(), ..to(1) };
    let second = fleet.update_alias(&name, &alias, &taken, &first.revision).await.unwrap();
    assert_eq!(second.target, taken);
    assert_ne!(second.revision, first.revision);
    assert_refused!(fleet.update_alias(&name, &alias, &to(2), &first.revision).await, Guarded);
}

pub(crate) async fn a_canary_takes_its_share(world: &dyn World) {
    let (name, alias, fleet) = (two_versions(world).await, live(), world.fleet());
    let mut state = fleet.create_alias(&name, &alias, &to(1)).await.unwrap();
    for (share, expected) in [(0, "one"), (1000, "two")] {
        let target = AliasTarget { canary: Some((FleetVersion(2), share)), ..to(1) };
        state = fleet.update_alias(&name, &alias, &target, &state.revision).await.unwrap();
        for _ in 0..5 {
            assert_eq!(answer(world, &name, Qualifier::Alias(alias.clone())).await, json!(expected));
        }
    }
    let target = AliasTarget { canary: Some((FleetVersion(2), 500)), ..to(1) };
    fleet.update_alias(&name, &alias, &target, &state.revision).await.unwrap();
    let mut seen = std::collections::BTreeSet::new();
    // One chance in 2^63 to miss one of two halves.
    for _ in 0..64 {
        let invocation = fleet.invoke(&name, &Qualifier::Alias(alias.clone()), b"{}").await.unwrap();
        let expected = if invocation.executed == FleetVersion(1) { &b"\"one\""[..] } else { b"\"two\"" };
        assert_eq!(invocation.payload, expected);
        seen.insert(invocation.executed);
    }
    assert_eq!(seen.len(), 2);
}
