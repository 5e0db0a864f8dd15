//! What an alias served on this machine: one line per call, appended by whoever called, read by the alarms. One write per
//! line, so that calls at the same time do not mix theirs.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write as _},
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    model::{
        names::{AliasName, FleetName},
        time::Time,
    },
    ports::fleet::FleetVersion,
};

/// One call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// When it was answered.
    pub time: Time,
    /// By which version.
    pub version: FleetVersion,
    /// Whether the function failed.
    pub failed: bool,
}

/// Appends a call.
///
/// # Errors
/// What the file system said, of which file.
pub fn note(fleet: &Utf8Path, name: &FleetName, alias: &AliasName, served: Served) -> io::Result<()> {
    let Served { time, version, failed } = served;
    let path = file(fleet, name, alias);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(named)?;
    }
    let line = format!("{time} {version} {}\n", if failed { "failed" } else { "ok" });
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(named)?;
    file.write_all(line.as_bytes()).map_err(named)
}

/// Every call from this time on.
///
/// # Errors
/// What the file system said, of which file; and if a line is none of these.
pub fn since(fleet: &Utf8Path, name: &FleetName, alias: &AliasName, since: Time) -> io::Result<Vec<Served>> {
    let path = file(fleet, name, alias);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?,
    };
    let calls = text.lines().map(|line| {
        parse(line).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, format!("{path}: `{line}` is no call")))
    });
    let calls: io::Result<Vec<Served>> = calls.collect();
    Ok(calls?.into_iter().filter(|call| call.time >= since).collect())
}

fn parse(line: &str) -> Option<Served> {
    let mut words = line.split(' ');
    let (time, version, how) = (words.next()?, words.next()?, words.next()?);
    let failed = match how {
        "failed" => true,
        "ok" => false,
        _ => return None,
    };
    Some(Served { time: time.parse().ok()?, version: FleetVersion(version.parse().ok()?), failed })
}

fn file(fleet: &Utf8Path, name: &FleetName, alias: &AliasName) -> Utf8PathBuf {
    fleet.join(format!("{name}/served/{alias}.txt"))
}
