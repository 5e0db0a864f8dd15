//! What the ring found, each at its own call, so that no sample and no seed leaves it out.

use super::{
    How, report, trial,
    work::{Work, alone},
};

/// The command, and what goes wrong: how, at which call from which on, and the how-manieth of that description.
type Case = (&'static str, Work, &'static [(How, &'static str, usize)]);

#[rustfmt::skip]
const FOUND: &[Case] = &[
    ("an entry with a signature of something else ended its chain for good",
        Work::Promote, &[(How::Lie, "sign", 1)]),
    ("an entry with half a signature ended its chain for good",
        Work::Promote, &[(How::Truncated, "sign", 0)]),
    ("wrong bytes, told of once, killed a release after the shift",
        Work::First, &[(How::Truncated, "live of alpha-dev", 0)]),
    ("wrong bytes, told of once, killed a release while it was staged",
        Work::First, &[(How::Truncated, "publish beta-dev", 0)]),
    ("an alias of an older moment killed a release after the shift",
        Work::Promote, &[(How::Old, "alias of beta-uat", 3)]),
    ("an alias that was said not to be there was recorded so, and nobody could go on",
        Work::Promote, &[(How::Lie, "alias of beta-uat", 1)]),
    ("a bad release stayed live, because its alias was said to be back already",
        Work::Death, &[(How::Old, "alias of alpha-dev", 4)]),
    ("an upload that was made twice and read back wrong once burned its number, and the audit stayed red",
        Work::First, &[(How::Twice, "create v1.0.0/alpha.zip", 0), (How::Truncated, "fetch v1.0.0/alpha.zip", 0)]),
    ("a rollback whose last answer was lost went back one more",
        Work::Rollback, &[(How::AnswerLost, "note environments/uat", 4)]),
    ("a listing that was not whole left a hole in the mirror",
        Work::Sync, &[(How::Truncated, "list", 0)]),
    ("a mirror that nobody witnessed was not expected",
        Work::Sync, &[(How::Refused, "dr: note environments/qa", 0)]),
    ("the last entry of a killed run was never witnessed",
        Work::Second, &[(How::KilledAfter, "create environments/qa/00000010.json", 0)]),
    ("provenance with half a signature got into a box that could never be sealed",
        Work::First, &[(How::Truncated, "seal", 0)]),
    ("a clock that was set back by a day between two environments made an honest entry a finding",
        Work::First, &[(How::Early, "exists environments/dev/00000006.json", 0)]),
];

/// Keys that could not be asked for were an error that nobody expected, and not one to run again.
#[test]
fn whoever_cannot_ask_for_keys_runs_again() {
    let fate = &Work::First.undisturbed().fate;
    let asked = fate.calls_of("trusted");
    let sealed = *fate.calls_of("create v1.0.0/manifest.json").first().unwrap();
    let places: Vec<usize> = asked.into_iter().filter(|at| (sealed - 30..=sealed + 30).contains(at)).collect();
    let tried = places.iter().map(|at| alone(|| async { trial(Work::First, &[(*at, How::Refused)]).await }));
    let broken: Vec<String> = tried.filter_map(Result::err).collect();
    report("keys", places.len(), 3, &broken);
}

/// A second read of what was verified by a first brought other bytes into the mirror, for good.
#[test]
fn nothing_is_mirrored_that_was_not_verified() {
    let fate = &Work::Sync.undisturbed().fate;
    let read = ["read environments/qa/", "read policy/", "read releases/", "read evidence/"];
    let places: Vec<usize> = read.iter().flat_map(|call| fate.calls_of(call)).collect();
    let tried = places.iter().map(|at| alone(|| async { trial(Work::Sync, &[(*at, How::Truncated)]).await }));
    let broken: Vec<String> = tried.filter_map(Result::err).collect();
    report("mirrored", places.len(), 10, &broken);
}

#[test]
fn what_was_found_once_stays_mended() {
    let mut broken = Vec::new();
    for (what, work, wrongs) in FOUND {
        let fate = &work.undisturbed().fate;
        let place = |call: &str, nth: usize| {
            let all: Vec<usize> = fate.calls_of(call).into_iter().filter(|at| fate.called(*at) == call).collect();
            *all.get(nth).unwrap_or_else(|| panic!("{what}: `{call}` is called {} times", all.len()))
        };
        let wrongs: Vec<_> = wrongs.iter().map(|(how, call, nth)| (place(call, *nth), *how)).collect();
        match alone(|| async { trial(*work, &wrongs).await }) {
            Ok(true) => {}
            Ok(false) => broken.push(format!("{what}: nothing came of it")),
            Err(why) => broken.push(format!("{what}: {why}")),
        }
    }
    report("found", FOUND.len(), 10, &broken);
}
