//! The line in which Lambda tells what an invocation took: `REPORT RequestId: …`, tab by tab.

use std::time::Duration;

/// What an invocation took.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Without the start.
    pub(super) duration: Option<Duration>,
    /// The start, if this call had one.
    pub(super) init: Option<Duration>,
    /// In MiB.
    pub(super) max_memory_mb: u64,
}

impl Report {
    /// Reads the last report of a log's tail. A function whose log is JSON, or that was cut off, has none.
    pub(super) fn of(log_tail: &str) -> Self {
        let line = log_tail.lines().rev().find(|line| line.starts_with("REPORT RequestId: "));
        let mut report = Self::default();
        for part in line.into_iter().flat_map(|line| line.split('\t')) {
            let Some((name, value)) = part.trim().split_once(": ") else { continue };
            match name {
                "Duration" => report.duration = milliseconds(value),
                "Init Duration" => report.init = milliseconds(value),
                "Max Memory Used" => {
                    report.max_memory_mb =
                        value.strip_suffix(" MB").and_then(|number| number.parse().ok()).unwrap_or_default();
                }
                _ => {}
            }
        }
        report
    }
}

fn milliseconds(text: &str) -> Option<Duration> {
    let number: f64 = text.strip_suffix(" ms")?.parse().ok()?;
    Duration::try_from_secs_f64(number / 1000.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_lambda_measured() {
        let line = "REPORT RequestId: 8f5d\tDuration: 12.34 ms\tBilled Duration: 63 ms\tMemory Size: 256 MB\t\
                    Max Memory Used: 30 MB\tInit Duration: 50.25 ms\t\n";
        let first = Report::of(&format!("START RequestId: 8f5d Version: 3\nREPORT RequestId: old\nhello\n{line}"));
        assert_eq!(first.duration, Some(Duration::from_micros(12_340)));
        assert_eq!((first.init, first.max_memory_mb), (Some(Duration::from_micros(50_250)), 30));
        assert_eq!(Report::of("REPORT RequestId: a\tDuration: 1.00 ms\tMax Memory Used: 30 MB").init, None);
        for nothing in ["", "hello", "REPORT RequestId: a\tDuration: many ms", "{\"type\":\"platform.report\"}"] {
            assert_eq!(Report::of(nothing), Report::default(), "{nothing}");
        }
    }
}
