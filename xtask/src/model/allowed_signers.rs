//! OpenSSH's allowed-signers file: whose key may sign in which namespaces, and when. The same lines answer here and
//! in `ssh-keygen -Y verify`, which an auditor runs. Writes no file.

mod parse;

use std::fmt;

use ssh_key::PublicKey;

pub use self::parse::{ParseError, parse};

use crate::model::{
    sshsig::{self, KeyError},
    time::Time,
};

/// One line of the file: a person's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedSigner {
    principal: String,
    namespaces: Vec<String>,
    validity: Validity,
    key: PublicKey,
}

impl AllowedSigner {
    /// This person's key, good in these namespaces while it is valid.
    ///
    /// # Errors
    /// If OpenSSH would read the line otherwise than it is meant, or signatures by this key cannot be checked.
    pub fn new(
        principal: &str,
        namespaces: &[&str],
        validity: Validity,
        key: &PublicKey,
    ) -> Result<Self, AllowedSignerError> {
        if !is_plain(principal) {
            return Err(AllowedSignerError::Principal(principal.chars().take(80).collect()));
        }
        if let Some(wrong) = namespaces.iter().find(|namespace| !is_plain(namespace)) {
            return Err(AllowedSignerError::Namespace(wrong.chars().take(80).collect()));
        }
        if namespaces.is_empty() {
            return Err(AllowedSignerError::NoNamespace(principal.to_owned()));
        }
        sshsig::check_key(key.key_data())
            .map_err(|source| AllowedSignerError::Key { principal: principal.to_owned(), source })?;
        Ok(Self {
            principal: principal.to_owned(),
            namespaces: namespaces.iter().map(|&namespace| namespace.to_owned()).collect(),
            validity,
            // Without its comment, which could hold a line break.
            key: PublicKey::from(key.key_data().clone()),
        })
    }

    /// Whether it is good for decisions about releases.
    #[must_use]
    pub fn decides(&self) -> bool {
        self.namespaces.iter().any(|namespace| namespace.starts_with("xtask-approval-"))
    }
}

/// The file: one line for each signer.
///
/// # Errors
/// If a key cannot be written.
pub fn render(signers: &[AllowedSigner]) -> Result<String, ssh_key::Error> {
    let line = |signer: &AllowedSigner| {
        let AllowedSigner { principal, namespaces, validity, key } = signer;
        let key = key.to_openssh()?;
        Ok(format!("{principal} namespaces=\"{}\"{validity} {}\n", namespaces.join(","), key.trim_end()))
    };
    signers.iter().map(line).collect()
}

/// The keys by which this person may sign in this namespace at this time: the ones to hand to [`sshsig::verify`].
pub fn keys_at<'s>(
    signers: &'s [AllowedSigner],
    principal: &str,
    namespace: &str,
    at: Time,
) -> impl Iterator<Item = &'s PublicKey> {
    signers
        .iter()
        .filter(move |signer| {
            signer.principal == principal
                && signer.namespaces.iter().any(|allowed| allowed == namespace)
                && signer.validity.holds_at(at)
        })
        .map(|signer| &signer.key)
}

/// When a key is valid, to the second: both bounds belong to it, as OpenSSH reads them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validity {
    after: Option<Time>,
    before: Option<Time>,
}

impl Validity {
    /// From the first second to the last one; without a bound, always.
    ///
    /// # Errors
    /// If OpenSSH could not say the same: a bound that is no whole second after 1970-01-01T00:00:00Z (its zero means
    /// "no bound"), or a last second that is not after the first.
    pub fn new(after: Option<Time>, before: Option<Time>) -> Result<Self, ValidityError> {
        let sayable = |time: &Time| {
            let instant = time.timestamp();
            instant.as_second() > 0 && instant.subsec_nanosecond() == 0
        };
        if let Some(time) = after.iter().chain(&before).find(|time| !sayable(time)) {
            return Err(ValidityError::Bound(*time));
        }
        match (after, before) {
            (Some(after), Some(before)) if before <= after => Err(ValidityError::Order { after, before }),
            _ => Ok(Self { after, before }),
        }
    }

    /// Whether the key is valid at this time: OpenSSH counts whole seconds, so the last one counts to its end.
    #[must_use]
    pub fn holds_at(self, at: Time) -> bool {
        // Rounded down, before 1970 as well.
        let second = |time: Time| time.timestamp().as_millisecond().div_euclid(1000);
        let begun = self.after.is_none_or(|after| second(at) >= second(after));
        let ended = self.before.is_some_and(|before| second(at) > second(before));
        begun && !ended
    }
}

/// The options of the line, each with the comma before it.
impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, bound) in [("valid-after", self.after), ("valid-before", self.before)] {
            if let Some(time) = bound {
                // Without the `Z` OpenSSH takes it for the local time of whoever verifies.
                write!(f, ",{name}=\"{}\"", time.timestamp().strftime("%Y%m%d%H%M%SZ"))?;
            }
        }
        Ok(())
    }
}

/// What OpenSSH takes literally: it reads lists, patterns (`*`, `?`, `!`), quotes and white space.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'@'))
}

/// Why a line cannot be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AllowedSignerError {
    /// Not a name that OpenSSH takes literally.
    #[error("`{0}` cannot name a signer: use letters, digits, `.`, `_`, `-`, `+` and `@`, at most 255 of them")]
    Principal(String),
    /// The same of a namespace.
    #[error("`{0}` cannot be a namespace: use letters, digits, `.`, `_`, `-`, `+` and `@`, at most 255 of them")]
    Namespace(String),
    /// A line without namespaces would be good in all of them.
    #[error("no namespace is given for the key of `{0}`: without one OpenSSH takes it for good in all of them")]
    NoNamespace(String),
    /// Not a key whose signatures count.
    #[error("the key of `{principal}` cannot be used")]
    Key {
        /// Whose.
        principal: String,
        /// Why.
        source: KeyError,
    },
}

/// Why a time span cannot be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValidityError {
    /// Not a second that OpenSSH can name.
    #[error("a key's validity cannot be bounded by {0}: give a whole second after 1970-01-01T00:00:00Z")]
    Bound(Time),
    /// Empty.
    #[error("a key that is valid from {after} cannot be valid until {before}: give a later end")]
    Order {
        /// The first second.
        after: Time,
        /// The last second.
        before: Time,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti alice";

    fn key() -> PublicKey {
        PublicKey::from_openssh(KEY).unwrap()
    }

    fn time(text: &str) -> Option<Time> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn says_what_openssh_reads() {
        let (from, to) = (time("2026-01-01T00:00:00+01:00"), time("2026-02-01T00:00:00Z"));
        let line = |after, before| {
            let validity = Validity::new(after, before).unwrap();
            let signer = AllowedSigner::new("alice", &["xtask-approval-prod", "b"], validity, &key()).unwrap();
            render(&[signer]).unwrap()
        };
        let key = KEY.trim_end_matches(" alice");
        assert_eq!(line(None, None), format!("alice namespaces=\"xtask-approval-prod,b\" {key}\n"));
        let options = "valid-after=\"20251231230000Z\",valid-before=\"20260201000000Z\"";
        assert_eq!(line(from, to), format!("alice namespaces=\"xtask-approval-prod,b\",{options} {key}\n"));
    }

    #[test]
    fn refuses_what_openssh_would_read_otherwise() {
        for wrong in ["", "a b", "a,b", "a*", "?", "!a", "\"a\"", "a\n", "#a", "a\\", "ä", "a\t", &"a".repeat(256)] {
            let named = AllowedSigner::new(wrong, &["a"], Validity::default(), &key());
            assert!(matches!(named, Err(AllowedSignerError::Principal(_))), "{wrong:?}");
            let spaced = AllowedSigner::new("alice", &["a", wrong], Validity::default(), &key());
            assert!(matches!(spaced, Err(AllowedSignerError::Namespace(_))), "{wrong:?}");
        }
        let none = AllowedSigner::new("alice", &[], Validity::default(), &key());
        assert!(matches!(none, Err(AllowedSignerError::NoNamespace(_))));
        for (after, before) in [
            (time("2026-01-01T00:00:00.001Z"), None),
            (None, time("1970-01-01T00:00:00Z")),
            (time("1969-12-31T23:59:59Z"), None),
            (time("2026-01-01T00:00:00Z"), time("2026-01-01T00:00:00Z")),
            (time("2026-01-01T00:00:01Z"), time("2026-01-01T00:00:00Z")),
        ] {
            assert!(Validity::new(after, before).is_err(), "{after:?} {before:?}");
        }
    }

    #[test]
    fn counts_from_the_first_second_to_the_end_of_the_last() {
        let validity = Validity::new(time("2026-01-01T00:00:00Z"), time("2026-01-02T00:00:00Z")).unwrap();
        for (at, expected) in [
            ("2025-12-31T23:59:59.999Z", false),
            ("2026-01-01T00:00:00Z", true),
            ("2026-01-02T00:00:00Z", true),
            ("2026-01-02T00:00:00.999Z", true),
            ("2026-01-02T00:00:01Z", false),
        ] {
            assert_eq!(validity.holds_at(at.parse().unwrap()), expected, "{at}");
        }
        assert!(Validity::default().holds_at("1969-12-31T23:59:59.5Z".parse().unwrap()));
    }
}
