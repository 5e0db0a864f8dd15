//! Secrets and paths of the building machine that got into an executable.

use std::collections::BTreeSet;

use regex::bytes::Regex;

use crate::model::binary::Leak;

/// Credentials that can be told by their form, as their issuers document it. A key in PEM needs its first line of
/// base64: programs that read such keys carry the bare header.
const SECRETS: [(&str, &str); 4] = [
    ("an AWS access key", r"(?-u:\b)(?:AKIA|ASIA)[A-Z2-7]{16}(?-u:\b)"),
    ("a private key", r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:\\n|\r?\n)[A-Za-z0-9+/]{40}"),
    ("a GitHub token", r"(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})"),
    ("a Slack token", r"xox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{10,}"),
];

/// A home folder of whoever built it: `/home/<user>/`, `/Users/<user>/`.
const HOMES: &str = r"/(?:home|Users)/[A-Za-z0-9._-]{1,32}/[A-Za-z0-9._-]";

/// The key that AWS uses in its documentation; crates that quote it leak nothing.
const DOCUMENTED: [&[u8]; 1] = [b"AKIAIOSFODNN7EXAMPLE"];

/// At most this many of a kind are shown.
const SHOWN: usize = 5;

/// Everything that must not be in there.
pub(super) fn find(bytes: &[u8], places: &[String]) -> Vec<Leak> {
    let mut leaks = Vec::new();
    for (what, pattern) in SECRETS {
        let hits = hits(bytes, pattern).into_iter().filter(|(_, hit)| !DOCUMENTED.contains(hit));
        leaks.extend(hits.take(SHOWN).map(|(at, hit)| Leak {
            what: what.to_owned(),
            shown: format!("{}…", text(hit.get(..8).unwrap_or(hit))),
            offset: at as u64,
        }));
    }
    let homes = hits(bytes, HOMES).into_iter().map(|(at, _)| at);
    let known = places.iter().filter(|place| place.len() > 1).flat_map(|place| {
        let folder = format!("{}/", regex::escape(place.trim_end_matches('/')));
        hits(bytes, &folder).into_iter().map(|(at, _)| at).collect::<Vec<_>>()
    });
    let places: BTreeSet<usize> = homes.chain(known).collect();
    leaks.extend(places.into_iter().take(SHOWN).map(|at| {
        let end = bytes.iter().skip(at).take(80).position(|byte| !byte.is_ascii_graphic()).unwrap_or(80);
        let shown = text(bytes.get(at..at + end).unwrap_or_default());
        Leak { what: "a path of the building machine".to_owned(), shown, offset: at as u64 }
    }));
    leaks
}

fn hits<'a>(bytes: &'a [u8], pattern: &str) -> Vec<(usize, &'a [u8])> {
    // A pattern of ours always compiles (a test tries each); an escaped path does, too.
    let Ok(pattern) = Regex::new(&format!("(?-u){pattern}")) else { return Vec::new() };
    pattern.find_iter(bytes).map(|hit| (hit.start(), hit.as_bytes())).collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte).escape_default().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(content: &str, places: &[&str]) -> Vec<(String, String, u64)> {
        let places: Vec<String> = places.iter().map(|place| (*place).to_owned()).collect();
        let leaks = find(format!("\0\0{content}\0").as_bytes(), &places);
        leaks.into_iter().map(|leak| (leak.what, leak.shown, leak.offset)).collect()
    }

    #[test]
    fn every_kind_is_found_and_a_secret_is_not_repeated() {
        let key = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAA";
        for (content, what) in [
            (["AKIA", "2OGYBAH6STMMNXNV"].concat(), "an AWS access key"),
            (["-----BEGIN OPENSSH PRIVATE ", "KEY-----\n", key].concat(), "a private key"),
            (["-----BEGIN PRIVATE ", "KEY-----\\n", key].concat(), "a private key"),
            (["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"].concat(), "a GitHub token"),
            (["xoxb-", "123456789012-abcdefghijkl"].concat(), "a Slack token"),
        ] {
            let found = found(&content, &[]);
            assert_eq!(found.len(), 1, "{content}");
            assert_eq!((found[0].0.as_str(), found[0].2), (what, 2), "{content}");
            assert!(
                !content.contains(found[0].1.trim_end_matches('…')) || found[0].1.chars().count() <= 17,
                "{found:?}"
            );
        }
        let machine = found("/home/ada/product/src/main.rs", &[]);
        assert_eq!(machine[0].1, "/home/ada/product/src/main.rs");
        assert_eq!(found("/srv/build/x.rs", &["/srv/build"]).len(), 1);
    }

    #[test]
    fn what_only_looks_like_it_is_none() {
        for harmless in [
            "AKIAIOSFODNN7EXAMPLE",
            "XAKIA2OGYBAH6STMMNXNVQQ",
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n{}\n",
            "/home/",
            "/workspace/src/main.rs",
            "/srv/buildings/x.rs",
        ] {
            assert_eq!(found(harmless, &["/srv/build", "/", ""]), [], "{harmless}");
        }
    }
}
