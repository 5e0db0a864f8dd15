//! Lengths of time in the rules: how long a release must prove itself in one environment before it may enter the next,
//! or in one step of a canary before the next begins.

use std::{fmt, str::FromStr, time::Duration};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize, de};

/// A soak or bake time in whole seconds, at least one; written as people say it: `24h`, `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Soak(u32);

impl Soak {
    /// One hour.
    pub const HOUR: Self = Self(3600);
    /// Five minutes.
    pub const FIVE_MINUTES: Self = Self(300);

    /// How long.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

/// A text that is not a soak or bake time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a length of time: write hours, minutes and seconds, for example `24h`, `1h 30m` or `168h` for a week"
)]
pub struct SoakError(String);

impl FromStr for Soak {
    type Err = SoakError;

    fn from_str(text: &str) -> Result<Self, SoakError> {
        let wrong = || SoakError(text.chars().take(80).collect());
        let length: SignedDuration = text.parse().map_err(|_not_a_duration| wrong())?;
        match (u32::try_from(length.as_secs()), length.subsec_nanos()) {
            (Ok(seconds @ 1..), 0) => Ok(Self(seconds)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Soak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:#}", SignedDuration::from_secs(self.0.into())))
    }
}

impl Serialize for Soak {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Soak {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for Soak {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Soak".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "hours, minutes and seconds, for example `24h` or `5m`" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write_and_prints_one_form() {
        for (text, seconds, printed) in
            [("24h", 86_400, "24h"), ("90m", 5400, "1h 30m"), ("1 hour 30 minutes", 5400, "1h 30m"), ("1s", 1, "1s")]
        {
            let soak: Soak = text.parse().unwrap();
            assert_eq!((soak.duration().as_secs(), soak.to_string().as_str()), (seconds, printed), "{text}");
            assert_eq!(printed.parse(), Ok(soak));
        }
        for wrong in ["", "24", "0h", "1h ago", "-1h", "1d", "500ms", "h", "999999999h"] {
            assert!(wrong.parse::<Soak>().is_err(), "{wrong}");
        }
    }
}
