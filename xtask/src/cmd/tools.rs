//! What `doctor` says of this machine: the tools that a build needs, and those that only some commands need.

use xshell::{Shell, cmd};

use super::doctor::Examined;
use crate::adapters::{debugger, python};

/// Every tool. What only some commands need is no fault where it is missing.
///
/// # Errors
/// If there is no working directory.
pub(super) fn all() -> anyhow::Result<Vec<Examined>> {
    let shell = Shell::new()?;
    let ask = |what, command: xshell::Cmd<'_>, remedy| match command.quiet().ignore_stderr().read() {
        Ok(text) => Examined::good(what, text.lines().next().unwrap_or_default().to_owned()),
        Err(_) => Examined::missing(what, remedy),
    };
    let mut all = vec![
        ask("rustc", cmd!(shell, "rustc --version"), "install Rust with rustup"),
        ask("cargo", cmd!(shell, "cargo --version"), "install Rust with rustup"),
        ask("C compiler", cmd!(shell, "cc --version"), "install a C compiler: SQLite and libgit2 are built with it"),
        ask("git", cmd!(shell, "git --version"), "install git: the tests make repositories with it"),
    ];
    let fmt = "for what CI checks: `rustup component add rustfmt clippy`";
    all.push(ask("rustfmt", cmd!(shell, "cargo fmt --version"), fmt).optional());
    all.push(ask("clippy", cmd!(shell, "cargo clippy --version"), fmt).optional());
    all.push(debuggers(
        ask("debugger", cmd!(shell, "gdb --version"), "for `invoke --debug`: `apt-get install gdb`, or lldb"),
        ask("debugger", cmd!(shell, "lldb --version"), ""),
    ));
    all.push(match debugger::refused() {
        None => Examined::good("attaching", "a debugger may attach to a function".to_owned()),
        Some(remedy) => {
            Examined::bad("attaching", "no debugger may attach to a function".to_owned(), remedy).optional()
        }
    });
    all.push(match python::examined() {
        Ok(()) => Examined::good("Python", "3.11 or newer, with venv".to_owned()),
        Err(refused) => {
            let remedy = "for `local up`: `apt-get install python3 python3-venv`";
            Examined::bad("Python", refused.to_string(), remedy).optional()
        }
    });
    Ok(all)
}

/// One of the two will do.
fn debuggers(gdb: Examined, lldb: Examined) -> Examined {
    if !gdb.is_good() && lldb.is_good() { lldb } else { gdb.optional() }
}
