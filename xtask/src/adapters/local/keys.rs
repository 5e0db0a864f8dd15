//! The writers' keys of a laptop: OpenSSH ed25519 key files under `.local/keys`, one pair per writer, made on first
//! use. They are throwaway keys: whoever owns this folder can write this ledger.

use std::{
    fs,
    io::{self, Read as _},
};

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use p256::ecdsa::{SigningKey, signature::Signer as _};
use ssh_key::{
    Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature,
    private::{EcdsaKeypair, KeypairData},
    rand_core::OsRng,
};

use crate::{
    adapters::local::files,
    model::{digest::Digest, entry::Writer},
    ports::signer::Signer,
};

/// Keys in a folder.
#[derive(Debug, Clone)]
pub struct FileKeys {
    folder: Utf8PathBuf,
}

impl FileKeys {
    /// The keys in this folder.
    #[must_use]
    pub fn new(folder: &Utf8Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn load(&self, writer: &Writer) -> anyhow::Result<Option<PrivateKey>> {
        let path = self.folder.join(writer.to_string());
        match fs::read(&path) {
            Ok(bytes) => {
                PrivateKey::from_openssh(bytes).map(Some).with_context(|| format!("the key {path} cannot be read"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("failed to read the key {path}")),
        }
    }

    fn make(&self, writer: &Writer) -> anyhow::Result<PrivateKey> {
        let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).context("failed to make a key")?;
        key.set_comment(format!("{writer} (throwaway)"));
        let text = key.to_openssh(LineEnding::LF).context("failed to write a key")?;
        // The temporary file that becomes the key is readable by its owner only, so the key never was by anyone else.
        let path = self.folder.join(writer.to_string());
        match files::create_new(&self.folder, &path, false, &mut text.as_bytes()) {
            Ok(_) => {}
            // Someone made it at the same moment: theirs counts.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return self.load(writer)?.with_context(|| format!("the key {path} came and went"));
            }
            Err(error) => return Err(error).with_context(|| format!("failed to write the key {path}")),
        }
        Ok(key)
    }

    /// The public half lies beside the private one, for `ssh-keygen -Y verify`. A crash may have parted them.
    fn publish(&self, writer: &Writer, key: &PrivateKey) -> anyhow::Result<()> {
        let path = self.folder.join(format!("{writer}.pub"));
        let text = key.public_key().to_openssh().context("failed to write a key")?;
        match files::create_new(&self.folder, &path, false, &mut format!("{text}\n").as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(error).with_context(|| format!("failed to write the key {path}"))
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Signer for FileKeys {
    async fn sign(&self, writer: &Writer, namespace: &str, bytes: &[u8], fresh: bool) -> anyhow::Result<String> {
        let key = match self.load(writer)? {
            Some(key) => key,
            None if fresh => self.make(writer)?,
            None => bail!(
                "the key of {writer} is not in {}, but the vault has entries that it signed; \
                 put the key back, or start over with an empty local folder",
                self.folder
            ),
        };
        self.publish(writer, &key)?;
        let signature = key.sign(namespace, HashAlg::Sha512, bytes).context("failed to sign an entry")?;
        signature.to_pem(LineEnding::LF).context("failed to write a signature")
    }

    async fn seal(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<(Vec<u8>, PublicKey)> {
        let key = self.load(writer)?.with_context(|| format!("the key of {writer} is not in {}", self.folder))?;
        let signature = match key.key_data() {
            KeypairData::Ed25519(pair) => {
                let signature: Signature = pair.try_sign(bytes).context("failed to sign")?;
                signature.as_bytes().to_vec()
            }
            KeypairData::Ecdsa(EcdsaKeypair::NistP256 { private, .. }) => {
                let key = SigningKey::from_slice(private.as_slice()).context("failed to read an ECDSA key")?;
                let signature: p256::ecdsa::Signature = key.try_sign(bytes).context("failed to sign")?;
                signature.to_der().as_bytes().to_vec()
            }
            _ => bail!("the key of {writer} must be ed25519 or ECDSA on P-256, it is {}", key.algorithm()),
        };
        Ok((signature, key.public_key().clone()))
    }

    async fn keyed_digest(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<Digest> {
        // Ed25519 signatures are deterministic (RFC 8032, 5.1.6), so a signature in a namespace of its own serves as a
        // keyed function of the bytes.
        Ok(Digest::of(self.sign(writer, "xtask-keyed-digest", bytes, true).await?.as_bytes()))
    }

    async fn trusted(&self, writer: &Writer) -> anyhow::Result<Vec<PublicKey>> {
        let path = self.folder.join(format!("{writer}.pub"));
        let mut text = String::new();
        match fs::File::open(&path).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => {
                let key = PublicKey::from_openssh(&text).with_context(|| format!("the key {path} cannot be read"))?;
                Ok(vec![key])
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
            Err(error) => Err(error).with_context(|| format!("failed to read the key {path}")),
        }
    }
}
