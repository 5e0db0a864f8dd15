//! Two things go wrong in one run, drawn from a seed.

use super::{
    How, Mode, mix, mode, report, trial,
    work::{ALL, Work},
};

/// How many pairs are tried.
const SHORT: u64 = 30;
const LONG: u64 = 2000;

const HOWS: [How; 9] = [
    How::KilledAfter,
    How::Refused,
    How::AnswerLost,
    How::Twice,
    How::Lie,
    How::Truncated,
    How::Old,
    How::Late,
    How::Early,
];

/// The command and its two faults.
fn drawn(seed: u64) -> (Work, [(usize, How); 2]) {
    let draw = |n: u64, among: usize| usize::try_from(mix(mix(seed) ^ n) % among as u64).unwrap();
    let work = ALL[draw(1, ALL.len())];
    let calls = work.undisturbed().fate.calls();
    let fault = |n: u64| (1 + draw(n, calls), HOWS[draw(n + 1, HOWS.len())]);
    (work, [fault(2), fault(4)])
}

#[test]
fn two_things_go_wrong() {
    let seeds: Vec<u64> = match mode() {
        Mode::Short => (1..=SHORT).collect(),
        Mode::Long => (1..=LONG).collect(),
        Mode::Seed(seed) => vec![seed],
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (mut tried, mut broken) = (0, Vec::new());
    for seed in &seeds {
        let (work, wrongs) = drawn(*seed);
        match runtime.block_on(trial(work, &wrongs)) {
            Ok(came) => tried += usize::from(came),
            Err(why) => broken.push(format!("RING_SEED={seed}: {why}")),
        }
    }
    report("pairs", tried, seeds.len() / 3, &broken);
}
