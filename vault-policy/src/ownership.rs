//! The one table of who writes under which prefix of the vault. Everything else that speaks of it (the policies, the
//! ledger's writers) is held against this table by a test.

use std::fmt;

/// Every prefix of the vault and the kind of its one writer. `*` stands for one segment, or in a box's name for one
/// number; the segment after `environments/` is the environment.
pub const TABLE: [(&str, Kind); 6] = [
    ("v*.*.*/", Kind::Releaser),
    ("releases/", Kind::Releaser),
    ("environments/*/", Kind::Deployer),
    ("approvals/", Kind::Approver),
    ("policy/", Kind::PolicyAdministrator),
    ("evidence/", Kind::Evidence),
];

/// Where the first region's heads are noted, in the second region's bucket: below it each writer notes its own chains.
pub const WITNESS_OF_PRIMARY: &str = "witness/primary/";

/// Where the second region's own heads are noted, in its own bucket.
pub const WITNESS_OF_RECOVERY: &str = "witness/recovery/";

/// The kinds of writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Builds and seals boxes and numbers releases.
    Releaser,
    /// Carries releases into one environment; each environment has its own.
    Deployer,
    /// Records approvals and rejections.
    Approver,
    /// Records people, keys, freezes and the emergency stop.
    PolicyAdministrator,
    /// Records test reports and other proof.
    Evidence,
}

/// One writer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writer {
    /// Any but a deployer: there is one of each.
    Of(Kind),
    /// The deployer of this environment.
    Deployer(String),
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deployer(environment) => f.pad(&format!("deployer-{environment}")),
            Self::Of(Kind::Releaser) => f.pad("releaser"),
            Self::Of(Kind::Deployer) => f.pad("deployer"),
            Self::Of(Kind::Approver) => f.pad("approver"),
            Self::Of(Kind::PolicyAdministrator) => f.pad("policy-administrator"),
            Self::Of(Kind::Evidence) => f.pad("evidence"),
        }
    }
}

/// The one writer of the object with this key, or `None` if nobody may write it.
#[must_use]
pub fn writer(key: &str) -> Option<Writer> {
    let (_, kind) = TABLE.iter().find(|(prefix, _)| is_under(key, prefix))?;
    Some(match kind {
        Kind::Deployer => Writer::Deployer(key.split('/').nth(1)?.to_owned()),
        kind => Writer::Of(*kind),
    })
}

/// The one writer of a note about a head of the first region, or `None` if it is no such note. Boxes have no heads.
#[must_use]
pub fn witness(key: &str) -> Option<Writer> {
    let chain = key.strip_prefix(WITNESS_OF_PRIMARY)?;
    let is_box = chain.split('/').next().is_some_and(is_version);
    writer(chain).filter(|_| !is_box)
}

/// Whether this is a note about a head of the second region.
#[must_use]
pub fn notes_of_recovery(key: &str) -> bool {
    key.strip_prefix(WITNESS_OF_RECOVERY).is_some_and(|note| !note.is_empty())
}

/// Segment by segment, with at least one segment after the prefix.
fn is_under(key: &str, prefix: &str) -> bool {
    let mut segments = key.split('/');
    let starts = prefix.trim_end_matches('/').split('/').all(|pattern| {
        segments.next().is_some_and(|segment| match pattern.strip_prefix("v*") {
            Some(_) => is_version(segment),
            None => !segment.is_empty() && (pattern == "*" || pattern == segment),
        })
    });
    starts && segments.next().is_some_and(|rest| !rest.is_empty())
}

fn is_version(segment: &str) -> bool {
    let numbers = segment.strip_prefix('v').unwrap_or_default().split('.');
    let digits = |number: &str| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    numbers.clone().count() == 3 && numbers.into_iter().all(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_writer_or_none() {
        let name = |key| writer(key).map(|writer| writer.to_string());
        for (key, expected) in [
            ("v1.0.0/manifest.json", "releaser"),
            ("v1.0.0/sbom/price-fetcher.cdx.json", "releaser"),
            ("releases/00000001.json", "releaser"),
            ("environments/dev/00000001.json", "deployer-dev"),
            ("environments/prod/00000001.json", "deployer-prod"),
            ("approvals/v1.0.0/prod/00000001.json", "approver"),
            ("policy/00000001.json", "policy-administrator"),
            ("evidence/v1.0.0/abc.json", "evidence"),
        ] {
            assert_eq!(name(key).as_deref(), Some(expected), "{key}");
        }
        for nobody in
            ["", "v1.0.0", "v1.0/x", "v1.0.0/", "va.b.c/x", "environments/00000001.json", "environments//x", "other/x"]
        {
            assert_eq!(name(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn each_writer_notes_its_own_chains() {
        let name = |key: &str| witness(key).map(|writer| writer.to_string());
        let dev = "environments/dev/99999998-0a";
        assert_eq!(name(&format!("witness/primary/{dev}")).as_deref(), Some("deployer-dev"));
        assert_eq!(name("witness/primary/releases/99999998-0a").as_deref(), Some("releaser"));
        for nobody in
            [dev, "witness/primary/", "witness/primary/v1.0.0/a", "witness/recovery/releases/0-a", "witness/x"]
        {
            assert_eq!(name(nobody), None, "{nobody}");
        }
        assert!(notes_of_recovery("witness/recovery/releases/0-a") && !notes_of_recovery("witness/recovery/"));
        assert_eq!(writer("witness/primary/releases/0-a"), None, "in the first bucket there are no notes");
    }

    #[test]
    fn no_writers_prefixes_overlap_anothers() {
        // The whole of what a bucket policy sees: a wildcard there also matches `/`.
        let overlap = |a: &str, b: &str| {
            let literal = |prefix: &str| prefix.split('*').next().unwrap_or_default().to_owned();
            literal(a).starts_with(&literal(b)) || literal(b).starts_with(&literal(a))
        };
        assert!(overlap("environments/", "environments/*/"), "the check itself must be able to fail");
        for (at, (one, _)) in TABLE.iter().enumerate() {
            for (other, _) in &TABLE[at + 1..] {
                assert!(!overlap(one, other), "{one} and {other}");
            }
        }
    }
}
