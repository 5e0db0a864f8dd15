//! A commit as history gives it: who, when, with how many parents, saying what; and what its message announces.
//!
//! Owns the reading of messages ([`Commit::reading`], after Conventional Commits 1.0.0). Does not decide versions: see
//! `plan/next_version.rs`.

mod conventional;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

pub use self::conventional::{Change, Kind, Reading, read};
use crate::model::time::Time;

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its name in git.
    pub id: CommitId,
    /// How many parents it has: none for a root, two or more for a merge.
    pub parents: usize,
    /// Who wrote the change.
    pub author: Identity,
    /// Who put it into history.
    pub committer: Identity,
    /// When it was put into history, as its committer's clock had it. Never trusted for order.
    pub time: Time,
    /// The whole message; bytes that are not UTF-8 are replaced by `U+FFFD`.
    pub message: String,
}

impl Commit {
    /// Whether it joins lines of history.
    #[must_use]
    pub fn is_merge(&self) -> bool {
        self.parents > 1
    }

    /// What its message announces.
    #[must_use]
    pub fn reading(&self) -> Reading {
        read(&self.message, self.is_merge())
    }

    /// The first line of its message that is not blank, fit for one line of a terminal: without control characters,
    /// cut to 120 characters. Empty for an empty message.
    #[must_use]
    pub fn subject(&self) -> String {
        let line = self.message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let mut plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUBJECT + 1).collect();
        if plain.chars().count() > SUBJECT {
            plain = plain.chars().take(SUBJECT - 1).chain(['…']).collect();
        }
        plain
    }

    /// Everyone who wrote it: the author, then each `Co-authored-by:` of the message and each `Author:` of the log that
    /// `git merge --squash` leaves in it, each e-mail once. One too many is harmless here and one too few is not (an
    /// author may not approve), so both count on any line.
    #[must_use]
    pub fn authors(&self) -> Vec<Identity> {
        let mut authors = vec![self.author.clone()];
        for line in self.message.lines() {
            let Some((token, value)) = line.split_once(':') else { continue };
            let token = token.trim_matches(|c: char| c.is_whitespace() || "*->".contains(c));
            if !token.eq_ignore_ascii_case("co-authored-by") && token != "Author" {
                continue;
            }
            for person in identities(value) {
                if !authors.iter().any(|known| known.email.eq_ignore_ascii_case(&person.email)) {
                    authors.push(person);
                }
            }
        }
        authors
    }
}

/// The longest subject, in characters.
const SUBJECT: usize = 120;

/// Every `Name <mail>` of a trailer's value; a bare e-mail address counts as well.
fn identities(value: &str) -> Vec<Identity> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some((name, tail)) = rest.split_once('<') {
        let (email, after) = tail.split_once('>').unwrap_or((tail, ""));
        if !email.trim().is_empty() {
            let name = name.trim_matches(|c: char| c.is_whitespace() || c == ',' || c == ';');
            found.push(Identity { name: name.to_owned(), email: email.trim().to_owned() });
        }
        rest = after;
    }
    if found.is_empty() && value.contains('@') {
        found.push(Identity { name: String::new(), email: value.trim().to_owned() });
    }
    found
}

/// A name and an e-mail address as a commit carries them: claimed, not proven.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The name; may be empty.
    pub name: String,
    /// The e-mail address; may be empty, compare without case.
    pub email: String,
}

/// A commit's name in git: 40 lower-case hex digits (SHA-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId([u8; 20]);

impl CommitId {
    /// The id with these raw bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The first ten hex digits: enough for a person, and for git in all but the largest repositories.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..5])
    }
}

/// A text that is not a commit id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a commit id: write all 40 lower-case hex digits, as `git rev-parse` prints them")]
pub struct CommitIdError(String);

impl FromStr for CommitId {
    type Err = CommitIdError;

    fn from_str(text: &str) -> Result<Self, CommitIdError> {
        let wrong = || CommitIdError(text.chars().take(80).collect());
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(wrong());
        }
        let mut raw = [0; 20];
        hex::decode_to_slice(text, &mut raw).map_err(|_not_hex| wrong())?;
        Ok(Self(raw))
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for CommitId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CommitId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
