//! The fixture function (`tests/fixtures/bootstrap.rs`): compiled once per run, zipped with a behaviour.

use std::{
    fs,
    io::{Cursor, Write as _},
    sync::OnceLock,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();

/// Takes what another process has compiled.
pub(crate) fn is(program: Vec<u8>) {
    PROGRAM.set(program).expect("it is not compiled yet");
}

/// The compiled fixture.
pub(crate) fn program() -> &'static [u8] {
    PROGRAM.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("bootstrap");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bootstrap.rs");
        #[expect(clippy::disallowed_methods, reason = "a test's own tool, outside of any project folder")]
        let mut rustc = std::process::Command::new("rustc");
        rustc.args(["-O", "--edition", "2024", "-C", "strip=symbols", "-o"]).arg(&program).arg(source);
        assert!(rustc.status().expect("`rustc` is on the path wherever cargo runs").success());
        fs::read(program).unwrap()
    })
}

/// A zip of files, each with its mode.
pub(crate) fn zip(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in files {
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The fixture's zip with this behaviour.
pub(crate) fn function(behaviour: &Value) -> Vec<u8> {
    zip(&[("bootstrap", 0o755, program()), ("behaviour.json", 0o644, behaviour.to_string().as_bytes())])
}

/// The fixture unpacked into a folder, with this behaviour.
pub(crate) fn folder(behaviour: &Value) -> (TempDir, Utf8PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(home.path()).unwrap().to_owned();
    fs::write(path.join("bootstrap"), program()).unwrap();
    fs::set_permissions(path.join("bootstrap"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(path.join("behaviour.json"), behaviour.to_string()).unwrap();
    (home, path)
}
