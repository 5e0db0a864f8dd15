//! The aliases of a function: one file each, which is the alias' state itself.

use std::{fs, io::ErrorKind};

use camino::Utf8PathBuf;
use uuid::Uuid;

use super::{disk, rules, store::Locked};
use crate::{
    adapters::limits,
    model::names::AliasName,
    ports::fleet::{AliasState, AliasTarget, FleetError, Revision},
};

impl Locked<'_> {
    /// An alias.
    pub(super) fn alias(&self, alias: &AliasName) -> Result<Option<AliasState>, FleetError> {
        disk::read_record(&self.alias_file(alias))
    }

    /// An alias, which must exist.
    pub(super) fn require_alias(&self, alias: &AliasName) -> Result<AliasState, FleetError> {
        let name = self.name;
        self.alias(alias)?.ok_or_else(|| FleetError::NotFound(format!("alias `{alias}` of function `{name}`")))
    }

    pub(super) fn create_alias(&self, alias: &AliasName, target: &AliasTarget) -> Result<AliasState, FleetError> {
        self.check_target(target)?;
        if self.alias(alias)?.is_some() {
            return Err(FleetError::Conflict(format!("alias `{alias}` of function `{}` exists already", self.name)));
        }
        self.write_alias(alias, target)
    }

    pub(super) fn update_alias(
        &self,
        alias: &AliasName,
        target: &AliasTarget,
        guard: &Revision,
    ) -> Result<AliasState, FleetError> {
        let current = self.require_alias(alias)?;
        if current.revision != *guard {
            return Err(FleetError::Guarded(format!("alias `{alias}` of function `{}`", self.name)));
        }
        self.check_target(target)?;
        self.write_alias(alias, target)
    }

    pub(super) fn delete_alias(&self, alias: &AliasName) -> Result<(), FleetError> {
        let path = self.alias_file(alias);
        match fs::remove_file(&path) {
            Ok(()) => disk::sync_parent(&path),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(disk::failed("removing", &path)(error)),
        }
    }

    fn check_target(&self, target: &AliasTarget) -> Result<(), FleetError> {
        limits::check_target(target)?;
        for number in [Some(target.version), target.canary.map(|(number, _)| number)].into_iter().flatten() {
            rules::check_ready(self.name.as_str(), number, &self.require(number)?.state.state)?;
        }
        Ok(())
    }

    fn write_alias(&self, alias: &AliasName, target: &AliasTarget) -> Result<AliasState, FleetError> {
        let state = AliasState { target: target.clone(), revision: Revision(Uuid::new_v4().to_string()) };
        disk::replace(&self.alias_file(alias), &disk::record(&state)?, 0o644)?;
        Ok(state)
    }

    fn alias_file(&self, alias: &AliasName) -> Utf8PathBuf {
        self.folder.join(format!("aliases/{alias}.json"))
    }
}
