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
    while !link(workshop, &temporary, path)? {}
    Ok(digest)
}

/// Links a draft to its name; `false` if someone else made its folder meanwhile. A folder that is not there yet comes
/// into being with the file in it: whoever fails or dies in between leaves no empty one, which nobody could tell from one
/// whose file was taken out.
fn link(workshop: &Utf8Path, draft: &tempfile::NamedTempFile, path: &Utf8Path) -> io::Result<bool> {
    let error = match fs::hard_link(draft.path(), path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && draft.path().exists() => error,
        linked => return linked.and_then(|()| sync_folder(path)).map(|()| true),
    };
    let missing = |folder: &&Utf8Path| !folder.as_str().is_empty() && !folder.exists();
    let Some(top) = path.ancestors().skip(1).take_while(missing).last() else { return Ok(false) };
    let (Some(above), Some(name)) = (top.parent(), top.file_name()) else { return Err(error) };
    let Ok(below) = path.strip_prefix(above) else { return Err(error) };
    if !above.as_str().is_empty() {
        fs::create_dir_all(above)?;
    }
    let nest = tempfile::tempdir_in(workshop)?;
    let home = Utf8Path::from_path(nest.path()).ok_or_else(|| io::Error::other("the workshop's path is not UTF-8"))?;
    let inside = home.join(below);
    make_folder(&inside)?;
    fs::hard_link(draft.path(), &inside)?;
    sync_folder(&inside)?;
    match fs::rename(home.join(name), top) {
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty) => {
            Ok(false)
        }
        renamed => renamed.and_then(|()| sync_folder(top)).map(|()| true),
    }
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
    // `AlreadyExists` would read as if the file itself were there.
    fs::create_dir_all(workshop)
        .map_err(|error| io::Error::other(format!("the folder {workshop} cannot be made: {error}")))?;
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
    fn a_file_that_cannot_be_made_leaves_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        fs::create_dir(root.join("vault")).unwrap();
        let path = root.join("vault/a/b").join("x".repeat(300));
        create_new(&root.join("tmp"), &path, true, &mut &b"1"[..]).unwrap_err();
        assert_eq!(fs::read_dir(root.join("vault")).unwrap().count(), 0, "a folder without a file");
        create_new(&root.join("tmp"), &root.join("vault/a/b/c"), true, &mut &b"1"[..]).unwrap();
        assert_eq!(fs::read(root.join("vault/a/b/c")).unwrap(), b"1");
        assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0, "no draft is left behind");
    }

    #[test]
    fn a_file_in_the_place_of_the_workshop_is_not_the_file_itself() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        fs::write(root.join("tmp"), "in the way").unwrap();
        let error = create_new(&root.join("tmp"), &root.join("a"), true, &mut &b"1"[..]).unwrap_err();
        assert_ne!(error.kind(), io::ErrorKind::AlreadyExists, "{error}");
        assert!(error.to_string().contains("tmp"), "{error}");
    }

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
