//! A canary that is killed after anything it does to the world, or is refused anything it asks: the same command, or the
//! next one on another machine, brings it to the same end, and no share is left on any alias.

use std::{sync::Arc, time::Duration};

use xtask::{adapters::local::locks::FileLocks, context::Context, ports::clock::Clock as _};

use super::world::{Street, Weather};
use crate::support::{
    faults::{Fate, How},
    project::{FUNCTIONS, put_back, tree},
    world::{code, promote_to, seal},
};

/// How a canary ends: the exit code, the version that is live, and what is in the chain after the claim.
async fn ends(street: &Street, ended: &anyhow::Result<()>, code_expected: u8, live: u64, kinds: &[String], what: &str) {
    assert_eq!(code(ended), code_expected, "{what}: {ended:?}");
    street.is_live(live).await;
    street.is_sound().await;
    assert_eq!(street.kinds().await, kinds, "{what}");
}

/// Kills it after each of its effects, and goes on with the same command.
async fn killed_anywhere(weather: Weather, undisturbed: u8, live: u64) {
    let street = Street::with_second_release(weather).await;
    let (beginning, noon) = (tree(street.project.local()), street.clock.now());
    let fate = Fate::undisturbed();
    let ended = promote_to(&fate.over(street.context()), &street.dev, street.second).await;
    let kinds = street.kinds().await;
    ends(&street, &ended, undisturbed, live, &kinds, "undisturbed").await;
    let effects = fate.effects();
    assert!(effects.len() >= 18, "{}", effects.len());
    for at in effects {
        put_back(street.project.local(), &beginning);
        street.clock.set(noon);
        let fate = Fate::new(How::KilledAfter, at);
        let killed = promote_to(&fate.over(street.context()), &street.dev, street.second).await;
        let what = format!("killed after {}: {killed:?}", fate.struck());
        assert!(killed.is_err(), "{what}");
        let closed = street.kinds().await == kinds;
        let again = street.promote().await;
        if closed {
            // It was over, but for its witness; a dead one stays dead.
            assert!([0, 4, 8].contains(&code(&again)), "{what}: {again:?}");
            street.is_sound().await;
        } else {
            ends(&street, &again, undisturbed, live, &kinds, &what).await;
        }
    }
}

#[tokio::test]
async fn one_that_goes_well() {
    killed_anywhere(Weather::Fine, 0, 2).await;
}

#[tokio::test]
async fn one_that_dies_in_its_second_step() {
    killed_anywhere(Weather::AlarmAfter(Duration::from_secs(7 * 60)), 6, 1).await;
}

#[tokio::test]
async fn one_that_cannot_be_proven() {
    killed_anywhere(Weather::Quiet, 8, 1).await;
}

/// Refuses each of its calls once. What watches is asked again by itself; after anything else the same command goes on.
#[tokio::test]
async fn every_call_fails_for_a_moment() {
    let street = Street::with_second_release(Weather::Fine).await;
    let (beginning, noon) = (tree(street.project.local()), street.clock.now());
    let fate = Fate::undisturbed();
    promote_to(&fate.over(street.context()), &street.dev, street.second).await.unwrap();
    let kinds = street.kinds().await;
    for at in fate.firsts() {
        put_back(street.project.local(), &beginning);
        street.clock.set(noon);
        let fate = Fate::new(How::Refused, at);
        let failed = promote_to(&fate.over(street.context()), &street.dev, street.second).await;
        let what = format!("refused {}", fate.struck());
        let expected = if fate.struck().starts_with("alarm ") { 0 } else { 8 };
        assert_eq!(code(&failed), expected, "{what}: {failed:?}");
        ends(&street, &street.promote().await, 0, 2, &kinds, &what).await;
    }
}

/// The first of two aliases has the share of the second step, and then nobody can tell whether the first step was good:
/// both wait with the share of the first.
#[tokio::test]
async fn whoever_goes_on_waits_with_the_share_that_is_recorded() {
    let street = Street::with_second_release(Weather::Fine).await;
    let (beginning, noon) = (tree(street.project.local()), street.clock.now());
    let fate = Fate::undisturbed();
    promote_to(&fate.over(street.context()), &street.dev, street.second).await.unwrap();
    put_back(street.project.local(), &beginning);
    street.clock.set(noon);
    let fate = Fate::new(How::KilledAfter, fate.calls_of("update alias")[2]);
    promote_to(&fate.over(street.context()), &street.dev, street.second).await.unwrap_err();
    street.turn(Weather::DeafUntil(Duration::from_secs(20 * 60)));
    street.forget();
    street.promote().await.unwrap();
    assert_eq!(street.seen(), [(Some(100), Some(100)), (Some(500), Some(500))]);
    street.is_live(2).await;
}

/// Another machine, with its own locks.
fn another(street: &Street) -> Context {
    let (machine, actor) = ("other".to_owned(), "bob@other".to_owned());
    let locks = Arc::new(FileLocks::new(&street.project.local().join("other-locks")));
    Context { machine, actor, locks, ..street.context() }
}

#[tokio::test]
async fn the_next_holder_ends_it() {
    let street = Street::with_second_release(Weather::Fine).await;
    FUNCTIONS.iter().for_each(|function| street.project.improve(function, "third"));
    street.project.commit("feat: third");
    let third = seal(&street.context()).await.unwrap().release;
    let (beginning, noon) = (tree(street.project.local()), street.clock.now());
    let fate = Fate::undisturbed();
    promote_to(&fate.over(street.context()), &street.dev, street.second).await.unwrap();
    let weighed = fate.calls_of("update alias");
    assert_eq!(weighed.len(), 6, "two steps and the rest, of two functions");
    // The same release and the next one in turns.
    let followers = [(street.second, 2), (third, 3)].into_iter().cycle();
    for (at, (release, live)) in weighed.into_iter().zip(followers) {
        put_back(street.project.local(), &beginning);
        street.clock.set(noon);
        let fate = Fate::new(How::KilledAfter, at);
        promote_to(&fate.over(street.context()), &street.dev, street.second).await.unwrap_err();
        let what = format!("killed after {at}, followed by {release}");
        let early = promote_to(&another(&street), &street.dev, release).await;
        assert_eq!(code(&early), 7, "{what}: the claim still holds: {early:?}");
        street.clock.sleep(Duration::from_secs(48 * 60 * 60)).await;
        let next = promote_to(&another(&street), &street.dev, release).await;
        assert_eq!(code(&next), 0, "{what}: {next:?}");
        street.is_live(live).await;
        street.is_sound().await;
    }
}
