//! Whether Lambda will start an artifact, and whether it may be sealed: judged before anything is uploaded.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{
    binary::{Binary, Executable, Glibc},
    configuration::Architecture,
    names::FunctionName,
};

/// What runs an artifact.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// Lambda's name for it.
    pub name: &'static str,
    /// Its glibc.
    pub glibc: Glibc,
    /// The shared libraries that it brings.
    libraries: &'static [&'static str],
}

/// The most that Lambda unpacks, layers included, in bytes (its quotas page: 250 MB).
pub const LARGEST: u64 = 250 << 20;

/// Amazon Linux 2023 as Lambda runs it: glibc 2.34 and what belongs to it, and gcc's run-time library.
#[must_use]
pub fn provided_al2023() -> Runtime {
    const LIBRARIES: [&str; 12] = [
        "libc.so.6",
        "libm.so.6",
        "libdl.so.2",
        "libpthread.so.0",
        "librt.so.1",
        "libutil.so.1",
        "libresolv.so.2",
        "libanl.so.1",
        "libgcc_s.so.1",
        "libstdc++.so.6",
        "ld-linux-x86-64.so.2",
        "ld-linux-aarch64.so.1",
    ];
    Runtime { name: "provided.al2023", glibc: Glibc(vec![2, 34]), libraries: &LIBRARIES }
}

/// What an artifact must fit.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The function.
    pub function: &'a FunctionName,
    /// The processor that it is declared for.
    pub architecture: Architecture,
    /// What runs it.
    pub runtime: &'a Runtime,
    /// The shared libraries that its layers bring.
    pub libraries: &'a BTreeSet<String>,
    /// The most that its layers unpack to in any environment, in bytes.
    pub layers: u64,
    /// What it lacks or what is not known of its layers, each once.
    pub lacking: &'a BTreeSet<String>,
    /// Whether it only runs on this machine, so that this machine's glibc is the one that counts.
    pub here: bool,
}

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The function.
    pub function: FunctionName,
    /// In one sentence.
    pub text: String,
    /// What to do about it.
    pub remedy: String,
    /// Whether nothing may be sealed with it; else it is a warning.
    pub fatal: bool,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; {}", self.function, self.text, self.remedy)
    }
}

/// Everything that does not fit, most telling first.
#[must_use]
pub fn judge(wanted: &Wanted<'_>, binary: &Binary) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut add = |text: String, remedy: &str, fatal: bool| {
        found.push(Problem { function: wanted.function.clone(), text, remedy: remedy.to_owned(), fatal });
    };
    files(binary, wanted.layers, &mut add);
    for text in wanted.lacking {
        add(text.clone(), "`[layers]` of release.toml says what each holds", false);
    }
    match &binary.executable {
        Some(Ok(executable)) => program(wanted, executable, &mut add),
        Some(Err(why)) => {
            add(format!("`bootstrap` cannot be started: {why}"), "pack an executable that cargo built for Linux", true);
        }
        None => {}
    }
    for leak in &binary.leaks {
        let text = format!("`bootstrap` holds {} at byte {}: {}", leak.what, leak.offset, leak.shown);
        let remedy = if leak.what.contains("path") {
            "take `env!` and `include!` of such paths out: the same commit must give the same bytes elsewhere"
        } else {
            "take it out of the source, and out of use: whoever can read the artifact has it; secrets belong in Secrets Manager"
        };
        add(text, remedy, true);
    }
    found
}

type Add<'a> = dyn FnMut(String, &str, bool) + 'a;

fn files(binary: &Binary, layers: u64, add: &mut Add<'_>) {
    let bootstraps: Vec<_> = binary.files.iter().filter(|file| file.name == "bootstrap").collect();
    match bootstraps.as_slice() {
        [one] => {
            let mode = one.mode.unwrap_or(0);
            let (kind, bits) = (mode & 0o170_000, mode & 0o7777);
            if kind != 0 && kind != 0o100_000 {
                add("`bootstrap` is no plain file".to_owned(), "pack the executable itself, not a link to it", true);
            } else if bits & 0o555 != 0o555 {
                let text = format!("`bootstrap` has mode {bits:04o}, so Lambda's user cannot start it");
                add(text, "pack it with mode 0755", true);
            }
        }
        [] => {
            let names = binary.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>();
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            let text = format!("there is no `bootstrap` at the root of the zip, only {names}");
            add(text, "the runtime starts the file of that very name: name it so", true);
        }
        _ => add("there is more than one `bootstrap` in the zip".to_owned(), "pack one", true),
    }
    let own: u64 = binary.files.iter().map(|file| file.size).sum();
    if own.saturating_add(layers) > LARGEST || binary.packed > LARGEST {
        let with = if layers > 0 { format!(" and its layers {layers}") } else { String::new() };
        let text = format!("it is {own} bytes unpacked{with} ({} packed), and Lambda takes {LARGEST}", binary.packed);
        add(text, "make it smaller: strip symbols, drop features of dependencies, move data to S3", true);
    }
}

fn program(wanted: &Wanted<'_>, executable: &Executable, add: &mut Add<'_>) {
    let Runtime { name, glibc, libraries } = wanted.runtime;
    let (machine, loader) = match wanted.architecture {
        Architecture::X86_64 => ("x86_64", "/lib64/ld-linux-x86-64.so.2"),
        Architecture::Arm64 => ("aarch64", "/lib/ld-linux-aarch64.so.1"),
    };
    if let Err(why) = &executable.startable {
        add(format!("`bootstrap` cannot be started: {why}"), "pack the binary, not a library", true);
    }
    if executable.machine != machine {
        let text = format!("`bootstrap` is made for {}, the function is declared for {machine}", executable.machine);
        add(text, "set `build.target` in release.toml to the processor that is meant", true);
        return;
    }
    if let Some(found) = executable.loader.as_ref().filter(|found| *found != loader) {
        let text = format!("`bootstrap` asks for the loader {found}, which {name} does not have");
        add(text, "build for a `-linux-gnu` target, or link musl statically", true);
    }
    let missing = |library: &&String| !libraries.contains(&library.as_str()) && !wanted.libraries.contains(*library);
    for library in executable.libraries.iter().filter(missing) {
        let text = format!("`bootstrap` needs the library {library}, which {name} does not have");
        let remedy =
            "link it statically, or declare the layer that brings it: `layers` and `libraries` of the function";
        add(text, remedy, !wanted.here);
    }
    let too_new = executable.glibc.iter().filter(|(version, _)| *version > glibc);
    let symbols: Vec<String> =
        too_new.flat_map(|(version, symbols)| symbols.iter().map(move |s| format!("{s} ({version})"))).collect();
    if let Some(highest) = executable.glibc.keys().next_back().filter(|highest| *highest > glibc) {
        let more = if symbols.len() > 8 { format!(" and {} more", symbols.len() - 8) } else { String::new() };
        let shown = symbols.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
        let text = format!("`bootstrap` needs glibc {highest}, {name} has {glibc}: {shown}{more}");
        let remedy = format!("set `build.glibc = \"{glibc}\"` in release.toml, which builds with cargo-zigbuild");
        add(text, &remedy, !wanted.here);
    }
}

#[cfg(test)]
mod tests;
