//! The system configuration: its keys, and what is told about them.

use std::collections::BTreeMap;
use std::str::FromStr;

use garde::Validate;
use serde::Serialize;

use super::shape::{Shape, kept};
use crate::constants::CONFIGURATION_KEY_MAX;
use crate::models::Environment;

/// The name of a setting: 1 to 128 ASCII letters, digits, dots, dashes and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Validate)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
#[serde(transparent)]
#[garde(transparent)]
pub struct ConfigurationKey(#[garde(length(min = 1, max = CONFIGURATION_KEY_MAX), pattern(SHAPE))] String);

/// The text is no configuration key. It does not repeat the text, which may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {CONFIGURATION_KEY_MAX} letters, digits, dots, dashes and underscores")]
pub struct InvalidConfigurationKey;

pub(super) const SHAPE: Shape = Shape {
    pattern: "^[A-Za-z0-9._-]*$",
    holds: |text| text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)),
};

/// One key of the configuration, as it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
pub struct Setting {
    /// Whose configuration it is.
    pub environment: Environment,
    /// The key that was asked for.
    pub key: ConfigurationKey,
    /// Its value.
    pub value: String,
}

/// All of the configuration, as it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
pub struct Configuration {
    /// Whose configuration it is.
    pub environment: Environment,
    /// Value by key, in the order of the keys.
    pub configuration: BTreeMap<String, String>,
}

impl ConfigurationKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConfigurationKey {
    type Err = InvalidConfigurationKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        kept(Self(text.to_owned()), InvalidConfigurationKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked() {
        for good in ["a", "currency.default", "A_b-c.9", &"k".repeat(CONFIGURATION_KEY_MAX)] {
            assert_eq!(good.parse::<ConfigurationKey>().unwrap().as_str(), good);
        }
        for bad in ["", "a/b", "a b", "ü", "*", "a%2Eb", &"k".repeat(CONFIGURATION_KEY_MAX + 1)] {
            assert_eq!(bad.parse::<ConfigurationKey>(), Err(InvalidConfigurationKey), "{bad:?}");
        }
    }
}
