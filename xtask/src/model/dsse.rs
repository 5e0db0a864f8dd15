//! DSSE envelopes (secure-systems-lab/dsse, version 1): a payload with its type and signatures over both, as supply-chain
//! tools exchange statements. Keys are ed25519 (the signature is its 64 bytes) or ECDSA on P-256 (DER, over the
//! SHA-256), which is what securesystemslib, cosign and KMS use.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use p256::ecdsa::{VerifyingKey, signature::Verifier as _};
use serde::{Deserialize, Serialize};
use ssh_key::{Algorithm, HashAlg, PublicKey, Signature, public::KeyData};

/// An envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// The payload in base64.
    pub payload: String,
    /// What the payload is.
    pub payload_type: String,
    /// The signatures.
    pub signatures: Vec<Signed>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// A hint at the key: the fingerprint as `ssh-keygen -l` prints it. Nothing is believed because of it.
    pub keyid: String,
    /// The signature in base64.
    pub sig: String,
}

/// Why an envelope proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum DsseError {
    /// The type is signed, too: a statement made for another purpose is none here.
    #[error("its payload is of type `{0}`")]
    Type(String),
    /// Not base64.
    #[error("{0} is not base64")]
    Base64(&'static str),
    /// Nobody signed it.
    #[error("it has no signature")]
    Unsigned,
    /// No signature by a key that counts.
    #[error("none of its {0} signatures is by a key that counts, over this payload")]
    Untrusted(usize),
}

/// What is signed: the pre-authentication encoding of the type and the payload (DSSE protocol, `PAE`).
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

impl Envelope {
    /// An envelope with one signature, which is over `pae`.
    #[must_use]
    pub fn new(payload_type: &str, payload: &[u8], signature: &[u8], key: &PublicKey) -> Self {
        let keyid = key.fingerprint(HashAlg::Sha256).to_string();
        Self {
            payload: STANDARD.encode(payload),
            payload_type: payload_type.to_owned(),
            signatures: vec![Signed { keyid, sig: STANDARD.encode(signature) }],
        }
    }

    /// The payload, if it is of this type and one of these keys signed it.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn verify(&self, payload_type: &str, trusted: &[PublicKey]) -> Result<Vec<u8>, DsseError> {
        if self.payload_type != payload_type {
            return Err(DsseError::Type(self.payload_type.chars().take(80).collect()));
        }
        let payload = STANDARD.decode(&self.payload).map_err(|_not_base64| DsseError::Base64("its payload"))?;
        if self.signatures.is_empty() {
            return Err(DsseError::Unsigned);
        }
        let signed = pae(payload_type, &payload);
        for signature in &self.signatures {
            let bytes = STANDARD.decode(&signature.sig).map_err(|_not_base64| DsseError::Base64("a signature"))?;
            if trusted.iter().any(|key| is_by(key, &signed, &bytes)) {
                return Ok(payload);
            }
        }
        Err(DsseError::Untrusted(self.signatures.len()))
    }
}

/// Whether this key made this signature over these bytes.
fn is_by(key: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool {
    match key.key_data() {
        KeyData::Ed25519(_) => Signature::new(Algorithm::Ed25519, signature)
            .is_ok_and(|signature| key.key_data().verify(bytes, &signature).is_ok()),
        KeyData::Ecdsa(ecdsa) => {
            let signature = p256::ecdsa::Signature::from_der(signature);
            let key = VerifyingKey::from_sec1_bytes(ecdsa.as_sec1_bytes());
            matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(bytes, &signature).is_ok())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use ssh_key::{PrivateKey, private::Ed25519Keypair};

    use super::*;

    const TYPE: &str = "application/vnd.in-toto+json";

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
    }

    fn envelope(key: &PrivateKey, payload: &[u8]) -> Envelope {
        use ssh_key::private::KeypairData;
        let KeypairData::Ed25519(pair) = key.key_data() else { unreachable!() };
        let signature: Signature = p256::ecdsa::signature::Signer::sign(pair, &pae(TYPE, payload));
        Envelope::new(TYPE, payload, signature.as_bytes(), key.public_key())
    }

    /// The example of the DSSE protocol's own page.
    #[test]
    fn the_encoding_is_the_protocols() {
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected);
    }

    #[test]
    fn only_this_payload_of_this_type_by_a_key_that_counts() {
        let (own, other) = (key(1), key(2));
        let good = envelope(&own, b"{}");
        let trusted = [other.public_key().clone(), own.public_key().clone()];
        assert_eq!(good.verify(TYPE, &trusted).unwrap(), b"{}");
        let refused = |envelope: &Envelope, kind: &str, keys: &[PublicKey], words: &str| {
            let error = envelope.verify(kind, keys).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(&good, "application/json", &trusted, "of type `application/vnd.in-toto+json`");
        refused(&good, TYPE, &trusted[..1], "none of its 1 signatures");
        refused(&Envelope { payload: STANDARD.encode("{ }"), ..good.clone() }, TYPE, &trusted, "none of its 1");
        refused(&Envelope { signatures: vec![], ..good.clone() }, TYPE, &trusted, "no signature");
        let retyped = Envelope { payload_type: "application/json".to_owned(), ..good.clone() };
        refused(&retyped, "application/json", &trusted, "none of its 1 signatures");
        // A signature of the same key for the ledger is none for an envelope.
        let borrowed = own.sign("xtask-ledger", HashAlg::Sha512, b"{}").unwrap();
        let borrowed = Signed { keyid: String::new(), sig: STANDARD.encode(borrowed.signature_bytes()) };
        refused(&Envelope { signatures: vec![borrowed], ..good }, TYPE, &trusted, "none of its 1 signatures");
    }
}
