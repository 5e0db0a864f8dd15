//! What is inside an artifact, as far as it decides whether Lambda can start it and whether it may be sealed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// An artifact, looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// What the zip holds.
    pub files: Vec<PackedFile>,
    /// The size of the zip in bytes.
    pub packed: u64,
    /// `bootstrap` as an executable, or why it is none. Without a `bootstrap` there is nothing to look into.
    pub executable: Option<Result<Executable, String>>,
    /// What stands in `bootstrap` and must not.
    pub leaks: Vec<Leak>,
}

/// A file in an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedFile {
    /// Its path in the zip.
    pub name: String,
    /// Unix permissions, if the zip has them.
    pub mode: Option<u32>,
    /// Its size in bytes, unpacked.
    pub size: u64,
}

/// What an ELF file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// What it is made for, by ELF's names in lower case: `x86_64`, `aarch64`, …
    pub machine: String,
    /// Whether it can be started at all: a program of 64 bits, lower byte first, with an entry point.
    pub startable: Result<(), String>,
    /// The loader that it asks for; `None` if it is linked statically.
    pub loader: Option<String>,
    /// The shared libraries that it needs.
    pub libraries: Vec<String>,
    /// Every version of glibc whose symbols it must have, with those symbols. Weak ones do not count: it starts without.
    pub glibc: BTreeMap<Glibc, BTreeSet<String>>,
}

/// A version of glibc, as in `GLIBC_2.34`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glibc(pub Vec<u32>);

/// What is no version of glibc.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of glibc: write it like `2.34`")]
pub struct GlibcError(String);

impl TryFrom<String> for Glibc {
    type Error = GlibcError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Glibc> for String {
    fn from(version: Glibc) -> Self {
        version.to_string()
    }
}

impl std::str::FromStr for Glibc {
    type Err = GlibcError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>();
        let version = numbers.ok().filter(|numbers| (2..=3).contains(&numbers.len())).map(Self);
        // The same version has one form: `2.034` would be read as another text each time.
        version.filter(|version| version.to_string() == text).ok_or_else(|| GlibcError(text.chars().take(40).collect()))
    }
}

impl Glibc {
    /// The version in a symbol's version name; `None` if that is not glibc's, or has no number (`GLIBC_PRIVATE`).
    #[must_use]
    pub fn of_symbol(version: &str) -> Option<Self> {
        let numbers = version.strip_prefix("GLIBC_")?.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>();
        numbers.ok().map(Self)
    }
}

impl std::fmt::Display for Glibc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("."))
    }
}

/// Something that must not be in a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// What it is: `an AWS access key`, `a path of the building machine`.
    pub what: String,
    /// Its beginning, with a secret's rest left out.
    pub shown: String,
    /// Where it begins, in bytes from the start of `bootstrap`.
    pub offset: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_glibc_are_numbers_and_not_texts() {
        let of = |text: &str| Glibc::of_symbol(text);
        assert!(of("GLIBC_2.4") < of("GLIBC_2.34") && of("GLIBC_2.2.5") < of("GLIBC_2.17"));
        assert_eq!((of("GLIBC_PRIVATE"), of("GCC_3.0")), (None, None));
        assert_eq!(of("GLIBC_2.2.5").unwrap().to_string(), "2.2.5");
        assert_eq!("2.34".parse(), Ok(Glibc(vec![2, 34])));
        for wrong in ["", "2", "2.034", "2.34.1.1", "2.x", "2.34 ", "-2.34", "GLIBC_2.34"] {
            assert!(wrong.parse::<Glibc>().is_err(), "{wrong}");
        }
    }
}
