//! Looks into an artifact: what its zip holds, what its executable needs, and what must not be in it.

mod difference;
mod elf;
mod leaks;

use std::{
    fs::File,
    io::{BufReader, Read as _},
};

use anyhow::Context as _;
use camino::Utf8Path;
use zip::ZipArchive;

pub use self::difference::difference;
use crate::model::binary::{Binary, PackedFile};

/// The largest executable that is looked into. Lambda takes 250 MiB unpacked; a zip that claims more is a bomb.
const LARGEST: u64 = 512 << 20;

/// Looks into an artifact. `places` are folders of this machine whose paths must not be in it.
///
/// # Errors
/// If the zip cannot be read.
pub fn inspect(artifact: &Utf8Path, places: &[String]) -> anyhow::Result<Binary> {
    let packed = artifact.metadata().with_context(|| format!("failed to look into {artifact}"))?.len();
    let (files, bootstrap) = open(artifact)?;
    let executable = bootstrap.as_deref().map(elf::read);
    let leaks = bootstrap.as_deref().map(|bytes| leaks::find(bytes, places)).unwrap_or_default();
    Ok(Binary { files, packed, executable, leaks })
}

/// What a zip holds, and the bytes of its `bootstrap`.
fn open(artifact: &Utf8Path) -> anyhow::Result<(Vec<PackedFile>, Option<Vec<u8>>)> {
    let failed = || format!("failed to look into {artifact}");
    let file = File::open(artifact).with_context(failed)?;
    let mut zip = ZipArchive::new(BufReader::new(file)).with_context(failed)?;
    let mut files = Vec::new();
    let mut bootstrap = None;
    for at in 0..zip.len() {
        let entry = zip.by_index(at).with_context(failed)?;
        let name = entry.name().with_context(failed)?.into_owned();
        files.push(PackedFile { name: name.clone(), mode: entry.unix_mode(), size: entry.size() });
        if name == "bootstrap" && bootstrap.is_none() {
            let mut bytes = Vec::new();
            entry.take(LARGEST + 1).read_to_end(&mut bytes).with_context(failed)?;
            bootstrap = Some(bytes);
        }
    }
    Ok((files, bootstrap))
}
