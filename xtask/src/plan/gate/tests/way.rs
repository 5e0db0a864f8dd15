//! Not dead, in order, forward, on the path.

use super::*;

#[test]
fn the_way() {
    check(
        uat,
        &[
            ("alive", "alive", |_| {}, "alive holds: the release is not dead"),
            (
                "dead",
                "alive",
                |w| {
                    let finding = "smoke `price` is wrong".to_owned();
                    w.death = Some(Death {
                        environment: "qa".parse().unwrap(),
                        time: w.now,
                        finding,
                        actor: "ada@laptop".to_owned(),
                    });
                },
                "alive REFUSES: it died in qa at 2026-03-25T12:00:00.000Z: smoke `price` is wrong -> dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it",
            ),
            (
                "rejected",
                "alive",
                |w| w.reject("rita", "qa-lead"),
                "alive REFUSES: rejected for uat by Rita as qa-lead at 2026-03-24T12:00:00.000Z -> dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it",
            ),
            (
                "rejected, with a reason",
                "alive",
                |w| {
                    w.reject("rita", "qa-lead");
                    statement(&mut w.approvals[1]).comment = Some("prices are wrong".to_owned());
                },
                "alive REFUSES: rejected for uat by Rita as qa-lead at 2026-03-24T12:00:00.000Z: prices are wrong -> dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it",
            ),
            (
                "a rejection outlives its expiry",
                "alive",
                |w| {
                    w.reject("rita", "qa-lead");
                    statement(&mut w.approvals[1]).expires = w.now;
                },
                "alive REFUSES: rejected for uat by Rita as qa-lead at 2026-03-24T12:00:00.000Z -> dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it",
            ),
            (
                "a rejection cannot be revoked",
                "alive",
                |w| {
                    w.reject("rita", "qa-lead");
                    w.revoke("rita", "qa-lead");
                },
                "alive REFUSES: rejected for uat by Rita as qa-lead at 2026-03-24T12:00:00.000Z -> dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it",
            ),
            (
                "an author may reject",
                "alive",
                |w| {
                    w.wrote("rita@example.com", false);
                    w.reject("rita", "qa-lead");
                },
                "alive REFUSES: rejected for uat by Rita as qa-lead at 2026-03-24T12:00:00.000Z -> dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it",
            ),
            (
                "rejected by nobody known",
                "alive",
                |w| w.reject("zoe", "qa-lead"),
                "alive holds: the release is not dead; the rejection by zoe does not count: the policy knows no person `zoe`",
            ),
            (
                "rejected in a role not held",
                "alive",
                |w| w.reject("rita", "manager"),
                "alive holds: the release is not dead; the rejection by Rita does not count: they do not hold the role manager",
            ),
            (
                "rejected in a role that this gate does not ask for",
                "alive",
                |w| w.reject("max", "manager"),
                "alive holds: the release is not dead; the rejection by Max does not count: the gate of uat does not ask for the role manager",
            ),
            (
                "rejected with a bad signature",
                "alive",
                |w| {
                    w.reject("rita", "qa-lead");
                    w.approvals[1].signature_ok = false;
                },
                "alive holds: the release is not dead; the rejection by Rita does not count: its signature is not valid",
            ),
            (
                "rejected, and its link is broken",
                "alive",
                |w| {
                    w.reject("rita", "qa-lead");
                    w.approvals[1].linked = false;
                },
                "alive REFUSES: rejected for uat by Rita as qa-lead at 2026-03-24T12:00:00.000Z -> dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it",
            ),
            ("in order", "order", |_| {}, "order holds: verified in qa"),
            (
                "verified before, and found bad since",
                "order",
                |w| {
                    let at = time("2026-03-24T12:00:00Z");
                    w.failed_before = Some(FailedCheck { at, finding: "alpha (bytes Incorrect)".to_owned() });
                },
                "order REFUSES: its newest verification in qa, at 2026-03-24T12:00:00.000Z, failed: alpha (bytes Incorrect) -> mend what it found, then run `cargo xtask verify --env qa`",
            ),
            (
                "not verified before",
                "order",
                |w| w.verified_before = None,
                "order REFUSES: it is not verified in qa -> run `cargo xtask promote --to qa --release v1.1.0`",
            ),
            (
                "the same release again",
                "forward",
                |w| w.live = Some(w.manifest.release),
                "forward holds: v1.1.0 is live",
            ),
            ("nothing live", "forward", |w| w.live = None, "forward holds: nothing is live yet"),
            (
                "a newer one is live",
                "forward",
                |w| w.live = Some("v1.2.0".parse().unwrap()),
                "forward REFUSES: v1.2.0 is live in uat, which is newer -> to go back, run `cargo xtask rollback --env uat`",
            ),
            ("on the path", "path", |_| {}, "path holds: uat is on the promotion path"),
            (
                "not on the frozen path",
                "path",
                |w| w.manifest.path.retain(|stop| stop.environment.as_str() != "uat"),
                "path REFUSES: uat is not on the promotion path that the release froze -> commit the new path and run `cargo xtask release`: the next release has it\n\
             evidence REFUSES: e2e: `report.xml` is about qa, not about uat -> add a JUnit report: `cargo xtask evidence add v1.1.0 --env uat --kind e2e --file <file>`",
            ),
            (
                "synchronised into an ordinary environment",
                "path",
                |w| w.synchronised = true,
                "path REFUSES: uat is not the second region: it is fed by promotion, not by synchronisation -> run `cargo xtask promote --to uat --release v1.1.0`",
            ),
            (
                "made the second region today",
                "path",
                |w| w.today.recovery = true,
                "path REFUSES: uat is the second region: it is fed by synchronisation, not by promotion -> run `cargo xtask dr-sync --release v1.1.0`",
            ),
            (
                "made an ordinary environment today",
                "path",
                |w| {
                    w.manifest.path[2].recovery = true;
                    w.today.recovery = false;
                },
                "path REFUSES: uat is the second region: it is fed by synchronisation, not by promotion -> run `cargo xtask dr-sync --release v1.1.0`",
            ),
        ],
    );
}

#[test]
fn the_ends_of_the_path() {
    check(
        || world("dev"),
        &[("the first environment", "order", |w| w.verified_before = None, "order holds: no environment is before it")],
    );
    check(
        || world("dr"),
        &[
            (
                "promoted into the second region",
                "path",
                |_| {},
                "path REFUSES: dr is the second region: it is fed by synchronisation, not by promotion -> run `cargo xtask dr-sync --release v1.1.0`",
            ),
            (
                "synchronised",
                "path",
                |w| w.synchronised = true,
                "path holds: dr is the second region, and this is its synchronisation",
            ),
            (
                "synchronised over a newer one",
                "forward",
                |w| (w.synchronised, w.live) = (true, Some("v1.2.0".parse().unwrap())),
                "forward REFUSES: v1.2.0 is live in dr, which is newer -> to go back, run `cargo xtask rollback --env dr`",
            ),
            (
                "synchronised over a newer one that is dead",
                "forward",
                |w| (w.synchronised, w.live, w.live_died) = (true, Some("v1.2.0".parse().unwrap()), true),
                "forward holds: v1.2.0 is live and dead; what dr follows went back",
            ),
        ],
    );
}
