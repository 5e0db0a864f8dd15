//! CloudWatch's embedded metric format (CloudWatch user guide, "Specification: Embedded metric format"). Where the API that it
//! stands for asks for less than its schema allows, the API's limit holds (API reference, `PutMetricData`, `MetricDatum` and
//! `Dimension`). A document that CloudWatch would not take cannot be made: it would be dropped there without a word.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Metrics of one directive.
const METRICS_MAX: usize = 100;
/// Dimensions of one set.
const DIMENSIONS_MAX: usize = 30;
/// Characters of a dimension's name: 250 in the schema, 255 in the API.
const DIMENSION_NAME_MAX: usize = 250;
/// Characters of a namespace and of a metric's name: 1024 in the schema, 255 in the API.
const NAME_MAX: usize = 255;
/// Bytes of a dimension's value.
const VALUE_MAX: usize = 1024;

/// A document, ready to be written.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Document(Map<String, Value>);

/// Metrics that are kept by one set of dimensions.
pub(super) struct Directive {
    pub(super) dimensions: Vec<&'static str>,
    pub(super) metrics: Vec<Metric>,
}

/// One value of one metric.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) value: f64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) enum Unit {
    Count,
    Milliseconds,
}

/// What CloudWatch would not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OutOfBounds {
    #[error("a directive has no metric, or more than {METRICS_MAX}")]
    Metrics,
    #[error("a set has more than {DIMENSIONS_MAX} dimensions")]
    Dimensions,
    #[error("a name is empty or too long, begins with a colon, or stands for two things")]
    Name,
    #[error("a dimension has no value, or one that CloudWatch does not take")]
    Value,
    #[error("a number is none that CloudWatch takes")]
    Number,
}

impl Document {
    /// `dimensions` gives the value of each dimension that a directive names; `properties` are kept in the log only.
    pub(super) fn new(
        namespace: &'static str,
        at: Timestamp,
        directives: Vec<Directive>,
        dimensions: Vec<(&'static str, String)>,
        properties: Vec<(&'static str, String)>,
    ) -> Result<Self, OutOfBounds> {
        named(namespace, NAME_MAX)?;
        let mut root = Map::new();
        for (name, value) in dimensions {
            named(name, DIMENSION_NAME_MAX)?;
            let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !value.trim().is_empty();
            if !printable || value.len() > VALUE_MAX {
                return Err(OutOfBounds::Value);
            }
            once(&mut root, name, value.into())?;
        }
        let given: BTreeSet<String> = root.keys().cloned().collect();
        let mut told = Vec::new();
        for Directive { dimensions, metrics } in directives {
            if dimensions.len() > DIMENSIONS_MAX {
                return Err(OutOfBounds::Dimensions);
            }
            if !dimensions.iter().all(|name| given.contains(*name)) {
                return Err(OutOfBounds::Value);
            }
            if metrics.is_empty() || metrics.len() > METRICS_MAX {
                return Err(OutOfBounds::Metrics);
            }
            let definitions = metrics.iter().map(|metric| json!({ "Name": metric.name, "Unit": metric.unit }));
            let definitions: Vec<Value> = definitions.collect();
            told.push(json!({ "Namespace": namespace, "Dimensions": [dimensions], "Metrics": definitions }));
            for Metric { name, value, .. } in metrics {
                named(name, NAME_MAX)?;
                // 2 to the power of ±360 (`PutMetricData`); nothing that is not a number has such a magnitude.
                if value != 0.0 && !(2f64.powi(-360)..=2f64.powi(360)).contains(&value.abs()) {
                    return Err(OutOfBounds::Number);
                }
                once(&mut root, name, json!(value))?;
            }
        }
        for (name, value) in properties {
            once(&mut root, name, value.into())?;
        }
        once(&mut root, "_aws", json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": told }))?;
        Ok(Self(root))
    }
}

fn named(name: &str, most: usize) -> Result<(), OutOfBounds> {
    let good = !name.trim().is_empty() && name.len() <= most && name.is_ascii() && !name.starts_with(':');
    if good { Ok(()) } else { Err(OutOfBounds::Name) }
}

fn once(root: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), OutOfBounds> {
    match root.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(OutOfBounds::Name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 101] = {
        let mut names = [""; 101];
        let all =
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
        let mut at = 0;
        while at < 101 {
            // The first n + 1 letters.
            names[at] = all.split_at(at + 1).0;
            at += 1;
        }
        names
    };

    fn metric(name: &'static str, value: f64) -> Metric {
        Metric { name, unit: Unit::Count, value }
    }

    fn document(metrics: usize, dimensions: usize, value: &str, number: f64) -> Result<Document, OutOfBounds> {
        let names = NAMES[..dimensions].to_vec();
        let given = names.iter().map(|name| (*name, value.to_owned())).collect();
        let mut all: Vec<Metric> = NAMES[NAMES.len() - metrics..].iter().map(|name| metric(name, 1.0)).collect();
        if let Some(last) = all.last_mut() {
            last.value = number;
        }
        let directives = vec![Directive { dimensions: names, metrics: all }];
        Document::new("Functions", Timestamp::UNIX_EPOCH, directives, given, vec![])
    }

    #[test]
    fn the_formats_limits_hold() {
        assert!(document(71, 30, "v", 1.0).is_ok() && document(100, 0, "v", 0.0).is_ok());
        assert_eq!(document(101, 0, "v", 1.0).unwrap_err(), OutOfBounds::Metrics);
        assert_eq!(document(0, 1, "v", 1.0).unwrap_err(), OutOfBounds::Metrics);
        assert_eq!(document(1, 31, "v", 1.0).unwrap_err(), OutOfBounds::Dimensions);
        assert!(document(1, 1, &"v".repeat(1024), 1.0).is_ok());
        for bad in ["", " ", "ü", "a\nb", &"v".repeat(1025)] {
            assert_eq!(document(1, 1, bad, 1.0).unwrap_err(), OutOfBounds::Value, "{bad:?}");
        }
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e-300] {
            assert_eq!(document(1, 1, "v", bad).unwrap_err(), OutOfBounds::Number, "{bad}");
        }
        // One name for two things.
        assert_eq!(document(101 - 30 + 1, 30, "v", 1.0).unwrap_err(), OutOfBounds::Name);
        const LONG: &str = match std::str::from_utf8(&[b'n'; NAME_MAX + 1]) {
            Ok(name) => name,
            Err(_) => "",
        };
        for bad in ["", ":a", "_aws", LONG] {
            let directives = vec![Directive { dimensions: vec![], metrics: vec![metric(bad, 1.0)] }];
            let made = Document::new("Functions", Timestamp::UNIX_EPOCH, directives, vec![], vec![]);
            assert_eq!(made.unwrap_err(), OutOfBounds::Name, "{bad:?}");
        }
        let directives = vec![Directive { dimensions: vec!["nobody"], metrics: vec![metric("a", 1.0)] }];
        let made = Document::new("Functions", Timestamp::UNIX_EPOCH, directives, vec![], vec![]);
        assert_eq!(made.unwrap_err(), OutOfBounds::Value, "a dimension without a value");
    }
}
