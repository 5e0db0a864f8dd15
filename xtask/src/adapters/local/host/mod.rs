//! The Lambda host of this machine: it runs one real `bootstrap` through the real Lambda Runtime API.
//!
//! It owns one process, its log and its clock-wall limits. It knows nothing of versions on disk, aliases or the vault:
//! that is the fleet's. Memory is measured, not limited, and layers are not mounted: this is the laptop.
//!
//! No process outlives its host. Dropping a [`Host`] kills the whole process group; a killed toolchain closes the
//! pipe that the group's keeper reads, and the keeper kills the group (see `process`).

mod answer;
pub mod bootstrap;
mod desk;
mod log;
mod process;

use std::{io, time::Duration};

use camino::Utf8PathBuf;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

pub use answer::{Answer, InitError};

use self::{
    answer::{Ending, document},
    desk::{Desk, Signal, Work},
    log::Log,
    process::Process,
};
use crate::{
    adapters::limits::{self, LARGEST_EVENT},
    model::{configuration::Variables, names::FleetName},
    ports::fleet::FleetVersion,
};

/// How long Lambda lets a function start before it gives up.
pub const INIT_LIMIT: Duration = Duration::from_secs(10);

/// The largest answer, in bytes: Lambda leaves a hundred bytes above the 6 MB of its quotas.
pub const LARGEST_ANSWER: usize = LARGEST_EVENT + 100;

/// One running function: one process, one invocation at a time, as Lambda's own execution environment.
pub struct Host {
    spec: Spec,
    process: Process,
    desk: Desk,
    log: Log,
    /// How long the start took, until the first invocation has told it.
    init: Option<Duration>,
}

/// What to run, and as what.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The unpacked zip: `bootstrap` stands at its root. The process' working directory.
    pub folder: Utf8PathBuf,
    /// The function's name.
    pub function: FleetName,
    /// The published version; `None` runs as `$LATEST`.
    pub version: Option<FleetVersion>,
    /// Memory in MiB: told to the function and reported.
    pub memory_mb: u32,
    /// The longest that one invocation may take, in seconds.
    pub timeout_s: u32,
    /// The longest that the start may take; [`INIT_LIMIT`] on Lambda.
    pub init_limit: Duration,
    /// The function's own variables, on top of Lambda's. Nothing else of this machine's environment gets in.
    pub variables: Variables,
}

/// Why a function could not be started or asked. What the function itself did wrong while it worked is an [`Answer`].
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// This machine cannot run the file at all; says nothing about whether Lambda could.
    #[error("`{bootstrap}` cannot run on this machine: {reason}")]
    Unrunnable {
        /// The file.
        bootstrap: Utf8PathBuf,
        /// Why, and what to do.
        reason: String,
        /// What the machine said, if it was asked.
        #[source]
        source: Option<io::Error>,
    },
    /// The function ended, gave up or took too long before it asked for its first event.
    #[error("the function failed while it started: {0}")]
    Init(InitError),
    /// Lambda would not accept the event.
    #[error("the event is refused: {0}")]
    Event(String),
    /// The process ended between two invocations; the event was not handed over, so that a new host may have it.
    #[error("the function's process ended between two invocations; start it again")]
    Gone,
    /// The machine failed: a socket, a pipe or the log.
    #[error("the host of `{function}` failed at {what}")]
    Io {
        /// The function.
        function: FleetName,
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl Host {
    /// Starts the process and waits until it asks for its first event. `sink` takes all that the function writes,
    /// and Lambda's START, END and REPORT lines.
    ///
    /// # Errors
    /// [`HostError::Unrunnable`], [`HostError::Init`] or [`HostError::Io`].
    pub async fn start(spec: Spec, sink: Box<dyn io::Write + Send>) -> Result<Self, HostError> {
        let failed = |what| {
            let function = spec.function.clone();
            move |source| HostError::Io { function, what, source }
        };
        let (log, writer) = Log::open(sink).map_err(failed("opening its log"))?;
        let desk = Desk::open().await.map_err(failed("opening its Runtime API"))?;
        let process = Process::spawn(&spec, desk.address(), writer).await?;
        let mut host = Self { spec, process, desk, log, init: None };
        let begun = Instant::now();
        let ending = host.until(begun + host.spec.init_limit).await?;
        if let Ending::Ready = ending {
            host.init = Some(begun.elapsed());
            return Ok(host);
        }
        Err(host.init_error(ending, begun.elapsed()).await?)
    }

    /// Hands one event over and waits for the answer. `qualifier` is what the caller named, for the invoked ARN.
    /// A caller who drops this future gives the invocation up; if the process is still busy with it at the next one, the
    /// host is gone.
    ///
    /// # Errors
    /// [`HostError::Event`], [`HostError::Gone`] or [`HostError::Io`]; never for what the function does wrong.
    pub async fn invoke(&mut self, id: Uuid, qualifier: Option<&str>, event: &[u8]) -> Result<Answer, HostError> {
        accept(event)?;
        self.drain()?;
        let start = format!("START RequestId: {id} Version: {}\n", self.version());
        self.log.begin(&start).map_err(self.failed("writing its log"))?;
        let begun = Instant::now();
        let limit = Duration::from_secs(self.spec.timeout_s.into());
        let work = self.work(id, qualifier, event, limit);
        if !self.desk.hand_over(work) {
            self.stop().await?;
            return Err(HostError::Gone);
        }
        let ending = self.until(begun + limit).await?;
        let duration = begun.elapsed();
        if matches!(ending, Ending::Exited(_)) && self.desk.take_back() {
            return Err(HostError::Gone);
        }
        if !matches!(ending, Ending::Answered(_) | Ending::Failed(_) | Ending::TooLarge(_)) {
            self.stop().await?;
        }
        let answer = self.answer(id, &ending, duration);
        let lines = answer.report(id, &ending, self.spec.memory_mb, self.spec.timeout_s);
        self.log.end(&lines).map_err(self.failed("writing its log"))?;
        Ok(Answer { log_tail: self.log.tail(), ..answer })
    }

    /// The process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Whether the process can take another event, as far as this machine knows.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// How long its process has been on a processor, in the kernel's ticks; `None` if it has ended.
    #[must_use]
    pub fn on_processors(&self) -> Option<Duration> {
        self.process.on_processors()
    }

    /// Waits for the next thing that ends a start or an invocation, keeping the log flowing meanwhile.
    async fn until(&mut self, deadline: Instant) -> Result<Ending, HostError> {
        loop {
            // In this order: an answer counts even if the process ended right behind it, and a flood of log lines
            // holds up neither.
            let ending = tokio::select! {
                biased;
                signal = self.desk.signal() => Some(Ending::from(signal)),
                status = self.process.ended() => Some(Ending::Exited(status.map_err(self.failed("waiting for it"))?)),
                () = sleep_until(deadline) => Some(Ending::TimedOut),
                ready = self.log.more() => { ready.map_err(self.failed("reading its log"))?; None },
            };
            self.drain()?;
            if let Some(ending) = ending {
                self.process.measure();
                return Ok(ending);
            }
        }
    }

    async fn init_error(mut self, ending: Ending, took: Duration) -> Result<HostError, HostError> {
        self.stop().await?;
        self.log.end(&answer::init_report(&ending, took)).map_err(self.failed("writing its log"))?;
        let limit = self.spec.init_limit;
        Ok(HostError::Init(InitError {
            document: document(Uuid::new_v4(), &ending, limit).unwrap_or_default(),
            log_tail: self.log.tail(),
            init: took,
            max_memory_mb: self.process.peak_mb(),
        }))
    }

    fn answer(&mut self, id: Uuid, ending: &Ending, duration: Duration) -> Answer {
        let failure = document(id, ending, Duration::from_secs(self.spec.timeout_s.into()));
        let function_error = failure.is_some().then(|| "Unhandled".to_owned());
        let payload = match (failure, ending) {
            (Some(failure), _) => failure,
            (None, Ending::Answered(body)) => body.clone(),
            (None, _) => Vec::new(),
        };
        let init = self.init.take();
        let max_memory_mb = self.process.peak_mb();
        Answer { payload, function_error, log_tail: String::new(), duration, init, max_memory_mb }
    }

    fn work(&self, id: Uuid, qualifier: Option<&str>, event: &[u8], limit: Duration) -> Work {
        let qualifier = qualifier.map(|name| format!(":{name}")).unwrap_or_default();
        Work {
            id,
            event: event.to_vec(),
            limit,
            arn: format!(
                "arn:aws:lambda:{}:{}:function:{}{qualifier}",
                process::REGION,
                process::ACCOUNT,
                self.spec.function
            ),
        }
    }

    async fn stop(&mut self) -> Result<(), HostError> {
        self.process.stop().await.map_err(self.failed("stopping it"))?;
        self.drain()
    }

    fn drain(&mut self) -> Result<(), HostError> {
        self.log.drain().map_err(self.failed("copying its log"))
    }

    fn version(&self) -> String {
        version_text(self.spec.version)
    }

    fn failed(&self, what: &'static str) -> impl FnOnce(io::Error) -> HostError + use<> {
        let function = self.spec.function.clone();
        move |source| HostError::Io { function, what, source }
    }
}

impl From<Signal> for Ending {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Ready => Self::Ready,
            Signal::Answered(body) => Self::Answered(body),
            Signal::TooLarge(size) => Self::TooLarge(size),
            Signal::Failed(document) => Self::Failed(document),
        }
    }
}

/// How Lambda writes a version.
fn version_text(version: Option<FleetVersion>) -> String {
    version.map_or_else(|| "$LATEST".to_owned(), |number| number.to_string())
}

/// Refuses an event that Lambda would not accept from a caller who waits.
///
/// # Errors
/// [`HostError::Event`], if it is too large or no JSON.
pub fn accept(event: &[u8]) -> Result<(), HostError> {
    limits::check_event(event).map_err(HostError::Event)
}
