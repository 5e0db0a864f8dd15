//! A new function's files on the disk. Each arrives whole, `release.toml` last: until that names the function there is none,
//! and the same command goes on where it stopped. What somebody else wrote is never touched.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::PermissionsExt as _,
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use xshell::{Shell, cmd};

use crate::{failure::Failure, plan::scaffold::Scaffold};

/// How drafts are called: one that a killed run has left is nobody's work.
const DRAFT: &str = ".draft-";

/// The files that are not there yet.
///
/// # Errors
/// Usage: something else is there. Else as reading fails.
pub fn missing<'s>(root: &Utf8Path, scaffold: &'s Scaffold) -> anyhow::Result<Vec<&'s Utf8Path>> {
    let folder = Utf8PathBuf::from(format!("functions/{}", scaffold.function));
    let mut there = BTreeSet::new();
    walk(root, &folder, &mut there).with_context(|| format!("failed to read {}", root.join(&folder)))?;
    let stranger = there.iter().find(|path| !scaffold.files.contains_key(*path));
    if let Some(stranger) = stranger {
        return Err(another(stranger).into());
    }
    let mut missing = Vec::new();
    for (path, text) in &scaffold.files {
        match fs::read(root.join(path)) {
            Ok(bytes) if bytes == text.as_bytes() => {}
            Ok(_) => return Err(another(path).into()),
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push(path.as_path()),
            Err(error) => return Err(error).with_context(|| format!("failed to read {}", root.join(path))),
        }
    }
    Ok(missing)
}

/// Writes what is missing, lets cargo take the new package into its lock file, and at last enters it in `release`.
///
/// # Errors
/// Usage: another wrote one of the files meanwhile. Unfinished, if cargo cannot. Else as writing fails.
pub fn write(root: &Utf8Path, release: &Utf8Path, scaffold: &Scaffold, missing: &[&Utf8Path]) -> anyhow::Result<()> {
    for path in missing {
        let target = root.join(path);
        let text = scaffold.files.get(*path).map_or("", String::as_str);
        let draft = draft(&target, text).with_context(|| format!("failed to write {target}"))?;
        draft.persist_noclobber(&target).map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => another(path).into(),
            _ => anyhow::Error::from(error.error).context(format!("failed to write {target}")),
        })?;
    }
    lock(root)?;
    let failed = || format!("failed to write {release}");
    let draft = draft(release, &scaffold.release).with_context(failed)?;
    draft.persist(release).map_err(|error| error.error).with_context(failed)?;
    Ok(())
}

/// Nothing new is needed from anywhere: every dependency of the templates is one of the workspace's table.
fn lock(root: &Utf8Path) -> anyhow::Result<()> {
    let shell = Shell::new().context("failed to find the working directory")?;
    shell.change_dir(root);
    let update = cmd!(shell, "cargo update --workspace --offline --quiet").quiet().ignore_status();
    let output = update.output().context("failed to start cargo")?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let what = "cargo cannot take the new function into Cargo.lock; run `cargo update --workspace` once";
    Err(Failure::unfinished(what, words).into())
}

/// With the permissions that any new file gets here.
fn draft(target: &Utf8Path, text: &str) -> io::Result<tempfile::NamedTempFile> {
    let folder = target.parent().unwrap_or(Utf8Path::new("."));
    fs::create_dir_all(folder)?;
    let mut draft =
        tempfile::Builder::new().prefix(DRAFT).permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().sync_all()?;
    Ok(draft)
}

/// Every file below a folder of the root, drafts left out.
fn walk(root: &Utf8Path, folder: &Utf8Path, found: &mut BTreeSet<Utf8PathBuf>) -> io::Result<()> {
    let entries = match root.join(folder).read_dir_utf8() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(root, &path, found)?;
        } else if !entry.file_name().starts_with(DRAFT) {
            found.insert(path);
        }
    }
    Ok(())
}

fn another(path: &Utf8Path) -> Failure {
    Failure::usage(format!("{path} is there and somebody else's: move it away, or choose another name"))
}
