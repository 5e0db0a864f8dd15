//! Where the parts of the two pictures stand, and what they say in words to whoever does not see them.

use super::words::{day, moment};
use crate::plan::board::{Board, Place, Week};

/// The delivery track.
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) stops: Vec<Stop>,
    pub(super) text: String,
}

/// One environment in it. All places are in the picture's own units.
pub(super) struct Stop {
    pub(super) environment: String,
    /// Where the way to it begins.
    pub(super) from: u32,
    /// Where its gate stands, or the environment itself if it has none.
    pub(super) gate_x: u32,
    pub(super) x: u32,
    pub(super) human: bool,
    pub(super) async_way: bool,
    pub(super) kind: &'static str,
    pub(super) live: String,
    pub(super) since: String,
    pub(super) waits: Option<String>,
}

const VAULT_ENDS: u32 = 130;
const WAY: u32 = 34;
const GATE: u32 = 68;
const BOX: u32 = 132;

impl Picture {
    pub(super) fn of(board: &Board) -> Self {
        let mut from = VAULT_ENDS;
        let mut stops = Vec::new();
        for place in &board.environments {
            let stop = stop(place, from);
            from = stop.x + BOX;
            stops.push(stop);
        }
        let text = board.environments.iter().map(tell).collect::<Vec<_>>().join(" ");
        Self { width: from + 20, stops, text }
    }
}

fn stop(place: &Place, from: u32) -> Stop {
    let human = !place.people.is_empty();
    let gate_x = from + WAY;
    let kind = match () {
        () if place.recovery => "recovery",
        () if human => "people",
        () => "automated",
    };
    Stop {
        environment: place.environment.to_string(),
        from,
        gate_x,
        x: if human { gate_x + GATE + WAY } else { gate_x },
        human,
        async_way: place.recovery,
        kind,
        live: place.live.as_ref().map_or_else(|| "nothing live".to_owned(), |live| format!("{} live", live.release)),
        since: place.live.as_ref().map(|live| moment(&live.since)).unwrap_or_default(),
        waits: place.waiting.as_ref().map(|waiting| waiting.release.to_string()),
    }
}

fn tell(place: &Place) -> String {
    let live =
        place.live.as_ref().map_or_else(|| "nothing is live".to_owned(), |live| format!("{} is live", live.release));
    let way = match () {
        () if place.recovery => ", the second region, follows on its own",
        () if place.people.is_empty() => ", automated",
        () => ", behind a gate where people decide",
    };
    let waits = place.waiting.as_ref().map(|waiting| format!("; {} waits", waiting.release)).unwrap_or_default();
    format!("{}{way}: {live}{waits}.", place.environment)
}

/// Production's releases, week by week.
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    pub(super) text: String,
    pub(super) first: String,
    pub(super) last: String,
}

/// One week.
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) good_y: usize,
    pub(super) good_height: usize,
    pub(super) bad_y: usize,
    pub(super) bad_height: usize,
    pub(super) total: usize,
}

const GROUND: usize = 120;
const HIGHEST: usize = 96;
const STEP: usize = 31;

impl Chart {
    pub(super) fn of(board: &Board) -> Self {
        let weeks = &board.figures.weeks;
        let most = weeks.iter().map(|week| week.good + week.bad).max().unwrap_or(0).max(1);
        let height = |count: usize| count * HIGHEST / most;
        let bar = |(at, week): (usize, &Week)| {
            let (good_height, bad_height) = (height(week.good), height(week.bad));
            let good_y = GROUND - good_height;
            let total = week.good + week.bad;
            Bar { x: at * STEP, good_y, good_height, bad_y: good_y - bad_height, bad_height, total }
        };
        let (good, bad) = weeks.iter().fold((0, 0), |(good, bad), week| (good + week.good, bad + week.bad));
        let edge = |week: Option<&Week>| week.map(|week| day(&week.begins)).unwrap_or_default();
        Self {
            bars: weeks.iter().enumerate().map(bar).collect(),
            text: format!("In {} weeks {good} were good and {bad} were bad, at most {most} in a week.", weeks.len()),
            first: edge(weeks.first()),
            last: edge(weeks.last()),
        }
    }
}
