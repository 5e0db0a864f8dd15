//! Packing many functions: a zip and a SHA-256 each.

use std::{collections::BTreeMap, fs, num::NonZeroUsize, thread};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use serde::Serialize;
use xshell::{Cmd, Shell, cmd};

use super::{Figures, measured, milliseconds};
use crate::adapters::archive;

/// What was packed, and how fast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packaging {
    /// How many functions.
    pub functions: usize,
    /// The size of each executable, in bytes.
    pub size: usize,
    /// How many processors this machine has.
    pub processors: usize,
    /// The contestants; this tool first.
    pub figures: Vec<Figures>,
    /// Contestants that are not installed, each with how to get it.
    pub missing: BTreeMap<String, String>,
}

/// Packs so many functions of so many bytes with each contestant, in a folder of its own. The executables are pieces of the
/// compiler's own libraries.
///
/// # Errors
/// If the compiler is not there, or a contestant fails.
pub fn run(folder: &Utf8Path, functions: usize, size: usize, now: &dyn Fn(&str)) -> anyhow::Result<Packaging> {
    now("making the executables");
    let bench = Bench { folder: folder.to_owned(), functions, shell: Shell::new()? };
    bench.shell.change_dir(folder);
    bench.make(size)?;
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut figures = Vec::new();
    for name in ["cargo xtask", "cargo xtask, nothing changed"] {
        now(name);
        figures.push(bench.own(name)?);
    }
    let mut missing = BTreeMap::new();
    if bench.has("zip")? {
        for (name, at_once) in [("zip -9", 1), ("zip -9, on all processors", processors)] {
            now(name);
            figures.push(bench.theirs(name, at_once, "zip -9 -X -q -j out/@.zip in/@/bootstrap")?);
        }
    } else {
        missing.insert("zip".to_owned(), "apt-get install zip".to_owned());
    }
    let seven = ["7zz", "7z", "7za"].into_iter().find_map(|name| bench.has(name).ok()?.then_some(name));
    if let Some(seven) = seven {
        let name = "7-Zip -mx=5, on all processors";
        now(name);
        let line = format!("{seven} a -tzip -mx=5 -mmt=1 -bso0 -bsp0 out/@.zip ./in/@/bootstrap");
        figures.push(bench.theirs(name, processors, &line)?);
    } else {
        missing.insert("7-Zip".to_owned(), "apt-get install 7zip".to_owned());
    }
    Ok(Packaging { functions, size, processors, figures, missing })
}

struct Bench {
    folder: Utf8PathBuf,
    functions: usize,
    shell: Shell,
}

impl Bench {
    fn names(&self) -> Vec<String> {
        (0..self.functions).map(|number| format!("f{number:03}")).collect()
    }

    /// Cuts the executables out of the largest library that the compiler brings.
    fn make(&self, size: usize) -> anyhow::Result<()> {
        let sysroot =
            cmd!(self.shell, "rustc --print sysroot").quiet().read().context("failed to find the compiler")?;
        let libraries = Utf8PathBuf::from(sysroot).join("lib");
        let mut largest = (0, None);
        for entry in libraries.read_dir_utf8().with_context(|| format!("failed to look into {libraries}"))? {
            let entry = entry?;
            largest = largest.max((entry.metadata()?.len(), Some(entry.into_path())));
        }
        let Some(path) = largest.1 else { bail!("{libraries} is empty: there is nothing to pack") };
        let content = fs::read(&path).with_context(|| format!("failed to read {path}"))?;
        let Some(room) = content.len().checked_sub(size) else { bail!("{path} is smaller than one function") };
        for (number, name) in self.names().iter().enumerate() {
            let from = room / self.functions * number;
            let to = self.folder.join("in").join(name);
            fs::create_dir_all(&to)?;
            fs::write(to.join("bootstrap"), &content[from..from + size])
                .with_context(|| format!("failed to write {to}"))?;
        }
        fs::create_dir_all(self.folder.join("own"))?;
        Ok(())
    }

    fn own(&self, contestant: &str) -> anyhow::Result<Figures> {
        let folder = &self.folder;
        let pack = |name: String| {
            let executable = folder.join("in").join(&name).join("bootstrap");
            archive::pack(&executable, &folder.join("own").join(format!("{name}.zip"))).map(|(_, size)| size)
        };
        let (bytes, wall, cpu) = measured(|| self.names().into_par_iter().map(pack).sum::<anyhow::Result<u64>>())?;
        Ok(Figures { contestant: contestant.to_owned(), wall_ms: milliseconds(wall), cpu_ms: milliseconds(cpu), bytes })
    }

    /// Runs a command line for each function, so many at once, and hashes what came out. `@` stands for the function.
    fn theirs(&self, contestant: &str, at_once: usize, line: &str) -> anyhow::Result<Figures> {
        let out = self.folder.join("out");
        fs::create_dir_all(&out)?;
        let (names, at_once) = (self.names(), at_once.to_string());
        let archives: Vec<String> = names.iter().map(|name| format!("out/{name}.zip")).collect();
        let words: Vec<&str> = line.split(' ').collect();
        let ((), wall, cpu) = measured(|| {
            let each = cmd!(self.shell, "xargs -P {at_once} -I @").args(&words).stdin(names.join("\n"));
            done(each, contestant)?;
            done(cmd!(self.shell, "sha256sum").args(&archives), contestant)
        })?;
        let mut bytes = 0;
        for archive in &archives {
            bytes += self.folder.join(archive).metadata()?.len();
        }
        fs::remove_dir_all(&out)?;
        Ok(Figures { contestant: contestant.to_owned(), wall_ms: milliseconds(wall), cpu_ms: milliseconds(cpu), bytes })
    }

    fn has(&self, program: &str) -> anyhow::Result<bool> {
        let asked = cmd!(self.shell, "sh -c").arg(format!("command -v {program}")).quiet().ignore_status().output()?;
        Ok(asked.status.success())
    }
}

fn done(command: Cmd<'_>, contestant: &str) -> anyhow::Result<()> {
    let ended = command.quiet().ignore_status().output().with_context(|| format!("failed to start {contestant}"))?;
    if !ended.status.success() {
        bail!("{contestant} failed: {}", String::from_utf8_lossy(&ended.stderr).trim_end());
    }
    Ok(())
}
