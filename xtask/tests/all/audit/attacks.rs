//! Changes by someone who knows the format, and who may even hold keys.

use serde_json::Value;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, rand_core::OsRng};
use xtask::{
    engine::ledger,
    model::{canonical, digest::Digest, entry::ChainName, environment::EnvironmentEvent},
};

use super::{Vault, wait};

fn own_key() -> PrivateKey {
    PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap()
}

/// The key of a writer of this vault.
fn key_of(vault: &Vault, writer: &str) -> PrivateKey {
    let path = vault.project.local().join("keys").join(writer);
    PrivateKey::from_openssh(std::fs::read(path).unwrap()).unwrap()
}

fn entry(number: usize) -> String {
    format!("environments/dev/{number:08}.json")
}

/// An entry changed and signed anew.
fn forged(bytes: &[u8], key: &PrivateKey, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(bytes).unwrap();
    value.as_object_mut().unwrap().remove("signature");
    change(&mut value);
    let signature = key.sign("xtask-ledger", HashAlg::Sha512, &canonical::to_vec(&value).unwrap()).unwrap();
    value["signature"] = signature.to_pem(LineEnding::LF).unwrap().into();
    canonical::to_vec(&value).unwrap()
}

/// Rewrites a chain from an entry on: every link made to fit again, every entry signed with this key.
fn rehash(vault: &Vault, from: usize, last: usize, key: &PrivateKey, change: impl Fn(&mut Value)) {
    let mut previous = None;
    for number in from..=last {
        let bytes = forged(&vault.read(&entry(number)), key, |value| {
            if let Some(digest) = previous.take() {
                value["previous"] = digest;
            } else {
                change(value);
            }
        });
        previous = Some(Value::String(Digest::of(&bytes).to_string()));
        vault.write(&entry(number), &bytes);
    }
}

#[test]
fn an_entry_signed_with_another_key_is_named() {
    let vault = Vault::new();
    for (whose, key) in [("nobody's", own_key()), ("another writer's", key_of(&vault, "deployer-qa"))] {
        for number in 1..=16 {
            let before = vault.read(&entry(number));
            vault.write(&entry(number), &forged(&before, &key, |_| {}));
            vault.shows(&entry(number), &format!("{number} signed with {whose} key"));
            vault.write(&entry(number), &before);
        }
    }
    vault.is_sound();
}

#[test]
fn a_chain_made_to_fit_by_an_attacker_is_named() {
    let vault = Vault::new();
    rehash(&vault, 3, 16, &own_key(), |value| value["actor"] = "mallory@laptop".into());
    let found = vault.findings("re-hashed with an own key");
    assert!((3..=16).all(|number| found.contains(&entry(number))), "{found:?}");
}

#[test]
fn history_rewritten_by_its_own_writer_is_found_by_the_witness() {
    let vault = Vault::new();
    let key = key_of(&vault, "deployer-dev");
    rehash(&vault, 1, 16, &key, |value| value["actor"] = "mallory@laptop".into());
    vault.shows(&entry(16), "re-hashed with the writer's own key");
    let vault = Vault::new();
    let head =
        forged(&vault.read(&entry(16)), &key_of(&vault, "deployer-dev"), |value| value["tool"] = "xtask 9".into());
    vault.write(&entry(16), &head);
    vault.shows(&entry(16), "the head replaced by its own writer");
}

#[test]
fn a_state_that_does_not_follow_is_named() {
    let vault = Vault::new();
    let key = key_of(&vault, "deployer-dev");
    rehash(&vault, 5, 16, &key, |value| value["state"]["pin"] = "v1.0.0".into());
    vault.shows(&entry(5), "a pin that no event made");
}

#[test]
fn an_entry_moved_between_chains_is_named() {
    let vault = Vault::new();
    for number in 1..=10 {
        let qa = format!("environments/qa/{number:08}.json");
        let before = vault.read(&qa);
        vault.write(&qa, &vault.read(&entry(number)));
        vault.shows(&qa, "an entry of dev in the place of one of qa");
        vault.write(&qa, &before);
    }
    // The next of a chain, taken from its own past.
    vault.write(&entry(17), &vault.read(&entry(12)));
    vault.shows(&entry(17), "an old entry once more");
}

#[test]
fn what_never_may_have_happened_is_named() {
    for (release, manifest, what) in
        [("v1.1.0", true, "what died in dev claimed qa"), ("v7.0.0", false, "what was never sealed claimed qa")]
    {
        let vault = Vault::new();
        let context = &vault.context;
        let manifest = manifest.then(|| Digest::of(&vault.read(&format!("{release}/manifest.json"))));
        let chain = ChainName::Environment("qa".parse().unwrap());
        let claimed = EnvironmentEvent::Claimed {
            machine: "laptop".to_owned(),
            expires: context.clock.now(),
            took_over: None,
            rollback: None,
        };
        let release = Some(release.parse().unwrap());
        let draft = ledger::Draft { release, manifest: manifest.or(Some(Digest::of(b"any"))), event: claimed };
        wait(ledger::append(context, &chain, |_| Ok(draft.clone()))).unwrap();
        vault.shows("environments/qa/00000011.json", what);
    }
}
