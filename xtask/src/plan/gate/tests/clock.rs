//! Emergency stop, freezes, soak time; edges of clocks.

use super::*;

fn stopped(world: &mut World) {
    let since = time("2026-03-25T08:00:00Z");
    world.policy.stop = Some(policy::Stop { reason: "keys leaked".to_owned(), by: "alice@laptop".to_owned(), since });
}

#[test]
fn stops_and_freezes() {
    check(
        uat,
        &[
            ("no stop", "stop", |_| {}, "stop holds: there is no emergency stop"),
            (
                "emergency stop",
                "stop",
                stopped,
                "stop REFUSES: emergency stop by alice@laptop since 2026-03-25T08:00:00.000Z: keys leaked -> when the emergency is over, run `cargo xtask policy resume \"<reason>\"`",
            ),
            (
                "no freeze",
                "freeze",
                |w| w.freeze("UTC", "Fri 16:00", "Mon 06:00"),
                "freeze holds: there is no freeze now",
            ),
            (
                "frozen every week",
                "freeze",
                |w| w.freeze("Europe/Berlin", "Wed 13:00", "Thu 06:00"),
                "freeze REFUSES: `freeze 1` freezes uat until 2026-03-26T05:00:00.000Z (Thu 2026-03-26 06:00 Europe/Berlin) -> wait until 2026-03-26T05:00:00.000Z, then run `cargo xtask promote --to uat --release v1.1.0`",
            ),
            (
                "a minute before a freeze",
                "freeze",
                |w| w.freeze("Europe/Berlin", "Wed 13:01", "Thu 06:00"),
                "freeze holds: there is no freeze now",
            ),
            (
                "at the end of a freeze",
                "freeze",
                |w| w.freeze("Europe/Berlin", "Tue 13:00", "Wed 13:00"),
                "freeze holds: there is no freeze now",
            ),
            (
                "frozen once",
                "freeze",
                |w| w.freeze("America/New_York", "2026-03-20T00:00", "2026-03-27T00:00"),
                "freeze REFUSES: `freeze 1` freezes uat until 2026-03-27T04:00:00.000Z (Fri 2026-03-27 00:00 America/New_York) -> wait until 2026-03-27T04:00:00.000Z, then run `cargo xtask promote --to uat --release v1.1.0`",
            ),
            (
                "frozen elsewhere",
                "freeze",
                |w| {
                    w.freeze("UTC", "Mon 00:00", "Sun 23:00");
                    w.people().freezes[0].environments = vec!["prod".parse().unwrap()];
                },
                "freeze holds: there is no freeze now",
            ),
            (
                "two freezes that follow each other",
                "freeze",
                |w| {
                    w.freeze("UTC", "Wed 10:00", "Wed 18:00");
                    w.freeze("UTC", "2026-03-25T18:00", "2026-03-26T09:00");
                },
                "freeze REFUSES: `freeze 1` freezes uat until 2026-03-25T18:00:00.000Z (Wed 2026-03-25 18:00 UTC) -> wait until 2026-03-26T09:00:00.000Z, then run `cargo xtask promote --to uat --release v1.1.0`",
            ),
            (
                "two freezes at once",
                "freeze",
                |w| {
                    w.freeze("UTC", "Wed 10:00", "Wed 18:00");
                    w.freeze("UTC", "2026-03-25T00:00", "2026-03-26T09:00");
                },
                "freeze REFUSES: `freeze 1` freezes uat until 2026-03-25T18:00:00.000Z (Wed 2026-03-25 18:00 UTC); `freeze 2` freezes uat until 2026-03-26T09:00:00.000Z (Thu 2026-03-26 09:00 UTC) -> wait until 2026-03-26T09:00:00.000Z, then run `cargo xtask promote --to uat --release v1.1.0`",
            ),
            (
                "frozen for ever",
                "freeze",
                |w| {
                    w.freeze("UTC", "Mon 00:00", "Thu 00:00");
                    w.freeze("UTC", "Thu 00:00", "Mon 00:00");
                },
                "freeze REFUSES: `freeze 1` freezes uat until 2026-03-26T00:00:00.000Z (Thu 2026-03-26 00:00 UTC) -> no end is in sight: change the freezes in people.toml and run `cargo xtask policy apply`",
            ),
            (
                "frozen over the hour that is left out",
                "freeze",
                |w| {
                    w.freeze("Europe/Berlin", "Sat 18:00", "Sun 02:30");
                    w.now = time("2026-03-29T01:29:59Z");
                },
                "freeze REFUSES: `freeze 1` freezes uat until 2026-03-29T01:30:00.000Z (Sun 2026-03-29 03:30 Europe/Berlin) -> wait until 2026-03-29T01:30:00.000Z, then run `cargo xtask promote --to uat --release v1.1.0`",
            ),
            (
                "after the hour that is left out",
                "freeze",
                |w| {
                    w.freeze("Europe/Berlin", "Sat 18:00", "Sun 02:30");
                    w.now = time("2026-03-29T01:30:00Z");
                },
                "freeze holds: there is no freeze now",
            ),
            (
                "frozen through the hour that comes twice",
                "freeze",
                |w| {
                    w.freeze("Europe/Berlin", "2026-10-24T18:00", "2026-10-25T02:30");
                    w.freeze("Europe/Berlin", "2027-01-01T00:00", "2027-01-02T00:00");
                    w.now = time("2026-10-25T01:00:00Z");
                    w.approvals[0].entry.time = w.now;
                    w.first_statement().expires = time("2026-11-01T00:00:00Z");
                },
                "freeze REFUSES: `freeze 1` freezes uat until 2026-10-25T01:30:00.000Z (Sun 2026-10-25 02:30 Europe/Berlin) -> wait until 2026-10-25T01:30:00.000Z, then run `cargo xtask promote --to uat --release v1.1.0`",
            ),
        ],
    );
}

#[test]
fn soaking() {
    check(
        prod,
        &[
            ("soaked", "soak", |_| {}, "soak holds: verified in uat since 2026-03-23T12:00:00.000Z, for at least 24h"),
            (
                "exactly long enough",
                "soak",
                |w| w.verified_before = Some(time("2026-03-24T12:00:00Z")),
                "soak holds: verified in uat since 2026-03-24T12:00:00.000Z, for at least 24h",
            ),
            (
                "a moment too early",
                "soak",
                |w| w.verified_before = Some(time("2026-03-24T12:00:00.001Z")),
                "soak REFUSES: verified in uat since 2026-03-24T12:00:00.001Z; 1s of 24h remain, until 2026-03-25T12:00:00.001Z -> wait until 2026-03-25T12:00:00.001Z, then run `cargo xtask promote --to prod --release v1.1.0`",
            ),
            (
                "half way",
                "soak",
                |w| w.verified_before = Some(time("2026-03-25T00:30:00Z")),
                "soak REFUSES: verified in uat since 2026-03-25T00:30:00.000Z; 12h 30m of 24h remain, until 2026-03-26T00:30:00.000Z -> wait until 2026-03-26T00:30:00.000Z, then run `cargo xtask promote --to prod --release v1.1.0`",
            ),
            (
                "verified by a clock ahead of ours",
                "soak",
                |w| w.verified_before = Some(time("2026-03-25T12:03:00Z")),
                "soak REFUSES: verified in uat since 2026-03-25T12:03:00.000Z; 24h 3m of 24h remain, until 2026-03-26T12:03:00.000Z -> wait until 2026-03-26T12:03:00.000Z, then run `cargo xtask promote --to prod --release v1.1.0`",
            ),
            (
                "not verified",
                "soak",
                |w| w.verified_before = None,
                "order REFUSES: it is not verified in uat -> run `cargo xtask promote --to uat --release v1.1.0`\n\
             soak REFUSES: 0s of 24h: it is not verified in uat -> run `cargo xtask promote --to uat --release v1.1.0` and let it prove itself",
            ),
            (
                "loosened today",
                "soak",
                |w| {
                    w.today.gate.soak = None;
                    w.verified_before = Some(time("2026-03-25T00:00:00Z"));
                },
                "soak REFUSES: verified in uat since 2026-03-25T00:00:00.000Z; 12h of 24h remain, until 2026-03-26T00:00:00.000Z -> wait until 2026-03-26T00:00:00.000Z, then run `cargo xtask promote --to prod --release v1.1.0`",
            ),
            (
                "tightened by the policy",
                "soak",
                |w| {
                    w.policy.gates.insert("prod".parse().unwrap(), rules_of(&[], Some("72h"), &[]));
                },
                "soak REFUSES: verified in uat since 2026-03-23T12:00:00.000Z; 24h of 72h remain, until 2026-03-26T12:00:00.000Z -> wait until 2026-03-26T12:00:00.000Z, then run `cargo xtask promote --to prod --release v1.1.0`",
            ),
        ],
    );
    check(
        || world("dev"),
        &[(
            "nothing to soak in",
            "soak",
            |w| w.today.gate.soak = Some("24h".parse().unwrap()),
            "soak holds: no environment is before it",
        )],
    );
}
