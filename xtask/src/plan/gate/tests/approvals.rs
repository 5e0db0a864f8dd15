//! Approvals: who counts, and why the others do not.

use super::*;

#[test]
fn one_approval_alone() {
    check(
        uat,
        &[
            ("approved", "approval", |_| {}, "approval holds: 1 of 1 by qa-lead: Quinn"),
            (
                "by throwaway people",
                "approval",
                |w| w.people().throwaway = true,
                "approval holds: 1 of 1 by qa-lead: Quinn (throwaway)",
            ),
            (
                "nobody yet",
                "approval",
                |w| w.approvals.clear(),
                "approval REFUSES: 0 of 1 by qa-lead -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "no policy",
                "approval",
                |w| w.policy = PolicyState::default(),
                "approval REFUSES: 0 of 1 by qa-lead; no policy is applied, so nobody may decide yet -> run `cargo xtask doctor --fix`, or write people.toml and run `cargo xtask policy apply`",
            ),
            (
                "bad signature",
                "approval",
                |w| w.approvals[0].signature_ok = false,
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: its signature is not valid -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "its link is broken",
                "approval",
                |w| w.approvals[0].linked = false,
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it does not follow what stands before it in its chain -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "for another release",
                "approval",
                |w| w.first().release = Some("v1.0.9".parse().unwrap()),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it is for v1.0.9, not for v1.1.0 -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "for no release",
                "approval",
                |w| w.first().release = None,
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it is for no release, not for v1.1.0 -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "for another environment",
                "approval",
                |w| w.first_statement().environment = "prod".parse().unwrap(),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it is for prod, not for uat -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "from another chain",
                "approval",
                |w| w.first().chain = "approvals/v1.0.9/uat".parse().unwrap(),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it was moved here from approvals/v1.0.9/uat -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "for another manifest",
                "approval",
                |w| w.first().manifest = Some(Digest::of(b"other")),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it is for manifest d9298a10d1b0, not for 05b3abf2579a -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "for no manifest",
                "approval",
                |w| w.first().manifest = None,
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it is for no manifest, not for 05b3abf2579a -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "by a clock a little ahead",
                "approval",
                |w| w.first().time = time("2026-03-25T12:05:00Z"),
                "approval holds: 1 of 1 by qa-lead: Quinn",
            ),
            (
                "from the future",
                "approval",
                |w| w.first().time = time("2026-03-25T12:05:00.001Z"),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-25T12:05:00.001Z does not count: it is dated in the future, 2026-03-25T12:05:00.001Z -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "by an unknown person",
                "approval",
                |w| w.first_statement().person = "zoe".parse().unwrap(),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by zoe of 2026-03-24T12:00:00.000Z does not count: the policy knows no person `zoe` -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "with an unknown key",
                "approval",
                |w| w.first_statement().key = key(99).fingerprint(),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: the key SHA256:v9MV9GL69RgzQhR5ZxNVOjZFsGkPiVFHgTfdK9uIY58 is not one of theirs -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "with the key of someone else",
                "approval",
                |w| w.first_statement().key = key(2).fingerprint(),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: the key SHA256:baqJQcVDEweKmw1OiZxGooCG2MGxYtwsQQzzOstxmiA is not one of theirs -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "with a key that two have",
                "approval",
                |w| {
                    let shared = w.person("quinn").keys.clone();
                    w.person("rita").keys.extend(shared);
                },
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: the key SHA256:RXm/ruZ0eTzRXKwi1AQEDynB0VgHQ2ac9KPSFdf/YnA is listed for rita, too, so it proves nobody -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "with a key not valid yet",
                "approval",
                |w| w.person("quinn").keys[0].valid_from = Some(time("2026-03-24T12:00:00.001Z")),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: the key SHA256:RXm/ruZ0eTzRXKwi1AQEDynB0VgHQ2ac9KPSFdf/YnA was not valid when it signed, at 2026-03-24T12:00:00.000Z -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "with a key just valid",
                "approval",
                |w| w.person("quinn").keys[0].valid_from = Some(time("2026-03-24T12:00:00Z")),
                "approval holds: 1 of 1 by qa-lead: Quinn",
            ),
            (
                "with a key that had ended",
                "approval",
                |w| w.person("quinn").keys[0].valid_until = Some(time("2026-03-24T12:00:00Z")),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: the key SHA256:RXm/ruZ0eTzRXKwi1AQEDynB0VgHQ2ac9KPSFdf/YnA was not valid when it signed, at 2026-03-24T12:00:00.000Z -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "with a key that has ended since",
                "approval",
                |w| w.person("quinn").keys[0].valid_until = Some(time("2026-03-24T12:00:01Z")),
                "approval holds: 1 of 1 by qa-lead: Quinn",
            ),
            (
                "with a key revoked since",
                "approval",
                |w| w.person("quinn").keys[0].revoked_at = Some(time("2026-03-25T12:00:00Z")),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: the key SHA256:RXm/ruZ0eTzRXKwi1AQEDynB0VgHQ2ac9KPSFdf/YnA is revoked since 2026-03-25T12:00:00.000Z -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "with a key to be revoked",
                "approval",
                |w| w.person("quinn").keys[0].revoked_at = Some(time("2026-03-25T12:00:01Z")),
                "approval holds: 1 of 1 by qa-lead: Quinn",
            ),
            (
                "in a role not held",
                "approval",
                |w| w.person("quinn").roles.clear(),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: they do not hold the role qa-lead -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "in a role not asked for",
                "approval",
                |w| w.approve("max", "manager"),
                "approval holds: 1 of 1 by qa-lead: Quinn\n\
             approval holds: not asked for: Max as manager",
            ),
            (
                "expired",
                "approval",
                |w| w.first_statement().expires = w.now,
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it expired at 2026-03-25T12:00:00.000Z -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "about to expire",
                "approval",
                |w| w.first_statement().expires = time("2026-03-25T12:00:00.001Z"),
                "approval holds: 1 of 1 by qa-lead: Quinn",
            ),
            (
                "older than the policy allows",
                "approval",
                |w| w.people().valid_days = 1,
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it expired at 2026-03-25T12:00:00.000Z -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "revoked",
                "approval",
                |w| w.revoke("quinn", "qa-lead"),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it was revoked by themselves at 2026-03-24T12:00:00.000Z -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "revoked in another role",
                "approval",
                |w| w.revoke("quinn", "manager"),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it was revoked by themselves at 2026-03-24T12:00:00.000Z -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "revoked with an old key",
                "approval",
                |w| {
                    w.revoke("quinn", "qa-lead");
                    w.person("quinn").keys.push(PersonKey {
                        key: key(50),
                        valid_from: None,
                        valid_until: Some(time("2020-01-01T00:00:00Z")),
                        revoked_at: None,
                    });
                    statement(&mut w.approvals[1]).key = key(50).fingerprint();
                },
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it was revoked by themselves at 2026-03-24T12:00:00.000Z -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Quinn or Rita can",
            ),
            (
                "revoked by someone else",
                "approval",
                |w| w.revoke("rita", "qa-lead"),
                "approval holds: 1 of 1 by qa-lead: Quinn",
            ),
            (
                "revoked with a bad signature",
                "approval",
                |w| {
                    w.revoke("quinn", "qa-lead");
                    w.approvals[1].signature_ok = false;
                },
                "approval holds: 1 of 1 by qa-lead: Quinn",
            ),
            (
                "approved again after revoking",
                "approval",
                |w| {
                    w.revoke("quinn", "qa-lead");
                    w.approve("quinn", "qa-lead");
                },
                "approval holds: 1 of 1 by qa-lead: Quinn; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: it was revoked by themselves at 2026-03-24T12:00:00.000Z",
            ),
        ],
    );
}
