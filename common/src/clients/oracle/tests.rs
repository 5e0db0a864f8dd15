//! The pool's life, with a driver that does what a test tells it to; what only a server can show stands in the functions' tests
//! under the feature `oracle-live`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::testing::{FixedClock, Replay, Reply, block_on, invocation};
use crate::types::{OracleLogin, Secret};

/// What the database does at one moment, by what is asked and with which password.
type Does = Box<dyn Fn(Step, &str) -> Result<(), OracleFault> + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Open,
    Rows,
}

struct Fake {
    does: Does,
    done: Arc<Mutex<Vec<(Step, String)>>>,
}

impl Driver for Fake {
    type Pool = String;

    fn open(&self, credentials: &Credentials, _: Duration) -> Result<String, OracleFault> {
        let password = credentials.password.expose().to_owned();
        self.done.lock().unwrap().push((Step::Open, password.clone()));
        (self.does)(Step::Open, &password)?;
        Ok(password)
    }

    fn rows(&self, password: &String, call: &Call) -> Result<Vec<Row>, OracleFault> {
        self.done.lock().unwrap().push((Step::Rows, password.clone()));
        (self.does)(Step::Rows, password)?;
        let tags = [call.module, call.action, call.request_id.as_str(), call.query.text()];
        Ok(vec![tags.map(|tag| Some(tag.to_owned())).to_vec()])
    }
}

type Done = Arc<Mutex<Vec<(Step, String)>>>;

fn client(login: OracleLogin, clock: Arc<dyn Clock>, does: Does) -> (OracleClient<Fake>, Done) {
    let done = Done::default();
    let line = Arc::new(Line { driver: Fake { does, done: Arc::clone(&done) }, open: Mutex::default() });
    let login = Arc::new(Login::new(login, Arc::clone(&clock)).unwrap());
    (OracleClient { store: "price", module: "price-fetcher", clock, login, line }, done)
}

fn given() -> OracleLogin {
    OracleLogin::Given(Credentials { user: "app".into(), password: Secret::new("p".into()) })
}

fn on(does: impl Fn(Step, usize) -> Option<&'static str> + Send + Sync + 'static) -> (OracleClient<Fake>, Done) {
    let before = Mutex::new((0, 0));
    let does = move |step, _: &str| {
        let mut before = before.lock().unwrap();
        let count = if step == Step::Open { &mut before.0 } else { &mut before.1 };
        *count += 1;
        does(step, *count - 1).map_or(Ok(()), |message| Err(OracleFault::of(message)))
    };
    client(given(), Arc::new(FixedClock), Box::new(does))
}

fn ask(client: &OracleClient<Fake>) -> Result<Vec<Row>, String> {
    ask_within(client, &invocation())
}

fn ask_within(client: &OracleClient<Fake>, invocation: &Invocation) -> Result<Vec<Row>, String> {
    let answer = block_on(client.rows(invocation, "read the price", Query::new("SELECT 1")));
    answer.map_err(|error| {
        assert_eq!(error.to_string(), "cannot read the price in the price store");
        std::error::Error::source(&error).unwrap().to_string()
    })
}

fn steps(done: &Done) -> Vec<Step> {
    done.lock().unwrap().iter().map(|(step, _)| *step).collect()
}

#[test]
fn one_pool_serves_all_lookups_and_every_session_is_tagged() {
    let (client, done) = on(|_, _| None);
    assert_eq!(steps(&done), [], "nothing before the first lookup");
    for _ in 0..3 {
        let row = ask(&client).unwrap().remove(0).into_iter().map(Option::unwrap).collect::<Vec<_>>();
        assert_eq!(row, ["price-fetcher", "read the price", "r-1", "SELECT 1"]);
    }
    assert_eq!(steps(&done), [Step::Open, Step::Rows, Step::Rows, Step::Rows]);
}

#[test]
fn a_lost_connection_is_made_anew_within_the_same_lookup() {
    let (client, done) = on(|step, before| (step == Step::Rows && before == 1).then_some("ORA-03113: end-of-file"));
    ask(&client).unwrap();
    ask(&client).unwrap();
    assert_eq!(steps(&done), [Step::Open, Step::Rows, Step::Rows, Step::Open, Step::Rows]);
}

#[test]
fn a_database_that_is_down_is_asked_twice_and_found_again_without_a_restart() {
    let (client, done) = on(|step, before| (step == Step::Open && before < 4).then_some("ORA-12541: TNS:no listener"));
    for _ in 0..2 {
        assert!(ask(&client).unwrap_err().starts_with("ORACLE_DISCONNECTED (ORA-12541)"));
    }
    assert_eq!(steps(&done), [Step::Open; 4]);
    ask(&client).unwrap();
}

#[test]
fn what_another_attempt_would_not_mend_is_tried_once() {
    for (message, code) in [
        ("ORA-00054: resource busy", "ORACLE_BUSY (ORA-00054)"),
        ("DPI-1067: call timeout of 1000 ms exceeded with ORA-3156", "ORACLE_TIMEOUT (DPI-1067)"),
        ("ORA-00942: table or view does not exist", "ORACLE_REFUSED (ORA-00942)"),
    ] {
        let (client, done) = on(move |step, before| (step == Step::Rows && before == 0).then_some(message));
        assert!(ask(&client).unwrap_err().starts_with(code));
        assert_eq!(steps(&done), [Step::Open, Step::Rows]);
        ask(&client).unwrap();
        // A connection on which a call took too long may not be good any more.
        let anew = if message.starts_with("DPI-1067") { &[Step::Open, Step::Rows][..] } else { &[Step::Rows] };
        assert_eq!(steps(&done)[2..], *anew);
    }
    let (client, _) = on(|step, _| (step == Step::Rows).then_some("ORA-01403: no data found"));
    assert_eq!(ask(&client).unwrap(), Vec::<Row>::new());
}

/// Takes the one password `good`, and a secret that says `told`, one after the other.
fn rotated(
    good: &'static str,
    told: &'static [&'static str],
    clock: Arc<dyn Clock>,
) -> (OracleClient<Fake>, Done, Replay) {
    let replay = Replay::new(move |_, before| {
        let password = told[before.min(told.len() - 1)];
        Reply::Json(json!({ "SecretString": json!({ "username": "app", "password": password }).to_string() }))
    });
    let login = OracleLogin::Stored { access: replay.access(), id: "prod/oracle".into(), user: None };
    let denied = "ORA-01017: invalid username/password; logon denied";
    let does = move |_, password: &str| if password == good { Ok(()) } else { Err(OracleFault::of(denied)) };
    let (client, done) = client(login, clock, Box::new(does));
    (client, done, replay)
}

#[test]
fn a_rotated_password_is_read_once_more_and_used() {
    let (client, done, replay) = rotated("new", &["old", "new"], Arc::new(FixedClock));
    ask(&client).unwrap();
    ask(&client).unwrap();
    let passwords: Vec<_> = done.lock().unwrap().iter().map(|(_, password)| password.clone()).collect();
    assert_eq!(passwords, ["old", "new", "new", "new"]);
    assert_eq!(replay.asked().len(), 2, "cached afterwards");
}

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

fn at(second: i64) -> (Arc<Hands>, Arc<dyn Clock>) {
    let hands = Arc::new(Hands(AtomicI64::new(second)));
    (Arc::clone(&hands), hands)
}

#[test]
fn a_refused_password_is_not_offered_again_for_a_minute() {
    let (hands, clock) = at(1_000);
    let (client, done, replay) = rotated("new", &["old", "old", "old", "new"], clock);
    assert!(ask(&client).unwrap_err().starts_with("ORACLE_CREDENTIALS (ORA-01017)"));
    assert_eq!((done.lock().unwrap().len(), replay.asked().len()), (1, 2), "the secret says the same");
    hands.0.store(1_059, Ordering::SeqCst);
    assert!(ask(&client).unwrap_err().contains("less than a minute ago"));
    assert_eq!(
        (done.lock().unwrap().len(), replay.asked().len()),
        (1, 3),
        "the database was not asked, the secret was"
    );
    ask(&client).unwrap();
    ask(&client).unwrap();
    let passwords: Vec<_> = done.lock().unwrap().iter().map(|(_, password)| password.clone()).collect();
    assert_eq!(passwords, ["old", "new", "new", "new"]);
    assert_eq!(replay.asked().len(), 4, "another password does not wait, and is kept");
}

#[test]
fn a_database_that_was_mended_instead_of_the_secret_is_asked_after_a_minute() {
    let (hands, clock) = at(1_000);
    let mended = Arc::new(AtomicI64::new(0));
    let now = Arc::clone(&mended);
    let does = move |_, _: &str| match now.load(Ordering::SeqCst) {
        0 => Err(OracleFault::of("ORA-28000: The account is locked.")),
        _ => Ok(()),
    };
    let (client, done) = client(given(), clock, Box::new(does));
    assert!(ask(&client).unwrap_err().starts_with("ORACLE_CREDENTIALS (ORA-28000)"));
    mended.store(1, Ordering::SeqCst);
    assert!(ask(&client).unwrap_err().contains("less than a minute ago"));
    hands.0.store(1_060, Ordering::SeqCst);
    ask(&client).unwrap();
    ask(&client).unwrap();
    assert_eq!(steps(&done), [Step::Open, Step::Open, Step::Rows, Step::Rows]);
}

#[test]
fn a_rotated_password_that_is_refused_too_waits_as_well() {
    let (client, done, replay) = rotated("right", &["old", "new"], Arc::new(FixedClock));
    assert!(ask(&client).unwrap_err().starts_with("ORACLE_CREDENTIALS (ORA-01017)"));
    assert!(ask(&client).unwrap_err().contains("less than a minute ago"));
    assert_eq!((done.lock().unwrap().len(), replay.asked().len()), (2, 3));
}

#[test]
fn a_secret_that_cannot_be_read_is_no_login() {
    let replay = Replay::new(|_, _| Reply::Refuse(400, "AccessDeniedException"));
    let login = OracleLogin::Stored { access: replay.access(), id: "s".into(), user: None };
    let (client, done) = client(login, Arc::new(FixedClock), Box::new(|_, _| Ok(())));
    assert!(ask(&client).unwrap_err().starts_with("ORACLE_CREDENTIALS: there is nothing to log in with"));
    assert_eq!(steps(&done), []);
}

/// A database that answers a login when it is told to, and how.
struct Slow {
    client: OracleClient<Fake>,
    done: Done,
    answer: Sender<Result<(), OracleFault>>,
    asked: Receiver<()>,
}

fn slow() -> Slow {
    let (answer, told) = channel();
    let (ask, asked) = channel::<()>();
    let ends = Mutex::new((ask, told));
    let does = move |step, _: &str| {
        if step == Step::Rows {
            return Ok(());
        }
        let (ask, told): &(Sender<()>, Receiver<_>) = &ends.lock().unwrap();
        // Where nobody listens any more, nobody answers either.
        ask.send(()).unwrap();
        told.recv().unwrap()
    };
    let (client, done) = client(given(), Arc::new(FixedClock), Box::new(does));
    Slow { client, done, answer, asked }
}

fn ending_in(milliseconds: i64) -> Invocation {
    let deadline = FixedClock.now().checked_add(jiff::SignedDuration::from_millis(milliseconds)).unwrap();
    Invocation { deadline: Some(deadline), ..invocation() }
}

/// A lookup that nobody waits for any more when `answer` comes; ends when its thread has. Another login panics.
fn too_late(slow: Slow, answer: Result<(), OracleFault>) -> (OracleClient<Fake>, Done) {
    let Slow { client, done, answer: answers, asked } = slow;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let late = runtime.block_on(client.in_time(&ending_in(2_100), "read", Query::new("SELECT 1")));
    assert!(matches!(late, Err(OracleError::Late)));
    asked.recv().unwrap();
    answers.send(answer).unwrap();
    drop(runtime);
    (client, done)
}

#[test]
fn whoever_waits_waits_for_a_bounded_time_and_the_late_pool_is_kept() {
    let (client, done) = too_late(slow(), Ok(()));
    ask(&client).unwrap();
    assert_eq!(steps(&done), [Step::Open, Step::Rows, Step::Rows]);
}

#[test]
fn a_refusal_that_comes_too_late_still_counts() {
    let (client, done) = too_late(slow(), Err(OracleFault::of("ORA-01017: invalid username/password; logon denied")));
    assert!(ask(&client).unwrap_err().contains("less than a minute ago"));
    assert_eq!(steps(&done), [Step::Open]);
}

#[test]
fn with_no_time_left_to_record_a_lookup_nothing_is_asked() {
    let (client, done) = on(|_, _| None);
    assert!(
        ask_within(&client, &ending_in(2_000)).unwrap_err().starts_with("ORACLE_TIMEOUT: the invocation has no time")
    );
    assert_eq!(steps(&done), []);
}
