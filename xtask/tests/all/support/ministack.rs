//! MiniStack, an AWS emulator from PyPI, for as long as somebody holds it: installed once into a virtual environment of
//! its own below the build folder, started on a free port of this machine's loopback, gone with its last holder, also if
//! the tests are killed.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

/// The one place where the version stands.
pub(crate) const VERSION: &str = "1.5.33";

/// Everything else that it takes along. `cryptography` is for KMS, `cbor2` for SDKs that speak CBOR to CloudWatch, `boto3` for
/// tests that look with other eyes than ours.
const PINS: [&str; 22] = [
    "botocore==1.43.106",
    "hypercorn==0.18.0",
    "h11==0.16.0",
    "h2==4.4.1",
    "hpack==4.2.0",
    "hyperframe==6.1.0",
    "priority==2.0.0",
    "wsproto==1.3.2",
    "jmespath==1.1.0",
    "python-dateutil==2.9.0.post0",
    "six==1.17.0",
    "urllib3==2.8.0",
    "pyyaml==6.0.3",
    "defusedxml==0.7.1",
    "jsonata-python==0.7.1",
    "graphql-core==3.2.12",
    "cryptography==50.0.2",
    "cffi==2.1.1",
    "pycparser==3.12",
    "cbor2==6.3.0",
    "boto3==1.43.106",
    "s3transfer==0.19.3",
];

/// Runs MiniStack until nobody holds its stdin any more. What it started is in its process group and ends with it.
const KEEPER: &str = "
import os, runpy, signal, sys, threading
def watch():
    while sys.stdin.buffer.read(4096):
        pass
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=watch, daemon=True).start()
sys.argv = ['ministack']
runpy.run_module('ministack', run_name='__main__', alter_sys=True)
";

/// How long it may take to answer; it takes a third of a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An emulator that runs.
pub(crate) struct MiniStack {
    child: Child,
    port: u16,
    home: TempDir,
}

/// Whether callers are asked who they are and what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Everybody may do everything.
    Off,
    /// Signatures and policies count. Keys of root are never checked: use them only to make users and roles.
    On,
}

/// One emulator for all tests of a group that run at the same time: fresh for the first, gone after the last.
pub(crate) struct Group(Mutex<Weak<MiniStack>>);

impl Group {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    /// The group's emulator, which asks nobody who they are.
    pub(crate) fn join(&self) -> Arc<MiniStack> {
        let mut running = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let new = Arc::new(MiniStack::start(Auth::Off));
            *running = Arc::downgrade(&new);
            new
        })
    }
}

impl MiniStack {
    /// Starts one.
    pub(crate) fn start(auth: Auth) -> Self {
        let python = installed();
        // Another process may take the port between the question and the start.
        for _ in 0..5 {
            if let Some(started) = Self::start_on(&python, free_port(), auth) {
                return started;
            }
        }
        panic!("MiniStack {VERSION} did not start on any of five free ports");
    }

    /// Where all services answer.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Calls IAM as root, whose signature nobody checks.
    pub(crate) fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let all = [("Action", action), ("Version", "2010-05-08")];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).extend_pairs(parameters).finish();
        let signed =
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0";
        let request = format!(
            "POST / HTTP/1.1\r\nHost: iam.amazonaws.com\r\nAuthorization: {signed}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{action}: {answer}");
        answer
    }

    fn start_on(python: &Utf8Path, port: u16, auth: Auth) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(home.path()).unwrap().to_owned();
        fs::create_dir_all(root.join("tmp")).unwrap();
        let log = File::create(root.join("log")).unwrap();
        let endpoint = format!("http://127.0.0.1:{port}");
        let mut command = Command::new(python);
        // It hands its whole environment on to every function that it runs, so it gets none of ours.
        command.args(["-c", KEEPER]).current_dir(&root).env_clear().process_group(0);
        command.envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("LOG_LEVEL", "WARNING")]);
        command.envs([("HOME", root.as_str()), ("TMPDIR", root.join("tmp").as_str())]);
        command.envs([("PYTHONUNBUFFERED", "1"), ("PYTHONNOUSERSITE", "1"), ("AWS_EC2_METADATA_DISABLED", "true")]);
        command.envs([("GATEWAY_PORT", port.to_string().as_str()), ("BIND_HOST", "127.0.0.1")]);
        command.envs([("MINISTACK_HOST", "localhost"), ("MINISTACK_REGION", "us-east-1")]);
        command.envs([("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", endpoint.as_str())]);
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        command.env("AUTH", if auth == Auth::On { "true" } else { "false" });
        // Listeners beside its port that nobody here needs; one of them would be open to the whole network.
        command.envs([
            ("IOT_MTLS_ENABLED", "0"),
            ("SFTP_ENABLED", "0"),
            ("SFTP_PORT_PER_SERVER", "0"),
            ("USE_SSL", "0"),
        ]);
        command.envs([
            ("LAMBDA_EXECUTOR", "local"),
            ("LAMBDA_STRICT", "0"),
            ("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "0.1"),
        ]);
        command.envs([("DOCKER_HOST", "unix:///nonexistent/docker.sock"), ("PERSIST_STATE", "0"), ("S3_PERSIST", "0")]);
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("failed to start {python}: {error}"));
        let mut started = Self { child, port, home };
        started.wait_until_ready().then_some(started)
    }

    /// `false` if it ended before it was ready.
    fn wait_until_ready(&mut self) -> bool {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if is_ready(self.port) && self.child.try_wait().unwrap().is_none() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("MiniStack {VERSION} is not ready after {} s:\n{}", PATIENCE.as_secs(), self.log());
    }

    /// Runs a script with `boto3` in it, in nobody's environment, and gives what it printed as JSON.
    pub(crate) fn boto3(&self, script: &str, arguments: &[&str]) -> serde_json::Value {
        let mut command = Command::new(installed());
        command.args(["-c", script, &self.endpoint()]).args(arguments).env_clear().stdin(Stdio::null());
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("HOME", "/nonexistent")]);
        let output = command.output().unwrap();
        let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
        assert!(output.status.success(), "boto3: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// What it wrote.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        // Its keeper sees the end of its stdin and ends the whole group.
        drop(self.child.stdin.take());
        let ended = self.child.wait();
        assert!(ended.is_ok() || std::thread::panicking(), "MiniStack on port {}: {ended:?}", self.port);
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn is_ready(port: u16) -> bool {
    let answer = || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        stream.write_all(b"GET /_ministack/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).ok()?;
        Some(status)
    };
    answer().is_some_and(|status| &status == b"HTTP/1.1 200")
}

/// The Python that has MiniStack. The first who asks installs it; others, in other processes, too, wait for that.
fn installed() -> Utf8PathBuf {
    let base = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ministack-{VERSION}"));
    let python = base.join("venv/bin/python");
    fs::create_dir_all(&base).unwrap();
    let lock = File::create(base.join("lock")).unwrap();
    lock.lock().unwrap();
    // Written last: a virtual environment without it is half made.
    let whole = base.join("pins");
    let pins = format!("ministack=={VERSION} {}", PINS.join(" "));
    if fs::read_to_string(&whole).is_ok_and(|made| made == pins) && python.is_file() {
        return python;
    }
    let create = ["-m", "venv", "--clear", base.join("venv").as_str()].map(str::to_owned);
    run(
        "python3",
        &create,
        "the tests of the profile `aws` need Python 3.11 or newer with its module `venv` \
         (Debian and Ubuntu: `apt-get install python3 python3-venv`)",
    );
    let install = "-m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps";
    let arguments: Vec<_> = install.split(' ').chain(pins.split(' ')).map(str::to_owned).collect();
    run(
        python.as_str(),
        &arguments,
        &format!("MiniStack {VERSION} could not be installed from the package index of pip"),
    );
    fs::write(&whole, &pins).unwrap();
    python
}

fn run(program: &str, arguments: &[String], needed: &str) {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    match output {
        Err(error) => panic!("{needed}: `{program}` cannot be started: {error}"),
        Ok(output) if !output.status.success() => {
            let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
            panic!("{needed}: `{program} {}` says:\n{said}", arguments.join(" "));
        }
        Ok(_) => {}
    }
}
