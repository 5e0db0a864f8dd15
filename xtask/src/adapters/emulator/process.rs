//! A process that this one did not start: told apart from every other by when it began.

use anyhow::Context as _;
use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal},
};

pub(super) use rustix::process::Signal;

/// When a process began, in the kernel's ticks since the machine started (`proc(5)`, field 22 of `stat`); `None` if there is
/// no such process.
pub(super) fn began(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses, and may hold some itself.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

/// Sends a signal to the process of this number that began then, and to no other: its handle is taken first, and means that
/// very process from then on. One that is gone is well.
pub(super) fn tell(pid: i32, started: u64, signal: Signal) -> anyhow::Result<()> {
    let number = Pid::from_raw(pid).context("the process has no number")?;
    let handle = match pidfd_open(number, PidfdFlags::empty()) {
        Err(Errno::SRCH) => return Ok(()),
        opened => opened.with_context(|| format!("failed to find process {pid}"))?,
    };
    if began(pid) != Some(started) {
        return Ok(());
    }
    match pidfd_send_signal(&handle, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("failed to end process {pid}")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a process to be told something")]

    use std::{os::unix::process::ExitStatusExt as _, process::Command};

    use super::*;

    #[test]
    fn only_the_process_that_began_then_is_told() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let started = began(pid).unwrap();
        tell(pid, started + 1, Signal::KILL).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "a stranger was ended");
        tell(pid, started, Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(15));
        assert_eq!(began(pid), None);
        tell(pid, started, Signal::KILL).unwrap();
    }
}
