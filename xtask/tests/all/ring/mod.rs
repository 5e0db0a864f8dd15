//! The fault ring: the world fails, lies, stalls or repeats itself at each call of a port, and the process is killed or
//! interrupted at each step. After each, the invariants hold and the same command finishes the work.
//!
//! The steps are the calls that an undisturbed run makes: a new step is covered by itself. What goes wrong in pairs is
//! drawn from a seed, which is printed when something breaks: `RING_SEED=<seed>` plays that one alone. `RING=long` leaves
//! nothing out.

mod admitted;
mod disk;
mod found;
mod functions;
mod mutants;
mod pairs;
mod process;
mod single;
mod work;

use self::work::{Stage, Work};
use crate::support::{
    faults::{Fate, How},
    invariants::End,
    world::code,
};

/// How much to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A sample that covers every command and every kind of fault: for every push.
    Short,
    /// Everything.
    Long,
    /// The pair of this seed alone.
    Seed(u64),
}

/// How much is asked for in the environment.
fn mode() -> Mode {
    let seed = std::env::var("RING_SEED").ok().map(|seed| seed.parse().expect("RING_SEED is a number"));
    match std::env::var("RING").ok().as_deref() {
        _ if seed.is_some() => Mode::Seed(seed.unwrap()),
        Some("long") => Mode::Long,
        None => Mode::Short,
        Some(other) => panic!("RING is `long` or not set, but it is `{other}`"),
    }
}

/// What a child of this test binary is told to do; it is one if this is set.
const CHILD: &str = "RING_CHILD";

fn child_told() -> Option<String> {
    std::env::var(CHILD).ok()
}

/// A number that follows from a seed (SplitMix64).
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Evenly spread, and never the same ones for two kinds of faults.
fn sample<T: Copy>(all: &[T], most: usize, shift: u64) -> Vec<T> {
    if mode() == Mode::Long || all.len() <= most {
        return all.to_vec();
    }
    let offset = usize::try_from(mix(shift) % all.len() as u64).unwrap();
    (0..most).map(|n| all[(offset + n * all.len() / most) % all.len()]).collect()
}

/// Runs a command in a world that goes wrong, and once more in a healthy one. `Ok(false)` if nothing came of the fault:
/// not every answer can be bent, and the second of two may come too late.
async fn trial(work: Work, wrongs: &[(usize, How)]) -> Result<bool, String> {
    let expected = work.undisturbed();
    let mut stage = Stage::new(work);
    let fate = Fate::of(wrongs);
    let ended = work.run(&fate.over_tools(stage.context())).await;
    if !fate.came() {
        return Ok(false);
    }
    let hows: Vec<How> = wrongs.iter().map(|(_, how)| *how).collect();
    let what = format!("{work:?}, {hows:?} at {} ({wrongs:?}): {ended:?}", fate.struck());
    let failed = |why: String| Err(format!("{why}\n  in {what}"));
    if !may_end(&hows, &fate.struck(), code(&ended), expected.code) {
        return failed(format!("it must not end with {}", code(&ended)));
    }
    let broken = stage.seen.broken(&stage.context()).await;
    if !broken.is_empty() {
        return failed(format!("right after: {broken:#?}"));
    }
    // Whoever says that it is done has done it.
    if code(&ended) == 0 {
        stage.ended(&what).await?;
    }
    stage.finishes(&what).await.map(|()| true)
}

/// The world's faults never kill a release and are never unexpected: the run is unfinished, or refuses to go on with what
/// it was told, or did not mind.
fn may_end(hows: &[How], what: &str, code: u8, undisturbed: u8) -> bool {
    let told = |how: &How| matches!(how, How::Truncated | How::Lie | How::Old | How::Late | How::Early);
    // A build that fails is the project's to mend: the tool did not expect it.
    let build = code == 1 && what.contains("cargo build");
    code == undisturbed || code == 8 || build || (hows.iter().any(told) && (3..=5).contains(&code))
}

impl Stage {
    /// The same command in a healthy world ends as an undisturbed run, and once more changes nothing.
    async fn finishes(&mut self, what: &str) -> Result<(), String> {
        let expected = self.work.undisturbed();
        let failed = |why: String| Err(format!("{why}\n  after {what}"));
        let again = self.work.run(&self.context()).await;
        // Where everything was recorded before, there is nothing left to release.
        let nothing_left = self.work.releases() && code(&again) == 3;
        if code(&again) != expected.code && !nothing_left {
            return failed(format!("the same command ends with {}: {again:?}", code(&again)));
        }
        let context = self.context();
        let broken = self.seen.broken(&context).await;
        if !broken.is_empty() {
            return failed(format!("in the end: {broken:#?}"));
        }
        self.ended(what).await
    }

    /// It stands as an undisturbed run leaves it.
    async fn ended(&self, what: &str) -> Result<(), String> {
        let expected = &self.work.undisturbed().end;
        match End::of(&self.context()).await {
            Ok(end) if end.is_as(expected) => Ok(()),
            end => Err(format!("it ends otherwise: {end:#?}\n  expected: {expected:#?}\n  after {what}")),
        }
    }
}

/// Fails with everything that went wrong, and says how much was tried.
#[track_caller]
#[expect(clippy::print_stdout, reason = "for whoever runs it with --nocapture")]
fn report(what: &str, tried: usize, least: usize, broken: &[String]) {
    assert!(broken.is_empty(), "{what}: {} of {tried} broke:\n\n{}", broken.len(), broken.join("\n\n"));
    assert!(tried >= least, "{what}: only {tried} were tried, at least {least} must be");
    println!("{what}: {tried} faults");
}
