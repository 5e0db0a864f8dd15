//! Canaries through the engine, in a time that a test holds in its hand: two functions, two steps, one alarm.

mod kill;
mod street;
mod world;

use std::time::Duration;

use serde_json::json;
use xtask::{
    engine::{graveyard, promote::rollback},
    ports::clock::Clock as _,
};

use self::world::{Street, Weather};
use crate::support::world::code;

fn because(reason: &str) -> rollback::Request<'_> {
    rollback::Request { from: None, reason }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_calls_go_over_step_by_step() {
    let street = Street::with_second_release(Weather::Fine).await;
    assert_eq!(street.kinds().await, ["claimed", "staged", "shifting", "shifted", "verified"], "the first one at once");
    let began = street.clock.now();
    let ended = street.promote().await;
    assert_eq!(code(&ended), 0, "{ended:?}");
    let second = ["claimed", "staged", "shifting", "weighted", "weighted", "shifted", "verified"];
    assert_eq!(street.kinds().await[5..], second);
    assert_eq!(street.clock.now().since(began), 15 * MINUTE, "as long as both steps bake, and no longer");
    // What every look at the alarm saw: all functions together, in the order of the steps.
    assert_eq!(street.seen(), [(None, None), (Some(100), Some(100)), (Some(500), Some(500))]);
    street.is_live(2).await;
    street.is_sound().await;
}

#[tokio::test]
async fn an_alarm_takes_all_back_and_kills() {
    let street = Street::with_second_release(Weather::AlarmAfter(7 * MINUTE)).await;
    let ended = street.promote().await;
    assert_eq!(code(&ended), 6, "{ended:?}");
    let text = format!("{:#}", ended.unwrap_err());
    let why = "canary at 50% of the calls: alarm `errors` is raised: 5 of 9 calls failed";
    assert!(text.contains(&format!("v1.1.0 died in dev: {why}")), "{text}");
    assert!(text.contains("v1.0.0 is live in dev"), "{text}");
    assert_eq!(street.kinds().await[8..], ["weighted", "weighted", "failed", "died"]);
    street.is_live(1).await;
    street.is_sound().await;
    let graves = graveyard::graves(&street.context()).await.unwrap();
    assert_eq!((graves.len(), graves[0].finding.as_str()), (1, why));
    assert_eq!(code(&street.promote().await), 4, "dead stays dead");
}

#[tokio::test]
async fn what_could_not_be_proven_goes_back_and_lives() {
    for (weather, why) in [
        (
            Weather::Quiet,
            "canary at 10% of the calls, 30m after the bake time: alpha got 0 of 5 requests; beta got 0 of",
        ),
        (Weather::Silent, "canary at 10% of the calls, 30m after the bake time: alarm `errors` does not tell: no data"),
        (Weather::AlarmAfter(Duration::ZERO), "before the canary began: alarm `errors` is raised: 5 of 9 calls failed"),
    ] {
        let street = Street::with_second_release(weather).await;
        let began = street.clock.now();
        let ended = street.promote().await;
        assert_eq!(code(&ended), 8, "{ended:?}");
        let text = format!("{:#}", ended.unwrap_err());
        assert!(text.contains(&format!("v1.1.0 did not get into dev: {why}")), "{text}");
        let raised_before = matches!(weather, Weather::AlarmAfter(_));
        let waited = if raised_before { Duration::ZERO } else { 35 * MINUTE };
        assert_eq!(street.clock.now().since(began), waited, "{why}");
        let shared = street.seen().into_iter().any(|(alpha, beta)| alpha.is_some() || beta.is_some());
        assert_eq!(shared, !raised_before, "{why}");
        assert_eq!(street.kinds().await.last().unwrap(), "abandoned");
        street.is_live(1).await;
        street.is_sound().await;
        assert!(graveyard::graves(&street.context()).await.unwrap().is_empty(), "{why}: only findings kill");
        // The same command once more, on a better day.
        street.turn(Weather::Fine);
        let ended = street.promote().await;
        assert_eq!(code(&ended), 0, "{why}: {ended:?}");
        street.is_live(2).await;
        street.is_sound().await;
    }
}

#[tokio::test]
async fn what_cannot_be_asked_for_a_moment_is_asked_again() {
    let street = Street::with_second_release(Weather::DeafUntil(12 * MINUTE)).await;
    let began = street.clock.now();
    let ended = street.promote().await;
    assert_eq!(code(&ended), 0, "{ended:?}");
    assert_eq!(street.clock.now().since(began), 22 * MINUTE, "the first step waited 7 minutes longer");
    street.is_live(2).await;
}

#[tokio::test]
async fn a_way_back_is_taken_at_once() {
    let street = Street::with_second_release(Weather::Fine).await;
    street.promote().await.unwrap();
    street.turn(Weather::Quiet);
    let (context, began) = (street.context(), street.clock.now());
    let (plan, manifest) = rollback::plan(&context, &street.dev, because("wrong prices")).await.unwrap();
    rollback::run(&context, &plan, &manifest).await.unwrap();
    assert_eq!(street.clock.now(), began);
    assert!(!street.kinds().await[12..].contains(&"weighted".to_owned()));
    street.is_live(1).await;
    street.is_sound().await;
}

#[tokio::test]
async fn a_way_back_leads_out_of_an_interrupted_canary() {
    let street = Street::with_second_release(Weather::Fine).await;
    street.killed_after("create environments/dev/00000009.json").await;
    let (context, began) = (street.context(), street.clock.now());
    let (plan, manifest) = rollback::plan(&context, &street.dev, because("customers call")).await.unwrap();
    assert_eq!(plan.from.release, street.second, "what came has to go");
    rollback::run(&context, &plan, &manifest).await.unwrap();
    assert_eq!(street.clock.now(), began);
    street.is_live(1).await;
    street.is_sound().await;
    assert_eq!(code(&street.promote().await), 4, "what was rolled back from is dead");
}

#[tokio::test]
async fn a_stop_in_the_middle_takes_all_back() {
    let street = Street::with_second_release(Weather::StopAfter(3 * MINUTE)).await;
    let began = street.clock.now();
    let ended = street.promote().await;
    assert_eq!(code(&ended), 8, "{ended:?}");
    let text = format!("{:#}", ended.unwrap_err());
    assert!(text.contains("the gate did not hold any more") && text.contains("a leak"), "{text}");
    assert_eq!(street.seen(), [(None, None), (Some(100), Some(100))], "no further step began");
    assert_eq!(street.clock.now().since(began), 3 * MINUTE, "it was not waited out either");
    street.is_live(1).await;
    street.is_sound().await;
}

#[tokio::test]
async fn the_plan_is_what_runs_and_status_shows_it() {
    let street = Street::with_second_release(Weather::Fine).await;
    let project = &street.project;
    let rules = json!({
        "steps": [{ "weight": 10, "bake": "5m" }, { "weight": 50, "bake": "10m" }],
        "min_requests": 5, "wait_at_most": "30m", "alarms": ["errors"],
    });
    let plan = ["promote", "--to", "dev", "--release", "v1.1.0", "--plan"];
    assert_eq!(project.json(0, &plan)["canary"], rules);
    let text = project.xtask(&plan).expect(0).stdout;
    assert!(text.contains("canary: 10% for 5m, 50% for 10m, then all\n"), "{text}");
    let all = "each step: at least 5 requests of each function, alarms: errors; waits 30m at most";
    assert!(text.contains(all), "{text}");
    // Killed in the second step.
    street.killed_after("create environments/dev/00000010.json").await;
    let status = project.json(0, &["status"]);
    let dev = &status["environments"][0];
    assert_eq!((&dev["canary"]["rules"], &dev["canary"]["step"]["number"]), (&rules, &json!(2)));
    assert_eq!(dev["live"]["release"], "v1.0.0");
    let text = project.xtask(&["status"]).expect(0).stdout;
    assert!(text.contains("dev: canary: step 2 of 2, 50% of the calls since 2026-01-23T12:05:00.000Z"), "{text}");
    let text = project.xtask(&["history", "--env", "dev"]).expect(0).stdout;
    assert!(text.contains("canary step 2: 50% of the calls"), "{text}");
    assert!(text.contains("canary: 10% for 5m, 50% for 10m, then all"), "{text}");
    assert_eq!(project.json(0, &plan)["canary"], rules, "a canary under way goes on with what it began with");
    // The claim outlives the longest that the step can last.
    let expires: xtask::model::time::Time = dev["holder"]["expires"].as_str().unwrap().parse().unwrap();
    let since: xtask::model::time::Time = dev["canary"]["step"]["since"].as_str().unwrap().parse().unwrap();
    assert!(expires.since(since) > 40 * MINUTE, "{since} to {expires}");
    let began = street.clock.now();
    street.promote().await.unwrap();
    assert_eq!(street.clock.now().since(began), 10 * MINUTE, "only what was left of it");
    street.is_live(2).await;
    street.is_sound().await;
}
