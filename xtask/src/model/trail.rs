//! Who looked at what: one row of the functions' audit trail, and the question that it answers.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::civil::Date;
use serde::Serialize;

use crate::model::time::Time;

/// One look at a product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Look {
    /// When.
    pub at: Time,
    /// Who, as the caller named them. This is the one place where a user's id is shown in clear: the question asks for it.
    pub user: String,
    /// What was done, such as `PRICE_FETCH`.
    pub action: String,
    /// What came of it: `SUCCESS`, `NOT_FOUND` or `ERROR`.
    pub status: String,
    /// `USER`, or `SMOKE` where the caller gave the id that is reserved for this tool's smoke checks.
    pub purpose: String,
    /// The request's id, which the functions' log carries as well.
    pub request: String,
}

/// A product as the functions know it. It is a part of the index's key, which is split at `#`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Product(String);

/// A day of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// The day of an instant.
    #[must_use]
    pub fn of(time: Time) -> Self {
        Self(time.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    /// The day before; the first one of all has none.
    #[must_use]
    pub fn before(self) -> Option<Self> {
        self.0.yesterday().ok().map(Self)
    }

    /// The day after; the last one of all has none.
    #[must_use]
    pub fn after(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self)
    }
}

/// One of the sixteen parts of a day: the last digit of the version 7 UUID in an item's sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard(char);

impl Shard {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        "0123456789abcdef".chars().map(Self)
    }

    /// Whether the item with this sort key is in it.
    #[must_use]
    pub fn holds(self, sort_key: &str) -> bool {
        sort_key.ends_with(self.0)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An item of the trail as its store has it: attributes or columns by name.
pub type Row = BTreeMap<String, String>;

/// A text that names no product or no day.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// No product.
    #[error("`{0}` is not the name of a product: write printable characters without spaces and `#`, at most 128")]
    Product(String),
    /// No day.
    #[error("`{0}` is not a day: write it as `2026-01-23`; it is a day of UTC")]
    Day(String),
}

impl Product {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Product {
    type Err = QuestionError;

    fn from_str(text: &str) -> Result<Self, QuestionError> {
        let named = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if named && (1..=128).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(QuestionError::Product(shown(text)))
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Day {
    type Err = QuestionError;

    fn from_str(text: &str) -> Result<Self, QuestionError> {
        let day = text.parse().map(Self).ok();
        // The parser also takes a time of that day, or a day without its dashes; neither is the name of a day.
        day.filter(|day: &Self| day.to_string() == text).ok_or_else(|| QuestionError::Day(shown(text)))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The beginning of what was typed.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_index_can_hold_is_asked_for() {
        for wrong in ["", "PROD 101", "PROD#101", "PRÖD", "a\n", &"x".repeat(129)] {
            assert!(wrong.parse::<Product>().is_err(), "{wrong:?}");
        }
        assert_eq!("PROD-101".parse::<Product>().unwrap().to_string(), "PROD-101");
        for wrong in ["", "2026-1-23", "2026-02-30", "20260123", "2026-01-23T00:00:00Z", "23.01.2026", "today"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong:?}");
        }
        assert_eq!("2026-01-23".parse::<Day>().unwrap().to_string(), "2026-01-23");
    }
}
