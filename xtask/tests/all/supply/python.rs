//! Python's own tools for supply chains.

use std::process::Command;

use crate::support;

/// Runs a script with arguments; what it prints, and whether it succeeded.
pub(crate) fn python(script: &str, arguments: &[&str]) -> (bool, String) {
    let interpreter = support::python::python("supply", include_str!("../../requirements/supply.txt"));
    let output = Command::new(interpreter).arg("-c").arg(script).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}
