//! The fleet's state on disk, one folder per function, correct between processes.
//!
//! ```text
//! <root>/<function>/latest/{code.zip,state.json}         the unpublished state
//! <root>/<function>/versions/<n>/{code.zip,state.json}   published versions: read-only, never changed
//! <root>/<function>/aliases/<alias>.json
//! <root>/<function>/served/<alias>.txt                   every call of an alias: when, by which version, how it went
//! <root>/<function>/log.txt                              what its processes wrote
//! <root>/<function>/lock                                 held by whoever reads or writes
//! ```
//!
//! A digest is never stored: it is computed from the bytes whenever it is asked for, so that nothing can disagree with
//! them. Nor are the variables of the unpublished state: they are the infrastructure team's, and arrive from outside.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::ErrorKind,
    sync::Arc,
    time::Duration,
};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{disk, package, rules};
use crate::{
    adapters::limits,
    model::{
        configuration::{Configuration, Variables},
        digest::Digest,
        names::FleetName,
        time::Time,
    },
    ports::{
        clock::Clock,
        fleet::{CodeSource, FleetError, FleetVersion, FunctionState, LastUpdate, Revision, State},
    },
};

/// Where everything is, and how time passes.
pub(super) struct Store {
    pub(super) root: Utf8PathBuf,
    pub(super) vault: Utf8PathBuf,
    pub(super) variables: BTreeMap<FleetName, Variables>,
    pub(super) settle: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

/// A function whose lock is held.
pub(super) struct Locked<'a> {
    pub(super) store: &'a Store,
    pub(super) name: &'a FleetName,
    pub(super) folder: Utf8PathBuf,
    _lock: File,
}

/// `latest/state.json`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LatestRecord {
    /// Whether the last write made the function.
    new: bool,
    configuration: Configuration,
    /// Rotates with every write.
    nonce: Uuid,
    /// When the last write is done.
    settles_at: Time,
    /// The highest version ever published.
    last_version: u64,
}

/// `versions/<n>/state.json`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionRecord {
    configuration: Configuration,
    variables: Variables,
    description: String,
    revision: Revision,
    settles_at: Time,
}

/// A published version and the very bytes that its state tells of.
pub(super) struct Version {
    pub(super) state: FunctionState,
    pub(super) zip: Vec<u8>,
}

impl Store {
    /// Locks a function that exists.
    pub(super) fn existing<'a>(&'a self, name: &'a FleetName) -> Result<Option<Locked<'a>>, FleetError> {
        let folder = self.root.join(name.as_str());
        // Whoever only asks leaves nothing behind: without a folder there is nothing to lock.
        if !folder.join("latest/state.json").exists() {
            return Ok(None);
        }
        Ok(Some(Locked { store: self, name, _lock: disk::lock(&folder.join("lock"))?, folder }))
    }

    /// Locks a function that must exist.
    pub(super) fn required<'a>(&'a self, name: &'a FleetName) -> Result<Locked<'a>, FleetError> {
        self.existing(name)?.ok_or_else(|| FleetError::NotFound(format!("function `{name}`")))
    }

    /// Makes a function.
    pub(super) fn create(
        &self,
        name: &FleetName,
        code: &CodeSource,
        configuration: &Configuration,
    ) -> Result<FunctionState, FleetError> {
        limits::check_configuration(configuration)?;
        rules::check_variables(&self.template(name))?;
        let taken = || FleetError::Conflict(format!("function `{name}` exists already"));
        if self.existing(name)?.is_some() {
            return Err(taken());
        }
        // Before anything is made: a creation that is refused leaves no trace.
        let zip = self.fetch(code)?;
        let folder = self.root.join(name.as_str());
        for part in ["latest", "versions", "aliases"] {
            disk::make_folder(&folder.join(part))?;
        }
        let locked = Locked { store: self, name, _lock: disk::lock(&folder.join("lock"))?, folder };
        if locked.folder.join("latest/state.json").exists() {
            return Err(taken());
        }
        locked.write_code(&zip)?;
        let (nonce, settles_at) = (Uuid::new_v4(), self.settles_at());
        let configuration = configuration.clone();
        locked.write_latest(&LatestRecord { new: true, configuration, nonce, settles_at, last_version: 0 })?;
        locked.latest()
    }

    /// What the infrastructure team gave this function.
    fn template(&self, name: &FleetName) -> Variables {
        self.variables.get(name).cloned().unwrap_or_default()
    }

    fn settles_at(&self) -> Time {
        self.clock.now().after(self.settle)
    }

    fn settled(&self, settles_at: Time) -> bool {
        self.clock.now() >= settles_at
    }

    /// Fetches code from the vault, as Lambda does from S3.
    fn fetch(&self, code: &CodeSource) -> Result<Vec<u8>, FleetError> {
        let CodeSource { key, object_version, digest, architecture: _ } = code;
        if let Some(version) = object_version {
            return Err(FleetError::Invalid(format!(
                "a local vault keeps no object versions, so none of `{key}` is `{version}`"
            )));
        }
        let zip = disk::read(&self.vault.join(key.as_str()))?
            .ok_or_else(|| FleetError::Invalid(format!("there is no `{key}` in the vault")))?;
        let found = Digest::of(&zip);
        if found != *digest {
            return Err(FleetError::Invalid(format!("`{key}` in the vault is {found}, not {digest}")));
        }
        package::vet(&zip).map_err(|reason| FleetError::Invalid(format!("`{key}` cannot be deployed: {reason}")))?;
        Ok(zip)
    }
}

impl Locked<'_> {
    /// The unpublished state.
    pub(super) fn latest(&self) -> Result<FunctionState, FleetError> {
        self.read_latest().map(|(state, _, _)| state)
    }

    pub(super) fn update_code(
        &self,
        code: &CodeSource,
        guard: &Revision,
        publish: bool,
    ) -> Result<FunctionState, FleetError> {
        let (state, record, _) = self.read_latest()?;
        rules::check_write(self.name.as_str(), &state, guard)?;
        rules::check_variables(&state.variables)?;
        // The bytes first: a crash in between shows as other code under another revision, never as an unnoticed change.
        self.write_code(&self.store.fetch(code)?)?;
        let configuration = Configuration { architecture: code.architecture, ..record.configuration.clone() };
        let written = self.rewrite(LatestRecord { configuration, ..record })?;
        if publish { self.freeze("") } else { Ok(written) }
    }

    pub(super) fn update_configuration(
        &self,
        configuration: &Configuration,
        guard: &Revision,
    ) -> Result<FunctionState, FleetError> {
        let (state, record, _) = self.read_latest()?;
        rules::check_write(self.name.as_str(), &state, guard)?;
        limits::check_configuration(configuration)?;
        rules::check_variables(&state.variables)?;
        let architecture = record.configuration.architecture;
        self.rewrite(LatestRecord { configuration: Configuration { architecture, ..configuration.clone() }, ..record })
    }

    pub(super) fn publish(
        &self,
        code: &Digest,
        guard: &Revision,
        description: &str,
    ) -> Result<FunctionState, FleetError> {
        let (state, ..) = self.read_latest()?;
        rules::check_write(self.name.as_str(), &state, guard)?;
        rules::check_publish(self.name.as_str(), &state, code, description)?;
        self.freeze(description)
    }

    /// The unpublished state as a version: the newest one, if that is equal.
    fn freeze(&self, description: &str) -> Result<FunctionState, FleetError> {
        let (state, record, zip) = self.read_latest()?;
        let newest = self.newest()?;
        if let Some(newest) = newest.map(|number| self.published(number)).transpose()?.flatten()
            && newest.state.code == state.code
            && newest.state.configuration == state.configuration
            && newest.state.variables == state.variables
        {
            return Ok(newest.state);
        }
        // The counter outlives the folders: a number that was given once is never given again.
        let number = newest.map_or(0, |FleetVersion(number)| number).max(record.last_version) + 1;
        let version = VersionRecord {
            configuration: state.configuration,
            variables: state.variables,
            description: description.to_owned(),
            revision: Revision(Uuid::new_v4().to_string()),
            settles_at: self.store.settles_at(),
        };
        self.write_version(FleetVersion(number), &version, &zip)?;
        self.write_latest(&LatestRecord { last_version: number, ..record })?;
        self.version(FleetVersion(number))
    }

    /// A version, which must exist.
    fn version(&self, number: FleetVersion) -> Result<FunctionState, FleetError> {
        self.require(number).map(|version| version.state)
    }

    /// A version and its bytes, which must exist.
    pub(super) fn require(&self, number: FleetVersion) -> Result<Version, FleetError> {
        let name = self.name;
        self.published(number)?.ok_or_else(|| FleetError::NotFound(format!("version {number} of function `{name}`")))
    }

    /// A version and its bytes.
    pub(super) fn published(&self, number: FleetVersion) -> Result<Option<Version>, FleetError> {
        let folder = self.folder.join(format!("versions/{number}"));
        let Some(record) = disk::read_record::<VersionRecord>(&folder.join("state.json"))? else { return Ok(None) };
        let VersionRecord { configuration, variables, description: _, revision, settles_at } = record;
        let zip = self.read_code(folder.join("code.zip"))?;
        let state = match package::fault(&zip, configuration.architecture) {
            Some(reason) => State::Failed(reason),
            None if self.store.settled(settles_at) => State::Active,
            None => State::Pending,
        };
        let (version, code, last_update) = (Some(number), Digest::of(&zip), LastUpdate::Successful);
        let state = FunctionState { version, code, configuration, variables, revision, state, last_update };
        Ok(Some(Version { state, zip }))
    }

    /// The highest number of the versions that are there.
    fn newest(&self) -> Result<Option<FleetVersion>, FleetError> {
        let folder = self.folder.join("versions");
        let list = || {
            let mut newest = None;
            for entry in folder.read_dir_utf8()? {
                newest = newest.max(entry?.file_name().parse().ok());
            }
            Ok(newest.map(FleetVersion))
        };
        list().map_err(disk::failed("listing", &folder))
    }

    fn read_latest(&self) -> Result<(FunctionState, LatestRecord, Vec<u8>), FleetError> {
        let path = self.folder.join("latest/state.json");
        let record: LatestRecord =
            disk::read_record(&path)?.ok_or_else(|| disk::failed("reading", &path)(ErrorKind::NotFound.into()))?;
        let zip = self.read_code(self.folder.join("latest/code.zip"))?;
        let (code, variables) = (Digest::of(&zip), self.store.template(self.name));
        let settled = self.store.settled(record.settles_at);
        let fault = package::fault(&zip, record.configuration.architecture);
        let (state, last_update) = match fault {
            _ if !settled => (if record.new { State::Pending } else { State::Active }, LastUpdate::InProgress),
            Some(reason) => (State::Failed(reason.clone()), LastUpdate::Failed(reason)),
            None => (State::Active, LastUpdate::Successful),
        };
        let state = FunctionState {
            version: None,
            code,
            configuration: record.configuration.clone(),
            revision: revision(&record, &code, &variables, settled)?,
            variables,
            state,
            last_update,
        };
        Ok((state, record, zip))
    }

    fn rewrite(&self, record: LatestRecord) -> Result<FunctionState, FleetError> {
        let (nonce, settles_at) = (Uuid::new_v4(), self.store.settles_at());
        self.write_latest(&LatestRecord { new: false, nonce, settles_at, ..record })?;
        self.latest()
    }

    fn write_latest(&self, record: &LatestRecord) -> Result<(), FleetError> {
        disk::replace(&self.folder.join("latest/state.json"), &disk::record(record)?, 0o644)
    }

    fn write_code(&self, zip: &[u8]) -> Result<(), FleetError> {
        disk::replace(&self.folder.join("latest/code.zip"), zip, 0o644)
    }

    fn write_version(&self, number: FleetVersion, record: &VersionRecord, zip: &[u8]) -> Result<(), FleetError> {
        let building = self.folder.join("publishing");
        let failed = |what| disk::failed(what, &building);
        match fs::remove_dir_all(&building) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("removing")(error)),
            _ => disk::make_folder(&building)?,
        }
        disk::replace(&building.join("code.zip"), zip, 0o444)?;
        disk::replace(&building.join("state.json"), &disk::record(record)?, 0o444)?;
        let home = self.folder.join(format!("versions/{number}"));
        fs::rename(&building, &home).map_err(failed("publishing from"))?;
        disk::sync_parent(&home)
    }

    fn read_code(&self, path: Utf8PathBuf) -> Result<Vec<u8>, FleetError> {
        disk::read(&path)?.ok_or_else(|| disk::failed("reading", &path)(ErrorKind::NotFound.into()))
    }
}

/// Changes with every write, with the code, with the infrastructure team's variables, and once more when an update
/// settles: on Lambda, too, the revision that an update answers with is not the one to go on with.
fn revision(
    record: &LatestRecord,
    code: &Digest,
    variables: &Variables,
    settled: bool,
) -> Result<Revision, FleetError> {
    let all = disk::record(&(record.nonce, code, variables, settled))?;
    Ok(Revision(Digest::of(&all).hex()[..32].to_owned()))
}
