//! Finding and reading the configuration's files.

use std::{fs, io::ErrorKind};

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;

use crate::{
    config::{Config, raw, validate},
    failure::Failure,
};

/// The configuration file and its folder, the root of the project.
#[derive(Debug, Clone)]
pub struct Found {
    /// The folder.
    pub root: Utf8PathBuf,
    /// The validated configuration.
    pub config: Config,
}

/// Reads the configuration: the given file, or the nearest `release.toml` from the working directory upwards; where there is
/// one, the `[profile.aws]` of another file stands in for its own.
///
/// # Errors
/// Usage: there is none, or it is wrong; the message names the file, the place and the nearest valid name.
pub fn release(
    working_directory: &Utf8Path,
    given: Option<&Utf8Path>,
    stand_in: Option<&Utf8Path>,
) -> Result<Found, Failure> {
    let path = match given {
        Some(path) => working_directory.join(path),
        None => {
            let candidates = working_directory.ancestors().map(|folder| folder.join("release.toml"));
            candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
                Failure::usage(format!(
                    "there is no release.toml in {working_directory} or above it; \
                     change into the project or name the file with --config"
                ))
            })?
        }
    };
    let mut raw = toml::<raw::Release>(&path)?;
    let mut named = path.to_string();
    if let Some(stand_in) = stand_in.map(|file| working_directory.join(file)) {
        raw.profile.aws = Some(toml::<raw::StandIn>(&stand_in)?.profile.aws);
        named = format!("{path} with the `[profile.aws]` of {stand_in}");
    }
    let config = validate::release(raw)
        .map_err(|problems| Failure::usage(format!("{named} is not valid:\n  - {}", problems.join("\n  - "))))?;
    let root = path.parent().map_or_else(|| working_directory.to_owned(), Utf8Path::to_owned);
    Ok(Found { root, config })
}

/// Reads one TOML file.
///
/// # Errors
/// Usage: it cannot be read or is not of this shape.
pub fn toml<T: DeserializeOwned>(path: &Utf8Path) -> Result<T, Failure> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::usage(format!("there is no {path}: write it, or correct the path to it")),
        _ => Failure::usage(format!("failed to read {path}: {error}")),
    })?;
    toml::from_str(&text).map_err(|error| {
        let hint = suggestion(error.message());
        Failure::usage(format!("{path} is not valid: {}{hint}", error.to_string().trim_end()))
    })
}

/// serde lists what it would have understood after an unknown name: the nearest of those is what was meant.
fn suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match (message.starts_with("unknown "), quoted.next()) {
        (true, Some(unknown)) => validate::nearest(unknown, quoted).replacen("; ", "\n", 1),
        _ => String::new(),
    }
}
