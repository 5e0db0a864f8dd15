//! Files that are never half written: whole bytes behind a lock, a temporary file, and a rename.

use std::{
    fs::{self, File, Permissions},
    io::{ErrorKind, Write as _},
    os::unix::fs::PermissionsExt as _,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Serialize, de::DeserializeOwned};

use crate::ports::fleet::FleetError;

/// An error of the disk: what was tried, on which file.
pub(super) fn failed(what: &str, path: &Utf8Path) -> impl FnOnce(std::io::Error) -> FleetError + use<> {
    let what = format!("{what} `{path}`");
    move |source| FleetError::Unreachable { what, source: Box::new(source) }
}

/// What is in a file, or `None` if there is no such file.
pub(super) fn read(path: &Utf8Path) -> Result<Option<Vec<u8>>, FleetError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("reading", path)(error)),
    }
}

/// A record, or `None` if there is no such file. A damaged one is an error that names the file.
pub(super) fn read_record<T: DeserializeOwned>(path: &Utf8Path) -> Result<Option<T>, FleetError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| FleetError::Unreachable {
        what: format!("its record `{path}` is damaged; restore that file, or remove the function's folder"),
        source: Box::new(error),
    })
}

/// A record as bytes, for people to read.
pub(super) fn record<T: Serialize>(record: &T) -> Result<Vec<u8>, FleetError> {
    let mut bytes = serde_json::to_vec_pretty(record)
        .map_err(|error| FleetError::Unreachable { what: "writing a record".to_owned(), source: Box::new(error) })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Replaces a file as a whole. Only under the function's lock: the temporary file has a fixed name, so that one left
/// by a crash is overwritten.
pub(super) fn replace(path: &Utf8Path, bytes: &[u8], mode: u32) -> Result<(), FleetError> {
    let temporary = Utf8PathBuf::from(format!("{path}.new"));
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(failed("writing", path))?;
    sync_parent(path)
}

/// Makes a rename, a new file or a removal last.
pub(super) fn sync_parent(path: &Utf8Path) -> Result<(), FleetError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(failed("syncing", parent))
}

/// Makes a folder and those above it.
pub(super) fn make_folder(path: &Utf8Path) -> Result<(), FleetError> {
    fs::create_dir_all(path).map_err(failed("making", path))?;
    sync_parent(path)
}

/// Waits for a lock, which holds until the file is dropped or its process ends.
pub(super) fn lock(path: &Utf8Path) -> Result<File, FleetError> {
    let open = || {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(failed("locking", path))
}
