//! The fleet of this machine: the port's rules, and what is special to a folder on disk.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use tempfile::TempDir;
use xtask::{
    adapters::local::{
        fleet::{LocalFleet, Quota, Setup},
        places::Places,
    },
    model::{configuration::Variables, digest::Digest, names::FleetName},
    ports::{
        clock::Clock,
        fleet::{AliasTarget, CodeSource, Fleet, FleetError, FleetVersion, LastUpdate, Qualifier, State},
    },
};

use super::{
    bootstrap,
    conformance::{self, World, answer, answering, configuration, latest, made, published, released},
};
use crate::support::world::Hand;

conformance::conformance!(at_once, crate::fleet::local::Folder::new(std::time::Duration::ZERO), strict);
conformance::conformance!(settling, crate::fleet::local::Folder::new(std::time::Duration::from_secs(60)), strict);

const FIRST: Qualifier = Qualifier::Version(FleetVersion(1));

/// A fleet in a temporary folder.
struct Folder {
    fleet: LocalFleet,
    home: TempDir,
    settle: Duration,
    clock: Arc<Hand>,
    names: AtomicU64,
}

impl Folder {
    fn new(settle: Duration) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = Hand::new();
        let fleet = open(path(&home), settle, &clock, BTreeMap::new(), None);
        Self { fleet, home, settle, clock, names: AtomicU64::new(0) }
    }

    /// The same folder once more, as another process or a later command sees it.
    fn again(&self, variables: BTreeMap<FleetName, Variables>) -> LocalFleet {
        open(path(&self.home), self.settle, &self.clock, variables, None)
    }

    /// The same folder behind Lambda's request rates.
    fn metered(&self) -> LocalFleet {
        open(path(&self.home), self.settle, &self.clock, BTreeMap::new(), Some(Quota::LAMBDA))
    }

    fn file(&self, name: &FleetName, path_in_function: &str) -> Utf8PathBuf {
        path(&self.home).join("fleet").join(name.as_str()).join(path_in_function)
    }
}

fn path(home: &TempDir) -> &Utf8Path {
    Utf8Path::from_path(home.path()).unwrap()
}

fn open(
    home: &Utf8Path,
    settle: Duration,
    clock: &Arc<Hand>,
    variables: BTreeMap<FleetName, Variables>,
    quota: Option<Quota>,
) -> LocalFleet {
    LocalFleet::new(Setup {
        root: home.join("fleet"),
        vault: home.join("vault"),
        places: Places { local: home.to_owned(), ..Places::default() },
        variables,
        settle,
        quota,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
    })
}

#[async_trait]
impl World for Folder {
    fn fleet(&self) -> &dyn Fleet {
        &self.fleet
    }

    async fn put(&self, object: &[u8]) -> CodeSource {
        let digest = Digest::of(object);
        let key = format!("v1.0.0/{}.zip", digest.short());
        fs::create_dir_all(path(&self.home).join("vault/v1.0.0")).unwrap();
        fs::write(path(&self.home).join("vault").join(&key), object).unwrap();
        CodeSource {
            key: key.parse().unwrap(),
            object_version: None,
            digest,
            architecture: configuration().architecture,
        }
    }

    fn name(&self) -> FleetName {
        format!("fixture-{}", self.names.fetch_add(1, Ordering::Relaxed)).parse().unwrap()
    }

    async fn settle(&self, _name: &FleetName) {
        self.clock.sleep(self.settle).await;
    }
}

fn now() -> Folder {
    Folder::new(Duration::ZERO)
}

fn template(name: &FleetName, variables: &[(&str, &str)]) -> BTreeMap<FleetName, Variables> {
    let variables = variables.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    BTreeMap::from([(name.clone(), variables)])
}

#[tokio::test]
async fn nothing_is_written_while_an_update_is_in_progress() {
    let world = Folder::new(Duration::from_secs(60));
    let (one, two) = (answering(&world, "one").await, answering(&world, "two").await);
    let (name, fleet) = (world.name(), world.fleet());
    let created = fleet.create(&name, &one, &configuration()).await.unwrap();
    assert_eq!((&created.state, &created.last_update), (&State::Pending, &LastUpdate::InProgress));
    let conflict = |result| assert!(matches!(result, Err(FleetError::Conflict(_))), "{result:?}");
    conflict(fleet.update_code(&name, &two, &created.revision, false).await);
    conflict(fleet.update_configuration(&name, &configuration(), &created.revision).await);
    conflict(fleet.publish(&name, &one.digest, &created.revision, "").await);
    world.settle(&name).await;
    // As on Lambda, settling is a change of its own: the revision of before is stale.
    let result = fleet.publish(&name, &one.digest, &created.revision, "").await;
    assert!(matches!(result, Err(FleetError::Guarded(_))), "{result:?}");
    let state = latest(&world, &name).await;
    let version = fleet.publish(&name, &one.digest, &state.revision, "").await.unwrap();
    assert_eq!(version.state, State::Pending);
    assert!(matches!(fleet.invoke(&name, &FIRST, b"{}").await, Err(FleetError::Conflict(_))));
    let (live, target) =
        ("live".parse().unwrap(), AliasTarget { version: FleetVersion(1), canary: None, description: String::new() });
    let result = fleet.create_alias(&name, &live, &target).await;
    assert!(matches!(result, Err(FleetError::Conflict(_))), "calls must not go to what is pending: {result:?}");
    world.settle(&name).await;
    fleet.create_alias(&name, &live, &target).await.unwrap();
    assert_eq!(answer(&world, &name, FIRST).await, json!("one"));
}

#[tokio::test]
async fn too_many_calls_are_refused_and_have_no_effect() {
    let world = now();
    let (name, state) = made(&world, &answering(&world, "one").await).await;
    published(&world, &name).await;
    let fleet = world.metered();
    let busy = |result: Result<_, FleetError>| matches!(result, Err(FleetError::Throttled(_)));
    let live = "live".parse().unwrap();
    for call in 0..15 {
        assert_eq!(fleet.alias(&name, &live).await.unwrap(), None, "call {call}");
    }
    // All calls but reads share what is left, whatever they are, and other functions' too.
    assert!(busy(fleet.alias(&world.name(), &live).await.map(drop)));
    assert!(busy(fleet.publish(&name, &state.code, &state.revision, "").await.map(drop)));
    assert!(busy(fleet.update_configuration(&name, &configuration(), &state.revision).await.map(drop)));
    for call in 0..100 {
        assert!(fleet.version(&name, FleetVersion(1)).await.is_ok(), "call {call}");
    }
    assert!(busy(fleet.function(&name).await.map(drop)));
    assert_eq!(fleet.invoke(&name, &FIRST, b"{}").await.unwrap().payload, b"\"one\"", "calling is not controlling");
    world.clock.sleep(Duration::from_millis(67)).await;
    assert_eq!(fleet.function(&name).await.unwrap(), Some(state.clone()), "nothing happened");
    // So the revision that was seen before is still good.
    fleet.update_configuration(&name, &configuration(), &state.revision).await.unwrap();
}

#[tokio::test]
async fn the_state_outlives_the_value() {
    let world = now();
    let (name, _) = made(&world, &answering(&world, "one").await).await;
    published(&world, &name).await;
    let again = world.again(BTreeMap::new());
    assert_eq!(again.function(&name).await.unwrap(), world.fleet().function(&name).await.unwrap());
    assert_eq!(again.invoke(&name, &FIRST, b"{}").await.unwrap().payload, b"\"one\"");
    let log = fs::read_to_string(world.file(&name, "log.txt")).unwrap();
    assert!(log.starts_with("starting\nSTART RequestId: ") && log.contains("\nREPORT RequestId: "), "{log}");
}

#[tokio::test]
async fn replaced_bytes_show_and_run() {
    let world = now();
    let (name, _) = made(&world, &answering(&world, "one").await).await;
    published(&world, &name).await;
    assert_eq!(answer(&world, &name, FIRST).await, json!("one"));
    let file = world.file(&name, "versions/1/code.zip");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o444);
    let other = bootstrap::function(&json!({ "answer": "tampered" }));
    fs::remove_file(&file).unwrap();
    fs::write(&file, &other).unwrap();
    let state = world.fleet().version(&name, FleetVersion(1)).await.unwrap().unwrap();
    assert_eq!(state.code, Digest::of(&other));
    // The warm host of the old bytes does not hide the new ones.
    assert_eq!(answer(&world, &name, FIRST).await, json!("tampered"));

    let before = latest(&world, &name).await;
    fs::write(world.file(&name, "latest/code.zip"), &other).unwrap();
    let after = latest(&world, &name).await;
    assert_eq!(after.code, Digest::of(&other));
    assert_ne!(after.revision, before.revision);
    fs::write(&file, b"no zip").unwrap();
    let state = world.fleet().version(&name, FleetVersion(1)).await.unwrap().unwrap();
    assert!(matches!(state.state, State::Failed(_)), "{:?}", state.state);
    assert!(matches!(world.fleet().invoke(&name, &FIRST, b"{}").await, Err(FleetError::Conflict(_))));
}

#[tokio::test]
async fn a_damaged_record_is_named() {
    let world = now();
    let (name, _) = made(&world, &answering(&world, "one").await).await;
    published(&world, &name).await;
    for file in ["versions/1/state.json", "latest/state.json"] {
        let record = fs::read(world.file(&name, file)).unwrap();
        for damaged in [&record[..record.len() / 2], b"", b"{}"] {
            fs::remove_file(world.file(&name, file)).unwrap();
            fs::write(world.file(&name, file), damaged).unwrap();
            let error = match file {
                "latest/state.json" => world.fleet().function(&name).await.unwrap_err(),
                _ => world.fleet().invoke(&name, &FIRST, b"{}").await.unwrap_err(),
            };
            assert!(error.to_string().contains(file) && error.to_string().contains("damaged"), "{error}");
        }
        fs::write(world.file(&name, file), record).unwrap();
    }
    fs::remove_file(world.file(&name, "latest/code.zip")).unwrap();
    let error = world.fleet().function(&name).await.unwrap_err();
    assert!(error.to_string().contains("latest/code.zip"), "{error}");
}

#[tokio::test]
async fn numbers_are_never_given_twice() {
    let world = now();
    let (name, _) = made(&world, &answering(&world, "one").await).await;
    published(&world, &name).await;
    released(&world, &name, &answering(&world, "two").await).await;
    fs::remove_dir_all(world.file(&name, "versions/2")).unwrap();
    assert_eq!(world.fleet().version(&name, FleetVersion(2)).await.unwrap(), None);
    assert_eq!(published(&world, &name).await, FleetVersion(3));
}

#[tokio::test]
async fn variables_arrive_from_outside() {
    let world = now();
    let code = world.put(&bootstrap::function(&json!({ "mode": "environment" }))).await;
    let (name, bare) = made(&world, &code).await;
    published(&world, &name).await;
    let fleet = world.again(template(&name, &[("AUDIT", "{local}/audit.db")]));
    let state = fleet.function(&name).await.unwrap().unwrap();
    assert_eq!(state.variables["AUDIT"], "{local}/audit.db");
    assert_ne!(state.revision, bare.revision);
    assert!(matches!(fleet.publish(&name, &code.digest, &bare.revision, "").await, Err(FleetError::Guarded(_))));
    let version = fleet.publish(&name, &code.digest, &state.revision, "").await.unwrap();
    assert_eq!((version.version, &version.variables), (Some(FleetVersion(2)), &state.variables));
    // The place is filled in only for the process; the first version keeps what it was published with.
    let environment = |bytes: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
    let second = fleet.invoke(&name, &Qualifier::Version(FleetVersion(2)), b"{}").await.unwrap();
    assert_eq!(environment(second.payload)["AUDIT"], path(&world.home).join("audit.db").as_str());
    let first = fleet.invoke(&name, &FIRST, b"{}").await.unwrap();
    assert!(environment(first.payload).get("AUDIT").is_none());
    let record = fs::read_to_string(world.file(&name, "versions/2/state.json")).unwrap();
    assert!(record.contains("{local}/audit.db"), "{record}");
}

#[tokio::test]
async fn variables_keep_lambdas_limits() {
    let world = now();
    let (name, code) = (world.name(), answering(&world, "one").await);
    let full = "x".repeat(4096 - 4);
    for (key, value, right) in [
        ("SIZE", full.as_str(), true),
        ("SIZE_", full.as_str(), false),
        ("AWS_REGION", "eu-central-1", false),
        ("1ST", "", false),
        ("A-B", "", false),
    ] {
        let fleet = world.again(template(&name, &[(key, value)]));
        let result = fleet.create(&name, &code, &configuration()).await;
        assert_eq!(result.is_ok(), right, "{key}: {result:?}");
        if right {
            fs::remove_dir_all(world.file(&name, "")).unwrap();
        } else {
            assert!(matches!(result, Err(FleetError::Invalid(_))), "{key}: {result:?}");
            assert!(!world.file(&name, "").exists());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_writers_never_both_win() {
    let world = now();
    let code = answering(&world, "one").await;
    let name = world.name();
    let race = |_| {
        let (fleet, name, code) = (world.again(BTreeMap::new()), name.clone(), code.clone());
        tokio::spawn(async move { fleet.create(&name, &code, &configuration()).await.is_ok() })
    };
    let mut winners = 0;
    for racer in (0..8).map(race).collect::<Vec<_>>() {
        winners += usize::from(racer.await.unwrap());
    }
    assert_eq!(winners, 1);

    let state = latest(&world, &name).await;
    let race = |_| {
        let (fleet, name, code, guard) =
            (world.again(BTreeMap::new()), name.clone(), code.clone(), state.revision.clone());
        tokio::spawn(async move { fleet.update_code(&name, &code, &guard, false).await.is_ok() })
    };
    let mut winners = 0;
    for racer in (0..8).map(race).collect::<Vec<_>>() {
        winners += usize::from(racer.await.unwrap());
    }
    assert_eq!(winners, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_time_run_in_processes_of_their_own() {
    let world = now();
    let code = world.put(&bootstrap::function(&json!({ "mode": "pid" }))).await;
    let (name, _) = made(&world, &code).await;
    published(&world, &name).await;
    let fleet = world.fleet();
    let call = || fleet.invoke(&name, &FIRST, b"{}");
    let (a, b) = tokio::join!(call(), call());
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_ne!(a.payload, b.payload);
    let warm = call().await.unwrap();
    assert!(warm.init.is_none() && (warm.payload == a.payload || warm.payload == b.payload));
}

#[tokio::test]
async fn processes_and_folders_end_with_the_fleet() {
    let world = now();
    let (name, hosts) = (world.name(), path(&world.home).join("fleet/.hosts"));
    let code = answering(&world, "one").await;
    let fleet = world.again(template(&name, &[("HOLD", "{local}/hold")]));
    let state = fleet.create(&name, &code, &configuration()).await.unwrap();
    fleet.publish(&name, &code.digest, &state.revision, "").await.unwrap();
    // What a killed process would have left, with and without its lock.
    fs::create_dir_all(hosts.join("abandoned")).unwrap();
    File::create(hosts.join("abandoned/lock")).unwrap();
    fleet.invoke(&name, &FIRST, b"{}").await.unwrap();
    assert!(!hosts.join("abandoned").exists());
    let folders = || hosts.read_dir_utf8().unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(folders(), 1);
    let hold = File::open(path(&world.home).join("hold")).unwrap();
    assert!(hold.try_lock().is_err());
    // Another fleet value sweeps, and leaves alone who lives.
    let other = world.again(template(&name, &[]));
    let state = other.function(&name).await.unwrap().unwrap();
    other.publish(&name, &code.digest, &state.revision, "").await.unwrap();
    other.invoke(&name, &Qualifier::Version(FleetVersion(2)), b"{}").await.unwrap();
    assert_eq!(folders(), 2);
    drop((fleet, other));
    assert_eq!(folders(), 0);
    let wait = tokio::task::spawn_blocking(move || hold.lock().unwrap());
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("a process still lives").unwrap();
}
