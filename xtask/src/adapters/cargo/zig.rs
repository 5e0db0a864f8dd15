//! Building with cargo-zigbuild, for another processor than this machine's or for an older glibc than its own.

use anyhow::Context as _;
use xshell::{Cmd, Shell, cmd};

use super::SystemCargo;
use crate::{
    failure::Failure,
    model::manifest::Zig,
    ports::cargo::{BuildRequest, Purpose},
};

/// Whether this machine's own compiler and linker do not do.
pub(super) fn needed(request: &BuildRequest<'_>, host: &str) -> bool {
    let processor = |triple: &str| triple.split('-').next().unwrap_or_default().to_owned();
    let another = request.target.is_some_and(|target| processor(target) != processor(host));
    request.purpose == Purpose::Seal && (another || request.glibc.is_some())
}

/// What is installed, and that it can build for this target.
///
/// # Errors
/// Usage, if something has to be installed first: what and how.
pub(super) fn ask(cargo: &SystemCargo, shell: &Shell, request: &BuildRequest<'_>, target: &str) -> anyhow::Result<Zig> {
    let ask =
        |command: Cmd<'_>| cargo.clean(command).ignore_status().ignore_stderr().read().ok().filter(|v| !v.is_empty());
    let why = match request.glibc {
        Some(glibc) => format!("glibc {glibc}"),
        None => target.to_owned(),
    };
    let missing = |what: &str, how: &str| Failure::usage(format!("building for {why} needs {what}: {how}"));
    let library = cargo.clean(cmd!(shell, "rustc --print target-libdir --target {target}"));
    let library = library.read().with_context(|| format!("rustc does not know the target {target}"))?;
    if !shell.path_exists(&library) {
        return Err(missing("Rust's own library for it", &format!("run `rustup target add {target}`")).into());
    }
    let install =
        "run `pip install cargo-zigbuild`, which brings zig along, or `cargo install cargo-zigbuild` and have zig";
    let own = ask(cmd!(shell, "cargo-zigbuild --version")).ok_or_else(|| missing("cargo-zigbuild", install))?;
    // As cargo-zigbuild itself looks for it.
    let zig = ask(cmd!(shell, "python3 -m ziglang version")).or_else(|| ask(cmd!(shell, "zig version")));
    let zig = zig.ok_or_else(|| missing("zig", "run `pip install ziglang`"))?;
    Ok(Zig { cargo_zigbuild: own, zig, glibc: request.glibc.cloned() })
}

/// The target as cargo-zigbuild takes it.
pub(super) fn target(target: &str, zig: &Zig) -> String {
    zig.glibc.as_ref().map_or_else(|| target.to_owned(), |glibc| format!("{target}.{glibc}"))
}
