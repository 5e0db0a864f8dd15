//! Whether a freeze holds, and until when: civil times on a zone's clocks against one instant.
//!
//! Where clocks change, a civil time may not exist, or exist twice. A freeze then takes the reading that makes it
//! longer: nobody enters through an hour that the clocks left out.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime},
};

use crate::model::{
    freeze::{Freeze, Span, WeekTime, Zone},
    names::EnvName,
    time::Time,
};

/// A freeze that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active<'a> {
    /// Which.
    pub freeze: &'a Freeze,
    /// Its end; at this moment it holds no more.
    pub until: Time,
}

/// The freezes of an environment that hold now.
#[must_use]
pub fn active<'a>(freezes: &'a [Freeze], environment: &EnvName, now: Time) -> Vec<Active<'a>> {
    let here = freezes.iter().filter(|freeze| freeze.environments.contains(environment));
    here.filter_map(|freeze| until(freeze, now).map(|until| Active { freeze, until })).collect()
}

/// The first moment from now on at which no freeze holds, looking through a year of freezes that follow each other.
#[must_use]
pub fn open_from(freezes: &[Freeze], environment: &EnvName, now: Time) -> Option<Time> {
    let mut moment = now;
    for _ in 0..366 {
        match active(freezes, environment, moment).into_iter().map(|active| active.until).max() {
            None => return Some(moment),
            Some(end) => moment = end,
        }
    }
    None
}

/// The end of the freeze, if it holds now.
fn until(freeze: &Freeze, now: Time) -> Option<Time> {
    let zone = &freeze.zone;
    let ends = match &freeze.span {
        Span::Range { from, to } => end(zone, *from, *to, now),
        Span::Weekly { from, to } => {
            let today = zone.rules().to_datetime(now.timestamp()).date();
            // A span lasts a week at most, and a zone may leave out a whole day when it changes sides of the date line.
            let begins = (-9..=2).filter_map(|days: i32| today.checked_add(days.days()).ok());
            begins.filter_map(|date| weekly(zone, date, from, to, now)).max()
        }
    };
    ends.map(Time::new)
}

/// The end of the weekly span that begins on this date, if one does and it holds now.
fn weekly(zone: &Zone, date: Date, from: &WeekTime, to: &WeekTime, now: Time) -> Option<Timestamp> {
    if date.weekday() != from.weekday {
        return None;
    }
    let days = i32::from(from.weekday.until(to.weekday));
    let days = if days == 0 && to.time <= from.time { 7 } else { days };
    let last = date.checked_add(days.days()).unwrap_or(Date::MAX);
    end(zone, date.to_datetime(from.time), last.to_datetime(to.time), now)
}

/// The end of the span, if now is in it: the earlier reading of its begin, the later of its end. What lies beyond the
/// calendar makes it longer, too.
fn end(zone: &Zone, from: DateTime, to: DateTime, now: Time) -> Option<Timestamp> {
    let begin = zone.rules().to_ambiguous_timestamp(from).earlier().unwrap_or(Timestamp::MIN);
    let end = zone.rules().to_ambiguous_timestamp(to).later().unwrap_or(Timestamp::MAX);
    (begin <= now.timestamp() && now.timestamp() < end).then_some(end)
}

#[cfg(test)]
mod tests;
