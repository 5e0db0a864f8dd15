//! The vault, the witness and the signer, going wrong.

use async_trait::async_trait;
use camino::Utf8Path;
use xtask::{
    model::{
        digest::Digest,
        entry::{ChainName, Writer},
        key::VaultKey,
    },
    ports::{
        signer::Signer,
        vault::{Body, Listed, Vault, VaultError},
        witness::{Head, Heads, Witness},
    },
};

use super::{Fated, How, Kind, as_it_is, storm};

fn vault_error(_call: usize) -> VaultError {
    VaultError::Unreachable { what: "reach the vault".to_owned(), source: Box::new(storm()) }
}

/// Bytes of which the second half is missing.
fn half(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() / 2].to_vec()
}

#[async_trait]
impl Vault for Fated<dyn Vault> {
    async fn create(&self, key: &VaultKey, body: Body<'_>) -> Result<(), VaultError> {
        let what = format!("{}create {key}", self.region);
        self.fate.call(Kind::Effect, what, || self.inner.create(key, body), vault_error, as_it_is).await
    }

    async fn read(&self, key: &VaultKey) -> Result<Option<Vec<u8>>, VaultError> {
        let bend = |how, answer: &Option<Vec<u8>>| match (how, answer) {
            (How::Lie, Some(_)) => Some(None),
            (How::Truncated, Some(bytes)) => Some(Some(half(bytes))),
            _ => None,
        };
        let what = format!("{}read {key}", self.region);
        self.fate.call(Kind::Question, what, || self.inner.read(key), vault_error, bend).await
    }

    async fn fetch(&self, key: &VaultKey, to: Option<&Utf8Path>) -> Result<Option<(Digest, u64)>, VaultError> {
        let bend = |how, answer: &Option<(Digest, u64)>| match (how, answer) {
            (How::Lie, Some(_)) => Some(None),
            (How::Truncated, Some((_, size))) => Some(Some((Digest::of(b"half of it"), size / 2))),
            _ => None,
        };
        let what = format!("{}fetch {key}", self.region);
        self.fate.call(Kind::Question, what, || self.inner.fetch(key, to), vault_error, bend).await
    }

    async fn exists(&self, key: &VaultKey) -> Result<bool, VaultError> {
        let bend = |how, answer: &bool| (how == How::Lie).then_some(!answer);
        let what = format!("{}exists {key}", self.region);
        self.fate.call(Kind::Question, what, || self.inner.exists(key), vault_error, bend).await
    }

    async fn object_version(&self, key: &VaultKey) -> Result<Option<String>, VaultError> {
        let what = format!("{}object version {key}", self.region);
        self.fate.call(Kind::Question, what, || self.inner.object_version(key), vault_error, as_it_is).await
    }

    async fn keep(&self, key: &VaultKey, writer: &Writer) -> Result<(), VaultError> {
        let what = format!("{}keep {key}", self.region);
        self.fate.call(Kind::Effect, what, || self.inner.keep(key, writer), vault_error, as_it_is).await
    }

    async fn list(&self, folder: Option<&VaultKey>) -> Result<Vec<Listed>, VaultError> {
        let bend = |how, answer: &Vec<Listed>| match how {
            How::Lie if !answer.is_empty() => Some(Vec::new()),
            How::Truncated if !answer.is_empty() => Some(answer[..answer.len() - 1].to_vec()),
            _ => None,
        };
        let what = format!("{}list", self.region);
        self.fate.call(Kind::Question, what, || self.inner.list(folder), vault_error, bend).await
    }
}

#[async_trait]
impl Witness for Fated<dyn Witness> {
    async fn heads(&self) -> anyhow::Result<Option<Heads>> {
        let what = format!("{}heads", self.region);
        let bend = |how, answer: &Option<Heads>| match (how, answer) {
            (How::Lie, Some(_)) => Some(None),
            (How::Old, _) => self.fate.older(&what, answer),
            (How::Truncated, Some(heads)) => {
                let mut heads = heads.clone();
                heads.pop_last();
                Some(Some(heads))
            }
            _ => None,
        };
        let error = |_| storm().into();
        let answer = self.fate.call(Kind::Question, what.clone(), || self.inner.heads(), error, bend).await?;
        self.fate.remember(&what, &answer);
        Ok(answer)
    }

    async fn head(&self, chain: &ChainName) -> anyhow::Result<Option<Head>> {
        let what = format!("{}head of {chain}", self.region);
        let bend = |how, answer: &Option<Head>| match (how, answer) {
            (How::Lie, Some(_)) => Some(None),
            (How::Old, _) => self.fate.older(&what, answer),
            _ => None,
        };
        let error = |_| storm().into();
        let answer = self.fate.call(Kind::Question, what.clone(), || self.inner.head(chain), error, bend).await?;
        self.fate.remember(&what, &answer);
        Ok(answer)
    }

    async fn note(&self, chain: &ChainName, head: Head) -> anyhow::Result<()> {
        let what = format!("{}note {chain}", self.region);
        self.fate.call(Kind::Effect, what, || self.inner.note(chain, head), |_| storm().into(), as_it_is).await
    }
}

#[async_trait]
impl Signer for Fated<dyn Signer> {
    async fn sign(&self, writer: &Writer, namespace: &str, bytes: &[u8], fresh: bool) -> anyhow::Result<String> {
        let bend = |how, answer: &String| match how {
            // A true signature, but of what was signed first.
            How::Lie => self.fate.older("sign", answer),
            How::Truncated => Some(answer[..answer.len() / 2].to_owned()),
            _ => None,
        };
        let sign = || self.inner.sign(writer, namespace, bytes, fresh);
        let error = |_| storm().into();
        let signature = self.fate.call(Kind::Question, "sign".to_owned(), sign, error, bend).await?;
        self.fate.remember("sign", &signature);
        Ok(signature)
    }

    async fn seal(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<(Vec<u8>, ssh_key::PublicKey)> {
        let bend = |how, answer: &(Vec<u8>, ssh_key::PublicKey)| {
            let (signature, key) = answer;
            (how == How::Truncated).then(|| (signature[..signature.len() / 2].to_owned(), key.clone()))
        };
        let seal = || self.inner.seal(writer, bytes);
        self.fate.call(Kind::Question, "seal".to_owned(), seal, |_| storm().into(), bend).await
    }

    async fn keyed_digest(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<Digest> {
        let keyed = || self.inner.keyed_digest(writer, bytes);
        self.fate.call(Kind::Question, "keyed digest".to_owned(), keyed, |_| storm().into(), as_it_is).await
    }

    async fn trusted(&self, writer: &Writer) -> anyhow::Result<Vec<ssh_key::PublicKey>> {
        let bend = |how, answer: &Vec<ssh_key::PublicKey>| (how == How::Lie && !answer.is_empty()).then(Vec::new);
        let trusted = || self.inner.trusted(writer);
        self.fate.call(Kind::Question, "trusted".to_owned(), trusted, |_| storm().into(), bend).await
    }
}
