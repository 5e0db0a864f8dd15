//! Several people on several clones against one vault and one fleet: random commands, compared step by step with a small
//! model of the rules.
//!
//! `MODEL_CASES` says how many sequences are played, `PROPTEST_RNG_SEED` which ones; a failing one is shrunk and printed.

mod reference;
mod system;

use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine as _, StateMachineTest as _};

use reference::Rules;
use system::System;

/// Sequences per test; two tests share the work between two cores.
const CASES: u32 = 100;
const STEPS: std::ops::Range<usize> = 4..24;

fn play() {
    let cases =
        std::env::var("MODEL_CASES").ok().map_or(CASES, |cases| cases.parse().expect("MODEL_CASES is a number"));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let sequences = Rules::sequential_strategy(STEPS);
    let runner = &mut proptest::test_runner::TestRunner::new(config.clone());
    runner
        .run(&sequences, |(initial, transitions, seen)| {
            System::test_sequential(config.clone(), initial, transitions, seen);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn the_toolchain_and_the_rules_agree() {
    play();
}

#[test]
fn the_toolchain_and_the_rules_agree_once_more() {
    play();
}
