//! Building with cargo: one call for all functions, in a scrubbed environment, with every path of this machine
//! remapped, so that the same commit gives the same bytes in another folder and for another user.

pub mod again;
mod linked;
mod messages;
mod zig;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use xshell::{Cmd, Shell, cmd};

use crate::{
    adapters::{archive, binary},
    model::{digest::Digest, manifest::Toolchain, names::FunctionName},
    ports::cargo::{Artifact, BuildRequest, Built, Cargo, Purpose},
};

/// Cargo as it is installed here.
#[derive(Debug, Clone)]
pub struct SystemCargo {
    all: BTreeMap<String, String>,
    harmless: BTreeMap<String, String>,
}

/// What the build sees of the caller's environment: where the tools are and how they reach the network. Everything
/// else (`RUSTFLAGS`, `CARGO_PROFILE_*`, `CFLAGS`, what cargo itself set for this process) could change the bytes.
const PASSED_ON: [&str; 15] = [
    "PATH",
    "HOME",
    "USER",
    "TMPDIR",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// How cargo's own settings begin that say where packages come from.
const PASSED_ON_FROM: [&str; 5] =
    ["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_SOURCE_"];

impl SystemCargo {
    /// Cargo, in a process environment of which only what is harmless is passed on.
    #[must_use]
    pub fn new(environment: &BTreeMap<String, String>) -> Self {
        let passed = |name: &String| {
            PASSED_ON.contains(&name.as_str()) || PASSED_ON_FROM.iter().any(|start| name.starts_with(start))
        };
        let harmless = environment.iter().filter(|(name, _)| passed(name)).map(|(n, v)| (n.clone(), v.clone()));
        Self { harmless: harmless.collect(), all: environment.clone() }
    }

    /// A shell in the workspace; each command gets its environment from `clean`.
    fn shell(root: &Utf8Path) -> anyhow::Result<Shell> {
        let shell = Shell::new().context("failed to find the working directory")?;
        shell.change_dir(root);
        Ok(shell)
    }

    fn clean<'a>(&self, command: Cmd<'a>) -> Cmd<'a> {
        let fixed = [("TZ", "UTC"), ("LC_ALL", "C"), ("SOURCE_DATE_EPOCH", "315532800"), ("CARGO_INCREMENTAL", "0")];
        command.env_clear().envs(&self.harmless).envs(fixed).quiet()
    }

    fn compiler(&self, shell: &Shell, request: &BuildRequest<'_>) -> anyhow::Result<(Toolchain, Paths)> {
        let verbose = self.clean(cmd!(shell, "rustc -vV")).read().context("failed to ask rustc for its version")?;
        let cargo = self.clean(cmd!(shell, "cargo --version")).read().context("failed to ask cargo for its version")?;
        let sysroot = self.clean(cmd!(shell, "rustc --print sysroot")).read().context("failed to ask rustc")?;
        let field = |name: &str| {
            let value = verbose.lines().find_map(|line| line.strip_prefix(name));
            value.map(|v| v.trim().to_owned()).with_context(|| format!("rustc -vV does not tell its {name}"))
        };
        let host = field("host:")?;
        let target = request.target.map_or_else(|| host.clone(), str::to_owned);
        let zig = match zig::needed(request, &host) {
            true => Some(zig::ask(self, shell, request, &target)?),
            false => None,
        };
        let toolchain = Toolchain {
            rustc: verbose.lines().next().unwrap_or_default().to_owned(),
            cargo,
            target,
            host,
            profile: request.profile.to_owned(),
            zig,
        };
        // Where the compiler's own sources are installed beside it, rustc writes their real path; without them it
        // writes this virtual one.
        let library = (format!("{sysroot}/lib/rustlib/src/rust"), format!("/rustc/{}", field("commit-hash:")?));
        Ok((toolchain, Paths(vec![library])))
    }
}

impl Cargo for SystemCargo {
    fn build(&self, request: &BuildRequest<'_>, progress: &dyn Fn(&str)) -> anyhow::Result<Built> {
        let shell = Self::shell(request.root)?;
        let (toolchain, mut paths) = self.compiler(&shell, request)?;
        progress("reading the dependency graph");
        let target = &toolchain.target;
        let metadata = cmd!(shell, "cargo metadata --locked --format-version 1 --filter-platform {target}");
        let metadata = self.clean(metadata).ignore_status().output().context("failed to start cargo")?;
        if !metadata.status.success() {
            let words = String::from_utf8_lossy(&metadata.stderr);
            bail!("cargo cannot resolve the workspace in {}:\n{}", request.root, words.trim_end());
        }
        let metadata: cargo_metadata::Metadata =
            serde_json::from_slice(&metadata.stdout).context("failed to read cargo's metadata")?;
        paths.add(&metadata);

        let packages: Vec<String> =
            request.functions.iter().flat_map(|f| ["--package".to_owned(), f.to_string()]).collect();
        let profile = request.profile;
        let command = if toolchain.zig.is_some() { "zigbuild" } else { "build" };
        let build = cmd!(shell, "cargo {command} --locked --profile {profile} --bins --color never");
        let build = build.args(&packages).args(["--message-format", "json-render-diagnostics"]).quiet();
        let triple = toolchain.zig.as_ref().map_or_else(|| target.clone(), |zig| zig::target(target, zig));
        let own = || self.all.iter().filter(|(name, _)| !is_cargos_own(name));
        let build = match request.purpose {
            Purpose::Run => build.env_clear().envs(own()),
            // Of the workspace's own packages only: its profile says of all others that they have none.
            Purpose::Debug => build.env_clear().envs(own()).env("CARGO_PROFILE_DEV_DEBUG", "full"),
            Purpose::Seal => self
                .clean(build.args(["--target", &triple]))
                .env("CARGO_ENCODED_RUSTFLAGS", paths.rustflags())
                .env("CFLAGS", paths.cflags())
                .env("CXXFLAGS", paths.cflags()),
        };
        let executables = messages::run(build, request.functions, progress)?;
        progress("packing");
        let places = paths.places();
        let artifacts = pack(&executables, request, &places)?;
        let lockfile = metadata.workspace_root.join("Cargo.lock");
        let lockfile = std::fs::read_to_string(&lockfile).with_context(|| format!("failed to read {lockfile}"))?;
        let tree = cmd!(shell, "cargo tree --locked --target {target}").args(&packages).args(linked::TREE);
        let tree = self.clean(tree).read().context("failed to ask cargo what the functions are linked with")?;
        let linked = linked::read(&tree, &lockfile, &metadata, request.functions)?;
        Ok(Built { artifacts, toolchain, lockfile: Digest::of(lockfile.as_bytes()), linked })
    }

    fn toolchain(&self, request: &BuildRequest<'_>) -> anyhow::Result<Toolchain> {
        Ok(self.compiler(&Self::shell(request.root)?, request)?.0)
    }

    fn difference(&self, sealed: &Utf8Path, artifact: &Artifact) -> anyhow::Result<Vec<String>> {
        binary::difference(sealed, &artifact.path)
    }
}

/// What cargo tells a program that it runs, and the program's own build must not see.
fn is_cargos_own(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || matches!(name, "CARGO" | "CARGO_MANIFEST_DIR" | "CARGO_MANIFEST_PATH")
}

/// Every function's artifact, several at once: a missing executable is an error, and never is a stale file packed.
fn pack(
    found: &BTreeMap<String, Utf8PathBuf>,
    request: &BuildRequest<'_>,
    places: &[String],
) -> anyhow::Result<BTreeMap<FunctionName, Artifact>> {
    std::fs::create_dir_all(request.out).with_context(|| format!("failed to make the folder {}", request.out))?;
    let one = |function: &FunctionName| {
        let executable = found.get(function.as_str()).with_context(|| {
            format!("cargo made no executable `{function}`: its package needs a binary of the same name")
        })?;
        let path = request.out.join(format!("{function}.zip"));
        let (sha256, size) = archive::pack(executable, &path)?;
        let binary = binary::inspect(&path, places)?;
        Ok((function.clone(), Artifact { path, executable: executable.clone(), sha256, size, binary }))
    };
    request.functions.par_iter().map(one).collect()
}

/// Paths of this machine and what stands for them in the artifacts.
struct Paths(Vec<(String, String)>);

impl Paths {
    /// Dependencies by the folder that cargo unpacked each registry to: the folder's name tells the registry's
    /// address, which differs behind a mirror. The workspace comes last, as the last match wins.
    fn add(&mut self, metadata: &cargo_metadata::Metadata) {
        let outside = |path: &&Utf8Path| !path.starts_with(&metadata.workspace_root);
        let manifests = metadata.packages.iter().map(|p| p.manifest_path.as_path()).filter(outside);
        // <registry>/<package>-<version>/Cargo.toml
        let folders: BTreeSet<&Utf8Path> = manifests.filter_map(|path| path.parent()?.parent()).collect();
        self.0.extend(folders.iter().map(|folder| (folder.to_string(), "/dependencies".to_owned())));
        self.0.push((metadata.workspace_root.to_string(), "/workspace".to_owned()));
        self.0.push((metadata.target_directory.to_string(), "/workspace/target".to_owned()));
    }

    /// The folders themselves, for whoever looks whether one got in.
    fn places(&self) -> Vec<String> {
        self.0.iter().map(|(from, _)| from.clone()).collect()
    }

    fn rustflags(&self) -> String {
        let flags = self.0.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
        flags.collect::<Vec<_>>().join("\u{1f}")
    }

    fn cflags(&self) -> String {
        // The cc crate splits flags at spaces: such a path cannot be remapped, and none of our C code names its file.
        let plain = self.0.iter().filter(|(from, _)| !from.contains(char::is_whitespace));
        plain.map(|(from, to)| format!("-ffile-prefix-map={from}={to}")).collect::<Vec<_>>().join(" ")
    }
}
