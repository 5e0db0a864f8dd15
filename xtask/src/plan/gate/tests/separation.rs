//! Separation of duties: nobody approves their own, and one person is not two.

use super::*;

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
