//! A canary with nothing made up but time: real functions, called through their aliases while the engine waits, counted by
//! the fleet, and watched by this machine's alarms.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;
use xtask::{
    context::Context,
    model::time::Time,
    ports::{
        clock::Clock,
        fleet::{Fleet, Qualifier},
    },
};

use super::world::{Street, Weather, with_canary};
use crate::support::{
    project::FUNCTIONS,
    world::{Hand, code, promote_to},
};

/// A clock in whose time people call: ten calls of each function whenever somebody waits, which fail from some time on.
struct Busy {
    hand: Arc<Hand>,
    fleet: Arc<dyn Fleet>,
    fails_from: Option<Time>,
    called: Mutex<u64>,
}

#[async_trait]
impl Clock for Busy {
    fn now(&self) -> Time {
        self.hand.now()
    }

    async fn sleep(&self, wait: Duration) {
        let fails = self.fails_from.is_some_and(|from| self.now() >= from);
        let event = if fails { json!({ "behaviour": { "mode": "error" } }) } else { json!({}) };
        for name in FUNCTIONS.map(|function| format!("{function}-dev").parse().unwrap()) {
            for _ in 0..10 {
                let live = Qualifier::Alias("live".parse().unwrap());
                let answer = self.fleet.invoke(&name, &live, event.to_string().as_bytes()).await.unwrap();
                assert_eq!(answer.function_error.is_some(), fails);
                *self.called.lock().unwrap() += 1;
            }
        }
        self.hand.sleep(wait).await;
    }
}

/// The second release, its steps baked among callers.
async fn baked(fails_after: Option<Duration>) -> (Street, anyhow::Result<()>, u64) {
    let street = Street::with_second_release(Weather::Fine).await;
    let context = street.project.context_at(&street.clock, None);
    let busy = Arc::new(Busy {
        hand: Arc::clone(&street.clock),
        fleet: Arc::clone(&context.fleets[&street.dev]),
        fails_from: fails_after.map(|after| street.clock.now().after(after)),
        called: Mutex::default(),
    });
    let context = Context { clock: Arc::clone(&busy) as Arc<dyn Clock>, ..context };
    let ended = promote_to(&context, &street.dev, street.second).await;
    let called = *busy.called.lock().unwrap();
    (street, ended, called)
}

#[tokio::test]
async fn callers_prove_a_good_release() {
    let (street, ended, called) = baked(None).await;
    assert_eq!(code(&ended), 0, "{ended:?}");
    street.is_live(2).await;
    street.is_sound().await;
    let served: usize = FUNCTIONS.iter().map(|function| lines(&street, function)).sum();
    // Beside them only the checks through live were served.
    assert!(served as u64 > called, "{served} of {called}");
}

#[tokio::test]
async fn callers_who_get_errors_kill_it() {
    let (street, ended, _) = baked(Some(Duration::from_secs(6 * 60))).await;
    assert_eq!(code(&ended), 6, "{ended:?}");
    let text = format!("{:#}", ended.unwrap_err());
    assert!(text.contains("alarm `errors` is raised: ") && text.contains("-dev version "), "{text}");
    assert!(text.contains("failed in the last 5m, allowed is less than 50%"), "{text}");
    street.is_live(1).await;
    street.is_sound().await;
}

#[test]
fn the_command_says_what_it_waits_for_and_a_hand_raises_an_alarm() {
    let project = with_canary("steps = [{ weight = 50, bake = '1s' }], alarms = ['errors']", "");
    let ran = project.xtask(&["release", "-v"]).expect(0);
    assert!(!ran.stderr.contains("canary"), "a first deployment has nobody to share calls with: {}", ran.stderr);
    project.repo().write("event.json", "{}");
    let answer = project.json(0, &["invoke", "alpha", "--env", "dev", "--event", "event.json"]);
    assert_eq!(answer["statusCode"], 200);
    project.xtask(&["invoke", "alpha", "--env", "uat", "--event", "event.json"]).expect(4).says("not live in uat");
    project.xtask(&["invoke", "alpha", "--env", "ua", "--event", "event.json"]).expect(2);

    project.improve("alpha", "second");
    project.commit("feat: second");
    let alarms = project.local().join("alarms/dev");
    std::fs::create_dir_all(&alarms).unwrap();
    std::fs::write(alarms.join("errors"), "customers call").unwrap();
    let why = "before the canary began: alarm `errors` is raised: raised by hand: customers call";
    project.xtask(&["release"]).expect(8).says(why);
    std::fs::remove_file(alarms.join("errors")).unwrap();
    let ran = project.xtask(&["release", "-v"]).expect(0);
    let ran = ran.says("dev: canary step 1 of 1, 50% of the calls: waiting: bake time left: 1s");
    ran.says("requests: alpha 0; 1 alarms clear");
    project.xtask(&["verify", "--env", "dev"]).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
}

fn lines(street: &Street, function: &str) -> usize {
    let file = street.project.local().join(format!("fleet/{function}-dev/served/live.txt"));
    std::fs::read_to_string(file).unwrap().lines().count()
}
