//! Programs from Python's package index, each set in a virtual environment of its own: exactly what a requirements file
//! pins, and nothing that those packages ask for beside it.

use std::fs::{self, File};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use xshell::{Shell, cmd};

use crate::failure::Failure;

/// What a Python must have; prints what is missing, in one word or two.
const EXAMINE: &str = "
import sys
if sys.version_info < (3, 11):
    print('version', sys.version.split()[0])
for module in ['venv', 'ensurepip']:
    try:
        __import__(module)
    except ImportError:
        print('module', module)
";

/// The interpreter that has what the requirements pin, in a virtual environment below `folder`. Whoever asks first
/// installs it; others, in other processes, too, wait for that. `told` hears that something is installed.
///
/// # Errors
/// Usage: there is no Python that could do it; the message says what is missing. Unfinished: the index did not give it.
pub fn installed(folder: &Utf8Path, requirements: &str, told: &dyn Fn(&str)) -> anyhow::Result<Utf8PathBuf> {
    let (venv, whole, list) = (folder.join("venv"), folder.join("installed.txt"), folder.join("requirements.txt"));
    let python = venv.join("bin/python");
    fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {folder}"))?;
    let lock = File::create(folder.join("lock")).with_context(|| format!("failed to make {folder}/lock"))?;
    lock.lock().with_context(|| format!("failed to take the lock {folder}/lock"))?;
    // Written last: a virtual environment without it is half made.
    if fs::read_to_string(&whole).is_ok_and(|made| made == requirements) && python.is_file() {
        return Ok(python);
    }
    let shell = Shell::new().context("failed to find the working directory")?;
    examine(&shell)?;
    told(&format!("installing {} Python packages into {venv}", pins(requirements)));
    fs::write(&list, requirements).with_context(|| format!("failed to write {list}"))?;
    finish(cmd!(shell, "python3 -m venv --clear {venv}"), "Python made no virtual environment")?;
    let pip = cmd!(shell, "{python} -m pip install --quiet --disable-pip-version-check");
    let pip = pip.args(["--only-binary", ":all:", "--no-deps", "--requirement", list.as_str()]);
    finish(pip, "the package index of pip did not give what is asked for")?;
    fs::write(&whole, requirements).with_context(|| format!("failed to write {whole}"))?;
    Ok(python)
}

/// Whether there is a Python that could do it.
///
/// # Errors
/// Usage: there is none; the message says what is missing.
pub fn examined() -> Result<(), Failure> {
    let shell = Shell::new().map_err(|error| Failure::unfinished("failed to find the working directory", error))?;
    examine(&shell)
}

/// The version that the requirements pin of a package.
#[must_use]
pub fn pinned<'a>(requirements: &'a str, package: &str) -> Option<&'a str> {
    requirements.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="))
}

fn pins(requirements: &str) -> usize {
    requirements.lines().filter(|line| line.contains("==")).count()
}

fn examine(shell: &Shell) -> Result<(), Failure> {
    let asked = cmd!(shell, "python3 -c {EXAMINE}").quiet().ignore_stderr().read();
    let said = asked.unwrap_or_else(|_none| "nothing".to_owned());
    let missing = |line: &str| match line.split_once(' ') {
        Some(("version", found)) => format!("`python3` is {found}, and 3.11 is the oldest that will do"),
        Some((_, module)) => format!("`python3` has no module `{module}`"),
        None => "there is no `python3` that can be started".to_owned(),
    };
    let missing: Vec<String> = said.lines().map(missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "Python 3.11 or newer with its modules `venv` and `ensurepip` is needed: {}; install it (Debian and Ubuntu: \
         `apt-get install python3 python3-venv`)",
        missing.join(", and ")
    )))
}

fn finish(command: xshell::Cmd<'_>, failed: &str) -> Result<(), Failure> {
    let told = command.to_string();
    let output = command.quiet().ignore_status().output().map_err(|error| Failure::unfinished(failed, error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Err(Failure::unfinished(failed, format!("`{told}` says:\n{}", said.trim_end())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// What is said where `python3` is this script, or is not there.
    fn refusal(script: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::new().unwrap();
        if let Some(script) = script {
            let python = folder.path().join("python3");
            fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        }
        shell.set_var("PATH", folder.path());
        examine(&shell).map_or_else(|refused| refused.to_string(), |()| "nothing is missing".to_owned())
    }

    #[test]
    fn what_is_missing_is_said_with_how_to_get_it() {
        assert_eq!(refusal(Some("exit 0")), "nothing is missing");
        for (script, says) in [
            (None, "there is no `python3` that can be started"),
            (Some("echo version 3.9.2"), "`python3` is 3.9.2, and 3.11 is the oldest"),
            (Some("echo module ensurepip"), "`python3` has no module `ensurepip`"),
        ] {
            let said = refusal(script);
            assert!(said.contains(says) && said.contains("apt-get install python3 python3-venv"), "{said}");
        }
    }

    #[test]
    fn the_version_stands_in_the_requirements() {
        let requirements = "# tools\nministack-x==2\nministack==1.5.33\n";
        assert_eq!((pinned(requirements, "ministack"), pinned(requirements, "mini")), (Some("1.5.33"), None));
        assert_eq!(pins(requirements), 2);
    }
}
