//! The peer of the handlers: the same function for Node, as `infra-local/bench/node` has it, bundled as its users do.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use xshell::{Shell, cmd};

/// The oldest Node that it is written for.
const OLDEST: u32 = 20;

/// Node on this machine, if it is there and not too old.
///
/// # Errors
/// If no process can be started at all.
pub fn found() -> anyhow::Result<Option<Utf8PathBuf>> {
    let shell = Shell::new()?;
    let Ok(path) = cmd!(shell, "node -p process.execPath").quiet().ignore_stderr().read() else { return Ok(None) };
    let version = cmd!(shell, "{path} -p process.versions.node").quiet().read().unwrap_or_default();
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    Ok(major.is_some_and(|major| major >= OLDEST).then(|| Utf8PathBuf::from(path)))
}

/// Installs the packages of `source` in `folder`, and bundles it beside a `bootstrap`. Gives the bundle.
///
/// # Errors
/// If npm or esbuild fails; their own words are in the error.
pub fn bundle(node: &Utf8Path, source: &Utf8Path, folder: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let (build, task) = (folder.join("build"), folder.join("task"));
    for folder in [&build, &task] {
        fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {folder}"))?;
    }
    for file in ["package.json", "package-lock.json", "handler.js", "runtime.js"] {
        fs::copy(source.join(file), build.join(file)).with_context(|| format!("failed to copy {file} of {source}"))?;
    }
    let shell = Shell::new()?;
    shell.change_dir(&build);
    // Scripts of packages are strangers' programs, and none is needed.
    let installed = cmd!(shell, "npm ci --ignore-scripts --no-audit --no-fund").quiet().ignore_stdout().ignore_stderr();
    installed.run().context("npm could not install what infra-local/bench/node names")?;
    let bundle = task.join("index.mjs");
    // Some packages still ask for `require`, which a module has to be given.
    let banner = "--banner:js=import{createRequire}from'node:module';const require=createRequire(import.meta.url);";
    let options = ["--bundle", "--minify", "--platform=node", "--target=node20", "--format=esm", "--log-level=error"];
    let bundling = cmd!(shell, "node_modules/.bin/esbuild runtime.js {options...} {banner} --outfile={bundle}");
    bundling.quiet().run().context("esbuild could not bundle infra-local/bench/node")?;
    let bootstrap = task.join("bootstrap");
    fs::write(&bootstrap, format!("#!/bin/sh\nexec '{node}' index.mjs\n")).context("failed to write the bootstrap")?;
    fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755)).context("failed to write the bootstrap")?;
    Ok(bundle)
}
