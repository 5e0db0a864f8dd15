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
