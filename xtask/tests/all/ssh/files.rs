//! Opening key files: what is no usable key is refused with its remedy.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use camino::Utf8Path;
use ssh_key::PrivateKey;
use xtask::{
    adapters::ssh,
    failure,
    model::allowed_signers::{AllowedSigner, Validity},
};

use super::tools::{Claim, KINDS, NAMESPACES, Workshop};

/// Why this file cannot be opened; it is the user's to mend.
fn refusal(path: &Utf8Path) -> String {
    let error = ssh::open(path, &BTreeMap::new()).err().unwrap_or_else(|| panic!("{path} was opened"));
    assert_eq!(failure::find(&error).map(failure::Failure::code), Some(2), "{error:?}");
    format!("{error:#}").replace(path.as_str(), "FILE")
}

#[test]
fn what_is_no_usable_key_is_named_with_its_remedy() {
    let workshop = Workshop::new();
    workshop.make_key("good", &["ed25519"]);
    workshop.keygen(&["-q", "-t", "ed25519", "-N", "secret", "-f", "encrypted"]);
    workshop.make_key("short", &["rsa", "-b", "1024"]);
    let good = fs::read_to_string(workshop.path("good")).unwrap();
    let public = fs::read_to_string(workshop.path("good.pub")).unwrap();
    workshop.write("cut", &good[..good.len() / 2]);
    workshop.write("text", "hello\n");
    workshop.write("empty", "");
    workshop.write("binary", [0xff, 0xfe, 0]);
    workshop.write("huge", vec![b'x'; 100_000]);
    workshop.write("putty", "PuTTY-User-Key-File-3: ssh-ed25519\n");
    workshop.write("pkcs1", "-----BEGIN RSA PRIVATE KEY-----\n");
    workshop.write("pkcs8", "-----BEGIN PRIVATE KEY-----\n");
    workshop.write("spki", "-----BEGIN PUBLIC KEY-----\n");
    workshop.write("rfc4716", "---- BEGIN SSH2 PUBLIC KEY ----\n");
    workshop.write("two.pub", format!("{public}{public}"));
    workshop.keygen(&["-q", "-s", "good", "-I", "me", "-n", "me", "good.pub"]);
    fs::create_dir(workshop.path("folder")).unwrap();
    for (name, remedy) in [
        ("absent", "there is no key file FILE: name yours, or make one with `ssh-keygen -t ed25519`"),
        ("folder", "FILE is not a key"),
        ("huge", "FILE is not a key"),
        ("binary", "FILE is not a key"),
        ("empty", "FILE is not an OpenSSH key"),
        ("text", "FILE is not an OpenSSH key"),
        ("two.pub", "FILE is not an OpenSSH key"),
        ("cut", "the key FILE cannot be read"),
        ("encrypted", "the key FILE is encrypted: load it into ssh-agent (`ssh-add FILE`) and name its .pub file"),
        ("short", "an RSA key of 1024 bits cannot be used: take 2048 to 4096 bits"),
        ("short.pub", "an RSA key of 1024 bits cannot be used: take 2048 to 4096 bits"),
        ("putty", "convert it with `puttygen FILE -O private-openssh-new -o NEW_FILE`"),
        ("pkcs1", "convert it in place with `ssh-keygen -p -f FILE`"),
        ("pkcs8", "convert it in place with `ssh-keygen -p -f FILE`"),
        ("spki", "convert it with `ssh-keygen -i -m PKCS8 -f FILE > NEW_FILE.pub`"),
        ("rfc4716", "convert it with `ssh-keygen -i -f FILE > NEW_FILE.pub`"),
        ("good-cert.pub", "FILE is a certificate: name the plain .pub file beside it"),
        ("good.pub", "no ssh-agent is known (SSH_AUTH_SOCK is not set)"),
    ] {
        let found = refusal(&workshop.path(name));
        assert!(found.contains(remedy), "{name}: {found}");
    }
}

#[test]
fn a_key_that_others_can_read_is_refused_as_ssh_does() {
    let workshop = Workshop::new();
    let path = workshop.make_key("key", &["ed25519"]);
    for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o610, false), (0o666, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(ssh::open(&path, &BTreeMap::new()).is_ok(), good, "{mode:o}");
        // ssh-keygen reads a private key under the same rule.
        assert_eq!(workshop.run("ssh-keygen", &["-y", "-f", "key"], &[]).status.success(), good, "{mode:o}");
        if !good {
            assert!(refusal(&path).contains("close it with `chmod 600 FILE`"));
        }
    }
}

/// What the messages say works.
#[test]
fn a_converted_key_opens() {
    let workshop = Workshop::new();
    for (name, kind, format) in [
        ("rsa", &["rsa", "-b", "2048"][..], "PEM"),
        ("ec", &["ecdsa", "-b", "256"][..], "PEM"),
        ("ec8", &["ecdsa"][..], "PKCS8"),
    ] {
        let path = workshop.make_key(name, &[kind, &["-m", format]].concat());
        assert!(refusal(&path).contains("`ssh-keygen -p -f FILE`"), "{name}");
        workshop.keygen(&["-q", "-p", "-P", "", "-N", "", "-f", name]);
        let key = ssh::open(&path, &BTreeMap::new()).unwrap();
        assert_eq!(key.public().key_data(), workshop.public(name).key_data(), "{name}");
    }
}

/// Half of all keys on P-521 have a secret number that is a byte short, which ssh-key does not read.
#[tokio::test]
async fn keys_with_a_short_number_open_and_sign() {
    let workshop = Workshop::new();
    let mut short = 0;
    for n in 0..24 {
        let name = format!("key{n}");
        let path = workshop.make_key(&name, &["ecdsa", "-b", "521"]);
        short += usize::from(PrivateKey::from_openssh(fs::read_to_string(&path).unwrap()).is_err());
        let key = ssh::open(&path, &BTreeMap::new()).unwrap();
        let armour = key.sign(NAMESPACES[0], b"approved").await.unwrap();
        assert!(workshop.openssh_accepts(&Claim::new(&armour, b"approved", &workshop.public(&name))), "{name}");
    }
    assert!(short > 0, "ssh-key reads them all now: adapters/ssh/scalar.rs can go");
}

/// Keys that cannot count cannot be listed either, though OpenSSH would take them.
#[test]
fn weak_keys_are_not_listed() {
    let workshop = Workshop::new();
    for (name, kind) in [("rsa1024", &["rsa", "-b", "1024"][..]), ("dsa", &["dsa"][..])] {
        workshop.make_key(name, kind);
        let listed = AllowedSigner::new("alice", &NAMESPACES, Validity::default(), &workshop.public(name));
        assert!(listed.is_err(), "{name}");
    }
}

#[tokio::test]
async fn nothing_is_signed_without_a_namespace() {
    let workshop = Workshop::new();
    let key = ssh::open(&workshop.make_key("key", &["ed25519"]), &BTreeMap::new()).unwrap();
    assert!(key.sign("", b"approved").await.is_err());
}

/// Without a comment a key's fields can end exactly where its base64 does.
#[test]
fn keys_without_a_comment_open() {
    let workshop = Workshop::new();
    for (name, kind) in KINDS {
        workshop.keygen(&[&["-q", "-N", "", "-C", "", "-f", name, "-t"], kind].concat());
        let key = ssh::open(&workshop.path(name), &BTreeMap::new()).unwrap();
        assert_eq!(key.public().key_data(), workshop.public(name).key_data(), "{name}");
    }
}
