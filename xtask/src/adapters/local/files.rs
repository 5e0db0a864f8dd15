//! Durable files: what is reported as written is on the disk, whole, and survives a crash a moment later.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
};

use camino::Utf8Path;

use crate::model::digest::{Digest, Hasher};

/// Writes a new file whole or not at all: a temporary file in `workshop`, synced, then linked to its name. Linking is
/// what makes it exclusive: of two writers exactly one succeeds.
///
/// # Errors
/// `AlreadyExists` if the name is taken; else what the file system said. The workshop must be on the same file system.
pub fn create_new(
    workshop: &Utf8Path,
    path: &Utf8Path,
    read_only: bool,
    content: &mut dyn Read,
) -> io::Result<(Digest, u64)> {
    let (temporary, digest) = draft(workshop, content)?;
    if read_only {
        let mut permissions = temporary.as_file().metadata()?.permissions();
        permissions.set_readonly(true);
        temporary.as_file().set_permissions(permissions)?;
    }
    temporary.as_file().sync_all()?;
    make_folder(path)?;
    fs::hard_link(temporary.path(), path)?;
    sync_folder(path)?;
    Ok(digest)
}

/// Replaces a file whole or not at all. For local state only, never for the vault.
///
/// # Errors
/// What the file system said.
pub fn replace(workshop: &Utf8Path, path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    let (temporary, _) = draft(workshop, &mut &*content)?;
    temporary.as_file().sync_all()?;
    make_folder(path)?;
    temporary.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// The digest and size of a stream, copied to a writer on the way.
///
/// # Errors
/// What reading or writing said.
pub fn copy_hashing(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<(Digest, u64)> {
    let mut hasher = Hasher::default();
    let mut piece = vec![0; 128 << 10];
    loop {
        let n = match from.read(&mut piece) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&piece[..n]);
        to.write_all(&piece[..n])?;
    }
}

fn draft(workshop: &Utf8Path, content: &mut dyn Read) -> io::Result<(tempfile::NamedTempFile, (Digest, u64))> {
    fs::create_dir_all(workshop)?;
    let mut temporary = tempfile::NamedTempFile::new_in(workshop)?;
    let digest = copy_hashing(content, temporary.as_file_mut())?;
    Ok((temporary, digest))
}

/// Makes the folder of a file, and makes each new folder last.
fn make_folder(path: &Utf8Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    if folder.as_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    make_folder(folder)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(folder)
}

fn sync_folder(path: &Utf8Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(if folder.as_str().is_empty() { ".".into() } else { folder })?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn one_of_many_writers_wins_and_its_bytes_stay() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let path = root.join("a/b/c");
        let won = std::thread::scope(|scope| {
            let writers: Vec<_> = (0_u8..16)
                .map(|n| {
                    let (root, path) = (&root, &path);
                    scope.spawn(move || create_new(&root.join("tmp"), path, true, &mut &[n; 1000][..]).map(|_| n))
                })
                .collect();
            writers.into_iter().filter_map(|w| w.join().unwrap().ok()).collect::<Vec<_>>()
        });
        assert_eq!(won.len(), 1);
        assert_eq!(fs::read(&path).unwrap(), vec![won[0]; 1000]);
        assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0, "no draft is left behind");
    }
}
