//! MiniStack, an emulator of AWS, as a developer's own: installed, started beside this process, found again, and ended. Its
//! folder holds the packages, its state, its log, and who runs. What is set up inside of it is `estate`'s.
//!
//! It tells itself who it is: its first act is to lock a file and to write down its process and port. The kernel gives the
//! lock back when it ends, so that a record without the lock is an old one, whoever has that process number by now.

pub mod estate;
pub mod launch;
mod process;
pub mod wire;

use std::{
    fs::{self, File, TryLockError},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use self::launch::{Auth, Setting};
use crate::{
    adapters::{local::locks::FileLocks, python},
    failure::Failure,
    ports::{clock::Clock, lock::Locks as _, story::Story},
};

/// The emulator's packages; its version stands there.
pub const REQUIREMENTS: &str = include_str!("../../../../infra-local/ministack/requirements.txt");

/// Tells who it is, then becomes the emulator. It leaves the terminal's session, so that Ctrl-C there is not meant for it. It
/// writes its state down when it is asked to end; where it could not, `unsaved` stays.
const SCRIPT: &str = "
import fcntl, json, os, runpy, sys, time
os.setsid()
held = open('held', 'w')
for attempt in range(100):
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
    except OSError:
        # Whoever only asks whether it is held has it for a moment, too.
        time.sleep(0.02)
else:
    sys.exit('another one runs in this folder')
started = open('/proc/self/stat').read().rsplit(')', 1)[1].split()[19]
record = dict(pid=os.getpid(), started=int(started), port=int(os.environ['GATEWAY_PORT']), version=sys.argv[1])
with open('running.new', 'w') as file:
    json.dump(record, file)
os.replace('running.new', 'running.json')
sys.argv = ['ministack']
open('unsaved', 'w').close()
try:
    runpy.run_module('ministack', run_name='__main__', alter_sys=True)
finally:
    os.remove('unsaved')
";

/// How often something that takes moments is looked at, and how many times: for a minute.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 1200;

/// The emulator of one folder.
pub struct Emulator {
    folder: Utf8PathBuf,
    clock: Arc<dyn Clock>,
    story: Arc<dyn Story>,
}

/// One that runs, as it said itself when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: i32,
    /// When the process began, in the kernel's ticks since the machine started: no other process has both.
    pub started: u64,
    /// Where it listens on this machine's loopback.
    pub port: u16,
    /// Its version.
    pub version: String,
}

impl Running {
    /// Where all services answer.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether it answers.
    #[must_use]
    pub fn answers(&self) -> bool {
        launch::is_ready(self.port)
    }
}

impl Emulator {
    /// The emulator in this folder.
    #[must_use]
    pub fn new(folder: &Utf8Path, clock: Arc<dyn Clock>, story: Arc<dyn Story>) -> Self {
        Self { folder: folder.to_owned(), clock, story }
    }

    /// Starts it, unless it runs, and waits until it answers. Without a port it takes the one of last time, or a free one.
    ///
    /// # Errors
    /// Usage: there is no Python, or the port is taken. Busy: somebody else starts it. Unfinished: it did not start.
    pub async fn up(&self, port: Option<u16>) -> anyhow::Result<Running> {
        let _alone = FileLocks::new(&self.folder.join("locks")).try_lock("up")?.ok_or_else(|| {
            Failure::Busy(format!("another `local up` is at work in {}; wait for it to end", self.folder))
        })?;
        if let Some(running) = self.running().await? {
            if port.is_some_and(|port| port != running.port) {
                let text = "MiniStack runs on another port already: run `cargo xtask local down` first";
                return Err(Failure::usage(format!("{text} ({})", running.endpoint())).into());
            }
            self.ready(&running, None).await?;
            return Ok(running);
        }
        self.forget_halves()?;
        let python = python::installed(&self.folder, REQUIREMENTS, &|told| self.story.note(told))?;
        for port in self.ports(port)? {
            if let Some(running) = self.start(&python, port).await? {
                return Ok(running);
            }
        }
        Err(self.silent("it ended at once"))
    }

    /// Ends it, and says whether there was one.
    ///
    /// # Errors
    /// Unfinished: it does not end.
    pub async fn down(&self) -> anyhow::Result<Option<Running>> {
        let Some(running) = self.running().await? else { return Ok(None) };
        // It writes its state down when it is asked to end, and not when it is killed.
        for signal in [process::Signal::TERM, process::Signal::KILL] {
            process::tell(running.pid, running.started, signal)?;
            for _ in 0..LOOKS / 4 {
                if !self.is_held()? {
                    return Ok(Some(running));
                }
                self.clock.sleep(LOOK).await;
            }
            self.story.warn(&format!("MiniStack (process {}) does not end when it is asked to", running.pid));
        }
        Err(Failure::Unfinished { what: format!("process {} of MiniStack does not end", running.pid), source: None }
            .into())
    }

    /// The one that runs.
    ///
    /// # Errors
    /// Unfinished: it runs where its process cannot be seen from here, as in another container.
    pub async fn running(&self) -> anyhow::Result<Option<Running>> {
        // Between its lock and its record there is a moment.
        for _ in 0..20 {
            if !self.is_held()? {
                return Ok(None);
            }
            let told = fs::read_to_string(self.folder.join("running.json")).unwrap_or_default();
            let told: Option<Running> = serde_json::from_str(&told).ok();
            if let Some(running) = told.filter(|running| process::began(running.pid) == Some(running.started)) {
                return Ok(Some(running));
            }
            self.clock.sleep(LOOK).await;
        }
        let what = format!("MiniStack runs in {}, and its process cannot be seen from here", self.folder);
        Err(Failure::Unfinished { what, source: None }.into())
    }

    /// Objects are on the disk at once, all else when it ends: after a crash they do not fit together.
    fn forget_halves(&self) -> anyhow::Result<()> {
        let (unsaved, state) = (self.folder.join("unsaved"), self.folder.join("state"));
        if !unsaved.exists() {
            return Ok(());
        }
        if state.exists() {
            self.story
                .warn("MiniStack was ended without being asked, and could not write its state down: it begins anew");
            fs::remove_dir_all(&state).with_context(|| format!("failed to remove {state}"))?;
        }
        fs::remove_file(&unsaved).with_context(|| format!("failed to remove {unsaved}"))
    }

    /// The last that it wrote.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.trim_end().lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    fn silent(&self, why: &str) -> anyhow::Error {
        Failure::unfinished(format!("MiniStack did not start: {why}"), format!("its log ends so:\n{}", self.log()))
            .into()
    }

    fn is_held(&self) -> anyhow::Result<bool> {
        let path = self.folder.join("held");
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            opened => opened.with_context(|| format!("failed to open {path}"))?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("failed to ask the lock {path}")),
        }
    }

    /// The ports to try, best first.
    fn ports(&self, asked: Option<u16>) -> anyhow::Result<Vec<u16>> {
        let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        if let Some(port) = asked {
            let taken = |error| {
                Failure::usage(format!("port {port} of this machine cannot be had ({error}): name another by --port"))
            };
            return bind(port).map_err(taken).map(|_free| vec![port]).map_err(Into::into);
        }
        let before = fs::read_to_string(self.folder.join("running.json")).unwrap_or_default();
        let before = serde_json::from_str(&before).ok().map(|running: Running| running.port);
        let mut ports: Vec<u16> = before.filter(|port| bind(*port).is_ok()).into_iter().collect();
        // Another process may take one between the question and the start.
        for _ in 0..3 {
            ports.push(launch::free_port().context("this machine has no free port")?);
        }
        Ok(ports)
    }

    /// `None` if it ended before it answered.
    async fn start(&self, python: &Utf8Path, port: u16) -> anyhow::Result<Option<Running>> {
        let phase = self.story.phase("MiniStack");
        let log =
            File::create(self.folder.join("log")).with_context(|| format!("failed to write {}/log", self.folder))?;
        let setting = Setting { port, home: &self.folder, auth: Auth::Off, keeps: true };
        let version = python::pinned(REQUIREMENTS, "ministack").unwrap_or_default();
        let mut command = launch::command(python, SCRIPT, &setting)?;
        command.arg(version).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn().with_context(|| format!("failed to start {python}"))?;
        let pid = i32::try_from(child.id()).unwrap_or_default();
        for _ in 0..LOOKS {
            if child.try_wait()?.is_some() {
                return Ok(None);
            }
            if let Some(running) = self.running().await?.filter(|running| running.pid == pid) {
                self.ready(&running, Some(&mut child)).await?;
                phase.done(&format!("{version} answers at {}", running.endpoint()));
                return Ok(Some(running));
            }
            self.clock.sleep(LOOK).await;
        }
        Err(self.silent("its process never said who it is"))
    }

    async fn ready(&self, running: &Running, mut child: Option<&mut Child>) -> anyhow::Result<()> {
        for _ in 0..LOOKS {
            if running.answers() {
                return Ok(());
            }
            let ended = child.as_mut().map(|child| child.try_wait()).transpose()?.flatten();
            if let Some(status) = ended {
                return Err(self.silent(&status.to_string()));
            }
            if !self.is_held()? {
                return Err(self.silent("it ended"));
            }
            self.clock.sleep(LOOK).await;
        }
        Err(self.silent("it does not answer"))
    }
}
