//! How the board's values read: words, signs and classes of the page. Colour is never the only sign.

use crate::{
    model::{environment::Phase, time::Time},
    plan::board::{Figures, Held, Line, LiveHere, Mark, Place, Standing, Story},
};

/// `2026-01-23 12:00`.
pub(super) fn moment(time: &Time) -> String {
    let text = time.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

/// `2026-01-23`.
pub(super) fn day(time: &Time) -> String {
    let text = time.to_string();
    text.get(..10).unwrap_or(&text).to_owned()
}

/// A duration in the two largest units that it has: `3 d 4 h`, `2 h 5 min`, `40 s`.
pub(super) fn long(seconds: &u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(size, _)| seconds >= size).unwrap_or(units.len() - 1);
    let mut left = *seconds;
    let mut parts = Vec::new();
    for (size, unit) in units.iter().skip(first).take(2) {
        let count = left / size;
        left %= size;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count} {unit}"));
        }
    }
    parts.join(" ")
}

pub(super) fn word(mark: &Mark) -> &'static str {
    match mark {
        Mark::NotYet => "not yet",
        Mark::UnderWay => "under way",
        Mark::GivenUp => "given up",
        Mark::Waits => "waits at the gate",
        Mark::Verified => "verified",
        Mark::Unverified => "live, unverified",
        Mark::Live => "live",
        Mark::Synced => "Globally Synced",
        Mark::Rejected => "rejected",
        Mark::Dead => "dead",
    }
}

pub(super) fn sign(mark: &Mark) -> &'static str {
    match mark {
        Mark::NotYet => "·",
        Mark::UnderWay | Mark::Unverified => "…",
        Mark::GivenUp => "↩",
        Mark::Waits => "◆",
        Mark::Verified => "✓",
        Mark::Live | Mark::Synced => "●",
        Mark::Rejected => "■",
        Mark::Dead => "✗",
    }
}

pub(super) fn class(mark: &Mark) -> &'static str {
    match mark {
        Mark::NotYet | Mark::GivenUp => "none",
        Mark::UnderWay | Mark::Waits | Mark::Unverified => "wait",
        Mark::Verified => "good",
        Mark::Live | Mark::Synced => "good here",
        Mark::Rejected | Mark::Dead => "bad",
    }
}

pub(super) fn whole(standing: &Standing) -> &'static str {
    match standing {
        Standing::Live => "live",
        Standing::OnItsWay => "on its way",
        Standing::Replaced => "replaced",
        Standing::Dead => "dead",
    }
}

/// The same as one word of a class.
pub(super) fn token(standing: &Standing) -> String {
    whole(standing).replace(' ', "-")
}

pub(super) fn places(story: &Story) -> String {
    let been = |mark| !matches!(mark, Mark::NotYet | Mark::Waits | Mark::Rejected);
    let names = story.journey.iter().filter(|cell| been(cell.mark)).map(|cell| cell.environment.as_str());
    names.collect::<Vec<_>>().join(" ")
}

pub(super) fn standing_here(live: &LiveHere) -> String {
    let verified = if live.verified { "verified" } else { "not verified yet" };
    let synced = live.synced.map(|time| format!(", Globally Synced at {}", moment(&time))).unwrap_or_default();
    let pinned = if live.pinned { ", pinned by a rollback" } else { "" };
    let glass =
        live.break_glass.as_ref().map(|reason| format!(", let in by BREAK-GLASS: {reason}")).unwrap_or_default();
    format!("{verified}{synced}{pinned}{glass}")
}

pub(super) fn phase(held: &Held) -> &'static str {
    match held.phase {
        Phase::Closed => "closed",
        Phase::Claimed => "staging",
        Phase::Staged => "proving it before traffic",
        Phase::Shifting => "shifting",
        Phase::Shifted => "verifying it through live",
        Phase::Failing => "going back",
    }
}

pub(super) fn asks(place: &Place) -> String {
    if place.people.is_empty() {
        let what = if place.recovery { "It follows by `dr-sync`" } else { "It asks for nobody" };
        return format!("{what}.");
    }
    let people = place.people.iter().map(|(role, count)| format!("{count} × {role}"));
    format!("It asks for {}.", people.collect::<Vec<_>>().join(" and "))
}

pub(super) fn kind(line: &Line) -> String {
    line.what.replace('_', " ")
}

/// One of the four figures.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) means: String,
}

pub(super) fn figures(figures: &Figures) -> Vec<Figure> {
    let days = figures.days;
    let production = figures.environment.as_ref().map_or("production", |environment| environment.as_str());
    let none = || "–".to_owned();
    let (known, unknown) = figures.changes;
    let missing = match unknown {
        0 => String::new(),
        count => format!("; git does not tell here when {count} more were committed"),
    };
    // Tenths of a deployment in a week.
    let rate = figures.deployments as u64 * 70 / days;
    let share = figures.failed * 100 / figures.began.max(1);
    vec![
        Figure {
            name: "Deployment frequency",
            value: format!("{}.{} a week", rate / 10, rate % 10),
            means: format!("{} releases verified in {production} in the last {days} days.", figures.deployments),
        },
        Figure {
            name: "Lead time for changes",
            value: figures.lead_time_s.as_ref().map_or_else(none, long),
            means: format!(
                "The median from a commit to its release verified in {production}: {known} commits, merges left out, \
                 in the last {days} days{missing}."
            ),
        },
        Figure {
            name: "Change failure rate",
            value: if figures.began == 0 { none() } else { format!("{share} %") },
            means: format!(
                "{} of {} releases that got {production}'s calls in the last {days} days died there or were rolled back.",
                figures.failed, figures.began
            ),
        },
        Figure {
            name: "Time to restore",
            value: figures.restore_s.as_ref().map_or_else(none, long),
            means: format!(
                "The median over those {}: from the finding, or the begin of the rollback, until {production} was back on \
                 a good release.",
                figures.failed
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_read_well() {
        let read = |seconds| super::long(&seconds);
        assert_eq!([read(0), read(59), read(60), read(7_500)], ["0 s", "59 s", "1 min", "2 h 5 min"]);
        assert_eq!([read(86_400), read(90_061), read(86_459)], ["1 d", "1 d 1 h", "1 d"]);
    }
}
