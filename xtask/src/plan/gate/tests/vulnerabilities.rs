//! Vulnerabilities: which database counts, what it may know, and which exceptions let it pass.

use super::*;
use crate::model::{
    advisories::{Scan, Vulnerability},
    manifest::VulnerabilityRule,
    people::RiskException,
    sbom::PackageName,
};

const HIT: (&str, Option<&str>) = ("RUSTSEC-2026-0001", None);

/// The gate of prod asks for a database that is no older than a day; yesterday's knew nothing.
fn asking() -> World {
    let mut world = prod();
    let rule = VulnerabilityRule { max_age: "24h".parse().unwrap() };
    world.manifest.path[3].gate.vulnerabilities = Some(rule);
    record(&mut world, 1, "2026-03-24T20:00:00Z", &[]);
    world
}

/// A snapshot of a database of this time, which knows of these advisories about one package.
fn record(world: &mut World, number: u8, date: &str, found: &[(&str, Option<&str>)]) {
    world.prove("2026-03-25T08:00:00Z", None);
    let piece = world.evidence.last_mut().unwrap();
    piece.kind = "advisories".parse().unwrap();
    piece.file = "advisories.json".to_owned();
    piece.sha256 = Digest::of(&[number]);
    let vulnerability = |(advisory, informational): &(&str, Option<&str>)| Vulnerability {
        advisory: advisory.parse().unwrap(),
        package: PackageName { name: "left".to_owned(), version: "1.2.3".to_owned() },
        title: "left forgets itself".to_owned(),
        severity: Some("high".to_owned()),
        informational: informational.map(str::to_owned),
        functions: ["alpha", "beta"].map(|function| function.parse().unwrap()).into(),
    };
    let scan = Scan {
        commit: CommitId::from_bytes([number; 20]),
        date: time(date),
        packages: 7,
        found: found.iter().map(vulnerability).collect(),
    };
    world.scans.insert(Digest::of(&[number]), Ok(scan));
}

fn except(world: &mut World, advisory: &str, until: &str) {
    let (advisory, until) = (advisory.parse().unwrap(), time(until));
    world.people().exceptions.push(RiskException { advisory, until, reason: "never called".to_owned() });
}

const RECORD: &str = "record what is known now: `cargo xtask evidence advisories v1.1.0 --env uat`";
const REMEDY: &str = "release with a version that is not hit; or take the risk for a while: write `[[exceptions]]` with `advisory`, \
    `until` and `reason` into people.toml and run `cargo xtask policy apply`; record what is known now: `cargo xtask evidence \
    advisories v1.1.0 --env uat`, should the database say otherwise by now";

#[track_caller]
fn says(change: fn(&mut World), expected: &str) {
    let mut world = asking();
    change(&mut world);
    let said = said(&world.judge(), "vulnerabilities");
    assert_eq!(said, expected.replace("RECORD", RECORD).replace("REMEDY", REMEDY));
}

#[test]
fn a_fresh_database_that_knows_nothing_lets_pass() {
    says(
        |_| {},
        "vulnerabilities holds: the database of 2026-03-24T20:00:00.000Z, commit 0101010101 knows nothing against 7 packages",
    );
    // What is no vulnerability is told and refuses nothing.
    says(
        |w| record(w, 2, "2026-03-25T07:00:00Z", &[("RUSTSEC-2026-0002", Some("unmaintained"))]),
        "vulnerabilities holds: the database of 2026-03-25T07:00:00.000Z, commit 0202020202 knows nothing against 7 packages; \
         left@1.2.3 is unmaintained (RUSTSEC-2026-0002)",
    );
}

#[test]
fn no_database_or_an_old_one_refuses() {
    says(|w| w.evidence.clear(), "vulnerabilities REFUSES: no database of advisories was asked -> RECORD");
    says(
        |w| w.evidence[0].manifest = Digest::of(b"other"),
        "vulnerabilities REFUSES: no database of advisories was asked -> RECORD",
    );
    says(
        |w| w.evidence[0].time = time("2026-03-26T08:00:00Z"),
        "vulnerabilities REFUSES: no database of advisories was asked -> RECORD",
    );
    says(
        |w| drop(w.scans.insert(Digest::of(&[1]), Err("it was not asked for left".to_owned()))),
        "vulnerabilities REFUSES: `advisories.json` of 2026-03-25T08:00:00.000Z says nothing: it was not asked for left -> RECORD",
    );
    says(
        |w| w.now = time("2026-03-25T20:00:00.001Z"),
        "vulnerabilities REFUSES: the database of 2026-03-24T20:00:00.000Z, commit 0101010101 is older than 24h -> RECORD",
    );
    says(
        |w| w.now = time("2026-03-25T20:00:00Z"),
        "vulnerabilities holds: the database of 2026-03-24T20:00:00.000Z, commit 0101010101 knows nothing against 7 packages",
    );
    says(
        |w| record(w, 2, "2026-03-26T00:00:00Z", &[]),
        "vulnerabilities REFUSES: the database of 2026-03-26T00:00:00.000Z, commit 0202020202 is dated in the future -> RECORD",
    );
}

#[test]
fn the_newest_database_counts_whenever_it_was_asked() {
    let found = "RUSTSEC-2026-0001 in left@1.2.3 of alpha, beta, high: left forgets itself";
    says(
        |w| record(w, 2, "2026-03-25T07:00:00Z", &[HIT]),
        &format!(
            "vulnerabilities REFUSES: the database of 2026-03-25T07:00:00.000Z, commit 0202020202 knows {found} -> REMEDY"
        ),
    );
    // An older one that is recorded later hides nothing.
    says(
        |w| {
            record(w, 2, "2026-03-25T07:00:00Z", &[HIT]);
            record(w, 3, "2026-03-25T06:00:00Z", &[]);
            w.evidence.last_mut().unwrap().time = time("2026-03-25T11:00:00Z");
        },
        &format!(
            "vulnerabilities REFUSES: the database of 2026-03-25T07:00:00.000Z, commit 0202020202 knows {found} -> REMEDY"
        ),
    );
    // Nor does one that is taken back by a newer one hit.
    says(
        |w| {
            record(w, 2, "2026-03-25T07:00:00Z", &[HIT]);
            record(w, 3, "2026-03-25T09:00:00Z", &[]);
        },
        "vulnerabilities holds: the database of 2026-03-25T09:00:00.000Z, commit 0303030303 knows nothing against 7 packages",
    );
}

#[test]
fn an_exception_lets_one_advisory_pass_until_its_day() {
    says(
        |w| {
            record(w, 2, "2026-03-25T07:00:00Z", &[HIT]);
            except(w, "RUSTSEC-2026-0001", "2026-03-25T12:00:00.001Z");
        },
        "vulnerabilities holds: the database of 2026-03-25T07:00:00.000Z, commit 0202020202 knows nothing against 7 packages; \
         RUSTSEC-2026-0001 may pass until 2026-03-25T12:00:00.001Z: never called",
    );
    says(
        |w| {
            record(w, 2, "2026-03-25T07:00:00Z", &[HIT]);
            except(w, "RUSTSEC-2026-0001", "2026-03-25T12:00:00Z");
            except(w, "RUSTSEC-2026-0002", "2026-04-25T12:00:00Z");
        },
        "vulnerabilities REFUSES: the database of 2026-03-25T07:00:00.000Z, commit 0202020202 knows RUSTSEC-2026-0001 in \
         left@1.2.3 of alpha, beta, high, which could pass until 2026-03-25T12:00:00.000Z: left forgets itself -> REMEDY",
    );
}

#[test]
fn nothing_else_loosens_it() {
    // Today's rules no longer ask: what the release froze still does. The glass breaks for the clock only.
    says(
        |w| {
            w.today.gate.vulnerabilities = None;
            w.evidence.clear();
        },
        "vulnerabilities REFUSES: no database of advisories was asked -> RECORD",
    );
    let week = GateRules {
        vulnerabilities: Some(VulnerabilityRule { max_age: "168h".parse().unwrap() }),
        ..GateRules::default()
    };
    let day = GateRules {
        vulnerabilities: Some(VulnerabilityRule { max_age: "24h".parse().unwrap() }),
        ..GateRules::default()
    };
    assert_eq!(stricter(&[&week, &day, &GateRules::default()]), day);
}
