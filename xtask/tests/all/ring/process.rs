//! A real process, really killed or interrupted at each step that changes the world: this test binary runs itself once
//! more, as a process that runs one command with the real adapters and sends itself the signal.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use xtask::cmd::unless_interrupted;

use super::{
    Mode, child_told, mode, report, sample,
    work::{ALL, Stage, Work, alone},
};
use crate::{
    fleet::bootstrap,
    support::{
        faults::{Fate, How, Signal},
        invariants::left_running,
        project::{Project, Ran},
        world::code,
    },
};

/// What the child is told.
#[derive(Serialize, Deserialize)]
struct Told {
    work: usize,
    signal: bool,
    before: bool,
    at: usize,
    root: Utf8PathBuf,
    local: Utf8PathBuf,
    program: Utf8PathBuf,
}

/// Not a test of its own: what the other tests of this module start. Without being told what to do it has nothing to do.
#[test]
fn child() {
    let Some(told) = child_told() else { return };
    let Told { work, signal, before, at, root, local, program } = serde_json::from_str(&told).unwrap();
    bootstrap::is(std::fs::read(program).unwrap());
    let signal = if signal { Signal::Kill } else { Signal::Interrupt };
    let how = if before { How::SignalBefore(signal) } else { How::SignalAfter(signal) };
    let context = Fate::new(how, at).over_tools(ALL[work].context(&root, &local));
    let ended = unless_interrupted("command", None, async move { ALL[work].run(&context).await });
    println!("\nended with {}: {ended:?}", code(&ended));
}

/// Runs a command in a process of its own that gets a signal at this call.
fn struck(stage: &Stage, signal: Signal, before: bool, at: usize) -> Ran {
    let program = stage.local().with_file_name("program");
    std::fs::write(&program, bootstrap::program()).unwrap();
    let (work, signal) = (ALL.iter().position(|work| *work == stage.work).unwrap(), signal == Signal::Kill);
    let (root, local) = (stage.root().to_owned(), stage.local());
    let told = serde_json::to_string(&Told { work, signal, before, at, root, local, program }).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "ring::process::child", "--nocapture", "--test-threads", "1"]);
    Ran::of(child.env(super::CHILD, told).stdin(Stdio::null()).output().unwrap())
}

/// One step. A killed process says nothing any more; an interrupted one says that it is unfinished.
fn step(work: Work, signal: Signal, before: bool, at: usize) -> Result<bool, String> {
    let mut stage = Stage::new(work);
    let begun = Instant::now();
    let ran = struck(&stage, signal, before, at);
    let place = if before { "before" } else { "after" };
    let what = format!("{work:?}, {signal:?} {place} {}:\n{ran:#?}", work.undisturbed().fate.called(at));
    let ended_well = match signal {
        Signal::Kill => ran.code == -1 && !ran.stdout.contains("ended with"),
        Signal::Interrupt => ran.stdout.contains("ended with 8: Err(interrupted by Ctrl-C"),
    };
    if !ended_well {
        return Err(format!("the process did not end by the signal\n  in {what}"));
    }
    if signal == Signal::Interrupt && begun.elapsed() > Duration::from_secs(20) {
        return Err(format!("it took {:?}\n  in {what}", begun.elapsed()));
    }
    let running = left_running(&stage.local());
    if !running.is_empty() {
        return Err(format!("left running: {running:?}\n  in {what}"));
    }
    alone(|| async {
        let broken = stage.seen.broken(&stage.context()).await;
        if !broken.is_empty() {
            return Err(format!("right after: {broken:#?}\n  in {what}"));
        }
        stage.finishes(&what).await.map(|()| true)
    })
}

fn at_every_step(signal: Signal, works: &[Work], most: usize) {
    let (mut tried, mut broken) = (0, Vec::new());
    for work in works {
        let fate = &work.undisturbed().fate;
        let effects = fate.effects();
        // What lies between two effects changes nothing, so that after one is before the next.
        let mut steps: Vec<_> = sample(&effects, most, 7).into_iter().map(|at| (false, at)).collect();
        steps.extend(effects.iter().filter(|_| mode() == Mode::Long).map(|at| (true, *at)));
        for (before, at) in steps {
            match step(*work, signal, before, at) {
                Ok(_) => tried += 1,
                Err(why) => broken.push(why),
            }
        }
    }
    report(&format!("{signal:?} {works:?}"), tried, works.len() * 2, &broken);
}

#[test]
fn a_release_is_killed_at_every_step() {
    at_every_step(Signal::Kill, &[Work::First, Work::Second, Work::Death], 8);
}

#[test]
fn what_follows_a_release_is_killed_at_every_step() {
    at_every_step(Signal::Kill, &[Work::Promote, Work::Rollback], 20);
    at_every_step(Signal::Kill, &[Work::Sync], 10);
    at_every_step(Signal::Kill, &[Work::Reviewed, Work::Glass], 4);
}

#[test]
fn every_command_is_interrupted() {
    at_every_step(Signal::Interrupt, &ALL, 2);
}

/// The real binary, in the middle of a build and of a question to a function.
#[test]
fn ctrl_c_ends_the_binary_with_a_word() {
    let project = Project::new();
    for (signal, phase, by) in [("INT", "building", "Ctrl-C"), ("TERM", "dev: smoke before traffic", "SIGTERM")] {
        let mut command = project.command(project.root(), &["release"]);
        let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let id = running.id().to_string();
        let mut story = String::new();
        for line in BufReader::new(running.stderr.take().unwrap()).lines().map(Result::unwrap) {
            if line.trim_start().strip_prefix("...").is_some_and(|name| name.trim() == phase) {
                let sent = Command::new("/bin/sh").args(["-c", "kill -s $0 $1", signal, &id]).status().unwrap();
                assert!(sent.success());
            }
            story.push_str(&line);
            story.push('\n');
        }
        assert_eq!(running.wait().unwrap().code(), Some(8), "{story}");
        assert!(story.contains(&format!("error: interrupted by {by}: `cargo xtask release` is unfinished")), "{story}");
        assert!(story.contains("run the same command again; what was done is recorded"), "{story}");
        assert_eq!(left_running(&project.local().join("fleet")), [""; 0], "{story}");
        project.xtask(&["audit", "verify"]).expect(0);
    }
    assert_eq!(project.json(0, &["release"])["release"], "v1.0.0");
    let audit = project.json(0, &["audit", "verify"]);
    assert_eq!((&audit["releases"], &audit["entries"]), (&1.into(), &12.into()), "nothing was done twice");
}

/// A folder in which nothing runs has nothing left running, and one in which something runs has.
#[test]
fn what_runs_below_a_folder_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap();
    assert_eq!(left_running(path), [""; 0]);
    let mut child = Command::new("/bin/cat").current_dir(path).stdin(Stdio::piped()).spawn().unwrap();
    let seen = left_running(path);
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
}
