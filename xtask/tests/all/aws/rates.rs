//! A hundred functions: what a promotion asks of Lambda's control plane for each of them, and how fast. The strict fleet of
//! this machine answers in Lambda's wire format, at Lambda's own rates, and time is turned by whoever waits.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use aws_config::retry::RetryConfig;
use camino::Utf8Path;
use serde_json::json;
use xtask::{
    adapters::{
        aws::{Budget, LambdaFleet, Place, Session, Surroundings},
        local::{
            fleet::{LocalFleet, Quota, Setup},
            places::Places,
        },
    },
    config::{aws::Create, load},
    context::Context,
    engine::facts,
    model::{configuration::Variables, names::FleetName, version::Version},
    ports::{
        clock::Clock,
        fleet::{Fleet, FleetError},
    },
};

use super::{
    ACCOUNT, configured,
    fleet::{FUNCTION_ROLE, clients},
    tide::Tide,
    twin::{Asked, Twin},
};
use crate::support::{
    faults::{Fate, How},
    project::Project,
    world::{Hand, code, promote_to, release, seal},
};

/// How many calls of its control plane Lambda may be asked per second.
const SHARE: NonZeroU32 = NonZeroU32::new(10).unwrap();

fn name(number: usize) -> String {
    format!("f{number:03}")
}

/// A project of many functions and one environment, whose fleet is Lambda.
pub(super) struct Street {
    pub(super) project: Project,
    pub(super) context: Context,
    pub(super) twin: Twin,
    clock: Arc<Tide>,
    functions: usize,
}

impl Street {
    fn new(functions: usize) -> Self {
        Self::with(functions, &Variables::new())
    }

    /// All functions have these variables.
    pub(super) fn with(functions: usize, variables: &Variables) -> Self {
        let project = Project::new();
        for number in 0..functions {
            project.improve(&name(number), "first");
            project.repo().write(&format!("functions/{}/smoke.toml", name(number)), SMOKE);
        }
        declare(&project, functions, 4);
        project.commit("feat: many");
        let (clock, local) = (Tide::new(), project.local());
        let time: Arc<dyn Clock> = clock.clone();
        let each = (0..functions).map(|number| (format!("{}-dev", name(number)).parse().unwrap(), variables.clone()));
        let twin = twin(local, &time, each.collect());
        let create = Some(Create { role: FUNCTION_ROLE.parse().unwrap(), handler: None });
        let (bucket, owner) = ("vault".to_owned(), ACCOUNT.to_owned());
        let place = Place { environment: "dev".parse().unwrap(), bucket, owner, create };
        let budget = Arc::new(Budget::new(SHARE, clock.clone()));
        let clients = clients(&configured(twin.clone(), "http://twin"));
        let fleet: Arc<dyn Fleet> = Arc::new(LambdaFleet::new(clients, place, budget, clock.clone()));
        let fleets = [("dev".parse().unwrap(), fleet)].into();
        let context = Context { fleets, clock: time, ..project.context_at(&Hand::new(), None) };
        Self { context, project, twin, clock, functions }
    }

    async fn release(&self) -> Version {
        release(&self.context).await.unwrap().release
    }

    /// How many seconds something takes.
    async fn seconds<T>(&self, what: impl Future<Output = T>) -> (T, u64) {
        let began = self.clock.now();
        let done = what.await;
        (done, self.clock.now().since(began).as_secs())
    }

    /// What was asked since the last time, by function: the calls that count against the control plane's rate, and the
    /// reads that do not. The rate was kept at all times.
    fn asked(&self) -> BTreeMap<String, (Vec<&'static str>, usize)> {
        let asked = self.twin.asked();
        let mut counted: Vec<&Asked> =
            asked.iter().filter(|call| !matches!(call.operation, "GetFunction" | "Invoke")).collect();
        // They are told when they are answered, and many are under way.
        counted.sort_by_key(|call| call.at);
        for (first, call) in counted.iter().enumerate() {
            let within = counted[first..].iter().take_while(|other| other.at.since(call.at) < Duration::from_secs(1));
            let second = within.count();
            assert!(second <= SHARE.get() as usize, "{second} calls in the second from {}", call.at);
        }
        assert!(asked.iter().all(|call| !call.throttled), "more was asked than Lambda serves");
        let mut by_function: BTreeMap<String, (Vec<&'static str>, usize)> = BTreeMap::new();
        for call in asked {
            let own = by_function.entry(call.function).or_default();
            match call.operation {
                "GetFunction" => own.1 += 1,
                "Invoke" => {}
                counted => own.0.push(counted),
            }
        }
        assert_eq!(by_function.len(), self.functions);
        by_function
    }
}

/// Writes `release.toml`; the last function may take so many seconds.
fn declare(project: &Project, functions: usize, last_timeout_s: u32) {
    let declared = (0..functions).map(|number| {
        let timeout = if number + 1 == functions { last_timeout_s } else { 4 };
        format!("[functions.{}.configuration]\ntimeout_s = {timeout}\n", name(number))
    });
    let text = format!(
        "schema = 1\n{}[[environments]]\nname = 'dev'\n[profile.local]\nfunction_name = '{{function}}-{{environment}}'\n",
        declared.collect::<String>()
    );
    project.repo().write("release.toml", &text);
}

const SMOKE: &str = r#"schema = 1

[[check]]
name = "answers"
safe = true
[check.request]
event = "apigw-v2"
path = "/"
[check.expect]
status = 200
"#;

/// Where live points and with which shares, which anybody may have changed by hand.
const ONE_READ: [&str; 1] = ["GetAlias"];

#[tokio::test]
async fn a_hundred_functions_are_promoted_within_the_budget() {
    let street = Street::new(100);
    let (first, took) = street.seconds(street.release()).await;
    // Six calls for each function at ten per second; what settles, settles meanwhile. One by one it is 253 s.
    assert!((59..150).contains(&took), "{took} s");
    for (function, (counted, _)) in street.asked() {
        let made = ["CreateFunction", "PublishVersion", "GetAlias", "GetAlias", "CreateAlias", "GetAlias"];
        assert_eq!(counted, made, "{function}");
    }

    let dev = "dev".parse().unwrap();
    let (again, took) = street.seconds(promote_to(&street.context, &dev, first)).await;
    again.unwrap();
    assert!((9..20).contains(&took), "{took} s");
    for (function, (counted, reads)) in street.asked() {
        assert_eq!((counted.as_slice(), reads), (ONE_READ.as_slice(), 2), "{function}");
    }

    street.project.improve(&name(7), "second");
    street.project.commit("fix: one of them");
    let (_, took) = street.seconds(street.release()).await;
    assert!((19..40).contains(&took), "{took} s");
    let changed = ["GetAlias", "UpdateFunctionCode", "GetAlias", "GetAlias", "UpdateAlias", "GetAlias"];
    for (function, (counted, reads)) in street.asked() {
        if function == format!("{}-dev", name(7)) {
            assert_eq!(counted, changed);
            assert!(reads <= 3 + 4, "{reads}: two looks, one at live, and the polls");
        } else {
            // What is live is noted once more before anything moves.
            assert_eq!((counted.as_slice(), reads), (["GetAlias", "GetAlias"].as_slice(), 3), "{function}");
        }
    }
}

#[tokio::test]
async fn of_several_bad_functions_the_first_by_name_is_told_and_nothing_moved() {
    let street = Street::new(40);
    street.release().await;
    street.asked();
    for number in [5, 9, 31] {
        street.project.behave(&name(number), &json!({ "package": format!("{number} without a program") }));
    }
    street.project.commit("fix: without programs");
    let died = release(&street.context).await;
    assert_eq!(code(&died), 6, "{died:?}");
    let said = format!("{:#}", died.unwrap_err());
    assert!(said.contains("f005-dev: ") && !said.contains("f009") && !said.contains("f031"), "{said}");
    let moved = street.twin.asked().into_iter().any(|call| call.operation == "UpdateAlias");
    assert!(!moved, "nothing was shifted");
}

/// A kill is in the middle of many calls here: what is under way still takes effect.
#[tokio::test]
async fn whoever_is_killed_while_many_are_under_way_is_followed_by_one_who_ends_it() {
    const FUNCTIONS: usize = 20;
    const KILLS: usize = 12;
    let street = Street::new(FUNCTIONS);
    street.release().await;
    let (dev, live) = ("dev".parse().unwrap(), "live".parse().unwrap());
    let mut calls = 0;
    for trial in 0..=KILLS {
        for number in 0..FUNCTIONS {
            street.project.improve(&name(number), &format!("trial {trial}"));
        }
        street.project.commit("fix: all of them");
        let release = seal(&street.context).await.unwrap().release;
        let fate =
            if trial == 0 { Fate::undisturbed() } else { Fate::new(How::KilledAfter, trial * calls / (KILLS + 1)) };
        let ended = promote_to(&fate.over(street.context.clone()), &dev, release).await;
        assert_eq!(code(&ended), if trial == 0 { 0 } else { 8 }, "{trial}: {ended:?}");
        calls = calls.max(fate.calls());
        promote_to(&street.context, &dev, release).await.unwrap();
        let (manifest, _) = facts::manifest(&street.context, release).await.unwrap();
        for (function, sealed) in &manifest.functions {
            let fleet = &street.context.fleets[&dev];
            let found = fleet.live(&format!("{function}-dev").parse().unwrap(), &live).await.unwrap().unwrap();
            assert_eq!(found.code, manifest.objects[&sealed.artifact].sha256, "{function} after kill {trial}");
        }
    }
}

#[tokio::test]
async fn code_and_configuration_of_one_take_one_call_more() {
    let street = Street::new(2);
    street.release().await;
    street.asked();
    street.project.improve(&name(1), "second");
    declare(&street.project, 2, 5);
    street.project.commit("fix: one of them, and its time");
    // The context of a fresh process, which reads the new file, behind the same fleet.
    let fresh = street.project.context_at(&Hand::new(), None);
    let context = Context { config: fresh.config, ..street.context.clone() };
    release(&context).await.unwrap();
    let (counted, _) = street.asked().remove(&format!("{}-dev", name(1))).unwrap();
    let expected = [
        "GetAlias",
        "UpdateFunctionConfiguration",
        "UpdateFunctionCode",
        "GetAlias",
        "GetAlias",
        "UpdateAlias",
        "GetAlias",
    ];
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn a_version_that_never_becomes_active_dies_and_nothing_moved() {
    let street = Street::new(2);
    street.release().await;
    let fleet = street.context.fleets.values().next().unwrap();
    let (live, names) =
        ("live".parse().unwrap(), [0, 1].map(|number| format!("{}-dev", name(number)).parse().unwrap()));
    let before = [fleet.alias(&names[0], &live).await.unwrap(), fleet.alias(&names[1], &live).await.unwrap()];
    street.project.behave(&name(1), &json!({ "package": "without a program" }));
    street.project.commit("fix: without a program");
    let died = release(&street.context).await;
    assert_eq!(code(&died), 6, "{died:?}");
    let said = format!("{:#}", died.unwrap_err());
    assert!(said.contains("f001-dev: the update failed") || said.contains("f001-dev: it cannot run"), "{said}");
    assert!(said.contains("no `bootstrap` at the root"), "{said}");
    let after = [fleet.alias(&names[0], &live).await.unwrap(), fleet.alias(&names[1], &live).await.unwrap()];
    assert_eq!(after, before);
}

const TWO_ENVIRONMENTS: &str = "
schema = 1
functions.f = {}
profile.local.function_name = '{function}-{environment}'
[[environments]]
name = 'dev'
[[environments]]
name = 'qa'
[profile.aws]
function_name = '{function}-{environment}'
[profile.aws.vault]
retention_years = 7
primary = { bucket = 'vault-one', region = 'us-east-1', account = '000000000000' }
recovery = { bucket = 'vault-two', region = 'us-west-2', account = '000000000000' }
[profile.aws.environments.dev]
region = 'us-east-1'
account = '000000000000'
key = 'arn:aws:kms:us-east-1:000000000000:alias/any'
variables_key = 'arn:aws:kms:us-east-1:000000000000:alias/any'
[profile.aws.environments.qa]
region = 'us-east-1'
account = '000000000000'
key = 'arn:aws:kms:us-east-1:000000000000:alias/any'
variables_key = 'arn:aws:kms:us-east-1:000000000000:alias/any'
";

/// A fleet of this machine over the wire, which serves as much as Lambda.
fn twin(home: &Utf8Path, clock: &Arc<dyn Clock>, variables: BTreeMap<FleetName, Variables>) -> Twin {
    let fleet = LocalFleet::new(Setup {
        root: home.join("fleet"),
        vault: home.join("vault"),
        places: Places { local: home.to_owned(), ..Places::default() },
        variables,
        settle: Duration::from_secs(1),
        quota: Some(Quota::LAMBDA),
        clock: clock.clone(),
    });
    Twin::new(fleet, home.join("vault"), clock.clone())
}

#[tokio::test]
async fn environments_of_one_account_and_region_share_one_budget() {
    let (home, clock) = (tempfile::tempdir().unwrap(), Hand::new());
    let root = Utf8Path::from_path(home.path()).unwrap();
    let time: Arc<dyn Clock> = clock.clone();
    let twin = twin(root, &time, BTreeMap::new());
    std::fs::write(root.join("release.toml"), TWO_ENVIRONMENTS).unwrap();
    let config = load::release(root, None, None).unwrap().config;
    let surroundings =
        Surroundings { actor: "ada@laptop".to_owned(), subject: Arc::default(), environment: BTreeMap::new() };
    let session = Session::with(config.aws.as_ref().unwrap(), &surroundings, configured(twin.clone(), "http://twin"));
    let fleets = session.await.unwrap().fleets(&config.path, &time);
    assert_eq!(fleets.len(), 2);
    let (name, live) = ("f-dev".parse().unwrap(), "live".parse().unwrap());
    for _ in 0..15 {
        for fleet in fleets.values() {
            assert_eq!(fleet.alias(&name, &live).await.unwrap(), None);
        }
    }
    let asked = twin.asked();
    assert_eq!(asked.len(), 30);
    assert!(asked.iter().all(|call| !call.throttled));
    let took = asked[29].at.since(asked[0].at);
    assert!(took >= Duration::from_millis(2900), "30 calls at 10 per second took {took:?}");
}

#[tokio::test]
async fn more_than_lambda_serves_is_busy() {
    let (home, clock) = (tempfile::tempdir().unwrap(), Hand::new());
    let time: Arc<dyn Clock> = clock.clone();
    let twin = twin(Utf8Path::from_path(home.path()).unwrap(), &time, BTreeMap::new());
    // The SDK's own retries would wait in real time.
    let once = configured(twin, "http://twin").into_builder().retry_config(RetryConfig::disabled()).build();
    let place = Place {
        environment: "dev".parse().unwrap(),
        bucket: "vault".to_owned(),
        owner: ACCOUNT.to_owned(),
        create: None,
    };
    let budget = Arc::new(Budget::new(NonZeroU32::new(1000).unwrap(), clock.clone()));
    let fleet = LambdaFleet::new(clients(&once), place, budget, clock.clone());
    let (name, live) = ("f-dev".parse().unwrap(), "live".parse().unwrap());
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(fleet.alias(&name, &live).await);
    }
    assert!(answers.iter().any(|answer| matches!(answer, Err(FleetError::Throttled(_)))), "{answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer, Ok(None) | Err(FleetError::Throttled(_)))), "{answers:?}");
}
