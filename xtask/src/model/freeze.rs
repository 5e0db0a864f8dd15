//! Freezes: spans of civil time in which nothing may enter an environment. Whether one holds now is `plan::freeze`'s.

use std::{fmt, str::FromStr};

use jiff::{
    civil::{DateTime, Time as ClockTime, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize, de};

use crate::model::names::EnvName;

/// A span of time in which nothing may enter the named environments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// What people call it.
    pub name: String,
    /// Where it holds.
    pub environments: Vec<EnvName>,
    /// Whose clocks and calendar count.
    pub zone: Zone,
    /// When.
    pub span: Span,
}

/// When a freeze holds: from its first moment to just before its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Span {
    /// Every week.
    Weekly {
        /// From this moment of the week.
        from: WeekTime,
        /// To this one, in the same week or the next.
        to: WeekTime,
    },
    /// Once.
    Range {
        /// From this civil time.
        from: DateTime,
        /// To this one.
        to: DateTime,
    },
}

/// Two texts that are not a span.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpanError {
    /// Neither two moments of the week nor two civil times.
    #[error(
        "`{0}` to `{1}` is not a span: write two moments of the week, as `Fri 16:00` and `Mon 06:00`, \
         or two civil times, as `2026-12-20T00:00` and `2027-01-02T00:00`"
    )]
    Form(String, String),
    /// It ends where it begins, or before.
    #[error("`{0}` to `{1}` is empty: it ends before it begins")]
    Empty(String, String),
}

impl Span {
    /// The span between two texts.
    ///
    /// # Errors
    /// If they are not of one of the two forms, or nothing lies between them.
    pub fn between(from: &str, to: &str) -> Result<Self, SpanError> {
        let texts = || (from.chars().take(80).collect(), to.chars().take(80).collect());
        let weekly = || Some(Self::Weekly { from: from.parse().ok()?, to: to.parse().ok()? });
        let range = || Some(Self::Range { from: civil(from)?, to: civil(to)? });
        let span = weekly().or_else(range).ok_or_else(|| {
            let (from, to) = texts();
            SpanError::Form(from, to)
        })?;
        let empty = match &span {
            Self::Weekly { from, to } => from == to,
            Self::Range { from, to } => from >= to,
        };
        let (from, to) = texts();
        if empty { Err(SpanError::Empty(from, to)) } else { Ok(span) }
    }
}

/// A civil time to the minute; an offset would contradict the freeze's zone, so there must be none.
fn civil(text: &str) -> Option<DateTime> {
    let time: DateTime = text.parse().ok()?;
    (time.strftime("%Y-%m-%dT%H:%M").to_string() == text).then_some(time)
}

/// A moment of every week, written `Fri 16:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekTime {
    /// The day.
    pub weekday: Weekday,
    /// The time on that day's clocks.
    pub time: ClockTime,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// A text that is not a moment of the week.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a moment of the week: write for example `Fri 16:00`")]
pub struct WeekTimeError(String);

impl FromStr for WeekTime {
    type Err = WeekTimeError;

    fn from_str(text: &str) -> Result<Self, WeekTimeError> {
        let read = || {
            let (day, time) = text.split_once(' ')?;
            let (_, weekday) = WEEKDAYS.iter().find(|(name, _)| *name == day)?;
            let (hour, minute) = time.split_once(':')?;
            let time = ClockTime::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
            let moment = Self { weekday: *weekday, time };
            (moment.to_string() == text).then_some(moment)
        };
        read().ok_or_else(|| WeekTimeError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = WEEKDAYS.iter().find(|(_, day)| *day == self.weekday).map_or("", |(name, _)| name);
        f.pad(&format!("{name} {:02}:{:02}", self.time.hour(), self.time.minute()))
    }
}

/// A time zone by its IANA name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Its rules.
    #[must_use]
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }
}

/// A text that is not a zone.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a time zone: write an IANA name, for example `Europe/Berlin` or `UTC`")]
pub struct ZoneError(String);

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        let wrong = || ZoneError(text.chars().take(80).collect());
        let rules = TimeZone::get(text).map_err(|_unknown| wrong())?;
        // The database reads names without case; one zone has one spelling here, so that it reads back equal.
        if rules.iana_name() == Some(text) { Ok(Self(rules)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.iana_name().unwrap_or("UTC"))
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}
as_text!(WeekTime);
as_text!(Zone);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_weekly_or_once_and_never_empty() {
        assert!(matches!(Span::between("Fri 16:00", "Mon 06:00"), Ok(Span::Weekly { .. })));
        assert!(matches!(Span::between("2026-12-20T00:00", "2027-01-02T00:00"), Ok(Span::Range { .. })));
        for (from, to) in [
            ("Fri 16:00", "2027-01-02T00:00"),
            ("fri 16:00", "Mon 06:00"),
            ("Fri 24:00", "Mon 06:00"),
            ("Fri 6:00", "Mon 06:00"),
            ("2026-12-20", "2027-01-02"),
            ("2026-12-20T00:00Z", "2027-01-02T00:00Z"),
            ("2026-12-20T00:00+01:00", "2027-01-02T00:00+01:00"),
        ] {
            assert!(matches!(Span::between(from, to), Err(SpanError::Form(..))), "{from} {to}");
        }
        for (from, to) in [("Fri 16:00", "Fri 16:00"), ("2026-12-20T00:00", "2026-12-20T00:00")] {
            assert!(matches!(Span::between(from, to), Err(SpanError::Empty(..))), "{from} {to}");
        }
    }

    #[test]
    fn a_freeze_reads_back_equal() {
        for (from, to) in [("Fri 16:00", "Mon 06:00"), ("2026-12-20T00:00", "2027-01-02T00:00")] {
            let freeze = Freeze {
                name: "weekend".to_owned(),
                environments: vec!["prod".parse().unwrap()],
                zone: "Europe/Berlin".parse().unwrap(),
                span: Span::between(from, to).unwrap(),
            };
            let bytes = crate::model::canonical::to_vec(&freeze).unwrap();
            assert_eq!(crate::model::canonical::from_slice::<Freeze>(&bytes).unwrap(), freeze);
        }
        for wrong in ["Europe/Atlantis", "europe/berlin", "", "+01:00"] {
            assert!(wrong.parse::<Zone>().is_err(), "{wrong}");
        }
    }
}
