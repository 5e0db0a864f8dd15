//! The RustSec database: a git repository with `crates/<package>/RUSTSEC-….md`. It is read from a commit and not from the
//! files that happen to lie in a work tree, so that its snapshot can be checked out again by anybody. What is not on this
//! machine is fetched with the user's own git, which knows their proxies and credentials.

use std::{
    collections::{BTreeMap, BTreeSet},
    str,
};

use anyhow::Context as _;
use camino::Utf8Path;
use git2::{Commit, ErrorClass, ErrorCode, Repository, Tree};
use jiff::Timestamp;
use xshell::{Shell, cmd};

use super::commit_id;
use crate::{
    failure::Failure,
    model::{
        advisories::{Snapshot, advisory},
        names::AdvisoryId,
        time::Time,
    },
    ports::advisories::Advisories,
};

/// Databases in git.
#[derive(Debug)]
pub struct GitAdvisories;

impl Advisories for GitAdvisories {
    fn snapshot(&self, database: &str, packages: &BTreeSet<String>) -> anyhow::Result<Snapshot> {
        if Utf8Path::new(database).is_dir() {
            return read(Utf8Path::new(database), database, packages);
        }
        let scratch = tempfile::tempdir().context("failed to make a folder for the database of advisories")?;
        let scratch = Utf8Path::from_path(scratch.path()).context("the folder for temporary files is not UTF-8")?;
        fetch(database, scratch)?;
        read(scratch, database, packages)
    }
}

/// Its newest commit alone, without work tree.
fn fetch(database: &str, to: &Utf8Path) -> anyhow::Result<()> {
    let shell = Shell::new().context("failed to find the working directory")?;
    // Nobody is there to answer, and a server that says nothing for half a minute has nothing to say.
    shell.set_var("GIT_TERMINAL_PROMPT", "0");
    let slow = ["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30"];
    let command = cmd!(shell, "git {slow...} clone --quiet --bare --depth 1 --single-branch -- {database} {to}");
    let what = || format!("the database of advisories {database} could not be fetched, so nothing is known");
    let output = command.quiet().ignore_status().output().map_err(|error| Failure::unfinished(what(), error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(Failure::unfinished(what(), format!("git says: {said}; name a clone of it with --database")).into())
}

fn read(folder: &Utf8Path, database: &str, packages: &BTreeSet<String>) -> anyhow::Result<Snapshot> {
    let none = |why: &str| Failure::usage(format!("{database} is no database of advisories: {why}"));
    let repository = Repository::open(folder).map_err(|error| none(error.message()))?;
    let failed = || format!("failed to read the database of advisories {database}");
    let commit = newest(&repository).map_err(|error| match (error.code(), error.class()) {
        (ErrorCode::UnbornBranch, _) | (ErrorCode::NotFound, ErrorClass::Reference) => none("it has no commit"),
        _ => Failure::unfinished(failed(), error),
    })?;
    let tree = commit.tree().with_context(failed)?;
    let crates = match tree.get_name("crates").map(|entry| repository.find_tree(entry.id())) {
        Some(crates) => crates.map_err(|_no_tree| none("`crates` is no folder"))?,
        None => return Err(none("it has no folder `crates`").into()),
    };
    let mut advisories = BTreeMap::new();
    for package in packages {
        let Some(entry) = crates.get_name(package) else { continue };
        let folder = repository.find_tree(entry.id()).with_context(failed)?;
        advisories.extend(about(&repository, &folder).with_context(failed)?);
    }
    for (id, text) in &advisories {
        advisory(id, text).map_err(|why| none(&why))?;
    }
    let date = Timestamp::from_second(commit.committer().when().seconds()).with_context(failed)?;
    Ok(Snapshot {
        schema: 1,
        database: database.to_owned(),
        commit: commit_id(commit.id()).with_context(failed)?,
        date: Time::new(date),
        packages: packages.clone(),
        advisories,
    })
}

fn newest(repository: &Repository) -> Result<Commit<'_>, git2::Error> {
    repository.head()?.peel_to_commit()
}

/// Every advisory about a package. Other files of its folder are none: drafts have no number yet.
fn about(repository: &Repository, folder: &Tree<'_>) -> anyhow::Result<BTreeMap<AdvisoryId, String>> {
    let mut found = BTreeMap::new();
    for entry in folder {
        let id = entry.name().ok().and_then(|name| name.strip_suffix(".md")?.parse::<AdvisoryId>().ok());
        let Some(id) = id.filter(|id| id.as_str() != "RUSTSEC-0000-0000") else { continue };
        let blob = repository.find_blob(entry.id()).with_context(|| format!("{id} is no file"))?;
        let text = str::from_utf8(blob.content()).with_context(|| format!("{id} is not text"))?;
        found.insert(id, text.to_owned());
    }
    Ok(found)
}
