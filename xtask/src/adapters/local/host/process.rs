//! The process of a `bootstrap`: started with Lambda's environment and nothing else, and never left behind.
//!
//! A keeper leads its process group: a shell that waits for its input to end, and then kills the group. The toolchain
//! holds the other end of that pipe, so that the group dies with it however it ends, even by SIGKILL. (A parent-death
//! signal would need unsafe code, and dies with a thread rather than with the process.)

use std::{
    fs, io,
    net::SocketAddr,
    os::fd::OwnedFd,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::{HostError, Spec, bootstrap, version_text};

/// The region that a function on this machine is told.
pub(super) const REGION: &str = "us-east-1";

/// The account that a function on this machine is told: none has this number.
pub(super) const ACCOUNT: &str = "000000000000";

/// A process and its group.
pub(super) struct Process {
    child: Child,
    keeper: Child,
    peak_mb: u64,
}

impl Process {
    /// Starts `bootstrap`, speaking to `api` and writing to `log`.
    pub(super) async fn spawn(spec: &Spec, api: SocketAddr, log: OwnedFd) -> Result<Self, HostError> {
        // From the root: a relative path would be looked up from the new working directory.
        let root = absolute(&spec.folder);
        let program = root.join("bootstrap");
        bootstrap::check_here(&program)?;
        let failed = |source: io::Error| HostError::Unrunnable {
            bootstrap: program.clone(),
            reason: reason(&source),
            source: Some(source),
        };
        let keeper = Command::new("/bin/sh")
            .args(["-c", "read -r _; kill -KILL 0"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let group = keeper.id().and_then(|id| i32::try_from(id).ok()).unwrap_or(0);
        let mut command = Command::new(&program);
        command
            .current_dir(&root)
            .env_clear()
            .envs(environment(spec, &root, api))
            .envs(&spec.variables)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            .process_group(group)
            .kill_on_drop(true);
        let child = start(&mut command).await.map_err(failed)?;
        Ok(Self { child, keeper, peak_mb: 0 })
    }

    /// Waits for the end of the process.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Its number, unless it has ended.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether the process has not ended yet.
    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills the whole group and waits until it is gone.
    pub(super) async fn stop(&mut self) -> io::Result<()> {
        drop(self.keeper.stdin.take());
        // The keeper does this as well, unless somebody killed it.
        if self.is_running() {
            self.child.start_kill()?;
        }
        self.keeper.wait().await?;
        self.child.wait().await.map(|_status| ())
    }

    /// Notes the most memory that the process has held so far; an ended process no longer tells.
    pub(super) fn measure(&mut self) {
        let status = self.child.id().and_then(|id| fs::read_to_string(format!("/proc/{id}/status")).ok());
        let peak_kb: Option<u64> = status.as_deref().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.trim().strip_suffix("kB")?.trim().parse().ok()
        });
        if let Some(peak_kb) = peak_kb {
            self.peak_mb = self.peak_mb.max(peak_kb.div_ceil(1024));
        }
    }

    /// How long it has been on a processor, in user and kernel mode (proc_pid_stat(5), `utime` and `stime`).
    pub(super) fn on_processors(&self) -> Option<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        // Its name, in parentheses, may hold anything. Behind it come the third and all later fields.
        let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
        let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1)))
    }

    /// The most memory that was measured, in MiB.
    pub(super) fn peak_mb(&self) -> u64 {
        self.peak_mb
    }
}

/// Starts a program that may have been written a moment ago.
///
/// A process that another thread has just forked holds a copy of every handle until it becomes its own program, also
/// of one that wrote this file: the file is busy for that moment, and there is no event that tells its end.
async fn start(command: &mut Command) -> io::Result<Child> {
    for _ in 0..100 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            started => return started,
        }
    }
    command.spawn()
}

/// The variables that Lambda itself sets (Lambda developer guide, "Defined runtime environment variables").
fn environment(spec: &Spec, root: &Utf8Path, api: SocketAddr) -> Vec<(&'static str, String)> {
    let version = version_text(spec.version);
    let stream = Uuid::new_v4().simple();
    vec![
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", spec.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", spec.function.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", spec.function)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/[{version}]{stream}")),
        ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
        ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000".to_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("LD_LIBRARY_PATH", format!("{root}:{root}/lib")),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", version),
        ("LAMBDA_TASK_ROOT", root.to_string()),
    ]
}

/// The folder from the root; one that is not there is reported by whoever looks into it.
fn absolute(folder: &Utf8Path) -> Utf8PathBuf {
    folder.canonicalize_utf8().unwrap_or_else(|_as_given| folder.to_owned())
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "the interpreter that it asks for (its `#!` line, or the loader of its C library) is not on this machine; \
             install it or build for this machine"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "starting it is not permitted; is it executable, and its file system not mounted `noexec`?".to_owned()
        }
        io::ErrorKind::ArgumentListTooLong => "its variables are too long for this machine; shorten them".to_owned(),
        _ => "the machine refused to start it".to_owned(),
    }
}
