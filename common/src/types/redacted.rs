//! Texts that show themselves to nobody: what must stay secret, and whatever a client sent.
//!
//! `Debug` and `Display` say the same words always, and nothing here can be serialised. The text comes out by a method whose
//! name says so, and a test (`tests/sensitive.rs`) lists the places that may call it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A secret of ours: a password, a token, the name of a login.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// A text as a client sent it. It may be anything, personal data above all.
#[derive(Clone, PartialEq, Eq)]
pub struct Unchecked(String);

/// Names and values as a client sent them: a query, the parameters of a path, headers. Each name may have several values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sent(BTreeMap<String, Vec<Unchecked>>);

impl Secret {
    /// Keeps this text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for signing and logging in only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Unchecked {
    /// Keeps this text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text as what it should be.
    ///
    /// # Errors
    /// What the type says of a text that is not one of its own; it must not repeat the text.
    pub fn check<T: FromStr>(&self) -> Result<T, T::Err> {
        self.0.parse()
    }

    /// True if nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What follows `prefix`, if it begins with that.
    #[must_use]
    pub fn after(&self, prefix: &str) -> Option<Self> {
        self.0.strip_prefix(prefix).map(|rest| Self(rest.to_owned()))
    }

    /// Whether `text` says the same, whatever its case and its punctuation: a UUID is the same person without its dashes.
    pub fn is_like(&self, text: &str) -> bool {
        let told = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
        };
        told(&self.0) == told(text)
    }
}

impl Sent {
    /// Every value of `name`, in the order in which they came.
    pub fn values(&self, name: &str) -> &[Unchecked] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// True if there is a name that is none of `known`.
    pub fn has_others_than(&self, known: &[&str]) -> bool {
        self.0.keys().any(|name| !known.contains(&name.as_str()))
    }

    /// True if any name or value says the same as `text`, see [`Unchecked::is_like`].
    pub fn has_like(&self, text: &str) -> bool {
        let names = self.0.keys().any(|name| Unchecked(name.clone()).is_like(text));
        names || self.0.values().flatten().any(|value| value.is_like(text))
    }

    /// As the fields of a header are to be read (RFC 9110, sections 5.1 to 5.5): names in lower case, values without the white
    /// space around them, and those of one name together, whatever the case in which they came.
    #[must_use]
    pub fn as_headers(self) -> Self {
        let fields = self.0.into_iter().flat_map(|(name, values)| {
            let name = name.to_ascii_lowercase();
            values.into_iter().map(move |value| (name.clone(), value.0.trim_matches([' ', '\t']).to_owned()))
        });
        fields.collect()
    }

    /// Without the values of these names.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| !names.contains(&name.as_str()));
        self
    }
}

impl FromIterator<(String, String)> for Sent {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut all = BTreeMap::<String, Vec<Unchecked>>::new();
        for (name, value) in pairs {
            all.entry(name).or_default().push(Unchecked(value));
        }
        Self(all)
    }
}

/// The same words for every value.
macro_rules! redacted {
    ($($name:ident),*) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("redacted")
            }
        }
    )* };
}

redacted!(Secret, Unchecked, Sent);

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pairs: &[(&str, &str)]) -> Sent {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_shows_itself() {
        let pairs = sent(&[("hush-name", "hush")]);
        let shown = [
            format!("{:?} {:#?} {}", Secret::from("hush"), Secret::from("hush"), Secret::from("hush")),
            format!("{:?} {}", Unchecked::new("hush".into()), Unchecked::new("hush".into())),
            format!("{pairs:?} {pairs}"),
        ];
        assert_eq!(
            shown,
            ["Secret(redacted) Secret(redacted) redacted", "Unchecked(redacted) redacted", "Sent(redacted) redacted"]
        );
    }

    #[test]
    fn headers_are_read_whatever_their_case_and_how_often_they_come() {
        let headers = sent(&[("Accept", " a\t"), ("ACCEPT", "b"), ("accept", "c"), ("Cookie", "x")]).as_headers();
        let all: Vec<_> = headers.values("accept").iter().map(|value| value.0.as_str()).collect();
        assert_eq!(all, ["b", "a", "c"]);
        let kept = headers.without(&["cookie"]);
        assert!(kept.values("cookie").is_empty() && !kept.has_others_than(&["accept"]));
    }

    #[test]
    fn the_same_person_is_known_in_another_spelling() {
        let query = sent(&[("userId", "550e8400-E29B-41d4-a716-446655440000")]);
        assert!(query.has_like("550e8400e29b41d4a716446655440000") && query.has_like("USERID"));
        assert!(!query.has_like("550e8400e29b41d4a716446655440001"));
    }
}
