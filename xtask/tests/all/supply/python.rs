//! Python's own tools for supply chains, in a virtual environment below the build folder, installed by whoever asks first.

use std::{fs, process::Command};

use camino::{Utf8Path, Utf8PathBuf};

/// What the tools are, and all that they need.
const PINS: &str = "arrow==1.4.0 attrs==26.1.0 boolean.py==5.0 cffi==2.1.1 cryptography==50.0.2 \
    cyclonedx-python-lib==11.12.0 defusedxml==0.7.1 fqdn==1.6.0 idna==3.20 isoduration==20.11.0 jsonpointer==3.12 \
    jsonschema==4.26.0 jsonschema-specifications==2025.9.1 lark==1.3.1 license-expression==30.4.4 \
    packageurl-python==0.17.6 py-serializable==2.2.0 pycparser==3.12 python-dateutil==2.9.0.post0 referencing==0.37.0 \
    rfc3339-validator==0.1.4 rfc3986-validator==0.1.1 rfc3987-syntax==1.1.0 rpds-py==2026.9.1 \
    securesystemslib==1.6.0 six==1.17.0 sortedcontainers==2.4.0 typing_extensions==4.16.0 tzdata==2026.6 \
    uri-template==1.3.0 webcolors==25.10.0";

/// Runs a script with arguments; what it prints, and whether it succeeded.
pub(super) fn python(script: &str, arguments: &[&str]) -> (bool, String) {
    let output =
        Command::new(tools("supply", PINS).join("python")).arg("-c").arg(script).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The folder of programs of a virtual environment that has exactly these packages.
pub(super) fn tools(name: &str, pins: &str) -> Utf8PathBuf {
    let base = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let (python, whole) = (base.join("venv/bin/python"), base.join("pins"));
    fs::create_dir_all(&base).unwrap();
    let lock = fs::File::create(base.join("lock")).unwrap();
    lock.lock().unwrap();
    if fs::read_to_string(&whole).is_ok_and(|made| made == pins) {
        return base.join("venv/bin");
    }
    run(Command::new("python3").args(["-m", "venv", "--clear", base.join("venv").as_str()]));
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    run(Command::new(&python).args(install).args(pins.split_whitespace()));
    fs::write(&whole, pins).unwrap();
    base.join("venv/bin")
}

fn run(command: &mut Command) {
    let needed = "the tests of the supply chain need Python 3.11 or newer with its module `venv` (Debian and Ubuntu: \
                  `apt-get install python3 python3-venv`) and its package index";
    let output = command.output().unwrap_or_else(|error| panic!("{needed}: {error}"));
    assert!(output.status.success(), "{needed}: {}", String::from_utf8_lossy(&output.stderr));
}
