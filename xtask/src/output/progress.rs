//! The story on stderr: on a terminal a line that moves per phase, elsewhere plain lines. Each phase tells its time.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    model::{plain, time::Time},
    output::text::{self, CYAN, GREEN, YELLOW},
    ports::{
        clock::Clock,
        story::{Phase, Story},
    },
};

/// How much to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only warnings.
    Quiet,
    /// Phases, notes and warnings.
    Normal,
    /// Also every step of a phase.
    Verbose,
}

/// Tells the story on stderr.
#[derive(Clone)]
pub struct Narrator {
    level: Level,
    color: ColorChoice,
    moving: bool,
    clock: Arc<dyn Clock>,
}

impl Narrator {
    /// A narrator. A line that moves is shown only on a terminal, and not where every step is told anyway.
    #[must_use]
    pub fn new(level: Level, color: ColorChoice, clock: Arc<dyn Clock>) -> Self {
        Self { level, color, moving: level == Level::Normal && io::stderr().is_terminal(), clock }
    }

    fn line(&self, style: Style, label: &str, text: &str) {
        let mut out = AutoStream::new(io::stderr(), self.color);
        // What goes on below is set in, so that it cannot pass for a line of its own.
        let text = plain::lines(text).replace('\n', "\n         ");
        // Where stderr is gone there is nobody left to tell.
        writeln!(out, "{style}{label:>7}{style:#}  {text}").unwrap_or_default();
    }
}

impl Story for Narrator {
    fn phase(&self, name: &str) -> Box<dyn Phase> {
        let bar = if self.moving { spinner(name) } else { ProgressBar::hidden() };
        if !self.moving && self.level > Level::Quiet {
            self.line(CYAN, "...", name);
        }
        Box::new(Telling {
            narrator: self.clone(),
            name: name.to_owned(),
            began: self.clock.now(),
            bar,
            ended: AtomicBool::new(false),
        })
    }

    fn note(&self, text: &str) {
        if self.level > Level::Quiet {
            self.line(CYAN, "note", text);
        }
    }

    fn warn(&self, text: &str) {
        self.line(YELLOW, "warning", text);
    }
}

fn spinner(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner:>7}  {prefix}: {wide_msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

struct Telling {
    narrator: Narrator,
    name: String,
    began: Time,
    bar: ProgressBar,
    ended: AtomicBool,
}

impl Phase for Telling {
    fn now(&self, detail: &str) {
        self.bar.set_message(plain::line(detail));
        if self.narrator.level == Level::Verbose {
            self.narrator.line(CYAN, "", &format!("{}: {detail}", self.name));
        }
    }

    fn done(self: Box<Self>, detail: &str) {
        self.ended.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
        if self.narrator.level > Level::Quiet {
            let took = text::duration(self.narrator.clock.now().since(self.began));
            self.narrator.line(GREEN, "done", &format!("{} in {took}: {detail}", self.name));
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !self.ended.load(Ordering::Relaxed) {
            self.bar.finish_and_clear();
        }
    }
}
