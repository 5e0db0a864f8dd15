//! Known vulnerabilities: what a database of advisories said at one of its commits about the packages of a release, and
//! which of them that hits. The advisories are RustSec's, kept word for word, so that anybody may compare them.

use std::collections::{BTreeMap, BTreeSet};

use rustsec::advisory::Advisory;
use serde::{Deserialize, Serialize};

use crate::model::{
    canonical,
    commit::CommitId,
    digest::Digest,
    names::{AdvisoryId, FunctionName},
    sbom::PackageName,
    time::Time,
};

/// The kind of evidence that a snapshot is.
pub const KIND: &str = "advisories";

/// What a database said at one commit about some packages: the content of a piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The form of this record: 1.
    pub schema: u32,
    /// Where the database was read: an address, or a folder.
    pub database: String,
    /// Its commit, which anybody can check out again.
    pub commit: CommitId,
    /// When that commit was made: what became known later is not in it.
    pub date: Time,
    /// The packages that it was asked for.
    pub packages: BTreeSet<String>,
    /// Everything that it has about them, as its files say it, by their names.
    pub advisories: BTreeMap<AdvisoryId, String>,
}

/// The packages of a release from outside of its repository, by function, as its bills of materials list them.
pub type Bills = BTreeMap<FunctionName, BTreeSet<PackageName>>;

/// What the snapshots among a release's evidence say about it, by the SHA-256 of their content; of one that says nothing,
/// why.
pub type Scans = BTreeMap<Digest, Result<Scan, String>>;

/// What a snapshot says about a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// The database's commit.
    pub commit: CommitId,
    /// When that was made.
    pub date: Time,
    /// How many packages were looked for, each version by itself.
    pub packages: usize,
    /// Every advisory that hits one of them, in the order of their ids.
    pub found: Vec<Vulnerability>,
}

/// An advisory about a package that is linked in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Vulnerability {
    /// The advisory.
    pub advisory: AdvisoryId,
    /// The package.
    pub package: PackageName,
    /// What it is about, in one line.
    pub title: String,
    /// How bad it is, as its CVSS vector says: `low` to `critical`; `None` if it has none.
    pub severity: Option<String>,
    /// Of an advisory that is no vulnerability what it is: `unmaintained`, `unsound`, `notice`.
    pub informational: Option<String>,
    /// The functions that are linked with the package.
    pub functions: BTreeSet<FunctionName>,
}

impl Snapshot {
    /// Reads the content of a piece of evidence.
    ///
    /// # Errors
    /// Why it is no snapshot.
    pub fn of(content: &str) -> Result<Self, String> {
        let snapshot: Self = canonical::from_slice(content.as_bytes()).map_err(|error| error.to_string())?;
        if snapshot.schema == 1 { Ok(snapshot) } else { Err(format!("its `schema` is {}", snapshot.schema)) }
    }

    /// What it says about a release with these bills of materials.
    ///
    /// # Errors
    /// It was not asked for all of their packages, or has something that is no advisory.
    pub fn scan(&self, bills: &Bills) -> Result<Scan, String> {
        let advisories = self.advisories.iter().map(|(id, text)| advisory(id, text));
        let advisories: Vec<Advisory> = advisories.collect::<Result<_, _>>()?;
        let mut linked: BTreeMap<&PackageName, BTreeSet<FunctionName>> = BTreeMap::new();
        for (function, packages) in bills {
            for package in packages {
                linked.entry(package).or_default().insert(function.clone());
            }
        }
        let mut found = Vec::new();
        for (package, functions) in &linked {
            if !self.packages.contains(&package.name) {
                return Err(format!("it was not asked for {}", package.name));
            }
            let version = package.version.parse().map_err(|error| format!("{package} has no version: {error}"))?;
            let about = advisories.iter().filter(|advisory| advisory.metadata.package.as_str() == package.name);
            let hit = about.filter(|advisory| !advisory.withdrawn() && advisory.versions.is_vulnerable(&version));
            for advisory in hit {
                found.push(vulnerability(advisory, (*package).clone(), functions.clone())?);
            }
        }
        found.sort();
        Ok(Scan { commit: self.commit, date: self.date, packages: linked.len(), found })
    }
}

/// The advisory that a file of the database is, if it is the one that its name says.
///
/// # Errors
/// Why it is none.
pub fn advisory(id: &AdvisoryId, text: &str) -> Result<Advisory, String> {
    let advisory: Advisory = text.parse().map_err(|error| format!("{id} is no advisory: {error}"))?;
    if advisory.id().as_str() == id.as_str() {
        return Ok(advisory);
    }
    Err(format!("{id} is no advisory of that name, but {}", advisory.id()))
}

fn vulnerability(
    advisory: &Advisory,
    package: PackageName,
    functions: BTreeSet<FunctionName>,
) -> Result<Vulnerability, String> {
    let id = advisory.id().as_str().parse::<AdvisoryId>().map_err(|error| error.to_string())?;
    Ok(Vulnerability {
        advisory: id,
        package,
        title: advisory.title().to_owned(),
        severity: advisory.severity().map(|severity| severity.as_str().to_owned()),
        informational: advisory.metadata.informational.as_ref().map(|kind| kind.as_str().to_owned()),
        functions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: &str, package: &str, more: &str, patched: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2026-01-02\"\n{more}\n[versions]\n\
             patched = [\"{patched}\"]\n```\n\n# {package} forgets itself\n\nAt length.\n"
        )
    }

    fn snapshot(packages: &[&str], advisories: &[(&str, String)]) -> Snapshot {
        Snapshot {
            schema: 1,
            database: "https://example.com/db".to_owned(),
            commit: CommitId::from_bytes([7; 20]),
            date: "2026-03-01T00:00:00Z".parse().unwrap(),
            packages: packages.iter().map(|package| (*package).to_owned()).collect(),
            advisories: advisories.iter().map(|(id, text)| (id.parse().unwrap(), text.clone())).collect(),
        }
    }

    fn bills(each: &[(&str, &[(&str, &str)])]) -> Bills {
        let package =
            |(name, version): &(&str, &str)| PackageName { name: (*name).to_owned(), version: (*version).to_owned() };
        each.iter().map(|(f, packages)| (f.parse().unwrap(), packages.iter().map(package).collect())).collect()
    }

    #[test]
    fn what_is_linked_in_a_version_that_is_hit_is_found() {
        let advisories = [
            ("RUSTSEC-2026-0001", text("RUSTSEC-2026-0001", "left", "", ">= 1.2.4")),
            ("RUSTSEC-2026-0002", text("RUSTSEC-2026-0002", "left", "withdrawn = \"2026-02-02\"", ">= 9.0.0")),
            ("RUSTSEC-2026-0003", text("RUSTSEC-2026-0003", "right", "informational = \"unsound\"", ">= 9.0.0")),
        ];
        let snapshot = snapshot(&["left", "right"], &advisories);
        let read = Snapshot::of(&String::from_utf8(canonical::to_vec(&snapshot).unwrap()).unwrap()).unwrap();
        assert_eq!(read, snapshot);
        let left = bills(&[("alpha", &[("left", "1.2.3"), ("right", "1.0.0")]), ("beta", &[("left", "1.2.4")])]);
        let scan = snapshot.scan(&left).unwrap();
        let told = |v: &Vulnerability| {
            let functions: Vec<&str> = v.functions.iter().map(FunctionName::as_str).collect();
            format!("{} {} {:?} {} {}", v.advisory, v.package, v.informational, functions.join("+"), v.title)
        };
        assert_eq!(
            scan.found.iter().map(told).collect::<Vec<_>>(),
            [
                "RUSTSEC-2026-0001 left@1.2.3 None alpha left forgets itself",
                "RUSTSEC-2026-0003 right@1.0.0 Some(\"unsound\") alpha right forgets itself",
            ]
        );
        assert_eq!(scan.packages, 3, "each version by itself");
    }

    #[test]
    fn a_snapshot_that_cannot_tell_says_why() {
        let linked = bills(&[("alpha", &[("left", "1.2.3")])]);
        let said = |snapshot: &Snapshot| snapshot.scan(&linked).unwrap_err();
        assert_eq!(said(&snapshot(&["right"], &[])), "it was not asked for left");
        let other = text("RUSTSEC-2026-0001", "left", "", ">= 1.2.4");
        assert_eq!(
            said(&snapshot(&["left"], &[("RUSTSEC-2026-0009", other)])),
            "RUSTSEC-2026-0009 is no advisory of that name, but RUSTSEC-2026-0001"
        );
        let broken = said(&snapshot(&["left"], &[("RUSTSEC-2026-0001", "nothing".to_owned())]));
        assert!(broken.starts_with("RUSTSEC-2026-0001 is no advisory: "), "{broken}");
        assert!(Snapshot::of("all is well").is_err());
    }
}
