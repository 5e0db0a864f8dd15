//! MiniStack, an AWS emulator from PyPI, for as long as somebody holds it: started on a free port of this machine's
//! loopback, gone with its last holder, also if the tests are killed.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;
pub(crate) use xtask::adapters::emulator::launch::Auth;
use xtask::adapters::emulator::{
    REQUIREMENTS,
    launch::{self, Setting},
    wire::Caller,
};

use super::python::python;

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
            if let Some(started) = Self::start_on(&python, launch::free_port().unwrap(), auth) {
                return started;
            }
        }
        panic!("MiniStack did not start on any of five free ports");
    }

    /// Where all services answer.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Calls it as root, whose signature nobody checks.
    pub(crate) fn caller(&self, region: &str) -> Caller {
        Caller::new(&self.endpoint(), region).unwrap()
    }

    /// Calls IAM as root; from within a test's own runtime, too.
    pub(crate) fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let caller = self.caller("us-east-1");
        let parameters = [&[("Version", "2010-05-08")], parameters].concat();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(caller.form("iam", action, &parameters)).unwrap()
            });
            asked.join().unwrap()
        })
    }

    fn start_on(python: &Utf8Path, port: u16, auth: Auth) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(home.path()).unwrap();
        let log = File::create(root.join("log")).unwrap();
        let mut command = launch::command(python, KEEPER, &Setting { port, home: root, auth, keeps: false }).unwrap();
        command.process_group(0).stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
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
            if launch::is_ready(self.port) && self.child.try_wait().unwrap().is_none() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("MiniStack is not ready after {} s:\n{}", PATIENCE.as_secs(), self.log());
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

/// The Python that has MiniStack, and `boto3` for tests that look with other eyes than ours.
pub(crate) fn installed() -> Utf8PathBuf {
    python("ministack", &format!("{REQUIREMENTS}{}", include_str!("../../requirements/boto3.txt")))
}
