//! Rules that meet: every one that refuses is named, none hides another.

use super::*;

#[test]
fn pairs() {
    check(
        prod,
        &[
            (
                "frozen and stopped",
                "stop",
                |w| {
                    w.freeze("Europe/Berlin", "Wed 12:00", "Wed 18:00");
                    let since = time("2026-03-25T08:00:00Z");
                    w.policy.stop = Some(policy::Stop { reason: "leak".to_owned(), by: "alice".to_owned(), since });
                },
                "stop REFUSES: emergency stop by alice since 2026-03-25T08:00:00.000Z: leak -> when the emergency is over, run `cargo xtask policy resume \"<reason>\"`\n\
             freeze REFUSES: `freeze 1` freezes prod until 2026-03-25T17:00:00.000Z (Wed 2026-03-25 18:00 Europe/Berlin) -> wait until 2026-03-25T17:00:00.000Z, then run `cargo xtask promote --to prod --release v1.1.0`",
            ),
            (
                "the soak ends in a freeze",
                "soak",
                |w| {
                    w.verified_before = Some(time("2026-03-24T14:00:00Z"));
                    w.freeze("UTC", "Wed 10:00", "Thu 06:00");
                },
                "freeze REFUSES: `freeze 1` freezes prod until 2026-03-26T06:00:00.000Z (Thu 2026-03-26 06:00 UTC) -> wait until 2026-03-26T06:00:00.000Z, then run `cargo xtask promote --to prod --release v1.1.0`\n\
             soak REFUSES: verified in uat since 2026-03-24T14:00:00.000Z; 2h of 24h remain, until 2026-03-25T14:00:00.000Z -> wait until 2026-03-25T14:00:00.000Z, then run `cargo xtask promote --to prod --release v1.1.0`",
            ),
            (
                "approvals expire while it soaks",
                "approval",
                |w| {
                    w.verified_before = Some(time("2026-03-25T11:00:00Z"));
                    w.first_statement().expires = time("2026-03-25T11:30:00Z");
                },
                "soak REFUSES: verified in uat since 2026-03-25T11:00:00.000Z; 23h of 24h remain, until 2026-03-26T11:00:00.000Z -> wait until 2026-03-26T11:00:00.000Z, then run `cargo xtask promote --to prod --release v1.1.0`\n\
             approval REFUSES: 0 of 1 by product-owner; the approval by Pia of 2026-03-24T12:00:00.000Z does not count: it expired at 2026-03-25T11:30:00.000Z -> run `cargo xtask approve --to prod --release v1.1.0 --as product-owner`: Bea or Pia can\n\
             approval holds: 1 of 1 by manager: Max",
            ),
            (
                "dead and older than what is live",
                "alive",
                |w| {
                    w.live = Some("v1.2.0".parse().unwrap());
                    w.death = Some(Death {
                        environment: "prod".parse().unwrap(),
                        time: w.now,
                        finding: "alarm".to_owned(),
                        actor: "ada@laptop".to_owned(),
                    });
                },
                "alive REFUSES: it died in prod at 2026-03-25T12:00:00.000Z: alarm -> dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it\n\
             forward REFUSES: v1.2.0 is live in prod, which is newer -> to go back, run `cargo xtask rollback --env prod`",
            ),
            (
                "an expired approval and a fresh one of the same person",
                "approval",
                |w| {
                    w.first_statement().expires = w.now;
                    w.approve("pia", "product-owner");
                },
                "approval holds: 1 of 1 by product-owner: Pia; the approval by Pia of 2026-03-24T12:00:00.000Z does not count: it expired at 2026-03-25T12:00:00.000Z\n\
             approval holds: 1 of 1 by manager: Max",
            ),
            (
                "an author in one role, the releaser in the other",
                "approval",
                |w| {
                    w.wrote("pia@example.com", false);
                    w.releaser.actor = "max@laptop".to_owned();
                },
                "approval REFUSES: 0 of 1 by product-owner; the approval by Pia of 2026-03-24T12:00:00.000Z does not count: they are an author of commit ababababab -> run `cargo xtask approve --to prod --release v1.1.0 --as product-owner`: Bea can\n\
             approval REFUSES: 0 of 1 by manager; the approval by Max of 2026-03-24T12:00:00.000Z does not count: they released v1.1.0 -> run `cargo xtask approve --to prod --release v1.1.0 --as manager`: Bea can",
            ),
            (
                "approved and rejected by the same person",
                "alive",
                |w| w.reject("max", "manager"),
                "alive REFUSES: rejected for prod by Max as manager at 2026-03-24T12:00:00.000Z -> dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it",
            ),
            (
                "a stop with no policy at all",
                "approval",
                |w| {
                    let since = time("2026-03-25T08:00:00Z");
                    let stop = policy::Stop { reason: "leak".to_owned(), by: "alice".to_owned(), since };
                    w.policy = PolicyState { stop: Some(stop), ..PolicyState::default() };
                },
                "stop REFUSES: emergency stop by alice since 2026-03-25T08:00:00.000Z: leak -> when the emergency is over, run `cargo xtask policy resume \"<reason>\"`\n\
             approval REFUSES: 0 of 1 by product-owner; no policy is applied, so nobody may decide yet -> run `cargo xtask doctor --fix`, or write people.toml and run `cargo xtask policy apply`\n\
             approval REFUSES: 0 of 1 by manager; no policy is applied, so nobody may decide yet -> run `cargo xtask doctor --fix`, or write people.toml and run `cargo xtask policy apply`",
            ),
        ],
    );
    check(
        uat,
        &[
            (
                "neither evidence nor approval",
                "approval",
                |w| {
                    w.evidence.clear();
                    w.approvals.clear();
                },
                "evidence REFUSES: e2e: there is none -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env qa --kind e2e --file <file>`\n\
             approval REFUSES: 0 of 1 by qa-lead -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "a freeze in another zone ends at the same moment as one here",
                "freeze",
                |w| {
                    w.freeze("Europe/Berlin", "Wed 12:00", "Wed 14:00");
                    w.freeze("America/New_York", "Wed 08:00", "Wed 09:00");
                },
                "freeze REFUSES: `freeze 1` freezes uat until 2026-03-25T13:00:00.000Z (Wed 2026-03-25 14:00 Europe/Berlin); `freeze 2` freezes uat until 2026-03-25T13:00:00.000Z (Wed 2026-03-25 09:00 America/New_York) -> wait until 2026-03-25T13:00:00.000Z, then run `cargo xtask promote --to uat --release v1.1.0`",
            ),
        ],
    );
}
