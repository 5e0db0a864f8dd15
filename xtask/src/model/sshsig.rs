//! Statements signed in OpenSSH's `SSHSIG` format: whether a signature counts.
//!
//! What is accepted here is accepted by `ssh-keygen -Y verify` too, so that an auditor can check it without this tool.
//! The other way round this is stricter: one form only (nothing behind the armour, no other line lengths, no other
//! spelling of a field), an empty reserved field, version 1, RSA keys of 2048 to 4096 bits, no DSA, no ECDSA keys in
//! hardware, and other hardware keys only if they were touched. Makes no signatures and reads no files.

use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, SshSig, public::KeyData};

/// The key among `keys` that signed these bytes in this namespace.
///
/// # Errors
/// Why the signature does not count; a signature that cannot be judged counts as little as a wrong one.
pub fn verify<'k>(
    armour: &str,
    bytes: &[u8],
    namespace: &str,
    keys: impl IntoIterator<Item = &'k PublicKey>,
) -> Result<&'k PublicKey, SignatureError> {
    let signature = read(armour)?;
    if signature.namespace() != namespace {
        let found = signature.namespace().chars().take(80).collect();
        return Err(SignatureError::Namespace { found, wanted: namespace.to_owned() });
    }
    let signer = signature.public_key();
    let Some(key) = keys.into_iter().find(|key| key.key_data() == signer) else {
        return Err(SignatureError::Stranger(signer.fingerprint(HashAlg::Sha256).to_string()));
    };
    check_key(signer)?;
    if is_untouched(&signature) {
        return Err(SignatureError::Untouched);
    }
    key.verify(namespace, bytes, &signature).map_err(SignatureError::Wrong)?;
    Ok(key)
}

/// Whoever signed, by the key that the signature itself carries; whether that key counts is another question.
///
/// # Errors
/// As `verify`.
pub fn signer(armour: &str, bytes: &[u8], namespace: &str) -> Result<PublicKey, SignatureError> {
    let key = PublicKey::from(read(armour)?.public_key().clone());
    verify(armour, bytes, namespace, [&key])?;
    Ok(key)
}

/// Why a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// It is not an armoured `SSHSIG`.
    #[error("it is not an armoured SSH signature; sign again with `cargo xtask approve` or `ssh-keygen -Y sign`")]
    Form(#[source] ssh_key::Error),
    /// It can be read, but is not written as OpenSSH writes it: something was added or rewritten.
    #[error("it is not written as OpenSSH writes a signature: something was added to it or changed in its form")]
    Rewritten,
    /// A version of the format that does not exist yet, or never did.
    #[error("it is of version {0} of the format, only 1 is known")]
    Version(u32),
    /// The field that is kept for the future is in use.
    #[error("its reserved field is not empty")]
    Reserved,
    /// It was made for another purpose.
    #[error("it was made in the namespace `{found}`, not in `{wanted}`")]
    Namespace {
        /// The namespace that it names.
        found: String,
        /// The namespace that it should be in.
        wanted: String,
    },
    /// It is by none of the keys that count.
    #[error("it is by the key {0}, which is none of those that count here")]
    Stranger(String),
    /// Its key is of a kind that does not count.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A hardware key that nobody touched.
    #[error("it is by a hardware key that nobody touched; sign again and touch the key")]
    Untouched,
    /// It does not belong to these bytes.
    #[error("it does not belong to these bytes: they or the signature were altered")]
    Wrong(#[source] ssh_key::Error),
}

/// Whether signatures by this key can count: ed25519, ECDSA on the three NIST curves, RSA of 2048 to 4096 bits, and
/// ed25519 keys in hardware.
///
/// # Errors
/// If it is of another kind or size.
pub fn check_key(key: &KeyData) -> Result<(), KeyError> {
    match key {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) => Ok(()),
        KeyData::Rsa(rsa) => {
            let modulus = rsa.n.as_positive_bytes().unwrap_or_default();
            let unused = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
            let bits = 8 * modulus.len() - unused;
            if (2048..=4096).contains(&bits) { Ok(()) } else { Err(KeyError::RsaSize(bits)) }
        }
        // ssh-key 0.6 reads signatures by ECDSA keys in hardware, but writes them wrongly, so their form cannot be checked.
        _ => Err(KeyError::Unsupported(key.algorithm())),
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// DSA, ECDSA in hardware, or something unknown.
    #[error("unsupported key type `{0}`: use ed25519, ECDSA, RSA or `ed25519-sk` (`ssh-keygen -t ed25519`)")]
    Unsupported(Algorithm),
    /// Too short to be safe, or too long for the library that checks it.
    #[error("an RSA key of {0} bits cannot be used: take 2048 to 4096 bits, or ed25519 (`ssh-keygen -t ed25519`)")]
    RsaSize(usize),
}

/// Reads a signature that is written exactly as OpenSSH writes it.
fn read(armour: &str) -> Result<SshSig, SignatureError> {
    let signature = SshSig::from_pem(armour).map_err(SignatureError::Form)?;
    if signature.version() != SshSig::VERSION {
        return Err(SignatureError::Version(signature.version()));
    }
    // OpenSSH signs an empty field whatever stands in it; the library signs what stands in it.
    if !signature.reserved().is_empty() {
        return Err(SignatureError::Reserved);
    }
    // Written wrongly by the library, see `check_key`.
    let hardware = Algorithm::SkEcdsaSha2NistP256;
    if signature.algorithm() == hardware {
        return Err(KeyError::Unsupported(hardware).into());
    }
    // The library reads more than it should: text before the armour, `rsa-sha2-256` as the name of a key, fields with
    // something behind their content. Whatever does not come out as it went in is refused.
    let written = signature.to_pem(LineEnding::LF).map_err(SignatureError::Form)?;
    let same = armour.strip_suffix('\n').unwrap_or(armour) == written.strip_suffix('\n').unwrap_or(&written);
    if same { Ok(signature) } else { Err(SignatureError::Rewritten) }
}

/// Hardware keys sign with a byte of flags and a counter behind the signature; the lowest flag is the touch.
fn is_untouched(signature: &SshSig) -> bool {
    let touched = || signature.signature_bytes().iter().rev().nth(4).is_some_and(|flags| flags & 1 == 1);
    signature.algorithm() == Algorithm::SkEd25519 && !touched()
}

#[cfg(test)]
mod tests {
    use ssh_key::{EcdsaCurve, PrivateKey, rand_core::OsRng};

    use super::*;

    fn key(algorithm: Algorithm) -> PrivateKey {
        PrivateKey::random(&mut OsRng, algorithm).unwrap()
    }

    #[test]
    fn counts_for_its_bytes_its_namespace_and_its_key_only() {
        let kinds = [
            Algorithm::Ed25519,
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        ];
        for kind in kinds {
            let (ours, other) = (key(kind), key(Algorithm::Ed25519));
            let armour = ours.sign("a", HashAlg::Sha512, b"yes").unwrap().to_pem(LineEnding::LF).unwrap();
            let keys = [other.public_key().clone(), ours.public_key().clone()];
            assert_eq!(verify(&armour, b"yes", "a", &keys).unwrap(), &keys[1]);
            assert!(matches!(verify(&armour, b"no", "a", &keys), Err(SignatureError::Wrong(_))));
            assert!(matches!(verify(&armour, b"yes", "b", &keys), Err(SignatureError::Namespace { .. })));
            assert!(matches!(verify(&armour, b"yes", "", &keys), Err(SignatureError::Namespace { .. })));
            assert!(matches!(verify(&armour, b"yes", "a", &keys[..1]), Err(SignatureError::Stranger(_))));
        }
    }

    #[test]
    fn has_one_form_only() {
        let ours = key(Algorithm::Ed25519);
        let keys = [ours.public_key().clone()];
        let good = ours.sign("a", HashAlg::Sha512, b"yes").unwrap().to_pem(LineEnding::LF).unwrap();
        for same in [format!("{}\n", good.trim_end()), good.trim_end().to_owned()] {
            verify(&same, b"yes", "a", &keys).unwrap();
        }
        let other = [
            format!("note\n{good}"),
            format!("{good}\n\n"),
            format!("{good}note\n"),
            format!("{good}{good}"),
            good.replace('\n', "\r\n"),
            good.replace('\n', "\r"),
            good.replacen("SIGNATURE-----\n", "SIGNATURE-----\n ", 1),
            String::new(),
        ];
        for text in other {
            assert!(
                matches!(verify(&text, b"yes", "a", &keys), Err(SignatureError::Form(_) | SignatureError::Rewritten)),
                "{text:?}"
            );
        }
    }
}
