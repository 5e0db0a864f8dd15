//! The auditor's folder of one release: everything that the vault knows about it, copied out byte by byte and proven on the
//! way, with pages that make it readable and one that says how to check it without this tool.
//!
//! What is in the folder is what lies in the vault; a page says nothing that its sources do not.

mod gather;
mod pages;
mod signers;
mod uncounted;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use self::gather::Gathered;
pub use self::{
    signers::{people, render},
    uncounted::Finding,
};
use crate::{
    context::Context,
    engine::{facts, ledger::statements::Junk},
    failure::Failure,
    model::{
        digest::Digest,
        key::VaultKey,
        manifest::{MANIFEST, Manifest, box_key},
        plain,
        version::Version,
    },
};

/// How to check the folder; the same for every release.
pub const VERIFY: &str = include_str!("VERIFY.md");
/// Which piece answers which clause; the same for every release.
pub const CONTROLS: &str = include_str!("CONTROLS.md");

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packed {
    /// The release.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// Where.
    pub folder: Utf8PathBuf,
    /// How many files.
    pub files: usize,
    /// What lies among the decisions and counts for nothing, and what was exchanged there.
    pub findings: Vec<Finding>,
    /// Whether a statement does not follow the object before it: then something was exchanged.
    #[serde(skip)]
    pub exchanged: bool,
}

impl Packed {
    /// The failure that packing ends with although the folder is made. What merely counts for nothing is none: anybody who
    /// decides may write it, and nobody can take it out again.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let first = self.findings.first().filter(|_| self.exchanged)?;
        Some(Failure::Integrity(format!("{}; the folder says so, too; run `cargo xtask audit verify`", first.found)))
    }
}

/// Packs a release into a folder that is not there yet, or empty.
///
/// # Errors
/// Usage, if the folder holds something; refused, if there is no such release; integrity or unfinished, as reading goes.
pub async fn run(context: &Context, release: Version, out: &Utf8Path) -> anyhow::Result<Packed> {
    let phase = context.story.phase(&format!("packing {release}"));
    let mut folder = Folder::new(out)?;
    let (manifest, identity) = facts::manifest(context, release).await?;
    bring_box(context, &mut folder, &manifest, identity, &|text| phase.now(text)).await?;
    phase.now("the ledger");
    let gathered = Gathered::of(context, &manifest).await?;
    for (name, bytes) in &gathered.objects {
        folder.write(name, bytes)?;
    }
    let exchanged = !gathered.decisions.loose.is_empty();
    let mut findings = gathered.decisions.loose.clone();
    for (junk, number) in gathered.decisions.junk.iter().zip(1..) {
        findings.push(apart(context, &mut folder, junk, number).await?);
    }
    folder.page("findings.json", &findings)?;
    let commits = pages::commits(context, &manifest).await;
    folder.page("commits.json", &commits)?;
    folder.page("approvals.json", &pages::approvals(&gathered))?;
    folder.page("reviews.json", &pages::reviewed(&gathered))?;
    folder.page("break-glass.json", &pages::glass(&gathered))?;
    folder.page("smoke.json", &pages::smoke(&gathered))?;
    folder.page("tests.json", &pages::tests(&gathered))?;
    folder.write("allowed_signers", render(context).await?.as_bytes())?;
    folder.write("VERIFY.md", VERIFY.as_bytes())?;
    folder.write("CONTROLS.md", CONTROLS.as_bytes())?;
    let files = folder.seal()?;
    phase.done(&format!("{files} files"));
    Ok(Packed { release, manifest: identity, folder: out.to_owned(), files, findings, exchanged })
}

/// Copies what counts for nothing. Its own name may be as long as someone liked, so that the file has a number.
async fn apart(context: &Context, folder: &mut Folder<'_>, junk: &Junk, number: u64) -> anyhow::Result<Finding> {
    let (object, found) = (plain::line(&junk.object), plain::line(&junk.what));
    let name = format!("uncounted/{number:08}");
    let Ok(key) = junk.object.parse::<VaultKey>() else { return Ok(Finding { object, file: None, found }) };
    let path = folder.place(&name)?;
    let file = match context.vault.fetch(&key, Some(&path)).await {
        Ok(Some((sha256, _))) => {
            folder.sums.push((sha256, name.clone()));
            Some(name)
        }
        Ok(None) => None,
        Err(error) => match error.failed(format!("failed to bring {key}")) {
            Failure::Integrity(_) => None,
            failure => return Err(failure.into()),
        },
    };
    Ok(Finding { object, file, found })
}

/// The box, every object checked against its seal on the way.
async fn bring_box(
    context: &Context,
    folder: &mut Folder<'_>,
    manifest: &Manifest,
    identity: Digest,
    now: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let sealed = manifest.objects.iter().map(|(name, object)| (name.as_str(), object.sha256));
    for (name, sha256) in sealed.chain([(MANIFEST, identity)]) {
        let key = box_key(manifest.release, name)?;
        now(key.as_str());
        let name = format!("box/{name}");
        let path = folder.place(&name)?;
        let fetched = context.vault.fetch(&key, Some(&path)).await;
        let found = fetched.map_err(|error| error.failed(format!("failed to bring {key}")))?.map(|(found, _)| found);
        if found != Some(sha256) {
            let found = found.map_or_else(|| "nothing".to_owned(), |found| found.to_string());
            let text = format!("{key} is not what was sealed: expected {sha256}, found {found}");
            return Err(Failure::Integrity(format!("{text}; run `cargo xtask audit verify`")).into());
        }
        folder.sums.push((sha256, name));
    }
    Ok(())
}

/// The folder while it is filled, and the sum of everything in it.
struct Folder<'a> {
    root: &'a Utf8Path,
    sums: Vec<(Digest, String)>,
}

impl<'a> Folder<'a> {
    fn new(root: &'a Utf8Path) -> anyhow::Result<Self> {
        let made = fs::create_dir_all(root).and_then(|()| Ok(root.read_dir_utf8()?.next().is_none()));
        match made {
            Ok(true) => Ok(Self { root, sums: Vec::new() }),
            Ok(false) => {
                Err(Failure::usage(format!("{root} is not empty: name a folder that is not there yet")).into())
            }
            Err(error) => Err(Failure::usage(format!("failed to make the folder {root}: {error}")).into()),
        }
    }

    /// Where a file goes; its folder is there then.
    fn place(&self, name: &str) -> anyhow::Result<Utf8PathBuf> {
        let path = self.root.join(name);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.map_err(|error| Failure::unfinished(format!("failed to make the folder of {path}"), error))?;
        Ok(path)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.place(name)?;
        fs::write(&path, bytes).map_err(|error| Failure::unfinished(format!("failed to write {path}"), error))?;
        self.sums.push((Digest::of(bytes), name.to_owned()));
        Ok(())
    }

    fn page(&mut self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(&serde_json::to_value(value)?)?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Writes the sums of everything, as `sha256sum -c` reads them, and tells how many files there are.
    fn seal(mut self) -> anyhow::Result<usize> {
        self.sums.sort_by(|a, b| a.1.cmp(&b.1));
        let lines: String = self.sums.iter().map(|(sum, name)| format!("{}  {name}\n", sum.hex())).collect();
        self.write("SHA256SUMS", lines.as_bytes())?;
        Ok(self.sums.len())
    }
}
