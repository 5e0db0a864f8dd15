//! Ending early: Ctrl-C, and whoever ends processes politely (a CI system that cancels a job), end a command at once, in
//! order, and with a word about what goes on. Every step is recorded before it is taken, so that nothing needs mending.

use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// How long work that cannot be left in the middle, such as a file being written, may still take.
const GRACE: Duration = Duration::from_millis(500);

/// Runs a command until it ends or is told to end. `typed` is what was typed, for the word about what goes on. `end` is what
/// comes of a command that is meant to be ended that way.
///
/// # Errors
/// What the command says; unfinished, if it was told to end and is not meant to be.
pub fn unless_interrupted<T: Send + 'static>(
    typed: &str,
    end: Option<T>,
    command: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start")?;
    let ended = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for Ctrl-C")?;
        let mut terminate = signal(SignalKind::terminate()).context("failed to listen for the signal to end")?;
        // A task of its own: a build blocks the thread that waits for it, and this one must hear the signal.
        let running = tokio::spawn(command);
        tokio::select! {
            biased;
            _ = interrupt.recv() => end.ok_or_else(|| interrupted(typed, "Ctrl-C").into()),
            _ = terminate.recv() => end.ok_or_else(|| interrupted(typed, "SIGTERM").into()),
            ended = running => ended.unwrap_or_else(|gone| std::panic::resume_unwind(gone.into_panic())),
        }
    });
    // Dropping what runs gives locks back and stops the functions that were started.
    runtime.shutdown_timeout(GRACE);
    ended
}

fn interrupted(typed: &str, by: &str) -> Failure {
    let what = format!("interrupted by {by}: `cargo xtask {typed}` is unfinished; see `cargo xtask status`");
    Failure::Unfinished { what, source: None }
}
