//! Throwaway people for a laptop: one per role and head that the gates ask for, with keys that lie around in the folder
//! of local state. They exist so that a newcomer can walk the whole path, and are named as throwaway everywhere.

use std::{collections::BTreeMap, fmt::Write as _, fs, io};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use ssh_key::{Algorithm, LineEnding, PrivateKey, PublicKey, rand_core::OsRng};

use crate::{adapters::local::files, model::names::RoleName};

/// Where throwaway people and their keys lie.
#[derive(Debug, Clone)]
pub struct Throwaway {
    local: Utf8PathBuf,
}

impl Throwaway {
    /// Under this folder of local state.
    #[must_use]
    pub fn new(local: &Utf8Path) -> Self {
        Self { local: local.to_owned() }
    }

    /// Their `people.toml`.
    #[must_use]
    pub fn people(&self) -> Utf8PathBuf {
        self.local.join("people.toml")
    }

    /// The key of the first person in a role, if there is one.
    #[must_use]
    pub fn key(&self, role: &RoleName) -> Option<Utf8PathBuf> {
        Some(self.path(&id(role, 1))).filter(|path| path.is_file())
    }

    /// Makes people for these roles, so many each, and their file. Keys that are there stay.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn make(&self, roles: &BTreeMap<RoleName, u32>) -> anyhow::Result<()> {
        let mut text = "# Made-up people for this machine: made by `cargo xtask doctor --fix`, not to be shared.\n\
                        schema = 1\nthrowaway = true\n"
            .to_owned();
        for (role, count) in roles {
            for head in 1..=*count {
                let id = id(role, head);
                let key = self.public(&id)?;
                write!(text, "\n[people.{id}]\nname = \"Throwaway {role} {head}\"\nroles = [\"{role}\"]\n")?;
                writeln!(text, "emails = [\"{id}@throwaway.invalid\"]\nkeys = [{{ key = \"{key}\" }}]")?;
            }
        }
        let path = self.people();
        files::replace(&self.local.join("tmp"), &path, text.as_bytes())
            .with_context(|| format!("failed to write {path}"))
    }

    fn path(&self, id: &str) -> Utf8PathBuf {
        self.local.join("keys/people").join(id)
    }

    /// The public half of a person's key, which is made if it is not there.
    fn public(&self, id: &str) -> anyhow::Result<String> {
        let path = self.path(id);
        let key = match fs::read(&path) {
            Ok(bytes) => PrivateKey::from_openssh(bytes).with_context(|| format!("the key {path} cannot be read"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).context("failed to make a key")?;
                key.set_comment(format!("{id} (throwaway)"));
                let text = key.to_openssh(LineEnding::LF).context("failed to write a key")?;
                files::create_new(&self.local.join("tmp"), &path, false, &mut text.as_bytes())
                    .with_context(|| format!("failed to write the key {path}"))?;
                key
            }
            Err(error) => return Err(error).with_context(|| format!("failed to read the key {path}")),
        };
        let public: &PublicKey = key.public_key();
        public.to_openssh().context("failed to write a key")
    }
}

fn id(role: &RoleName, head: u32) -> String {
    format!("throwaway-{role}-{head}")
}
