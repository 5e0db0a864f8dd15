//! Cargo's messages: progress from what it says, executables from what it reports in JSON.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc,
};

use anyhow::{Context as _, bail};
use camino::Utf8PathBuf;
use cargo_metadata::Message;

use crate::model::names::FunctionName;

/// Runs a build and gives the executables by their binary's name.
///
/// # Errors
/// If cargo fails; the error holds cargo's own words.
pub(super) fn run(
    build: xshell::Cmd<'_>,
    functions: &[FunctionName],
    progress: &dyn Fn(&str),
) -> anyhow::Result<BTreeMap<String, Utf8PathBuf>> {
    let mut child = Command::from(build)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start cargo")?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        bail!("cargo was started without its outputs");
    };
    // Both streams are read at once: a full pipe on either would stop cargo.
    let (executables, words) = std::thread::scope(|scope| {
        let (send, lines) = mpsc::channel();
        scope.spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let json = scope.spawn(move || executables(stdout));
        let mut words = Vec::new();
        for line in lines {
            if let Some(package) = line.trim_start().strip_prefix("Compiling ") {
                progress(&format!("compiling {package}"));
            } else if line.trim_start().starts_with("Blocking") {
                progress("waiting for another cargo to finish with the build folder");
            } else {
                words.push(line);
            }
        }
        (json.join().unwrap_or_else(|_panicked| bail!("failed to read cargo's messages")), words)
    });
    let status = child.wait().context("failed to wait for cargo")?;
    if !status.success() {
        let names = functions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        bail!("cargo failed to build {names} ({status}):\n{}", words.join("\n"));
    }
    executables
}

fn executables(stdout: impl Read) -> anyhow::Result<BTreeMap<String, Utf8PathBuf>> {
    let mut found = BTreeMap::new();
    for message in Message::parse_stream(BufReader::new(stdout)) {
        if let Message::CompilerArtifact(artifact) = message.context("failed to read cargo's messages")?
            && let Some(path) = artifact.executable
        {
            found.insert(artifact.target.name, path);
        }
    }
    Ok(found)
}
