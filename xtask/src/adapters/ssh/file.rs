//! An unencrypted OpenSSH private key in a file.

use anyhow::Context as _;
use async_trait::async_trait;
use camino::Utf8Path;
use rsa::{
    pkcs1v15::SigningKey,
    sha2::Sha512,
    signature::{RandomizedSigner as _, SignatureEncoding as _, Signer as _},
};
use ssh_key::{
    Algorithm, PrivateKey, PublicKey, Signature, SshSig,
    private::{KeypairData, RsaKeypair},
    rand_core::OsRng,
};

use super::{HASH, armour, scalar};
use crate::{failure::Failure, model::sshsig, ports::person_key::PersonKey};

/// A key that was read.
pub(super) struct FileKey(PrivateKey);

impl FileKey {
    /// Reads the key of this text; the path is for the messages.
    pub(super) fn open(path: &Utf8Path, text: &str) -> anyhow::Result<Self> {
        let key = PrivateKey::from_openssh(text)
            .or_else(|error| scalar::read_short(text).ok_or(error))
            .map_err(|error| Failure::usage(format!("the key {path} cannot be read ({error}): is it whole?")))?;
        if key.is_encrypted() {
            let text = format!(
                "the key {path} is encrypted: load it into ssh-agent (`ssh-add {path}`) and name its .pub file"
            );
            return Err(Failure::usage(text).into());
        }
        if matches!(key.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) {
            let text = format!(
                "the key {path} lives in hardware: load it into ssh-agent (`ssh-add {path}`) and name its .pub file"
            );
            return Err(Failure::usage(text).into());
        }
        sshsig::check_key(key.public_key().key_data())
            .map_err(|error| Failure::usage(format!("the key {path} cannot be used: {error}")))?;
        Ok(Self(key))
    }
}

#[async_trait]
impl PersonKey for FileKey {
    fn public(&self) -> &PublicKey {
        self.0.public_key()
    }

    async fn sign(&self, namespace: &str, bytes: &[u8]) -> anyhow::Result<String> {
        let data = SshSig::signed_data(namespace, HASH, bytes).context("failed to prepare what is signed")?;
        let signature = match self.0.key_data() {
            KeypairData::Rsa(pair) => sign_rsa(pair, &data),
            _ => self.0.try_sign(&data).map_err(anyhow::Error::new),
        };
        armour(self.public(), namespace, bytes, signature.context("failed to sign")?)
    }
}

/// With blinding, so that the time that it takes tells nothing of the key.
fn sign_rsa(pair: &RsaKeypair, data: &[u8]) -> anyhow::Result<Signature> {
    let number = |n: &ssh_key::Mpint| rsa::BigUint::try_from(n);
    let primes = vec![number(&pair.private.p)?, number(&pair.private.q)?];
    let key = rsa::RsaPrivateKey::from_components(
        number(&pair.public.n)?,
        number(&pair.public.e)?,
        number(&pair.private.d)?,
        primes,
    )?;
    let signature = SigningKey::<Sha512>::new(key).try_sign_with_rng(&mut OsRng, data)?;
    Ok(Signature::new(Algorithm::Rsa { hash: Some(HASH) }, signature.to_vec())?)
}
