//! The keys with which people sign: OpenSSH key files, and keys that an ssh-agent holds. Asks for no passphrase and
//! decides nothing about whose key it is.

mod agent;
mod file;
mod scalar;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
};

use anyhow::Context as _;
use camino::Utf8Path;
use ssh_key::{PublicKey, Signature, SshSig};

use crate::{failure::Failure, model::sshsig, ports::person_key::PersonKey};

/// More than the largest key that OpenSSH writes.
const LARGEST: u64 = 64 << 10;

/// The digest that `ssh-keygen -Y sign` takes by default.
const HASH: ssh_key::HashAlg = ssh_key::HashAlg::Sha512;

/// The key in this file: an unencrypted OpenSSH private key signs itself, for a public key the agent signs that
/// listens at the environment's `SSH_AUTH_SOCK`.
///
/// # Errors
/// [`Failure::Usage`] with the remedy: no such file, not a key, a key in another format, encrypted, readable by others,
/// of an unsupported kind, or not held by an agent.
pub fn open(path: &Utf8Path, environment: &BTreeMap<String, String>) -> anyhow::Result<Box<dyn PersonKey>> {
    let (text, mode) = read(path)?;
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if first == "-----BEGIN OPENSSH PRIVATE KEY-----" {
        // What ssh does: such a key is not secret any more.
        if mode & 0o077 != 0 {
            let mode = mode & 0o777;
            let text = format!("the key {path} is open to others (mode {mode:04o}): close it with `chmod 600 {path}`");
            return Err(Failure::usage(text).into());
        }
        return Ok(Box::new(file::FileKey::open(path, &text)?));
    }
    let key = public_key(path, &text, first)?;
    let socket = environment.get("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty());
    Ok(Box::new(agent::AgentKey::open(path, key, socket.map(Utf8Path::new))?))
}

/// The public key that is this text; `first` is its first line.
fn public_key(path: &Utf8Path, text: &str, first: &str) -> anyhow::Result<PublicKey> {
    if let Some(remedy) = conversion(first, path) {
        return Err(Failure::usage(format!("{path} is not in OpenSSH's format: {remedy}")).into());
    }
    if first.split_once(' ').is_some_and(|(kind, _)| kind.contains("-cert-v")) {
        return Err(Failure::usage(format!("{path} is a certificate: name the plain .pub file beside it")).into());
    }
    let not_a_key = |why: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "{path} is not an OpenSSH key ({why}): name a private key file, or the .pub file of a key in ssh-agent"
        ))
    };
    // The library would take a second key for the first one's comment.
    if text.trim().contains('\n') {
        return Err(not_a_key(&"it has several lines").into());
    }
    Ok(PublicKey::from_openssh(text.trim()).map_err(|error| not_a_key(&error))?)
}

/// The file's text and its mode.
fn read(path: &Utf8Path) -> anyhow::Result<(String, u32)> {
    let not_a_key = || Failure::usage(format!("{path} is not a key: name an OpenSSH private key or a .pub file"));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = format!("there is no key file {path}: name yours, or make one with `ssh-keygen -t ed25519`");
            return Err(Failure::usage(text).into());
        }
        Err(error) => return Err(Failure::usage(format!("the key {path} cannot be opened: {error}")).into()),
    };
    let metadata = file.metadata().with_context(|| format!("failed to look at the key {path}"))?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(not_a_key().into());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).with_context(|| format!("failed to read the key {path}"))?;
    let text = String::from_utf8(bytes).ok().ok_or_else(not_a_key)?;
    Ok((text, metadata.permissions().mode()))
}

/// How to turn a key in another format into OpenSSH's, if its first line tells that it is one.
fn conversion(first: &str, path: &Utf8Path) -> Option<String> {
    let pem = |label: &str| first.starts_with("-----BEGIN ") && first.ends_with(&format!("{label}-----"));
    if first.starts_with("PuTTY-User-Key-File-") {
        Some(format!("convert it with `puttygen {path} -O private-openssh-new -o NEW_FILE`"))
    } else if first == "---- BEGIN SSH2 PUBLIC KEY ----" {
        Some(format!("convert it with `ssh-keygen -i -f {path} > NEW_FILE.pub`"))
    } else if pem("PRIVATE KEY") {
        Some(format!("convert it in place with `ssh-keygen -p -f {path}`"))
    } else if pem("PUBLIC KEY") {
        Some(format!("convert it with `ssh-keygen -i -m PKCS8 -f {path} > NEW_FILE.pub`"))
    } else {
        None
    }
}

/// The armour around a signature, checked as everybody else will check it: a wrong signature must not leave here.
pub(crate) fn armour(key: &PublicKey, namespace: &str, bytes: &[u8], signature: Signature) -> anyhow::Result<String> {
    let sealed = SshSig::new(key.key_data().clone(), namespace, HASH, signature)
        .and_then(|signature| signature.to_pem(ssh_key::LineEnding::LF))
        .context("failed to write a signature")?;
    let text = format!("{}\n", sealed.trim_end());
    sshsig::verify(&text, bytes, namespace, [key]).context("the signature that was just made does not count")?;
    Ok(text)
}
