//! Replacing this process by another one. Decides nothing.

use std::{ffi::OsString, io, os::unix::process::CommandExt as _};

/// A program to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The program, by name or path.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// One variable beside those of this process.
    pub variable: (String, String),
}

/// Becomes that program, in the same folder, with the same streams. Comes back only with the reason why not.
#[expect(clippy::disallowed_methods, reason = "nothing is started: this process becomes another")]
#[must_use]
pub fn replace(call: &Call) -> io::Error {
    let (name, value) = &call.variable;
    std::process::Command::new(&call.program).args(&call.arguments).env(name, value).exec()
}
