//! Decisions and proof by someone who holds keys, but not the right ones.

use std::collections::BTreeMap;

use xtask::{
    adapters::ssh,
    engine::ledger,
    model::{
        approval::{ApprovalEvent, Statement},
        digest::Digest,
        entry::ChainName,
    },
};

use super::{Vault, wait};

/// Who signs, whom the statement names, in which role, and whether it is about the bytes that were sealed.
struct Forgery {
    signs: &'static str,
    names: &'static str,
    role: &'static str,
    sealed: bool,
    what: &'static str,
}

#[rustfmt::skip]
const FORGERIES: &[Forgery] = &[
    Forgery { signs: "mallory", names: "mallory", role: "manager", sealed: true, what: "knows no person" },
    Forgery { signs: "mallory", names: "max", role: "manager", sealed: true, what: "is not one of theirs" },
    Forgery { signs: "quinn", names: "max", role: "manager", sealed: true, what: "is not one of theirs" },
    Forgery { signs: "quinn", names: "quinn", role: "manager", sealed: true, what: "do not hold the role" },
    Forgery { signs: "max", names: "max", role: "manager", sealed: false, what: "it is for manifest" },
];

#[test]
fn a_statement_by_someone_who_could_not_make_it_is_named() {
    let original = Vault::new();
    for forgery in FORGERIES {
        let vault = Vault::new();
        let key = ssh::open(&original.key(forgery.signs), &BTreeMap::new()).unwrap();
        let environment: xtask::model::names::EnvName = "prod".parse().unwrap();
        let release = "v1.1.1".parse().unwrap();
        let statement = Statement {
            environment: environment.clone(),
            person: forgery.names.parse().unwrap(),
            role: forgery.role.parse().unwrap(),
            expires: vault.context.clock.now(),
            comment: None,
            key: key.public().fingerprint(ssh_key::HashAlg::Sha256).to_string(),
        };
        let manifest = if forgery.sealed { vault.read("v1.1.1/manifest.json") } else { b"other bytes".to_vec() };
        let event = ApprovalEvent::Approved { statement };
        let draft = ledger::Draft { release: Some(release), manifest: Some(Digest::of(&manifest)), event };
        let chain = ChainName::Approvals { release, environment };
        wait(ledger::append_signed(&vault.context, &chain, Some(&*key), |_| Ok(draft.clone()))).unwrap();
        let audit = wait(xtask::engine::audit::run(&vault.context)).unwrap();
        let found: Vec<_> = audit.findings.iter().map(|finding| (&*finding.object, &*finding.found)).collect();
        assert!(
            matches!(found[..], [("approvals/v1.1.1/prod/00000003.json", why)] if why.contains(forgery.what)),
            "{}: {found:?}",
            forgery.what
        );
    }
}
