//! Packing an artifact: a zip with `bootstrap` at its root whose bytes depend on nothing but the executable's.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom},
};

use anyhow::Context as _;
use camino::Utf8Path;
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::{adapters::local::files, model::digest::Digest};

/// Packs one executable. Time (1980-01-01, the earliest that a zip can say), mode, method and level are fixed; there
/// are no folder entries and nothing of the file system gets in. Gives the zip's digest and its size in bytes.
///
/// # Errors
/// If either file cannot be read or written.
pub fn pack(executable: &Utf8Path, to: &Utf8Path) -> anyhow::Result<(Digest, u64)> {
    let mut bootstrap = File::open(executable).with_context(|| format!("failed to read {executable}"))?;
    let mut write = || -> anyhow::Result<File> {
        let mut zip = ZipWriter::new(File::options().read(true).write(true).create(true).truncate(true).open(to)?);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::default())
            .unix_permissions(0o755);
        zip.start_file("bootstrap", options)?;
        io::copy(&mut bootstrap, &mut zip)?;
        Ok(zip.finish()?)
    };
    let mut file = write().with_context(|| format!("failed to pack {executable} into {to}"))?;
    file.seek(SeekFrom::Start(0)).with_context(|| format!("failed to read {to}"))?;
    files::copy_hashing(&mut file, &mut io::sink()).with_context(|| format!("failed to read {to}"))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use camino::Utf8PathBuf;

    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    /// Golden: whoever changes the packer or its compressor sees it here, as every artifact's digest changes with it.
    #[test]
    fn the_bytes_depend_on_the_executable_alone() {
        let (_keep, root) = folder();
        let content: Vec<u8> = (0..200_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let mut digests = Vec::new();
        for (name, mode) in [("a", 0o644), ("b", 0o700)] {
            let executable = root.join(name);
            fs::write(&executable, &content).unwrap();
            fs::set_permissions(&executable, fs::Permissions::from_mode(mode)).unwrap();
            let zip = root.join(format!("{name}.zip"));
            let (sha256, _) = pack(&executable, &zip).unwrap();
            assert_eq!(Digest::of(&fs::read(&zip).unwrap()), sha256);
            digests.push(sha256.to_string());
        }
        assert_eq!(digests[0], digests[1]);
        insta::assert_snapshot!(digests[0], @"sha256:4ae6f5c1cf1f7f9ccb7cf0b1c3cd7a8bda21db99e4b5ece26acf5240d05e0404");
    }

    #[test]
    fn holds_one_executable_bootstrap() {
        let (_keep, root) = folder();
        fs::write(root.join("x"), b"#!/bin/sh\n").unwrap();
        pack(&root.join("x"), &root.join("x.zip")).unwrap();
        let mut zip = zip::ZipArchive::new(File::open(root.join("x.zip")).unwrap()).unwrap();
        assert_eq!(zip.len(), 1);
        let entry = zip.by_index(0).unwrap();
        assert_eq!((entry.name().unwrap().as_ref(), entry.unix_mode()), ("bootstrap", Some(0o100_755)));
    }
}
