//! Every call, one at a time, in every way that it can go wrong.

use super::{
    How, report, sample, trial,
    work::{ALL, Work},
};
use crate::support::faults::Kind;

/// What can go wrong with an effect, and with a question; and how many of each are tried where not all are.
const EFFECTS: [How; 4] = [How::KilledAfter, How::AnswerLost, How::Twice, How::Refused];
const QUESTIONS: [How; 4] = [How::Lie, How::Truncated, How::Old, How::Refused];
const CLOCK: [How; 2] = [How::Late, How::Early];

/// Goes wrong at one call after another.
fn one_at_a_time(work: Work, most: [usize; 3]) {
    let fate = &work.undisturbed().fate;
    let firsts = fate.firsts();
    let of = |kind: Kind| fate.of_kind(kind);
    // What a fleet says changes while the command works; what a vault says of an object does not.
    let fleet = ["alias of", "live of", "function", "version", "invoke"];
    let telling = |at: &usize| firsts.contains(at) || fleet.iter().any(|call| fate.called(*at).starts_with(call));
    let first = |calls: Vec<usize>| calls.into_iter().filter(telling).collect::<Vec<_>>();
    let all = [of(Kind::Effect), first(of(Kind::Question)), firsts.clone()];
    let mut faults = Vec::new();
    for (calls, (hows, most)) in all.iter().zip([&EFFECTS[..], &QUESTIONS, &CLOCK].into_iter().zip(most)) {
        for (n, how) in hows.iter().enumerate() {
            faults.extend(sample(calls, most, n as u64).into_iter().map(|at| (at, *how)));
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (mut tried, mut broken) = (0, Vec::new());
    for fault in &faults {
        match runtime.block_on(trial(work, &[*fault])) {
            Ok(came) => tried += usize::from(came),
            Err(why) => broken.push(why),
        }
    }
    report(&format!("{work:?}"), tried, faults.len() / 2, &broken);
}

/// One test for each command, so that they run beside each other.
macro_rules! each {
    ($($name:ident: $work:ident, $most:expr;)*) => {
        $(#[test] fn $name() { one_at_a_time(Work::$work, $most); })*

        #[test]
        fn no_command_is_left_out() {
            assert_eq!(ALL, [$(Work::$work),*]);
        }
    };
}

each! {
    a_first_release: First, [3, 4, 1];
    a_release_over_a_live_one: Second, [3, 4, 1];
    a_death: Death, [3, 4, 1];
    a_promotion: Promote, [4, 8, 2];
    a_synchronisation: Sync, [4, 5, 2];
    a_rollback: Rollback, [4, 8, 2];
    a_reviewed_promotion: Reviewed, [4, 8, 2];
    a_promotion_through_broken_glass: Glass, [4, 6, 2];
}
