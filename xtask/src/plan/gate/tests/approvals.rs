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

#[test]
fn nobody_approves_their_own() {
    check(
        uat,
        &[
            (
                "an author",
                "approval",
                |w| w.wrote("quinn@example.com", false),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: they are an author of commit ababababab -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "an author in capitals",
                "approval",
                |w| w.wrote("Quinn@Example.COM", false),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: they are an author of commit ababababab -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "an author by a second address",
                "approval",
                |w| {
                    w.person("quinn").emails.push("q@home.example".to_owned());
                    w.wrote("q@home.example", false);
                },
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: they are an author of commit ababababab -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "who merged",
                "approval",
                |w| w.wrote("quinn@example.com", true),
                "approval holds: 1 of 1 by qa-lead: Quinn",
            ),
            (
                "the author is someone else",
                "approval",
                |w| w.wrote("dave@example.com", false),
                "approval holds: 1 of 1 by qa-lead: Quinn",
            ),
            (
                "the releaser by login",
                "approval",
                |w| w.releaser.actor = "quinn@laptop".to_owned(),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: they released v1.1.0 -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "the releaser by GitHub login",
                "approval",
                |w| w.releaser.actor = "Quinn-Hub".to_owned(),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: they released v1.1.0 -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "the releaser by address",
                "approval",
                |w| w.releaser.email = Some("QUINN@example.com".to_owned()),
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: they released v1.1.0 -> run `cargo xtask approve --to uat --release v1.1.0 --as qa-lead`: Rita can",
            ),
            (
                "everyone who could wrote it",
                "approval",
                |w| {
                    w.wrote("quinn@example.com", false);
                    w.releaser.actor = "rita@laptop".to_owned();
                },
                "approval REFUSES: 0 of 1 by qa-lead; the approval by Quinn of 2026-03-24T12:00:00.000Z does not count: they are an author of commit ababababab -> 1 more with the role qa-lead who neither wrote nor released it must be in people.toml, each with a key; then run `cargo xtask policy apply`",
            ),
        ],
    );
}

#[test]
fn several_people() {
    check(
        prod,
        &[
            (
                "both roles",
                "approval",
                |_| {},
                "approval holds: 1 of 1 by product-owner: Pia\n\
             approval holds: 1 of 1 by manager: Max",
            ),
            (
                "only one",
                "approval",
                |w| drop(w.approvals.remove(1)),
                "approval holds: 1 of 1 by product-owner: Pia\n\
             approval REFUSES: 0 of 1 by manager -> run `cargo xtask approve --to prod --release v1.1.0 --as manager`: Bea or Max can",
            ),
            (
                "one person for both",
                "approval",
                |w| {
                    w.approvals.clear();
                    w.approve("bea", "product-owner");
                    w.approve("bea", "manager");
                },
                "approval holds: 1 of 1 by product-owner: Bea\n\
             approval REFUSES: 0 of 1 by manager; the approval by Bea of 2026-03-24T12:00:00.000Z does not count: they are counted as product-owner already, and one person counts in one role -> run `cargo xtask approve --to prod --release v1.1.0 --as manager`: Max can",
            ),
            (
                "one person for both, where that is allowed",
                "approval",
                |w| {
                    w.approvals.clear();
                    w.approve("bea", "product-owner");
                    w.approve("bea", "manager");
                    w.people().several_roles = true;
                },
                "approval holds: 1 of 1 by product-owner: Bea\n\
             approval holds: 1 of 1 by manager: Bea",
            ),
            (
                "whoever can stand in does",
                "approval",
                |w| {
                    w.approvals.clear();
                    w.approve("bea", "product-owner");
                    w.approve("bea", "manager");
                    w.approve("pia", "product-owner");
                },
                "approval holds: 1 of 1 by product-owner: Pia; the approval by Bea of 2026-03-24T12:00:00.000Z does not count: they are counted as manager already, and one person counts in one role\n\
             approval holds: 1 of 1 by manager: Bea",
            ),
            (
                "more than needed",
                "approval",
                |w| w.approve("bea", "manager"),
                "approval holds: 1 of 1 by product-owner: Pia\n\
             approval holds: 1 of 1 by manager: Max; the approval by Bea of 2026-03-24T12:00:00.000Z is not needed",
            ),
            (
                "two managers asked for",
                "approval",
                |w| w.today.gate = rules_of(&[("manager", 2)], None, &[]),
                "approval holds: 1 of 1 by product-owner: Pia\n\
             approval REFUSES: 1 of 2 by manager: Max -> run `cargo xtask approve --to prod --release v1.1.0 --as manager`: Bea can",
            ),
            (
                "the same manager twice",
                "approval",
                |w| {
                    w.today.gate = rules_of(&[("manager", 2)], None, &[]);
                    w.approve("max", "manager");
                },
                "approval holds: 1 of 1 by product-owner: Pia\n\
             approval REFUSES: 1 of 2 by manager: Max; the approval by Max of 2026-03-24T12:00:00.000Z does not count: they are counted as manager already -> run `cargo xtask approve --to prod --release v1.1.0 --as manager`: Bea can",
            ),
            (
                "the same manager with two keys",
                "approval",
                |w| {
                    w.today.gate = rules_of(&[("manager", 2)], None, &[]);
                    w.person("max").keys.push(PersonKey {
                        key: key(44),
                        valid_from: None,
                        valid_until: None,
                        revoked_at: None,
                    });
                    w.approve("max", "manager");
                    statement(&mut w.approvals[2]).key = key(44).fingerprint();
                },
                "approval holds: 1 of 1 by product-owner: Pia\n\
             approval REFUSES: 1 of 2 by manager: Max; the approval by Max of 2026-03-24T12:00:00.000Z does not count: they are counted as manager already -> run `cargo xtask approve --to prod --release v1.1.0 --as manager`: Bea can",
            ),
            (
                "two managers",
                "approval",
                |w| {
                    w.today.gate = rules_of(&[("manager", 2)], None, &[]);
                    w.approve("bea", "manager");
                },
                "approval holds: 1 of 1 by product-owner: Pia\n\
             approval holds: 2 of 2 by manager: Max, Bea",
            ),
            (
                "more managers than there are",
                "approval",
                |w| w.today.gate = rules_of(&[("manager", 4)], None, &[]),
                "approval holds: 1 of 1 by product-owner: Pia\n\
             approval REFUSES: 1 of 4 by manager: Max -> 2 more with the role manager who neither wrote nor released it must be in people.toml, each with a key; then run `cargo xtask policy apply`",
            ),
            (
                "loosened today",
                "approval",
                |w| {
                    w.today.gate = GateRules::default();
                    w.approvals.clear();
                },
                "approval REFUSES: 0 of 1 by product-owner -> run `cargo xtask approve --to prod --release v1.1.0 --as product-owner`: Bea or Pia can\n\
             approval REFUSES: 0 of 1 by manager -> run `cargo xtask approve --to prod --release v1.1.0 --as manager`: Bea or Max can",
            ),
            (
                "tightened by the policy",
                "approval",
                |w| {
                    w.policy.gates.insert("prod".parse().unwrap(), rules_of(&[("qa-lead", 2)], None, &[]));
                },
                "approval holds: 1 of 1 by product-owner: Pia\n\
             approval holds: 1 of 1 by manager: Max\n\
             approval REFUSES: 0 of 2 by qa-lead -> run `cargo xtask approve --to prod --release v1.1.0 --as qa-lead`: 2 of Quinn, Rita can",
            ),
        ],
    );
}
