//! Durable files: what is reported as written is on the disk, whole, and survives a crash a moment later.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

use camino::{Utf8Path, Utf8PathBuf};

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
    link(workshop, temporary.path(), path)?;
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

/// Links a draft to its name. A folder that is not there yet arrives together with the file in it, in one step: who is
/// killed in between must not leave an empty folder, which in the vault would look like a stranger's.
fn link(workshop: &Utf8Path, draft: &Path, path: &Utf8Path) -> io::Result<()> {
    loop {
        let above = path.ancestors().skip(1).take_while(|folder| !folder.as_str().is_empty() && !folder.is_dir());
        let Some(new) = above.last() else {
            fs::hard_link(draft, path)?;
            return sync_folder(path);
        };
        let frame = tempfile::tempdir_in(workshop)?;
        let staged = Utf8PathBuf::try_from(frame.path().join("new")).map_err(io::Error::other)?;
        let inside = staged.join(path.strip_prefix(new).map_err(io::Error::other)?);
        let folders: Vec<_> = inside.ancestors().skip(1).take_while(|folder| folder.starts_with(&staged)).collect();
        folders.iter().rev().try_for_each(fs::create_dir)?;
        fs::hard_link(draft, &inside)?;
        folders.iter().try_for_each(|folder| File::open(folder)?.sync_all())?;
        match fs::rename(&staged, new) {
            Ok(()) => return sync_folder(new),
            // Another writer brought the folder meanwhile.
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {}
            Err(error) => return Err(error),
        }
    }
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
    use std::{
        collections::BTreeSet,
        sync::atomic::{AtomicBool, Ordering},
    };

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

    #[test]
    fn a_new_folder_is_never_seen_empty() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let written = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut seen = BTreeSet::new();
                while !written.load(Ordering::Relaxed) {
                    empty(&root.join("vault"), &mut seen);
                }
                seen
            });
            for n in 0..60 {
                let path = root.join(format!("vault/approvals/v1.0.{n}/uat/00000001.json"));
                create_new(&root.join("tmp"), &path, true, &mut &b"{}"[..]).unwrap();
                assert_eq!(fs::read(&path).unwrap(), b"{}");
            }
            written.store(true, Ordering::Relaxed);
            assert_eq!(watcher.join().unwrap(), BTreeSet::new());
        });
        assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0, "no draft is left behind");
    }

    /// Every empty folder below this one.
    fn empty(folder: &Utf8Path, seen: &mut BTreeSet<Utf8PathBuf>) {
        let Ok(items) = folder.read_dir_utf8() else { return };
        let items: Vec<_> = items.map(|item| item.unwrap().into_path()).collect();
        if items.is_empty() {
            seen.insert(folder.to_owned());
        }
        items.iter().filter(|item| item.is_dir()).for_each(|item| empty(item, seen));
    }
}
