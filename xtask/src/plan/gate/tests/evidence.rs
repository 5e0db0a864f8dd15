//! Evidence: which piece counts, and what it must say.

use super::*;

#[test]
fn evidence_of_success() {
    check(
        uat,
        &[
            (
                "all passed",
                "evidence",
                |_| {},
                "evidence holds: e2e: `report.xml` of 2026-03-24T12:00:00.000Z, 12 tests passed, 0 skipped",
            ),
            (
                "none",
                "evidence",
                |w| w.evidence.clear(),
                "evidence REFUSES: e2e: there is none -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "of another kind",
                "evidence",
                |w| w.evidence[0].kind = "load".parse().unwrap(),
                "evidence REFUSES: e2e: there is none -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "about another release",
                "evidence",
                |w| w.evidence[0].release = "v1.0.9".parse().unwrap(),
                "evidence REFUSES: e2e: there is none -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "about other bytes",
                "evidence",
                |w| w.evidence[0].manifest = Digest::of(b"other"),
                "evidence REFUSES: e2e: `report.xml` is about another manifest, d9298a10d1b0 -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "from too early an environment",
                "evidence",
                |w| w.evidence[0].environment = "dev".parse().unwrap(),
                "evidence REFUSES: e2e: `report.xml` is about dev, not about qa -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "about the environment itself",
                "evidence",
                |w| w.evidence[0].environment = "uat".parse().unwrap(),
                "evidence holds: e2e: `report.xml` of 2026-03-24T12:00:00.000Z, 12 tests passed, 0 skipped",
            ),
            (
                "failing tests",
                "evidence",
                |w| w.evidence[0].tests = Some(TestSummary { tests: 9, failures: 2, errors: 0, skipped: 0 }),
                "evidence REFUSES: e2e: `report.xml` of 2026-03-24T12:00:00.000Z is none: of 9 tests 2 failed and 0 broke off -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "broken tests",
                "evidence",
                |w| w.evidence[0].tests = Some(TestSummary { tests: 9, failures: 0, errors: 1, skipped: 0 }),
                "evidence REFUSES: e2e: `report.xml` of 2026-03-24T12:00:00.000Z is none: of 9 tests 0 failed and 1 broke off -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "no tests",
                "evidence",
                |w| w.evidence[0].tests = Some(TestSummary::default()),
                "evidence REFUSES: e2e: `report.xml` of 2026-03-24T12:00:00.000Z is none: no test ran -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "only skipped tests",
                "evidence",
                |w| w.evidence[0].tests = Some(TestSummary { tests: 3, failures: 0, errors: 0, skipped: 3 }),
                "evidence REFUSES: e2e: `report.xml` of 2026-03-24T12:00:00.000Z is none: all 3 tests were skipped -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "not a report",
                "evidence",
                |w| w.evidence[0].tests = None,
                "evidence REFUSES: e2e: `report.xml` of 2026-03-24T12:00:00.000Z is none: it is not a test report -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "the newest fails",
                "evidence",
                |w| w.prove("2026-03-25T12:00:00Z", Some((9, 1, 0, 0))),
                "evidence REFUSES: e2e: `report.xml` of 2026-03-25T12:00:00.000Z is none: of 9 tests 1 failed and 0 broke off -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "the newest passes",
                "evidence",
                |w| {
                    w.evidence[0].tests = Some(TestSummary { tests: 9, failures: 2, errors: 0, skipped: 0 });
                    w.prove("2026-03-25T12:00:00Z", Some((9, 0, 0, 1)));
                },
                "evidence holds: e2e: `report.xml` of 2026-03-25T12:00:00.000Z, 8 tests passed, 1 skipped",
            ),
            (
                "two of one moment",
                "evidence",
                |w| {
                    w.prove("2026-03-24T12:00:00Z", Some((9, 1, 0, 0)));
                    w.prove("2026-03-24T12:00:00Z", Some((9, 0, 0, 0)));
                },
                "evidence REFUSES: e2e: `report.xml` of 2026-03-24T12:00:00.000Z is none: of 9 tests 1 failed and 0 broke off -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "by a clock a little ahead",
                "evidence",
                |w| w.evidence[0].time = time("2026-03-25T12:05:00Z"),
                "evidence holds: e2e: `report.xml` of 2026-03-25T12:05:00.000Z, 12 tests passed, 0 skipped",
            ),
            (
                "from the future",
                "evidence",
                |w| w.evidence[0].time = time("2026-03-25T12:05:00.001Z"),
                "evidence REFUSES: e2e: `report.xml` of 2026-03-25T12:05:00.001Z is none: it is dated in the future -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "a file is enough",
                "evidence",
                |w| {
                    w.manifest.path[2].gate.evidence[0].tests = false;
                    w.today.gate.evidence.clear();
                    w.evidence[0].tests = None;
                },
                "evidence holds: e2e: `report.xml` of 2026-03-24T12:00:00.000Z",
            ),
            (
                "failures refuse even where a file is enough",
                "evidence",
                |w| {
                    w.manifest.path[2].gate.evidence[0].tests = false;
                    w.today.gate.evidence.clear();
                    w.evidence[0].tests = Some(TestSummary { tests: 9, failures: 2, errors: 0, skipped: 0 });
                },
                "evidence REFUSES: e2e: `report.xml` of 2026-03-24T12:00:00.000Z is none: of 9 tests 2 failed and 0 broke off -> add a file: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
            (
                "no longer asked for today",
                "evidence",
                |w| {
                    w.today.gate.evidence.clear();
                    w.evidence.clear();
                },
                "evidence REFUSES: e2e: there is none -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`",
            ),
        ],
    );
}
