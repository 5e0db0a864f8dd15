//! The disk is full, or something lies in the way: by the real binary, against a real limit of the operating system and
//! real obstacles, and in process for what can only be had by being root.

use std::{fs, process::Command};

use camino::Utf8Path;

use super::{
    How, report, sample, trial,
    work::{ALL, Stage, Work, alone},
};
use crate::support::project::{Ran, command};

/// What is typed for each work that builds nothing.
const TYPED: [(Work, &[&str]); 3] = [
    (Work::Promote, &["promote", "--to", "uat", "--release", "v1.1.0"]),
    (Work::Sync, &["dr-sync"]),
    (Work::Rollback, &["rollback", "--env", "uat", "--reason", "a leak"]),
];

/// The real binary over a stage; no file that it writes may get larger than this many blocks of 512 bytes.
fn limited(stage: &Stage, typed: &[&str], blocks: Option<u64>) -> Ran {
    let plain = command(stage.root(), &stage.local(), typed);
    let Some(blocks) = blocks else { return Ran::of(plain_output(plain)) };
    // Without the signal a write that is too large fails, as it does on a full disk.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f $0 && exec \"$@\"", &blocks.to_string()]);
    shell.arg(plain.get_program()).args(plain.get_args()).current_dir(stage.root()).env_clear();
    shell.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(plain_output(shell))
}

fn plain_output(mut command: Command) -> std::process::Output {
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

/// Nothing is lost, whatever was begun.
fn sound(stage: &mut Stage, what: &str) {
    let broken = alone(|| async { stage.seen.broken(&stage.context()).await });
    assert!(broken.is_empty(), "{broken:#?}\n  after {what}");
}

/// The same command, by the same binary, with nothing in its way.
fn ends_well(mut stage: Stage, typed: &[&str], what: &str) {
    let ran = limited(&stage, typed, None);
    assert_eq!(ran.code, 0, "{ran:#?}\n  after {what}");
    sound(&mut stage, what);
    let end = alone(|| async { crate::support::invariants::End::of(&stage.context()).await.unwrap() });
    let expected = &stage.work.undisturbed().end;
    assert!(end.is_as(expected), "{end:#?}\n  expected: {expected:#?}\n  after {what}");
}

#[test]
fn the_disk_is_full() {
    for (work, typed) in TYPED {
        let mut stage = Stage::new(work);
        let mut codes = Vec::new();
        // A little more room each time, from none to enough for entries, and for artifacts.
        for blocks in [0, 1, 2, 3, 4, 6, 8, 12, 16, 64, 256, 512] {
            let ran = limited(&stage, typed, Some(blocks));
            let what = format!("{typed:?} with files of {blocks} blocks: {ran:#?}");
            assert!(ran.code == 8 || ran.code == 0, "it must be unfinished: {what}");
            assert!(ran.code == 0 || ran.stderr.contains("File too large"), "it does not say why: {what}");
            sound(&mut stage, &what);
            codes.push(ran.code);
        }
        assert_eq!(codes[0], 8, "{work:?}: nothing was in its way");
        ends_well(stage, typed, &format!("a full disk: {codes:?}"));
    }
}

/// What lies in the way, and whether a file lies where a folder should be, or a folder where a file should be.
const OBSTACLES: [(&str, bool); 9] = [
    ("tmp", true),
    ("locks", true),
    ("vault/environments/ENV/NEXT.json", false),
    ("witness.json", false),
    ("keys/deployer-ENV", false),
    ("locks/environment-ENV.lock", false),
    ("fleet/alpha-ENV/lock", false),
    ("fleet/alpha-ENV/aliases/live.json.new", false),
    ("fleet/.hosts", true),
];

#[test]
fn something_lies_in_the_way() {
    for (work, typed) in TYPED.into_iter().filter(|(work, _)| *work != Work::Sync) {
        let mut met = 0;
        for (obstacle, file) in OBSTACLES {
            let mut stage = Stage::new(work);
            let next = 1 + stage.local().join("vault/environments/uat").read_dir_utf8().unwrap().count();
            let name = obstacle.replace("ENV", "uat").replace("NEXT", &format!("{next:08}"));
            let path = stage.local().join(&name);
            let aside = stage.local().with_file_name("aside");
            let there = fs::rename(&path, &aside).is_ok();
            put(&path, file);
            let ran = limited(&stage, typed, None);
            let what = format!("{typed:?} with {name} in the way: {ran:#?}");
            assert!([0, 2, 5, 8].contains(&ran.code), "{what}");
            assert!(ran.code == 0 || ran.stderr.contains(shown(&name)), "it is not named: {what}");
            met += usize::from(ran.code != 0);
            if file { fs::remove_file(&path) } else { fs::remove_dir(&path) }.unwrap();
            if there {
                fs::rename(&aside, &path).unwrap();
            }
            sound(&mut stage, &what);
            ends_well(stage, typed, &what);
        }
        assert!(met >= 8, "{work:?}: only {met} were in its way");
    }
}

/// What an error must say of a name: drafts are told of by what they become.
fn shown(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap();
    name.strip_suffix(".new").unwrap_or(name)
}

fn put(path: &Utf8Path, file: bool) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if file { fs::write(path, "in the way") } else { fs::create_dir(path) }.unwrap();
}

/// From some call on nothing can be written any more, and everything can still be read.
#[test]
fn the_world_can_only_be_read() {
    let (mut tried, mut broken) = (0, Vec::new());
    for work in ALL {
        for at in sample(&work.undisturbed().fate.effects(), 4, 3) {
            match alone(|| async { trial(work, &[(at, How::Full)]).await }) {
                Ok(came) => tried += usize::from(came),
                Err(why) => broken.push(why),
            }
        }
    }
    report("full", tried, 20, &broken);
}
