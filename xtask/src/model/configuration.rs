//! A function's configuration: what a release declares, and what the infrastructure team owns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a release declares about a function. A change of it alone is a release of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The processor: Lambda's names.
    pub architecture: Architecture,
    /// Memory in MiB, 128 to 10240.
    pub memory_mb: u32,
    /// The longest that one invocation may take, in seconds, 1 to 900.
    pub timeout_s: u32,
    /// Layers by versioned ARN, at most five.
    #[serde(default)]
    pub layers: Vec<String>,
    /// X-Ray tracing of incoming requests.
    #[serde(default)]
    pub tracing: Tracing,
    /// Days that the function's log is kept.
    pub log_retention_days: u32,
}

impl Configuration {
    /// Whether what is found is what is declared here. A log may be kept for longer: that is a setting of the whole log, for
    /// all versions, and a release that came and went may have left it. 0 days are for ever.
    #[must_use]
    pub fn is_met_by(&self, found: &Self) -> bool {
        let kept_longer = found.log_retention_days == 0 || found.log_retention_days >= self.log_retention_days;
        kept_longer && *self == Self { log_retention_days: self.log_retention_days, ..found.clone() }
    }
}

/// Lambda's processor architectures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Architecture {
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

/// X-Ray modes, by Lambda's names. The sampling itself is Lambda's own.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tracing {
    /// Samples on its own.
    Active,
    /// Follows the caller's decision.
    #[default]
    PassThrough,
}

/// Environment variables: they belong to the infrastructure team and are never released, only their keyed digest is
/// recorded.
pub type Variables = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_may_be_kept_for_longer_and_nothing_else_may_differ() {
        let declared = Configuration {
            architecture: Architecture::X86_64,
            memory_mb: 128,
            timeout_s: 3,
            layers: vec![],
            tracing: Tracing::PassThrough,
            log_retention_days: 30,
        };
        let kept = |log_retention_days| Configuration { log_retention_days, ..declared.clone() };
        let met = [30, 60, 0, 14].map(|days| declared.is_met_by(&kept(days)));
        assert_eq!(met, [true, true, true, false]);
        assert!(!declared.is_met_by(&Configuration { memory_mb: 256, ..kept(60) }));
    }
}
