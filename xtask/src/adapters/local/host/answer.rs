//! What came of a start or an invocation, in Lambda's own words: error documents and REPORT lines. No I/O.

use std::{fmt, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

use serde_json::{Value, json};
use uuid::Uuid;

use super::LARGEST_ANSWER;
use crate::ports::fleet::{FleetVersion, Invocation};

/// What came of one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The answer, or the error document if `function_error` is set.
    pub payload: Vec<u8>,
    /// `None` for an answer; Lambda's word (`Unhandled`) if the function failed, timed out or died.
    pub function_error: Option<String>,
    /// The end of what the function wrote while it ran, between START and REPORT, at most 4 KiB.
    pub log_tail: String,
    /// From handing over the event to the answer, without the start.
    pub duration: Duration,
    /// How long the start took, if this was the first invocation since.
    pub init: Option<Duration>,
    /// The most memory that the process held, in MiB, rounded up.
    pub max_memory_mb: u64,
}

impl Answer {
    /// The same, as a fleet tells it.
    #[must_use]
    pub fn by(self, executed: FleetVersion) -> Invocation {
        let Self { payload, function_error, log_tail, duration, init, max_memory_mb } = self;
        Invocation { executed, payload, function_error, log_tail, duration, init, max_memory_mb }
    }

    /// The lines that Lambda writes below the function's own.
    pub(super) fn report(&self, id: Uuid, ending: &Ending, memory_mb: u32, timeout_s: u32) -> String {
        let init = self.init.map(|init| format!("Init Duration: {} ms\t", millis(init))).unwrap_or_default();
        // The start has been part of the bill since August 2025.
        let billed = (self.duration + self.init.unwrap_or_default()).as_micros().div_ceil(1000);
        let (remark, status) = match ending {
            Ending::TimedOut => (format!("{id} Task timed out after {timeout_s}.00 seconds\n"), "Status: timeout"),
            Ending::Exited(status) => {
                (format!("RequestId: {id} Error: {}\n", exit(*status)), "Status: error\tError Type: Runtime.ExitError")
            }
            _ => (String::new(), ""),
        };
        format!(
            "{remark}END RequestId: {id}\nREPORT RequestId: {id}\tDuration: {} ms\tBilled Duration: {billed} ms\tMemory \
             Size: {memory_mb} MB\tMax Memory Used: {} MB\t{init}{status}\n",
            millis(self.duration),
            self.max_memory_mb,
        )
    }
}

/// Why a function never came to its first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitError {
    /// Lambda's error document: what the runtime posted, `Runtime.ExitError` or `Sandbox.Timedout`.
    pub document: Vec<u8>,
    /// The end of what the function wrote meanwhile, at most 4 KiB.
    pub log_tail: String,
    /// How long it had tried.
    pub init: Duration,
    /// The most memory that the process held, in MiB, rounded up; 0 if it ended before it was measured.
    pub max_memory_mb: u64,
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.document))
    }
}

/// What ends a start or an invocation.
#[derive(Debug)]
pub(super) enum Ending {
    /// The process asked for its first event.
    Ready,
    /// The function answered.
    Answered(Vec<u8>),
    /// The function answered with more bytes than Lambda passes on; how many.
    TooLarge(usize),
    /// The function, or its runtime while it started, posted an error document.
    Failed(Vec<u8>),
    /// The process ended.
    Exited(ExitStatus),
    /// Time was up.
    TimedOut,
}

/// The line that Lambda writes below a start that failed.
pub(super) fn init_report(ending: &Ending, took: Duration) -> String {
    let status = if matches!(ending, Ending::TimedOut) { "timeout" } else { "error" };
    format!("INIT_REPORT Init Duration: {} ms\tPhase: init\tStatus: {status}\n", millis(took))
}

/// The error document of an ending that is a failure.
pub(super) fn document(id: Uuid, ending: &Ending, limit: Duration) -> Option<Vec<u8>> {
    let made: Value = match ending {
        Ending::Ready | Ending::Answered(_) => return None,
        Ending::Failed(posted) => return Some(posted.clone()),
        Ending::TooLarge(size) => json!({
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": format!(
                "Response payload size ({size} bytes) exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes)."
            ),
        }),
        Ending::Exited(status) => json!({
            "errorType": "Runtime.ExitError",
            "errorMessage": format!("RequestId: {id} Error: {}", exit(*status)),
        }),
        Ending::TimedOut => json!({
            "errorType": "Sandbox.Timedout",
            "errorMessage": format!("RequestId: {id} Error: Task timed out after {:.2} seconds", limit.as_secs_f64()),
        }),
    };
    Some(made.to_string().into_bytes())
}

/// Lambda's sentence for the end of a process.
fn exit(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
        (None, None) => "Runtime exited with error".to_owned(),
    }
}

fn signal_name(signal: i32) -> String {
    match signal {
        4 => "illegal instruction".to_owned(),
        6 => "aborted".to_owned(),
        7 => "bus error".to_owned(),
        8 => "floating point exception".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        15 => "terminated".to_owned(),
        other => other.to_string(),
    }
}

fn millis(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_in_lambdas_words() {
        let told = |ending: Ending| {
            String::from_utf8(document(Uuid::nil(), &ending, Duration::from_secs(3)).unwrap()).unwrap()
        };
        let id = Uuid::nil();
        assert_eq!(
            told(Ending::TimedOut),
            format!(
                r#"{{"errorMessage":"RequestId: {id} Error: Task timed out after 3.00 seconds","errorType":"Sandbox.Timedout"}}"#
            )
        );
        assert!(told(Ending::Exited(ExitStatus::from_raw(101 << 8))).contains("exit status 101"));
        assert!(told(Ending::Exited(ExitStatus::from_raw(6))).contains("signal: aborted"));
        assert!(told(Ending::Exited(ExitStatus::from_raw(0))).contains("without providing a reason"));
        assert!(document(id, &Ending::Answered(Vec::new()), Duration::ZERO).is_none());
    }

    #[test]
    fn the_start_is_part_of_the_bill() {
        let answer = Answer {
            payload: Vec::new(),
            function_error: None,
            log_tail: String::new(),
            duration: Duration::from_micros(1200),
            init: Some(Duration::from_micros(10_100)),
            max_memory_mb: 7,
        };
        let report = answer.report(Uuid::nil(), &Ending::Answered(Vec::new()), 128, 3);
        assert!(
            report.contains(
                "\tDuration: 1.20 ms\tBilled Duration: 12 ms\tMemory Size: 128 MB\tMax Memory Used: 7 MB\tInit Duration: 10.10 ms\t"
            ),
            "{report}"
        );
    }
}
