//! The line in which Lambda tells what an invocation took: `REPORT RequestId: …`, tab by tab, or a document of the type
//! `platform.report` where a function's log is JSON.

use std::time::Duration;

use serde::Deserialize;

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
    /// Reads the last report of a log's tail; nothing is known without one.
    pub(super) fn of(log_tail: &str) -> Self {
        log_tail.lines().rev().find_map(|line| Self::of_text(line).or_else(|| Self::of_json(line))).unwrap_or_default()
    }

    fn of_json(line: &str) -> Option<Self> {
        let Line { kind, record } = serde_json::from_str(line).ok()?;
        let Metrics { duration_ms, init_duration_ms, max_memory_used_mb } = record.metrics;
        (kind == "platform.report").then(|| Self {
            duration: duration_ms.and_then(of_milliseconds),
            init: init_duration_ms.and_then(of_milliseconds),
            max_memory_mb: max_memory_used_mb,
        })
    }

    fn of_text(line: &str) -> Option<Self> {
        line.starts_with("REPORT RequestId: ").then_some(())?;
        let mut report = Self::default();
        for part in line.split('\t') {
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
        Some(report)
    }
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    record: Record,
}

#[derive(Deserialize)]
struct Record {
    metrics: Metrics,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    duration_ms: Option<f64>,
    init_duration_ms: Option<f64>,
    #[serde(default, rename = "maxMemoryUsedMB")]
    max_memory_used_mb: u64,
}

fn milliseconds(text: &str) -> Option<Duration> {
    of_milliseconds(text.strip_suffix(" ms")?.parse().ok()?)
}

fn of_milliseconds(number: f64) -> Option<Duration> {
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
        let json = r#"{"time":"2026-01-23T12:00:00Z","type":"platform.report","record":{"requestId":"a","metrics":
            {"durationMs":12.34,"billedDurationMs":63,"memorySizeMB":256,"maxMemoryUsedMB":30,"initDurationMs":50.25},
            "status":"success"}}"#;
        assert_eq!(Report::of(&format!("{{\"level\":\"INFO\"}}\n{}\n", json.replace('\n', ""))), first);
        for nothing in ["", "hello", "REPORT RequestId: a\tDuration: many ms", "{\"type\":\"platform.report\"}"] {
            assert_eq!(Report::of(nothing), Report::default(), "{nothing}");
        }
    }
}
