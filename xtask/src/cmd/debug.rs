//! A function that is held back for a debugger: it runs, and its event is handed out when one is attached.

use std::{fs, time::Duration};

use anyhow::{Context as _, bail};

use crate::{
    adapters::{
        debugger,
        local::host::{Host, Spec},
    },
    context::Context,
    model::names::FunctionName,
};

/// How long an invocation may take that somebody looks at, in seconds: a day. What is over by then was forgotten.
const LIMIT_S: u32 = 86_400;

/// How often the kernel is asked: nobody notices.
const PAUSE: Duration = Duration::from_millis(50);

/// The same function, with time to be looked at.
pub(super) fn unhurried(spec: Spec) -> Spec {
    Spec { timeout_s: LIMIT_S, ..spec }
}

/// Says how to attach, and waits until somebody has. The process's number stands in `debugger.pid` meanwhile, where the
/// configuration in `.vscode/launch.json` looks for it.
///
/// # Errors
/// If the process ends before that.
pub(super) async fn attached(context: &Context, host: &mut Host, function: &FunctionName) -> anyhow::Result<()> {
    let pid = host.pid().with_context(|| format!("{function} ended before a debugger could be attached"))?;
    let file = context.local.join("debugger.pid");
    fs::write(&file, pid.to_string()).with_context(|| format!("failed to write {file}"))?;
    context.story.note(&format!(
        "{function} is process {pid}; it gets its event when a debugger is attached:\n\
         VS Code  set a breakpoint, and start \"Attach to the function that waits\" (extension CodeLLDB)\n\
         gdb      rust-gdb -p {pid} -ex 'break service.rs:LINE' -ex continue\n\
         lldb     rust-lldb -p {pid} -o 'breakpoint set --file service.rs --line LINE' -o continue"
    ));
    if let Some(remedy) = debugger::refused() {
        context.story.warn(&format!("this machine lets no debugger attach to it: {remedy}"));
    }
    while !debugger::is_attached(pid) {
        if !host.is_running() {
            bail!("{function} ended while it waited for a debugger");
        }
        context.clock.sleep(PAUSE).await;
    }
    fs::remove_file(&file).with_context(|| format!("failed to remove {file}"))?;
    context.story.note("a debugger is attached; let it continue");
    Ok(())
}
