//! A layer of Lambda: shared libraries that functions find in `/opt`, the same zip published in each region.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{configuration::Variables, digest::Digest};

/// What a layer holds, and where it is published. It is sealed with the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The SHA-256 of its zip: `sha256:` and 64 hexadecimal digits.
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Its size unpacked, in bytes: it counts in the 250 MB that Lambda unpacks for a function.
    pub unpacked: u64,
    /// Its versions by ARN, one or more in each region.
    pub versions: BTreeSet<String>,
    /// A function with all of these variables cannot do without it, such as `{ STORE = "oracle" }`; none if not given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub needed_where: Variables,
}

impl Layer {
    /// Whether a function with these variables cannot do without it.
    #[must_use]
    pub fn is_needed_by(&self, variables: &Variables) -> bool {
        !self.needed_where.is_empty()
            && self.needed_where.iter().all(|(name, value)| variables.get(name) == Some(value))
    }

    /// Whether a function with these layers has it.
    #[must_use]
    pub fn is_among(&self, layers: &[String]) -> bool {
        layers.iter().any(|arn| self.versions.contains(arn))
    }

    /// What a function lacks that needs it, and how to give it.
    #[must_use]
    pub fn lacking(&self, name: &str) -> String {
        let wanted = self.needed_where.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        format!(
            "it has {} and not the layer `{name}`; add the version of its region to the function's `layers` in release.toml",
            wanted.join(" and ")
        )
    }
}

/// The region of a layer's version, if that is its ARN (`arn:aws:lambda:REGION:ACCOUNT:layer:NAME:NUMBER`).
#[must_use]
pub fn region(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "lambda", region, account, "layer", layer, version]
            if !region.is_empty()
                && !layer.is_empty()
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && version.parse::<u64>().is_ok_and(|version| version > 0) =>
        {
            Some(region)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_by_version() {
        assert_eq!(region("arn:aws:lambda:eu-central-1:123456789012:layer:tools:3"), Some("eu-central-1"));
        for wrong in [
            "tools",
            "arn:aws:lambda:eu-central-1:123456789012:layer:tools",
            "arn:aws:lambda:eu-central-1:1:layer:tools:0",
        ] {
            assert_eq!(region(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_all_of_its_variables_ask_for_a_layer() {
        let variables = |given: &[(&str, &str)]| -> Variables {
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let layer = |needed_where| Layer {
            sha256: Digest::of(b""),
            unpacked: 1,
            versions: ["a".to_owned()].into(),
            needed_where,
        };
        let oracle = layer(variables(&[("STORE", "oracle"), ("MODE", "thick")]));
        assert!(oracle.is_needed_by(&variables(&[("STORE", "oracle"), ("MODE", "thick"), ("X", "y")])));
        assert!(!oracle.is_needed_by(&variables(&[("STORE", "oracle")])));
        assert!(!layer(Variables::new()).is_needed_by(&variables(&[("STORE", "oracle")])));
        assert!(oracle.is_among(&["b".to_owned(), "a".to_owned()]) && !oracle.is_among(&["b".to_owned()]));
    }
}
