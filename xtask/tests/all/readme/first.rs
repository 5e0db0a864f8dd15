//! The first change, typed as written into the shells of three terminals, in a copy of this very repository. Only the port is
//! another, since the one of the page may be taken. Comments announce what is to be seen.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use super::{README, lines};
use crate::support::{copy::Copy, project::Ran};

const HEADING: &str = "## The first change";

/// As in a terminal; what is left running becomes the program itself, so that it can be ended.
const SHELL: &str = r#"cargo() { if [ "$1" = xtask ]; then shift; exec "$XTASK" "$@"; else command cargo "$@"; fi; }"#;

/// Much longer than anything here takes on a machine that builds it for the first time.
const LIMIT: Duration = Duration::from_secs(900);

/// A terminal in which something was left running.
struct Terminal {
    child: Child,
    story: Receiver<String>,
}

impl Terminal {
    fn open(copy: &Copy, line: &str) -> Self {
        let mut shell = shell(copy, line);
        let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, story) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        // Ends with the program; what nobody waits for is not kept up.
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, story }
    }

    /// The next line that says this.
    fn until(&self, text: &str) -> String {
        let end = Instant::now() + LIMIT;
        let mut told = String::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.story.recv_timeout(left);
            let line = line.unwrap_or_else(|error| panic!("the terminal does not say `{text}` ({error}): {told}"));
            if line.contains(text) {
                return line;
            }
            told = format!("{told}{line}\n");
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn shell(copy: &Copy, line: &str) -> std::process::Command {
    let mut shell = copy.program("sh");
    shell.arg("-c").arg(format!("{SHELL}\n{line}")).env("XTASK", env!("CARGO_BIN_EXE_xtask"));
    shell
}

/// What a comment puts between quotes behind these words.
fn announced<'l>(line: &'l str, words: &str) -> Option<&'l str> {
    let (_, comment) = line.split_once(" # ")?;
    let (_, text) = comment.split_once(&format!("{words} \""))?;
    text.split('"').next()
}

#[test]
fn the_first_change_goes_as_written() {
    let copy = Copy::new("first-change");
    let (mut terminals, mut address) = (Vec::new(), String::new());
    let (mut checked, mut waited) = (0, Duration::ZERO);
    for (line, _) in lines(README, HEADING) {
        let typed = line.replace("127.0.0.1:3000", &address).replace("xtask serve ", "xtask serve --port 0 ");
        if let Some(words) = announced(line, "leave it running, it says") {
            let terminal = Terminal::open(&copy, &typed);
            let said = terminal.until(words);
            if let Some((_, listening)) = said.split_once("serving http://") {
                address = listening.split(',').next().unwrap().to_owned();
            }
            terminals.push(terminal);
            continue;
        }
        let begun = Instant::now();
        let ran = Ran::of(shell(&copy, &typed).output().unwrap()).expect(0);
        if let Some(answer) = announced(line, "answers") {
            assert!(ran.stdout.contains(answer), "{line}\n{}\n{}", ran.stdout, ran.stderr);
            checked += 1;
        }
        if let Some(words) = announced(line, "the first terminal says") {
            let said = terminals[0].until(words);
            assert!(!said.contains("Alice") && !said.contains("PROD"), "personal data in the log: {said}");
            (checked, waited) = (checked + 1, waited.max(begun.elapsed()));
        }
    }
    assert_eq!((checked, terminals.len()), (7, 2), "the section is written in another way now");
    // The function that was looked into goes on to its answer.
    let mut invoke = terminals.pop().unwrap();
    let mut answer = String::new();
    invoke.child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert!(invoke.child.wait().unwrap().success() && answer.contains("99.99"), "{answer}");
    println!("from a saved service.rs to the new answer: {:.1} s", waited.as_secs_f64());
}
