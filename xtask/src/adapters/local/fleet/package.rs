//! The zip of a function: what Lambda would refuse, what could not start, and unpacking it without harm.

use std::{
    fs,
    io::{self, Cursor, Read},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use camino::Utf8Path;
use zip::{ZipArchive, read::ZipFile};

use crate::{adapters::local::host::bootstrap, model::configuration::Architecture};

/// All files of a zip together, unpacked, in bytes (Lambda quotas: 250 MB).
const LARGEST_UNZIPPED: u64 = 250 * 1024 * 1024;

/// Refuses what Lambda would not unpack, by a sentence for a person. Reads every byte, so that sizes and check sums
/// are what they say.
pub(super) fn vet(zip: &[u8]) -> Result<(), String> {
    walk(zip, |_entry, content| io::copy(content, &mut io::sink()))
}

/// Why this zip cannot be run on this architecture, by a sentence for a person.
pub(super) fn fault(zip: &[u8], architecture: Architecture) -> Option<String> {
    let head = || {
        let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|error| format!("it is not a zip: {error}"))?;
        let mut file = archive
            .by_name("bootstrap")
            .map_err(|_missing| "there is no `bootstrap` at the root of the zip; put the program there".to_owned())?;
        // The program runs as a user who does not own it: Lambda asks for read and execute for others.
        if !file.is_file() || file.unix_mode().unwrap_or(0) & 0o005 != 0o005 {
            return Err("`bootstrap` is not an executable file; zip it with mode 755".to_owned());
        }
        let mut head = Vec::with_capacity(bootstrap::HEAD);
        let mut start = (&mut file).take(bootstrap::HEAD as u64);
        start.read_to_end(&mut head).map_err(|error| format!("`bootstrap` cannot be unzipped: {error}"))?;
        Ok(head)
    };
    head().and_then(|head| bootstrap::check(&head, architecture)).err()
}

/// Unpacks into an empty folder.
pub(super) fn unpack(zip: &[u8], folder: &Utf8Path) -> Result<(), String> {
    walk(zip, |entry, content| {
        let path = folder.as_std_path().join(entry.path);
        let mode = entry.mode & 0o777;
        let mut folders = fs::DirBuilder::new();
        folders.recursive(true).mode(0o755);
        if entry.folder {
            return folders.create(path).map(|()| 0);
        }
        folders.create(path.parent().unwrap_or(folder.as_std_path()))?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let size = io::copy(content, &mut file)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        Ok(size)
    })
}

struct Entry<'a> {
    path: &'a Path,
    folder: bool,
    mode: u32,
}

/// Visits every entry; `take` reads its content and tells its size.
fn walk(zip: &[u8], mut take: impl FnMut(&Entry<'_>, &mut dyn Read) -> io::Result<u64>) -> Result<(), String> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|error| format!("it is not a zip: {error}"))?;
    let mut left = LARGEST_UNZIPPED;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|error| format!("entry {index} cannot be read: {error}"))?;
        let name =
            file.name().map_err(|error| format!("the name of entry {index} cannot be read: {error}"))?.into_owned();
        let entry = entry(&file, &name)?;
        // One byte more than allowed tells "exactly full" from "too much".
        let size = take(&entry, &mut (&mut file).take(left + 1)).map_err(|error| format!("entry `{name}`: {error}"))?;
        left = left
            .checked_sub(size)
            .ok_or_else(|| format!("it is larger than {LARGEST_UNZIPPED} bytes when unzipped; leave something out"))?;
    }
    Ok(())
}

fn entry<'a>(file: &ZipFile<'_, Cursor<&[u8]>>, name: &'a str) -> Result<Entry<'a>, String> {
    let inside = name.strip_suffix('/').unwrap_or(name).split('/').all(|part| !matches!(part, "" | "." | ".."));
    if name.contains(['\0', '\\']) || !inside {
        return Err(format!("entry `{}` points out of the zip", name.escape_debug()));
    }
    let mode = file.unix_mode().unwrap_or(0o644);
    // The file type bits: nothing, a regular file or a folder; a link could lead out of the folder.
    if !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000) {
        return Err(format!("entry `{name}` is neither a file nor a folder"));
    }
    Ok(Entry { path: Path::new(name), folder: file.is_dir(), mode })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn zipped(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        zip.write_all(content).unwrap();
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let home = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(home.path()).unwrap().join("task");
        fs::create_dir(&folder).unwrap();
        for name in ["../escaped", "a/../../escaped", "/escaped", "a\\..\\escaped", "a/./b"] {
            let zip = zipped(name, 0o755, b"#!/bin/sh\n");
            assert!(vet(&zip).is_err(), "{name}");
            assert!(unpack(&zip, &folder).is_err(), "{name}");
        }
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.add_symlink("link", "/etc", SimpleFileOptions::default()).unwrap();
        let zip = zip.finish().unwrap().into_inner();
        assert!(unpack(&zip, &folder).unwrap_err().contains("neither a file nor a folder"));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = zipped("zeros", 0o644, &vec![0; usize::try_from(LARGEST_UNZIPPED).unwrap() + 1]);
        assert!(bomb.len() < 1024 * 1024);
        assert!(vet(&bomb).unwrap_err().contains("larger than 262144000 bytes"));
    }

    #[test]
    fn what_could_not_start_is_told() {
        let fault = |name, mode, content: &[u8]| fault(&zipped(name, mode, content), Architecture::X86_64);
        assert_eq!(fault("bootstrap", 0o755, b"#!/bin/sh\n"), None);
        assert!(fault("bin/bootstrap", 0o755, b"#!/bin/sh\n").unwrap().contains("no `bootstrap` at the root"));
        assert!(fault("bootstrap", 0o644, b"#!/bin/sh\n").unwrap().contains("not an executable file"));
        assert!(fault("bootstrap", 0o755, b"hello").unwrap().contains("neither an ELF program nor a script"));
    }

    #[test]
    fn a_broken_check_sum_is_found() {
        let mut zip = zipped("bootstrap", 0o755, &[b'a'; 64]);
        let content = zip.windows(9).position(|part| part == b"bootstrap").unwrap() + 9;
        zip[content + 1] ^= 0xFF;
        assert!(vet(&zip).is_err());
        assert!(vet(b"PK").unwrap_err().contains("not a zip"));
    }
}
