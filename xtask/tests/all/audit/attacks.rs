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

/// Adds entries, and gives their names.
type Attack = fn(&Vault) -> Vec<String>;

/// A release that nobody made: whole, well-formed, every link and digest right, and signed by a key of one's own.
fn extra_release(vault: &Vault) -> Vec<String> {
    let (key, from, to) = (own_key(), "v1.1.1", "v1.2.0");
    for name in ["alpha.zip", "beta.zip", "SHA256SUMS"] {
        vault.write(&format!("{to}/{name}"), &vault.read(&format!("{from}/{name}")));
    }
    let mut manifest: Value = serde_json::from_slice(&vault.read(&format!("{from}/manifest.json"))).unwrap();
    manifest["previous"] = serde_json::json!({
        "release": from, "manifest": Digest::of(&vault.read(&format!("{from}/manifest.json"))).to_string(),
    });
    manifest["release"] = to.into();
    let manifest = canonical::to_vec(&manifest).unwrap();
    vault.write(&format!("{to}/manifest.json"), &manifest);
    let sealed = Value::String(Digest::of(&manifest).to_string());
    let reserved = extra(vault, "releases", 7, 5, &key, |entry| {
        entry["release"] = to.into();
        entry["state"]["highest"]["version"] = to.into();
        entry["state"]["open"]["version"] = to.into();
        entry["state"]["sealed"] = state(vault, "releases", 6)["sealed"].clone();
    });
    let commit = state(vault, "releases", 7)["open"]["commit"].clone();
    let finished = extra(vault, "releases", 8, 6, &key, |entry| {
        entry["release"] = to.into();
        entry["manifest"] = sealed.clone();
        entry["state"]["highest"]["version"] = to.into();
        entry["state"]["sealed"] = serde_json::json!({ "version": to, "manifest": sealed, "commit": commit });
    });
    vec![reserved, finished]
}

fn state(vault: &Vault, chain: &str, number: u64) -> Value {
    let entry: Value = serde_json::from_slice(&vault.read(&format!("{chain}/{number:08}.json"))).unwrap();
    entry["state"].clone()
}

/// Appends an entry to a chain, modelled on an earlier one of it.
fn extra(vault: &Vault, chain: &str, number: u64, model: u64, key: &PrivateKey, change: impl Fn(&mut Value)) -> String {
    let before = vault.read(&format!("{chain}/{:08}.json", number - 1));
    let bytes = forged(&vault.read(&format!("{chain}/{model:08}.json")), key, |entry| {
        entry["number"] = number.into();
        entry["previous"] = Digest::of(&before).to_string().into();
        change(entry);
    });
    let name = format!("{chain}/{number:08}.json");
    vault.write(&name, &bytes);
    name
}

/// Makes the witness say what it would have noted.
fn witness_it(vault: &Vault, name: &str) {
    let path = vault.project.local().join("witness.json");
    let mut heads: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let (chain, number) = name.strip_suffix(".json").unwrap().rsplit_once('/').unwrap();
    let number: u64 = number.parse().unwrap();
    let digest = Digest::of(&vault.read(name)).to_string();
    assert!(heads[chain]["number"].as_u64().unwrap() < number, "{heads}");
    heads[chain] = serde_json::json!({ "number": number, "sha256": digest });
    std::fs::write(&path, canonical::to_vec(&heads).unwrap()).unwrap();
}

/// One more entry of an environment: the release that is live there, verified once more.
fn extra_entry(vault: &Vault) -> Vec<String> {
    let live = state(vault, "environments/prod", 5);
    vec![extra(vault, "environments/prod", 6, 5, &own_key(), |entry| entry["state"] = live.clone())]
}

#[test]
fn whatever_an_attacker_adds_is_named() {
    for (what, attack) in [("a whole release", extra_release as Attack), ("an entry of prod", extra_entry)] {
        for witnessed in [false, true] {
            let vault = Vault::new();
            let before = vault.names();
            let added = attack(&vault);
            assert!(vault.names().len() >= before.len() + added.len());
            if witnessed {
                witness_it(&vault, added.last().unwrap());
            }
            let what = format!("{what}, by the witness, too: {witnessed}");
            let found = vault.findings(&what);
            assert!(added.iter().all(|name| found.contains(name)), "{what}: {added:?} in {found:?}");
            // Nobody goes on over it, and the newest release is not the attacker's.
            let (to, release) = if added.len() == 2 { ("dev", "v1.2.0") } else { ("prod", "v1.1.1") };
            vault.project.xtask(&["promote", "--to", to, "--release", release]).expect(5).says("is not signed by");
            vault.project.xtask(&["status"]).expect(5).says("is not signed by");
            for name in vault.names().iter().filter(|name| !before.contains(name)) {
                std::fs::remove_file(vault.path(name)).unwrap();
            }
            if witnessed {
                vault.shows(added.last().unwrap(), "what the attacker made the witness say");
            }
        }
    }
}
