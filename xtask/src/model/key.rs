//! Keys of objects in the vault: relative, normal, and safe as a path on any machine.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// The name of one object in the vault: segments of `A-Z a-z 0-9 . _ -` parted by `/`, none of them `.` or `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultKey(String);

impl VaultKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment: the object's name in its folder.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }
}

/// A text that is not a key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a vault key: write segments of letters, digits, `.`, `_`, `-`, parted by `/`")]
pub struct KeyError(String);

impl FromStr for VaultKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let segment = |s: &str| {
            !s.is_empty()
                && !s.starts_with('.')
                && s.len() <= 255
                && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        if text.len() <= 1024 && text.split('/').all(segment) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyError(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for VaultKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for VaultKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_inside_the_vault() {
        for right in ["v1.0.0/manifest.json", "environments/dev/00000001.json", "v1.0.0/SHA256SUMS", "a"] {
            assert_eq!(right.parse::<VaultKey>().unwrap().as_str(), right);
        }
        for wrong in
            ["", "/a", "a/", "a//b", "..", "a/../b", ".", "a/./b", ".hidden", "a\\b", "a\0", "ａ", "a b", "C:/a"]
        {
            assert!(wrong.parse::<VaultKey>().is_err(), "{wrong:?}");
        }
    }
}
