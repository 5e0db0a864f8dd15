//! People, their roles and their keys: who may decide, as the policy chain records it. Reading and checking
//! `people.toml` is `config::people`'s.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize, de};
use ssh_key::{HashAlg, PublicKey, public::KeyData};

use crate::model::{
    freeze::Freeze,
    names::{AdvisoryId, PersonId, RoleName},
    time::Time,
};

/// Everyone who may decide, and the rules of deciding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// Whether these are made-up people with keys that lie around: on `local` only, and named as such everywhere.
    pub throwaway: bool,
    /// Everyone.
    pub persons: BTreeMap<PersonId, Person>,
    /// Whether one person may count in several roles of one gate.
    pub several_roles: bool,
    /// How many days an approval counts at most.
    pub valid_days: u32,
    /// When nothing may enter.
    pub freezes: Vec<Freeze>,
    /// Known vulnerabilities that may pass for a while.
    // What is not given is not written, so that older policies keep their bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<RiskException>,
}

/// A known vulnerability that may pass for a while, because somebody looked at it and took the risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskException {
    /// The advisory.
    pub advisory: AdvisoryId,
    /// From here on it may not pass any more.
    pub until: Time,
    /// Why it may until then.
    pub reason: String,
}

impl People {
    /// Everyone who has listed the key with this fingerprint. More than one is a fault of the policy: such a key
    /// proves nobody.
    #[must_use]
    pub fn owners(&self, fingerprint: &str) -> Vec<&PersonId> {
        let owns = |person: &Person| person.key(fingerprint).is_some();
        self.persons.iter().filter(|(_, person)| owns(person)).map(|(id, _)| id).collect()
    }
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name that people know.
    pub name: String,
    /// Every address that commits carry, compared without case.
    pub emails: Vec<String>,
    /// The GitHub login.
    pub github: Option<String>,
    /// How the ledger names this person as an actor, as `user@host`.
    pub logins: Vec<String>,
    /// The roles.
    pub roles: BTreeSet<RoleName>,
    /// The keys, past ones too: an old signature still needs them.
    pub keys: Vec<PersonKey>,
}

impl Person {
    /// The key with this fingerprint.
    #[must_use]
    pub fn key(&self, fingerprint: &str) -> Option<&PersonKey> {
        self.keys.iter().find(|key| key.key.fingerprint() == fingerprint)
    }

    /// Whether a commit's or an actor's address is one of this person's.
    #[must_use]
    pub fn has_email(&self, email: &str) -> bool {
        self.emails.iter().any(|own| same_text(own, email))
    }

    /// Whether the ledger's actor is this person: by login, GitHub login or address.
    #[must_use]
    pub fn is_actor(&self, actor: &str) -> bool {
        self.logins.iter().chain(&self.github).any(|own| same_text(own, actor)) || self.has_email(actor)
    }
}

/// Whether two addresses or logins are the same, whatever their case: a spelling must not part a person in two.
#[must_use]
pub fn same_text(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// A person's key, and when it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonKey {
    /// The public key.
    pub key: SshKey,
    /// What was signed before this does not count.
    pub valid_from: Option<Time>,
    /// What was signed at or after this does not count.
    pub valid_until: Option<Time>,
    /// From here on nothing that it ever signed counts.
    pub revoked_at: Option<Time>,
}

impl PersonKey {
    /// Whether a signature made at this time may count.
    #[must_use]
    pub fn valid_at(&self, time: Time) -> bool {
        self.valid_from.is_none_or(|from| from <= time) && self.valid_until.is_none_or(|until| time < until)
    }

    /// Since when it is revoked, if it is by now.
    #[must_use]
    pub fn revoked(&self, now: Time) -> Option<Time> {
        self.revoked_at.filter(|revoked| *revoked <= now)
    }
}

/// A public key in OpenSSH's form: ed25519, ECDSA, or RSA of at least 2048 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshKey(PublicKey);

impl SshKey {
    /// `SHA256:` and the digest in base64, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// The key, to verify with.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0
    }
}

/// A text that is not a key for deciding.
#[derive(Debug, thiserror::Error)]
pub enum SshKeyError {
    /// Not a public key.
    #[error("`{text}` is not a public key: write the one line of a `.pub` file")]
    Malformed {
        /// Its beginning.
        text: String,
        /// Why.
        source: ssh_key::Error,
    },
    /// A kind that this tool does not verify.
    #[error("keys of the kind {0} are not supported: use ed25519, ECDSA or RSA")]
    Kind(String),
    /// Too short to be safe.
    #[error("an RSA key of {0} bits is too short: it needs at least 2048")]
    Short(usize),
}

impl FromStr for SshKey {
    type Err = SshKeyError;

    fn from_str(text: &str) -> Result<Self, SshKeyError> {
        let malformed = |source| SshKeyError::Malformed { text: text.chars().take(40).collect(), source };
        // A second line would hide in the comment.
        if text.chars().any(char::is_control) {
            return Err(malformed(ssh_key::Error::FormatEncoding));
        }
        let key = PublicKey::from_openssh(text).map_err(malformed)?;
        match key.key_data() {
            KeyData::Ed25519(_) | KeyData::Ecdsa(_) => Ok(Self(key)),
            KeyData::Rsa(rsa) => match bits(rsa.n.as_positive_bytes().unwrap_or_default()) {
                short @ 0..2048 => Err(SshKeyError::Short(short)),
                _ => Ok(Self(key)),
            },
            _ => Err(SshKeyError::Kind(key.algorithm().to_string())),
        }
    }
}

fn bits(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - zeros
}

impl fmt::Display for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_openssh().map_err(|_no_such_form| fmt::Error)?)
    }
}

impl Serialize for SshKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SshKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
