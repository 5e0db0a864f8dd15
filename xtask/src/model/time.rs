//! Points in time: UTC, to the millisecond, written in RFC 3339 with a `Z`.

use std::{fmt, str::FromStr, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de};

/// A point in time. Whole milliseconds, so that what is written reads back equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

impl Time {
    /// This instant, cut to the millisecond.
    #[must_use]
    pub fn new(instant: Timestamp) -> Self {
        Self(Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant))
    }

    /// Later by this much; the end of time where that lies beyond it.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        self.0.checked_add(wait).map_or(Self(Timestamp::MAX), Self::new)
    }

    /// Earlier by this much; the beginning of time where that lies before it.
    #[must_use]
    pub fn before(self, wait: Duration) -> Self {
        self.0.checked_sub(wait).map_or(Self(Timestamp::MIN), Self::new)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.duration_since(earlier.0).try_into().unwrap_or(Duration::ZERO)
    }

    /// The instant, for arithmetic with calendars and zones.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

/// A text that is not a point in time.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a time: write RFC 3339 with a zone, for example `2026-01-23T12:00:00Z`")]
pub struct TimeError {
    text: String,
    source: jiff::Error,
}

impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let instant = text.parse().map_err(|source| TimeError { text: text.chars().take(80).collect(), source })?;
        Ok(Self::new(instant))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A fixed number of digits keeps the form canonical and sorts as text.
        f.pad(&format!("{:.3}", self.0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_utc_with_three_digits_and_reads_back() {
        let time: Time = "2026-01-23T13:00:00.0009+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-01-23T12:00:00.000Z");
        assert_eq!(time.to_string().parse::<Time>().unwrap(), time);
        assert_eq!(time.after(Duration::from_millis(1500)).since(time), Duration::from_millis(1500));
        assert!("2026-01-23 12:00".parse::<Time>().is_err());
    }
}
