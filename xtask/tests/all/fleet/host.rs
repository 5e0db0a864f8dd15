//! The Lambda host with real processes.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Write},
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;
use xtask::{
    adapters::{
        limits::LARGEST_EVENT,
        local::host::{Answer, Host, HostError, INIT_LIMIT, Spec},
    },
    model::configuration::Variables,
};

use super::bootstrap;

/// A log that the test can read, and wait for.
#[derive(Clone, Default)]
struct Page(Arc<(Mutex<Vec<u8>>, Notify)>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().clone()).unwrap()
    }

    async fn shows(&self, part: &str) {
        while !self.text().contains(part) {
            self.0.1.notified().await;
        }
    }
}

impl Write for Page {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.0.lock().unwrap().extend_from_slice(piece);
        self.0.1.notify_one();
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn spec(folder: &Utf8Path) -> Spec {
    Spec {
        folder: folder.to_owned(),
        function: "fixture-dev".parse().unwrap(),
        version: None,
        memory_mb: 256,
        timeout_s: 20,
        init_limit: INIT_LIMIT,
        variables: Variables::new(),
    }
}

async fn ask(host: &mut Host, event: Value) -> Answer {
    host.invoke(Uuid::new_v4(), None, event.to_string().as_bytes()).await.unwrap()
}

async fn ask_for(host: &mut Host, mode: &str) -> Answer {
    ask(host, json!({ "behaviour": { "mode": mode } })).await
}

fn parsed(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.payload).unwrap()
}

async fn init_error(spec: Spec) -> (Value, String) {
    match Host::start(spec, Box::new(io::sink())).await {
        Err(HostError::Init(error)) => (serde_json::from_slice(&error.document).unwrap(), error.log_tail),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started"),
    }
}

async fn unrunnable(folder: &Utf8Path) -> String {
    match Host::start(spec(folder), Box::new(io::sink())).await {
        Err(error @ HostError::Unrunnable { .. }) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started"),
    }
}

/// Returns when nobody holds the file's lock any more.
async fn released(file: &Utf8Path) {
    let file = File::open(file).unwrap();
    let wait = tokio::task::spawn_blocking(move || file.lock().unwrap());
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the process still lives").unwrap();
}

#[tokio::test]
async fn answers_and_reports_as_lambda() {
    let (_home, folder) = bootstrap::folder(&json!({ "answer": { "statusCode": 204 } }));
    let page = Page::default();
    let mut host = Host::start(spec(&folder), Box::new(page.clone())).await.unwrap();
    let first = ask(&mut host, json!({})).await;
    assert_eq!((parsed(&first), first.function_error), (json!({ "statusCode": 204 }), None));
    assert!(first.init.is_some_and(|init| init > Duration::ZERO) && first.max_memory_mb > 0);
    let second = ask(&mut host, json!({})).await;
    assert_eq!(second.init, None);

    let lines: Vec<&str> = second.log_tail.lines().collect();
    let &[start, own, end, report] = lines.as_slice() else { panic!("{lines:?}") };
    let id = start.strip_prefix("START RequestId: ").unwrap().strip_suffix(" Version: $LATEST").unwrap();
    assert_eq!([own, end], [format!("serving {id}"), format!("END RequestId: {id}")]);
    assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{report}");
    assert!(report.contains("\tMemory Size: 256 MB\tMax Memory Used: "), "{report}");
    assert_eq!(page.text(), format!("starting\n{}{}", first.log_tail, second.log_tail));
}

#[tokio::test]
async fn gives_lambdas_environment_and_nothing_of_this_machine() {
    let (_home, folder) = bootstrap::folder(&json!({ "mode": "environment" }));
    let variables = Variables::from([("TABLE".to_owned(), "prices".to_owned())]);
    let mut host = Host::start(Spec { variables, ..spec(&folder) }, Box::new(io::sink())).await.unwrap();
    let answer = ask(&mut host, json!({})).await;
    let environment: std::collections::BTreeMap<String, String> = serde_json::from_slice(&answer.payload).unwrap();
    let names: Vec<&str> = environment.keys().map(String::as_str).collect();
    assert_eq!(
        names.join(" "),
        "AWS_DEFAULT_REGION AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION \
         AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API \
         AWS_REGION AWS_XRAY_CONTEXT_MISSING AWS_XRAY_DAEMON_ADDRESS LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT LANG \
         LD_LIBRARY_PATH PATH TABLE TZ _HANDLER"
    );
    assert_eq!(environment["TABLE"], "prices");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "fixture-dev");
    assert_eq!(environment["LAMBDA_TASK_ROOT"], folder.canonicalize_utf8().unwrap());
}

#[tokio::test]
async fn an_event_comes_with_lambdas_headers() {
    let (_home, folder) = bootstrap::folder(&json!({ "mode": "headers" }));
    let mut host = Host::start(spec(&folder), Box::new(io::sink())).await.unwrap();
    let id = Uuid::new_v4();
    let answer = host.invoke(id, Some("live"), b"{}").await.unwrap();
    let headers = parsed(&answer);
    assert_eq!(headers["lambda-runtime-aws-request-id"], id.to_string());
    assert_eq!(
        headers["lambda-runtime-invoked-function-arn"],
        "arn:aws:lambda:us-east-1:000000000000:function:fixture-dev:live"
    );
    let deadline: i64 = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    let left = deadline - jiff::Timestamp::now().as_millisecond();
    assert!((1..=20_000).contains(&left), "{left}");
    let trace = headers["lambda-runtime-trace-id"].as_str().unwrap();
    assert!(trace.starts_with("Root=1-") && trace.ends_with(";Sampled=0"), "{trace}");
}

#[tokio::test]
async fn failures_are_answers() {
    let (_home, folder) = bootstrap::folder(&json!({}));
    for (mode, kind, message) in [
        ("error", "Fixture.Error", "told to fail"),
        ("panic", "Runtime.ExitError", "Runtime exited with error: exit status 101"),
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 7"),
        ("abort", "Runtime.ExitError", "Runtime exited with error: signal: aborted"),
        ("large", "Function.ResponseSizeTooLarge", "(7000002 bytes) exceeded"),
    ] {
        let mut host = Host::start(spec(&folder), Box::new(io::sink())).await.unwrap();
        let answer = ask_for(&mut host, mode).await;
        assert_eq!(answer.function_error.as_deref(), Some("Unhandled"), "{mode}");
        let document = parsed(&answer);
        assert_eq!(document["errorType"], kind, "{mode}");
        assert!(document["errorMessage"].as_str().unwrap().contains(message), "{mode}: {document}");
        assert!(answer.log_tail.contains("serving ") && answer.log_tail.contains("REPORT RequestId: "), "{mode}");
        if mode == "panic" {
            assert!(answer.log_tail.contains("told to panic"), "{}", answer.log_tail);
        }
        // Only a process that still lives goes on.
        assert_eq!(host.is_running(), kind != "Runtime.ExitError", "{mode}");
    }
}

#[tokio::test]
async fn time_out_kills_the_whole_group() {
    let (home, folder) = bootstrap::folder(&json!({}));
    let hold = folder.join("hold");
    let variables = Variables::from([("HOLD".to_owned(), hold.to_string())]);
    let mut host = Host::start(Spec { timeout_s: 1, variables, ..spec(&folder) }, Box::new(io::sink())).await.unwrap();
    let answer = ask_for(&mut host, "child").await;
    let document = parsed(&answer);
    assert_eq!(document["errorType"], "Sandbox.Timedout");
    assert!(document["errorMessage"].as_str().unwrap().ends_with(" Error: Task timed out after 1.00 seconds"));
    assert!(answer.log_tail.contains("Task timed out after 1.00 seconds\nEND"), "{}", answer.log_tail);
    assert!(!host.is_running());
    released(&hold).await;
    assert!(matches!(host.invoke(Uuid::new_v4(), None, b"{}").await, Err(HostError::Gone)));
    drop(home);
}

#[tokio::test]
async fn a_failed_start_is_told_apart() {
    for (start, kind, message) in [
        ("init-error", "Fixture.Init", "told to give up"),
        ("exit", "Runtime.ExitError", "exit status 7"),
        ("panic", "Runtime.ExitError", "exit status 101"),
    ] {
        let (_home, folder) = bootstrap::folder(&json!({ "start": start }));
        let (document, log) = init_error(spec(&folder)).await;
        assert_eq!(document["errorType"], kind, "{start}");
        assert!(document["errorMessage"].as_str().unwrap().contains(message), "{start}: {document}");
        assert!(log.starts_with("starting\n"), "{start}: {log}");
    }
    let (_home, folder) = bootstrap::folder(&json!({ "start": "hang" }));
    let (document, _) = init_error(Spec { init_limit: Duration::from_millis(50), ..spec(&folder) }).await;
    assert_eq!(document["errorType"], "Sandbox.Timedout");
}

#[tokio::test]
async fn a_request_is_answered_once() {
    let (_home, folder) = bootstrap::folder(&json!({ "answer": "done" }));
    let mut host = Host::start(spec(&folder), Box::new(io::sink())).await.unwrap();
    assert_eq!(parsed(&ask_for(&mut host, "twice").await), "done");
    // What the API said to a wrong id, to the right one, and to the same again.
    assert_eq!(parsed(&ask_for(&mut host, "statuses").await), json!([400, 202, 400]));
}

#[tokio::test]
async fn the_log_tail_is_the_last_four_kib() {
    let (_home, folder) = bootstrap::folder(&json!({}));
    let page = Page::default();
    let mut host = Host::start(spec(&folder), Box::new(page.clone())).await.unwrap();
    let answer = ask(&mut host, json!({ "behaviour": { "logs": 300_000 } })).await;
    assert_eq!(answer.log_tail.len(), 4096);
    assert!(answer.log_tail.starts_with("xxx") && answer.log_tail.contains("\nserving "), "{}", answer.log_tail);
    assert!(page.text().len() > 300_000);
}

#[tokio::test]
async fn an_event_that_lambda_would_refuse_is_not_handed_over() {
    let (_home, folder) = bootstrap::folder(&json!({}));
    let mut host = Host::start(spec(&folder), Box::new(io::sink())).await.unwrap();
    let large = format!("\"{}\"", "z".repeat(LARGEST_EVENT - 1));
    for event in [large.as_bytes(), b"", b"{", b"{} {}", b"\xFF"] {
        let error = host.invoke(Uuid::new_v4(), None, event).await.unwrap_err();
        assert!(matches!(error, HostError::Event(_)), "{error}");
    }
    let fits = &large[..large.len() - 2];
    let answer = host.invoke(Uuid::new_v4(), None, format!("{fits}\"").as_bytes()).await.unwrap();
    assert_eq!(answer.function_error, None);
}

#[tokio::test]
async fn a_process_that_ended_gives_the_event_back() {
    let (_home, folder) = bootstrap::folder(&json!({ "answer": 1 }));
    let mut host = Host::start(spec(&folder), Box::new(io::sink())).await.unwrap();
    assert_eq!(parsed(&ask_for(&mut host, "last").await), 1);
    assert!(matches!(host.invoke(Uuid::new_v4(), None, b"{}").await, Err(HostError::Gone)));
}

#[tokio::test]
async fn an_answer_to_someone_who_gave_up_is_nobodys() {
    let (_home, folder) = bootstrap::folder(&json!({}));
    let page = Page::default();
    let mut host = Host::start(spec(&folder), Box::new(page.clone())).await.unwrap();
    tokio::select! {
        answer = ask_for(&mut host, "hang") => panic!("{answer:?}"),
        () = page.shows("serving ") => {}
    }
    assert!(matches!(host.invoke(Uuid::new_v4(), None, b"{}").await, Err(HostError::Gone)));
    assert!(!host.is_running());
}

#[tokio::test]
async fn a_relative_folder_works() {
    let (_home, folder) = bootstrap::folder(&json!({ "answer": 1 }));
    let up = "../".repeat(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).components().count() - 1);
    let relative = Utf8PathBuf::from(format!("{up}{}", folder.strip_prefix("/").unwrap()));
    let mut host = Host::start(spec(&relative), Box::new(io::sink())).await.unwrap();
    assert_eq!(parsed(&ask(&mut host, json!({})).await), 1);
}

#[tokio::test]
async fn a_script_is_a_bootstrap() {
    let home = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(home.path()).unwrap();
    let write = |content: &[u8], mode| {
        // Another test's process may still hold a copy of the file's handle: a new file cannot be busy.
        if folder.join("bootstrap").exists() {
            fs::remove_file(folder.join("bootstrap")).unwrap();
        }
        fs::write(folder.join("bootstrap"), content).unwrap();
        fs::set_permissions(folder.join("bootstrap"), fs::Permissions::from_mode(mode)).unwrap();
    };
    write(b"#!/bin/sh\necho from a script >&2\nexit 3\n", 0o755);
    let (document, log) = init_error(spec(folder)).await;
    assert!(document["errorMessage"].as_str().unwrap().ends_with("exit status 3"), "{document}");
    assert!(log.starts_with("from a script\nINIT_REPORT Init Duration: ") && log.ends_with("Status: error\n"), "{log}");

    write(b"#!/no/such/interpreter\n", 0o755);
    assert!(unrunnable(folder).await.contains("the interpreter that it asks for"));
    write(b"#!/bin/sh\n", 0o644);
    assert!(unrunnable(folder).await.contains("not an executable file"));
    let mut other = bootstrap::program().to_vec();
    // The machine's number in an ELF header: RISC-V, which Lambda does not have.
    other[18..20].copy_from_slice(&243u16.to_le_bytes());
    write(&other, 0o755);
    assert!(unrunnable(folder).await.contains("built for a machine that Lambda does not have"));
    fs::remove_file(folder.join("bootstrap")).unwrap();
    assert!(unrunnable(folder).await.contains("there is no such file"));
}

#[tokio::test]
async fn dropping_a_host_ends_its_process() {
    let (_home, folder) = bootstrap::folder(&json!({}));
    let hold = folder.join("hold");
    let variables = Variables::from([("HOLD".to_owned(), hold.to_string())]);
    let host = Host::start(Spec { variables, ..spec(&folder) }, Box::new(io::sink())).await.unwrap();
    assert!(File::open(&hold).unwrap().try_lock().is_err());
    drop(host);
    released(&hold).await;
}

/// Plays both parts: the test, and the toolchain that it kills, which is this test once more in another process.
#[tokio::test]
async fn killing_the_toolchain_ends_its_functions() {
    const FOLDER: &str = "FIXTURE_FOLDER";
    if let Some(folder) = std::env::vars().find_map(|(key, value)| (key == FOLDER).then_some(value)) {
        let folder = Utf8Path::new(&folder);
        let variables = Variables::from([("HOLD".to_owned(), folder.join("hold").to_string())]);
        let mut host = Host::start(Spec { variables, ..spec(folder) }, Box::new(io::sink())).await.unwrap();
        println!("ready");
        ask_for(&mut host, "child").await;
        unreachable!("it is killed long before the time-out");
    }
    let (_home, folder) = bootstrap::folder(&json!({}));
    #[expect(clippy::disallowed_methods, reason = "the toolchain that is killed")]
    let mut toolchain = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fleet::host::killing_the_toolchain_ends_its_functions", "--nocapture"])
        .env(FOLDER, &folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(toolchain.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("ready")));
    assert!(File::open(folder.join("hold")).unwrap().try_lock().is_err());
    toolchain.kill().unwrap();
    toolchain.wait().unwrap();
    released(&folder.join("hold")).await;
}
