//! What Lambda refuses whoever asks: limits of what a release declares, of aliases and of events. Known without asking it,
//! so that both fleets refuse it alike and before anything is written. No I/O.

use std::collections::BTreeSet;

use crate::{
    model::{configuration::Configuration, layer},
    ports::fleet::{AliasTarget, FleetError},
};

/// The retentions that CloudWatch Logs knows, in days (`PutRetentionPolicy`).
const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// The most bytes of an event, and of an answer (Lambda quotas: 6 MB).
pub const LARGEST_EVENT: usize = 6 * 1024 * 1024;

/// Refuses a configuration that Lambda would refuse.
pub(in crate::adapters) fn check_configuration(configuration: &Configuration) -> Result<(), FleetError> {
    let Configuration { memory_mb, timeout_s, layers, log_retention_days, architecture: _, tracing: _ } = configuration;
    let wrong = if !(128..=10240).contains(memory_mb) {
        format!("memory of {memory_mb} MiB is not within 128 to 10240")
    } else if !(1..=900).contains(timeout_s) {
        format!("a time-out of {timeout_s} s is not within 1 to 900")
    } else if layers.len() > 5 {
        format!("{} layers are more than five", layers.len())
    } else if let Some(layer) = layers.iter().find(|layer| layer::region(layer).is_none()) {
        format!("layer `{layer}` is not named by the ARN of one of its versions")
    } else if let Some(layer) = twice(layers) {
        format!("layer `{layer}` is named twice, in equal or in different versions")
    } else if !RETENTIONS.contains(log_retention_days) {
        format!("a log retention of {log_retention_days} days is none of {RETENTIONS:?}")
    } else {
        return Ok(());
    };
    Err(FleetError::Invalid(format!("the declared configuration is wrong: {wrong}")))
}

/// Refuses an alias target whose versions or weights are wrong; whether the versions exist is another question.
pub(in crate::adapters) fn check_target(target: &AliasTarget) -> Result<(), FleetError> {
    let wrong = match target.canary {
        Some((canary, _)) if canary == target.version => format!("both versions are {canary}; name two or only one"),
        Some((_, share)) if share > 1000 => format!("a share of {share} thousandths is more than all"),
        _ => return check_description(&target.description),
    };
    Err(FleetError::Invalid(format!("the alias' target is wrong: {wrong}")))
}

/// Refuses the text of a version or an alias that is too long.
pub(in crate::adapters) fn check_description(description: &str) -> Result<(), FleetError> {
    let length = description.chars().count();
    if length > 256 {
        return Err(FleetError::Invalid(format!("a description of {length} characters is longer than 256")));
    }
    Ok(())
}

/// Refuses an event that Lambda would refuse, in words that say what to do.
pub(in crate::adapters) fn check_event(event: &[u8]) -> Result<(), String> {
    if event.len() > LARGEST_EVENT {
        let size = event.len();
        return Err(format!("{size} bytes are more than the {LARGEST_EVENT} that Lambda takes; send less"));
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(event)
        .map(|_json| ())
        .map_err(|error| format!("it is not JSON ({error}); write a JSON document"))
}

/// A layer that a list has twice, in whatever versions (Lambda: "Two different versions of the same layer are not allowed
/// to be referenced in the same function").
fn twice(layers: &[String]) -> Option<&str> {
    let of = |arn: &'_ String| arn.rsplit_once(':').map_or(arn.len(), |(layer, _version)| layer.len());
    let mut layers = layers.iter().map(|arn| &arn[..of(arn)]);
    let mut seen = BTreeSet::new();
    layers.find(|layer| !seen.insert(*layer))
}
