//! Freezes against a scan of every minute, over the days on which clocks change.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn freeze(zone: &str, from: &str, to: &str) -> Freeze {
    Freeze {
        name: "freeze".to_owned(),
        environments: vec!["prod".parse().unwrap()],
        zone: zone.parse().unwrap(),
        span: Span::between(from, to).unwrap(),
    }
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn prod() -> EnvName {
    "prod".parse().unwrap()
}

/// The end of the freeze, if it holds then.
fn ends(freeze: &Freeze, now: &str) -> Option<String> {
    let active = active(std::slice::from_ref(freeze), &prod(), time(now));
    active.first().map(|active| active.until.to_string())
}

#[track_caller]
fn holds_from_to(freeze: &Freeze, first: &str, end: &str) {
    let end = time(end);
    let just_before = |time: Time| Time::new(time.timestamp() - 1.millisecond());
    assert_eq!(ends(freeze, &just_before(time(first)).to_string()), None, "before it begins");
    assert_eq!(ends(freeze, first), Some(end.to_string()), "at its first moment");
    assert_eq!(ends(freeze, &just_before(end).to_string()), Some(end.to_string()), "at its last moment");
    assert_eq!(ends(freeze, &end.to_string()), None, "at its end");
}

#[test]
fn a_week_end_wraps_the_week_and_follows_the_clocks() {
    let weekend = freeze("Europe/Berlin", "Fri 16:00", "Mon 06:00");
    holds_from_to(&weekend, "2026-01-23T15:00:00Z", "2026-01-26T05:00:00Z");
    // Clocks go forward on Sunday, 29 March 2026, and back on Sunday, 25 October 2026.
    holds_from_to(&weekend, "2026-03-27T15:00:00Z", "2026-03-30T04:00:00Z");
    holds_from_to(&weekend, "2026-10-23T14:00:00Z", "2026-10-26T05:00:00Z");
    // The other way round: everything but the week end.
    let week = freeze("Europe/Berlin", "Mon 06:00", "Fri 16:00");
    holds_from_to(&week, "2026-03-30T04:00:00Z", "2026-04-03T14:00:00Z");
}

#[test]
fn a_span_may_end_before_it_began_on_the_same_weekday() {
    let almost_always = freeze("UTC", "Wed 12:00", "Wed 11:00");
    holds_from_to(&almost_always, "2026-01-21T12:00:00Z", "2026-01-28T11:00:00Z");
    let an_hour = freeze("UTC", "Wed 11:00", "Wed 12:00");
    holds_from_to(&an_hour, "2026-01-21T11:00:00Z", "2026-01-21T12:00:00Z");
}

#[test]
fn a_range_holds_once() {
    let year = freeze("Europe/Berlin", "2026-12-20T00:00", "2027-01-02T00:00");
    holds_from_to(&year, "2026-12-19T23:00:00Z", "2027-01-01T23:00:00Z");
    assert_eq!(ends(&year, "2025-12-25T00:00:00Z"), None);
}

#[test]
fn an_hour_that_does_not_exist_makes_the_freeze_longer() {
    // 02:30 is left out: it is read as 01:30 before, or as 03:30 after the change.
    let begins = freeze("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T12:00");
    holds_from_to(&begins, "2026-03-29T00:30:00Z", "2026-03-29T10:00:00Z");
    let ends = freeze("Europe/Berlin", "2026-03-28T12:00", "2026-03-29T02:30");
    holds_from_to(&ends, "2026-03-28T11:00:00Z", "2026-03-29T01:30:00Z");
    let inside = freeze("Europe/Berlin", "Sun 02:15", "Sun 02:45");
    holds_from_to(&inside, "2026-03-29T00:15:00Z", "2026-03-29T01:45:00Z");
}

#[test]
fn an_hour_that_exists_twice_makes_the_freeze_longer() {
    // 02:30 comes at 00:30 and at 01:30 UTC.
    let begins = freeze("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T12:00");
    holds_from_to(&begins, "2026-10-25T00:30:00Z", "2026-10-25T11:00:00Z");
    let ends = freeze("Europe/Berlin", "2026-10-24T12:00", "2026-10-25T02:30");
    holds_from_to(&ends, "2026-10-24T10:00:00Z", "2026-10-25T01:30:00Z");
}

#[test]
fn a_day_that_a_zone_leaves_out_makes_the_freeze_longer() {
    // Samoa went from Thursday, 29 December 2011 to Saturday.
    let friday = freeze("Pacific/Apia", "Fri 08:00", "Fri 18:00");
    holds_from_to(&friday, "2011-12-29T18:00:00Z", "2011-12-31T04:00:00Z");
}

#[test]
fn freezes_that_follow_each_other_end_together() {
    let both = [
        freeze("UTC", "Fri 16:00", "Mon 06:00"),
        freeze("UTC", "2026-01-26T06:00", "2026-01-26T18:00"),
        freeze("UTC", "2026-01-25T00:00", "2026-01-26T08:00"),
    ];
    assert_eq!(open_from(&both, &prod(), time("2026-01-24T12:00:00Z")), Some(time("2026-01-26T18:00:00Z")));
    assert_eq!(active(&both, &prod(), time("2026-01-25T12:00:00Z")).len(), 2);
    let now = time("2026-01-27T12:00:00Z");
    assert_eq!(open_from(&both, &prod(), now), Some(now));
    assert_eq!(active(&both, &"uat".parse().unwrap(), time("2026-01-25T12:00:00Z")), []);
    let always = [freeze("UTC", "Mon 00:00", "Thu 00:00"), freeze("UTC", "Thu 00:00", "Mon 00:00")];
    assert_eq!(open_from(&always, &prod(), now), None);
}

#[test]
fn the_edges_of_the_calendar_freeze() {
    let end = freeze("UTC", "9999-12-30T00:00", "9999-12-31T23:59");
    assert!(ends(&end, "9999-12-30T22:00:00Z").is_some());
    let week = freeze("UTC", "Mon 00:00", "Sun 23:59");
    assert!(ends(&week, "9999-12-30T21:00:00Z").is_some());
}

/// Whether a weekly freeze holds, the slow way: looks at what clocks showed in every minute of the weeks around, and
/// takes every moment at which they showed, or jumped over, the begin or the end.
fn slow(zone: &TimeZone, span: &Span, minutes: &[Timestamp]) -> Vec<bool> {
    let Span::Weekly { from, to } = span else { return vec![] };
    let offset = |at: Timestamp| zone.to_offset(at);
    let shows = |at: Timestamp, with: Timestamp, moment: &WeekTime| {
        let clock = offset(with).to_datetime(at);
        clock.weekday() == moment.weekday && clock.time() == moment.time
    };
    // Within a day of a change both offsets are readings of a civil time; elsewhere they are the same.
    let day = 24.hours();
    let readings = |at: Timestamp, moment: &WeekTime| {
        let near = [at - day, at + day];
        near.iter().any(|with| shows(at, *with, moment) && !unambiguous_elsewhere(zone, at, *with))
    };
    let begins: Vec<Timestamp> = minutes.iter().copied().filter(|at| readings(*at, from)).collect();
    let ends: Vec<Timestamp> = minutes.iter().copied().filter(|at| readings(*at, to)).collect();
    // Of readings within a day the freeze takes the first begin and the last end.
    let near = |one: Timestamp, other: Timestamp| one.duration_since(other).abs().as_hours() < 24;
    let begins: Vec<Timestamp> =
        begins.iter().copied().filter(|b| !begins.iter().any(|o| o < b && near(*o, *b))).collect();
    let ends: Vec<Timestamp> = ends.iter().copied().filter(|e| !ends.iter().any(|o| o > e && near(*o, *e))).collect();
    let spans: Vec<_> = begins.iter().filter_map(|b| Some((*b, *ends.iter().find(|e| *e > b)?))).collect();
    minutes.iter().map(|at| spans.iter().any(|(b, e)| b <= at && at < e)).collect()
}

/// A civil time that exists exactly once has one reading only: its own.
fn unambiguous_elsewhere(zone: &TimeZone, at: Timestamp, with: Timestamp) -> bool {
    let civil = zone.to_offset(with).to_datetime(at);
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    !ambiguous.is_ambiguous() && ambiguous.compatible().unwrap() != at
}

const CHANGES: [(&str, &str); 5] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("America/St_Johns", "2026-11-01T04:30:00Z"),
];

/// Which end of the freeze lies within hours of the change.
#[derive(Debug, Clone, Copy)]
enum Near {
    Begin,
    End,
    Neither,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_weekly_freeze_holds_in_the_minutes_in_which_a_scan_says_so(
        change in prop::sample::select(CHANGES.to_vec()),
        from in (0_i64..7 * 24 * 4).prop_map(|quarter| quarter * 15),
        length in prop_oneof![1_i64..12, 12_i64..6 * 24 * 4].prop_map(|quarters| quarters * 15),
        near in prop::sample::select(vec![Near::Begin, Near::End, Near::Neither]),
    ) {
        let (zone, change) = change;
        let middle = time(change).timestamp();
        let rules = TimeZone::get(zone).unwrap();
        let text = |minute: i64| {
            let minute = minute.rem_euclid(7 * 24 * 60);
            let day = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][usize::try_from(minute / 1440).unwrap()];
            format!("{day} {:02}:{:02}", minute % 1440 / 60, minute % 60)
        };
        let around = rules.to_datetime(middle);
        let base = i64::from(around.weekday().to_monday_zero_offset()) * 1440 + i64::from(around.hour()) * 60;
        let close = base + from % 240 - 120;
        let from = match near {
            Near::Begin => close,
            Near::End => close - length,
            Near::Neither => from,
        };
        let freeze = freeze(zone, &text(from), &text(from + length));
        let first = middle - (21 * 24).hours();
        let minutes: Vec<Timestamp> = (0..42 * 24 * 60).map(|minute| first + i64::from(minute).minutes()).collect();
        let expected = slow(&rules, &freeze.span, &minutes);
        // The scan knows nothing of spans that begin or end outside of it: the middle two weeks count.
        for at in 14 * 24 * 60..28 * 24 * 60 {
            let now = Time::new(minutes[at]);
            let found = active(std::slice::from_ref(&freeze), &prod(), now);
            prop_assert_eq!(!found.is_empty(), expected[at], "{} in {:?} of {}", now, freeze.span, zone);
        }
    }
}
