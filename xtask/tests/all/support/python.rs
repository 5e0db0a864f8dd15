//! Python's packages for tests: installed once below the build folder, by whoever asks first.

use camino::{Utf8Path, Utf8PathBuf};
use xtask::adapters::python;

/// The interpreter that has what these requirements pin. A set of another name is another environment.
pub(crate) fn python(set: &str, requirements: &str) -> Utf8PathBuf {
    let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("python").join(set);
    let made = python::installed(&folder, requirements, &|_told| ());
    made.unwrap_or_else(|error| panic!("some tests ask Python's own tools for a second opinion: {error:#}"))
}
