//! The only place that prints: stdout carries the result, stderr the story. Whatever others wrote is shown and not obeyed.

pub mod html;
pub mod pretty;
pub mod progress;
pub mod table;
pub mod text;

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::{
    failure::{self, Failure},
    model::plain,
};

/// What a command answers: for people, for scripts, and whether something is wrong with what it found.
#[derive(Debug, Default)]
pub struct Answer {
    /// For people.
    pub text: String,
    /// For scripts: one JSON document.
    pub json: serde_json::Value,
    /// Why the command still ends with an error although it has a result to show.
    pub failure: Option<Failure>,
}

impl Answer {
    /// An answer.
    ///
    /// # Errors
    /// If the value has no JSON form.
    pub fn new(value: &impl Serialize, text: String) -> anyhow::Result<Self> {
        Ok(Self { text, json: serde_json::to_value(value)?, failure: None })
    }

    /// The same answer, ending with this failure.
    #[must_use]
    pub fn failing(self, failure: Option<Failure>) -> Self {
        Self { failure, ..self }
    }
}

/// How to print.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON document on stdout instead of text.
    pub json: bool,
    /// Whether to colour.
    pub color: ColorChoice,
}

impl Output {
    /// Prints a command's end and gives its exit code. The chain of an error is printed once, here.
    #[must_use]
    pub fn finish(self, result: anyhow::Result<Answer>) -> u8 {
        let (answer, error) = match result {
            Ok(mut answer) => {
                let failure = answer.failure.take();
                (Some(answer), failure.map(anyhow::Error::from))
            }
            Err(error) => (None, Some(error)),
        };
        let code = error.as_ref().map_or(0, |error| failure::find(error).map_or(1, Failure::code));
        let printed = match (&answer, &error) {
            (Some(answer), _) => self.result(answer),
            (None, Some(error)) if self.json => self.json(&failed(error, code)),
            _ => Ok(()),
        };
        if let Some(error) = &error {
            // Where stderr is gone there is nobody left to tell.
            self.story(error, code).unwrap_or_default();
        }
        match printed {
            Err(gone) if gone.kind() != io::ErrorKind::BrokenPipe => {
                let lost = anyhow::Error::from(gone).context("failed to write the result");
                self.story(&lost, 1).unwrap_or_default();
                if code == 0 { 1 } else { code }
            }
            _ => code,
        }
    }

    fn result(self, answer: &Answer) -> io::Result<()> {
        if self.json {
            return self.json(&answer.json);
        }
        let mut out = AutoStream::new(io::stdout(), self.color);
        let text = plain::lines(answer.text.trim_end());
        if text.is_empty() { Ok(()) } else { writeln!(out, "{text}").and_then(|()| out.flush()) }
    }

    fn json(self, value: &serde_json::Value) -> io::Result<()> {
        let mut out = io::stdout();
        writeln!(out, "{}", plain::json(&value.to_string())).and_then(|()| out.flush())
    }

    fn story(self, error: &anyhow::Error, code: u8) -> io::Result<()> {
        let mut out = AutoStream::new(io::stderr(), self.color);
        let (label, style) = if code == 3 { ("note", text::CYAN) } else { ("error", text::RED) };
        let told = plain::lines(&format!("{error:#}"));
        writeln!(out, "{style}{label}{style:#}: {told}")?;
        match failure::find(error).and_then(Failure::remedy) {
            Some(remedy) => writeln!(out, "{remedy}"),
            None => Ok(()),
        }
    }
}

/// How many columns stdout has, if it is a terminal.
#[must_use]
pub fn columns() -> Option<usize> {
    // Some terminals do not know their width, and say 0.
    let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(width.0)).filter(|columns| *columns > 0)
}

fn failed(error: &anyhow::Error, code: u8) -> serde_json::Value {
    let kind = failure::find(error).map_or("unexpected", Failure::kind);
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    serde_json::json!({ "error": { "code": code, "kind": kind, "message": chain.join(": "), "chain": chain } })
}
