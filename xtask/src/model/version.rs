//! Release versions: `vX.Y.Z`, with no pre-release and no build part.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// A release's version, written `vX.Y.Z`; read with or without the `v`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Grows with a breaking change.
    pub major: u64,
    /// Grows with a feature.
    pub minor: u64,
    /// Grows with a fix.
    pub patch: u64,
}

/// A text that is not a version.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a version: write `vX.Y.Z`, for example `v1.0.0`")]
pub struct VersionError(String);

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let wrong = || VersionError(text.chars().take(80).collect());
        let parsed = semver::Version::parse(text.strip_prefix('v').unwrap_or(text)).map_err(|_not_semver| wrong())?;
        if !parsed.pre.is_empty() || !parsed.build.is_empty() {
            return Err(wrong());
        }
        Ok(Self { major: parsed.major, minor: parsed.minor, patch: parsed.patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` keeps width and alignment, which tables rely on.
        f.pad(&format!("v{}.{}.{}", self.major, self.minor, self.patch))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_orders() {
        let version: Version = "v1.10.0".parse().unwrap();
        assert!(version > "1.9.9".parse().unwrap());
        assert_eq!(version.to_string(), "v1.10.0");
        for wrong in ["", "v", "1.0", "v1.0.0-rc.1", "v1.0.0+1", "vv1.0.0", "v01.0.0", "v1.0.0 ", "../v1.0.0"] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }
}
