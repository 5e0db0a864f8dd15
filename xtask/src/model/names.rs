//! Names of environments, functions, and a function as a fleet knows it: newtypes that cannot be built wrong.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// A text that is not a name of its kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a valid {kind} name: {rule}")]
pub struct NameError {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

impl NameError {
    pub(super) fn new(kind: &'static str, text: &str, rule: &'static str) -> Self {
        Self { kind, text: text.chars().take(80).collect(), rule }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = $crate::model::names::NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.to_owned())) } else { Err(Self::Err::new($kind, text, $rule)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $rule })
            }
        }
    };
}

pub(super) use name;

fn kebab(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

name!(
    /// An environment: dev, qa, uat, prod, dr, or what `release.toml` calls them.
    EnvName, "environment", "lower-case letters, digits and single dashes, starting with a letter, at most 32 characters",
    |text| kebab(text, 32)
);
name!(
    /// A function as the repository knows it: its cargo package and its artifact's name.
    FunctionName, "function", "lower-case letters, digits and single dashes, starting with a letter, at most 48 characters",
    |text| kebab(text, 48)
);
name!(
    /// A person of `people.toml`.
    PersonId, "person", "lower-case letters, digits and single dashes, starting with a letter, at most 48 characters",
    |text| kebab(text, 48)
);
name!(
    /// A role in which people decide: qa-lead, product-owner, manager, or what `people.toml` calls them.
    RoleName, "role", "lower-case letters, digits and single dashes, starting with a letter, at most 48 characters",
    |text| kebab(text, 48)
);
name!(
    /// A layer, as `release.toml` calls it.
    LayerName, "layer", "lower-case letters, digits and single dashes, starting with a letter, at most 48 characters",
    |text| kebab(text, 48)
);
name!(
    /// A kind of evidence that a gate may require: `e2e`, or what `release.toml` calls it.
    EvidenceKind, "evidence", "lower-case letters, digits and single dashes, starting with a letter, at most 48 characters",
    |text| kebab(text, 48)
);
name!(
    /// A function as a fleet knows it: the template of its environment filled in. Lambda allows 64 characters.
    FleetName, "fleet function", "letters, digits, dashes and underscores, at most 64 characters",
    |text| !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
);
name!(
    /// A Lambda alias. Not all digits, so that nothing mistakes it for a version.
    AliasName, "alias", "letters, digits, dashes and underscores, not all digits, at most 128 characters",
    |text| !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !text.bytes().all(|b| b.is_ascii_digit())
);
name!(
    /// An alarm that a canary listens to. CloudWatch allows more; these need no quoting anywhere.
    AlarmName, "alarm", "letters, digits, dashes and underscores, at most 128 characters",
    |text| !text.is_empty() && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
);

name!(
    /// An advisory of the RustSec database.
    AdvisoryId, "advisory", "as the database names it, for example `RUSTSEC-2026-0001`",
    |text| text.strip_prefix("RUSTSEC-").and_then(|rest| rest.split_once('-')).is_some_and(|(year, number)| {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        year.len() == 4 && (4..=8).contains(&number.len()) && digits(year) && digits(number)
    })
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cannot_be_built_wrong() {
        assert!("price-fetcher".parse::<FunctionName>().is_ok());
        for wrong in ["", "-a", "a-", "a--b", "A", "1a", "a_b", "../a", "a/b", "a\0", "ä", &"a".repeat(49)] {
            assert!(wrong.parse::<FunctionName>().is_err(), "{wrong:?}");
        }
        assert!("live".parse::<AliasName>().is_ok());
        assert!("17".parse::<AliasName>().is_err());
        assert!("price-fetcher-dev".parse::<FleetName>().is_ok());
        assert!("a/b".parse::<FleetName>().is_err());
        assert!("RUSTSEC-2026-0001".parse::<AdvisoryId>().is_ok());
        for wrong in ["CVE-2026-0001", "RUSTSEC-2026-1", "RUSTSEC-26-0001", "RUSTSEC-2026-00a1", "RUSTSEC-2026"] {
            assert!(wrong.parse::<AdvisoryId>().is_err(), "{wrong}");
        }
    }
}
