//! The running functions of one fleet value: warm hosts by function and version, each in a folder of its own.

use std::{
    collections::HashMap,
    fs::{self, File},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::{disk, package, store::Version};
use crate::{
    adapters::local::{
        host::{Host, HostError, INIT_LIMIT, Spec},
        places::Places,
    },
    model::{configuration::Variables, digest::Digest, names::FleetName},
    ports::fleet::{FleetError, FleetVersion},
};

/// Idle hosts, for as long as the fleet value lives. Dropping it stops them all.
pub(super) struct Hosts {
    idle: Mutex<HashMap<(FleetName, FleetVersion), Vec<Warm>>>,
    root: Utf8PathBuf,
    places: Places,
    home: OnceLock<Home>,
}

/// A host, the digest of what it runs, and the folder that it runs in.
pub(super) struct Warm {
    pub(super) host: Host,
    code: Digest,
    _folder: TempDir,
}

/// A version laid out on disk, and all that a host of it needs.
pub(super) struct Unpacked {
    folder: TempDir,
    spec: Spec,
    sink: File,
}

/// This process' own folder under `<root>/.hosts`, and the lock that says that its owner lives.
struct Home {
    folder: TempDir,
    _lock: File,
}

impl Hosts {
    /// None running yet. `root` is the fleet's folder.
    pub(super) fn new(root: &Utf8Path, places: Places) -> Self {
        Self { idle: Mutex::default(), root: root.to_owned(), places, home: OnceLock::new() }
    }

    /// An idle host of this version that runs these very bytes.
    pub(super) fn take(&self, name: &FleetName, number: FleetVersion, code: Digest) -> Option<Warm> {
        let mut idle = self.idle();
        let hosts = idle.get_mut(&(name.clone(), number))?;
        // Hosts of bytes that have been replaced since are of no use to anyone.
        hosts.retain(|warm| warm.code == code);
        hosts.pop()
    }

    /// Keeps a host for the next invocation.
    pub(super) fn keep(&self, name: &FleetName, number: FleetVersion, warm: Warm) {
        self.idle().entry((name.clone(), number)).or_default().push(warm);
    }

    /// Unpacks a version into a fresh folder; blocks.
    pub(super) fn unpack(
        &self,
        name: &FleetName,
        number: FleetVersion,
        version: &Version,
    ) -> Result<Unpacked, FleetError> {
        let home = self.home()?;
        let failed = |what| disk::failed(what, &self.root);
        let folder = TempDir::new_in(home.folder.path()).map_err(failed("making a folder in"))?;
        let path = Utf8PathBuf::try_from(folder.path().to_owned())
            .map_err(|error| failed("making a folder in")(error.into_io_error()))?;
        package::unpack(&version.zip, &path).map_err(|reason| {
            FleetError::Conflict(format!("version {number} of function `{name}` cannot be unpacked: {reason}"))
        })?;
        let log = self.root.join(name.as_str()).join("log.txt");
        let sink = File::options().append(true).create(true).open(&log).map_err(disk::failed("opening", &log))?;
        let spec = Spec {
            folder: path,
            function: name.clone(),
            version: Some(number),
            memory_mb: version.state.configuration.memory_mb,
            timeout_s: version.state.configuration.timeout_s,
            init_limit: INIT_LIMIT,
            variables: self.placed(name, &version.state.variables)?,
        };
        Ok(Unpacked { folder, spec, sink })
    }

    /// Starts what [`Hosts::unpack`] has laid out.
    pub(super) async fn start(unpacked: Unpacked, code: Digest) -> Result<Warm, HostError> {
        let Unpacked { folder, spec, sink } = unpacked;
        Ok(Warm { host: Host::start(spec, Box::new(sink)).await?, code, _folder: folder })
    }

    /// The variables as the process gets them.
    fn placed(&self, name: &FleetName, variables: &Variables) -> Result<Variables, FleetError> {
        let local = camino::absolute_utf8(&self.places.local).map_err(disk::failed("placing", &self.places.local))?;
        let filled = Places { local, ..self.places.clone() }.fill(variables);
        // Nothing is wrong with the release: on another machine, or in another shell, it would run.
        filled.map_err(|unset| FleetError::Unreachable { what: format!("starting `{name}`"), source: unset.into() })
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<(FleetName, FleetVersion), Vec<Warm>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn home(&self) -> Result<&Home, FleetError> {
        if let Some(home) = self.home.get() {
            return Ok(home);
        }
        // Two at once may both make one: the second is dropped again.
        let made = Home::make(&self.root.join(".hosts"))?;
        Ok(self.home.get_or_init(|| made))
    }
}

impl Home {
    fn make(hosts: &Utf8Path) -> Result<Self, FleetError> {
        disk::make_folder(hosts)?;
        // Held while a folder has no lock of its own yet, so that nobody takes it for an abandoned one.
        let _gate = disk::lock(&hosts.join("lock"))?;
        sweep(hosts).map_err(disk::failed("sweeping", hosts))?;
        let folder = TempDir::new_in(hosts).map_err(disk::failed("making a folder in", hosts))?;
        let lock = File::create(folder.path().join("lock"))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(disk::failed("locking a folder in", hosts))?;
        Ok(Self { folder, _lock: lock })
    }
}

/// Removes the folders of processes that were killed before they could.
fn sweep(hosts: &Utf8Path) -> std::io::Result<()> {
    for entry in hosts.read_dir_utf8()? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let abandoned = File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
        if abandoned {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
