//! Entries of the ledger: numbered, hash-linked, signed. A chain is a sequence of them; the ledger is all chains.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de, de::DeserializeOwned};

use crate::model::{
    canonical::{self, CanonicalError},
    digest::Digest,
    key::{KeyError, VaultKey},
    names::{EnvName, NameError},
    notice::Notice,
    time::Time,
    version::Version,
};

/// One entry as its writer states it; `Record` is the entry with its signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(serialize = "", deserialize = ""))]
pub struct Entry<E: Event> {
    /// The form of this record: 1.
    pub schema: u32,
    /// The chain it belongs to, so that an entry moved to another chain shows.
    pub chain: ChainName,
    /// Its place in the chain: 1, 2, 3, …
    pub number: u64,
    /// The SHA-256 of the whole entry before it, `None` for the first.
    pub previous: Option<Digest>,
    /// When it was written, by the writer's clock.
    pub time: Time,
    /// Who ran the command.
    pub actor: String,
    /// Whose key signed it.
    pub writer: Writer,
    /// The tool and its version.
    pub tool: String,
    /// The release that it is about.
    pub release: Option<Version>,
    /// That release's identity, as soon as it has one.
    pub manifest: Option<Digest>,
    /// What happened.
    pub event: E,
    /// How things stand after it: the head of a chain alone answers.
    pub state: E::State,
}

/// What happens in a chain of one kind, and what it changes.
pub trait Event: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What the chain's head knows.
    type State: Clone + fmt::Debug + PartialEq + Default + Serialize + DeserializeOwned + Send + Sync;

    /// The state after this event, from the state before it. `audit verify` computes it again for every entry.
    fn advance(&self, before: &Self::State, about: &About) -> Self::State;

    /// Whether this event may happen where things stand so. `audit verify` asks it of every entry.
    fn may_follow(&self, before: &Self::State, about: &About) -> bool;

    /// The word for this event, as in `kind`.
    fn kind(&self) -> &'static str;

    /// What people are told when such an entry was recorded.
    fn notices(_entry: &Entry<Self>) -> Vec<Notice> {
        Vec::new()
    }
}

/// What an event is about: the part of its entry that changes a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The release.
    pub release: Option<Version>,
    /// Its identity.
    pub manifest: Option<Digest>,
    /// When it happened.
    pub time: Time,
    /// Who did it.
    pub actor: String,
}

impl<E: Event> Entry<E> {
    /// What this entry is about.
    #[must_use]
    pub fn about(&self) -> About {
        About { release: self.release, manifest: self.manifest, time: self.time, actor: self.actor.clone() }
    }
}

/// An entry with its signature, as it lies in the vault.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<E: Event> {
    /// What was stated.
    pub entry: Entry<E>,
    /// OpenSSH's `SSHSIG` over the entry's canonical bytes, armoured; the namespace is the chain's.
    pub signature: String,
    /// The SHA-256 of the object in the vault: what the next entry links to.
    pub digest: Digest,
}

/// One entry of a chain, by its place and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its SHA-256.
    pub sha256: Digest,
}

impl<E: Event> Record<E> {
    /// Which entry this is.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { number: self.entry.number, sha256: self.digest }
    }

    /// The bytes to store: the entry's canonical JSON with one more key, `signature`. Whoever removes that key again
    /// (`jq -cjS 'del(.signature)'`) has the signed bytes.
    ///
    /// # Errors
    /// If the event has no JSON form.
    pub fn encode(entry: &Entry<E>, signature: &str) -> Result<Vec<u8>, CanonicalError> {
        let mut value = serde_json::to_value(entry)?;
        if let Some(object) = value.as_object_mut() {
            object.insert("signature".to_owned(), signature.into());
        }
        Ok(serde_json::to_vec(&value)?)
    }

    /// Reads what `encode` wrote, and nothing else.
    ///
    /// # Errors
    /// If the bytes are not one entry with its signature in canonical form.
    pub fn decode(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut value: serde_json::Value = serde_json::from_slice(bytes)?;
        let signature = match value.as_object_mut().and_then(|object| object.remove("signature")) {
            Some(serde_json::Value::String(text)) => text,
            _ => return Err(CanonicalError::Form),
        };
        let entry: Entry<E> = serde_json::from_value(value)?;
        if Self::encode(&entry, &signature)? != bytes {
            return Err(CanonicalError::Form);
        }
        Ok(Self { entry, signature, digest: Digest::of(bytes) })
    }

    /// The bytes that were signed.
    ///
    /// # Errors
    /// If the event has no JSON form.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        Ok(canonical::to_vec(&self.entry)?)
    }
}

/// A chain of the ledger, by its folder in the vault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainName {
    /// `releases/`: numbers reserved, sealed, burned.
    Releases,
    /// `environments/<env>/`: what happened there.
    Environment(EnvName),
    /// `approvals/<version>/<env>/`: who decided what about a release for an environment.
    Approvals {
        /// The release.
        release: Version,
        /// The environment that it would enter.
        environment: EnvName,
    },
    /// `policy/`: people, keys, gates, freezes, the emergency stop.
    Policy,
    /// `evidence/<version>/<sha256>.json`: one piece of evidence, a chain of a single object, so that the witness can
    /// note it.
    Evidence {
        /// The release.
        release: Version,
        /// What the file that it is about hashes to.
        file: Digest,
    },
}

impl ChainName {
    /// The one writer of this chain.
    #[must_use]
    pub fn writer(&self) -> Writer {
        match self {
            Self::Releases => Writer::Releaser,
            Self::Environment(env) => Writer::Deployer(env.clone()),
            Self::Approvals { .. } => Writer::Approver,
            Self::Policy => Writer::PolicyAdministrator,
            Self::Evidence { .. } => Writer::Evidence,
        }
    }

    /// The `SSHSIG` namespace of this chain's signatures: one made for another purpose, or to let a release into
    /// another environment, is none here.
    #[must_use]
    pub fn namespace(&self) -> String {
        match self {
            Self::Approvals { environment, .. } => format!("xtask-approval-{environment}"),
            Self::Evidence { .. } => "xtask-evidence".to_owned(),
            Self::Releases | Self::Environment(_) | Self::Policy => "xtask-ledger".to_owned(),
        }
    }

    /// The key of the entry with this number: eight digits, so that names sort as numbers.
    ///
    /// # Errors
    /// Never for a chain's own name.
    pub fn key(&self, number: u64) -> Result<VaultKey, KeyError> {
        match self {
            Self::Evidence { .. } => format!("{self}.json").parse(),
            _ => format!("{self}/{number:08}.json").parse(),
        }
    }
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Releases => f.pad("releases"),
            Self::Environment(env) => f.pad(&format!("environments/{env}")),
            Self::Approvals { release, environment } => f.pad(&format!("approvals/{release}/{environment}")),
            Self::Policy => f.pad("policy"),
            Self::Evidence { release, file } => f.pad(&format!("evidence/{release}/{}", file.hex())),
        }
    }
}

impl FromStr for ChainName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        // No environment has this name, so the error says what was read.
        let wrong = || format!("{text}/").parse().map(Self::Environment);
        let folders = text.split('/').collect::<Vec<_>>();
        match folders[..] {
            ["releases"] => Ok(Self::Releases),
            ["policy"] => Ok(Self::Policy),
            ["environments", env] => Ok(Self::Environment(env.parse()?)),
            ["approvals", version, env] => match version.parse::<Version>() {
                // A version reads without its `v`, too; a folder has one name only.
                Ok(release) if release.to_string() == version => {
                    Ok(Self::Approvals { release, environment: env.parse()? })
                }
                _ => wrong(),
            },
            ["evidence", version, file] => match (version.parse::<Version>(), format!("sha256:{file}").parse()) {
                (Ok(release), Ok(file)) if release.to_string() == version => Ok(Self::Evidence { release, file }),
                _ => wrong(),
            },
            _ => wrong(),
        }
    }
}

/// Who writes under a prefix of the vault; each has a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Writer {
    /// Boxes and `releases/`.
    Releaser,
    /// One environment's chain.
    Deployer(EnvName),
    /// `approvals/`: each entry is signed by the person who decides, with a key that the policy lists.
    Approver,
    /// `policy/`.
    PolicyAdministrator,
    /// `evidence/`.
    Evidence,
}

impl Writer {
    /// Who writes the object with this key, `None` if nobody may.
    #[must_use]
    pub fn of(key: &VaultKey) -> Option<Self> {
        vault_policy::ownership::writer(key.as_str())?.to_string().parse().ok()
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Releaser => f.pad("releaser"),
            Self::Deployer(env) => f.pad(&format!("deployer-{env}")),
            Self::Approver => f.pad("approver"),
            Self::PolicyAdministrator => f.pad("policy-administrator"),
            Self::Evidence => f.pad("evidence"),
        }
    }
}

impl FromStr for Writer {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_prefix("deployer-") {
            Some(env) => Ok(Self::Deployer(env.parse()?)),
            None if text == "releaser" => Ok(Self::Releaser),
            None if text == "approver" => Ok(Self::Approver),
            None if text == "policy-administrator" => Ok(Self::PolicyAdministrator),
            None if text == "evidence" => Ok(Self::Evidence),
            None => text.parse::<EnvName>().and_then(|_env| format!("{text}/").parse()).map(Self::Deployer),
        }
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}
as_text!(ChainName);
as_text!(Writer);

#[cfg(test)]
mod tests;
