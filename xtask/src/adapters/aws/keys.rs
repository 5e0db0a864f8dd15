//! The writers' keys in KMS: ECDSA on P-256, which never leaves KMS. What is signed is OpenSSH's `SSHSIG`, so that
//! `ssh-keygen -Y verify` checks an entry without AWS and without this tool.
//!
//! The signature commits to the message by SHA-512, as every `SSHSIG` of this project does; KMS signs the SHA-256 of that
//! (`ecdsa-sha2-nistp256`, RFC 5656). ECDSA signatures differ each time, so digests of variables come from a second key,
//! one for HMAC: whoever may not use that key cannot try values out.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{MacAlgorithmSpec, MessageType, SigningAlgorithmSpec},
};
use p256::{
    ecdsa::{Signature, VerifyingKey},
    pkcs8::DecodePublicKey as _,
};
use ssh_key::{HashAlg, PublicKey, SshSig, public::KeyData};
use tokio::sync::OnceCell;

use crate::{
    adapters::{aws::errors::CallError, ssh},
    failure::Failure,
    model::{cloud::KeyArn, digest::Digest, entry::Writer},
    ports::signer::Signer,
};

/// The writers' keys.
#[derive(Debug, Clone)]
pub struct KmsKeys {
    writers: Arc<BTreeMap<Writer, WriterKey>>,
}

/// One writer's keys, the clients that may use them, and the public half once it is known.
#[derive(Debug)]
pub struct WriterKey {
    sign: Option<(KeyArn, Client, Client)>,
    mac: Option<(KeyArn, Client)>,
    public: OnceCell<PublicKey>,
}

impl WriterKey {
    /// `sign` has the key, the client that signs as the writer, and the one that reads the public half.
    #[must_use]
    pub fn new(sign: Option<(KeyArn, Client, Client)>, mac: Option<(KeyArn, Client)>) -> Self {
        Self { sign, mac, public: OnceCell::new() }
    }
}

impl KmsKeys {
    /// These keys.
    #[must_use]
    pub fn new(writers: BTreeMap<Writer, WriterKey>) -> Self {
        Self { writers: Arc::new(writers) }
    }

    /// The public half of a writer's key, `None` if it has none. Keys in KMS do not change under their ARN, so it is
    /// asked for once.
    async fn public(&self, writer: &Writer) -> anyhow::Result<Option<&PublicKey>> {
        let Some(own) = self.writers.get(writer) else { return Ok(None) };
        let Some((arn, _, reader)) = &own.sign else { return Ok(None) };
        own.public.get_or_try_init(|| public(reader, arn, writer)).await.map(Some)
    }
}

#[async_trait]
impl Signer for KmsKeys {
    async fn sign(&self, writer: &Writer, namespace: &str, bytes: &[u8], _fresh: bool) -> anyhow::Result<String> {
        let key = self.writers.get(writer).and_then(|own| own.sign.as_ref());
        let Some((arn, client, _)) = key else { return Err(lacks(writer, "key").into()) };
        let public = self.public(writer).await?.context("the key has no public half")?;
        let data =
            SshSig::signed_data(namespace, HashAlg::Sha512, bytes).context("failed to prepare what is signed")?;
        let signature = ecdsa(client, arn, &data).await?.try_into().context("failed to write a signature")?;
        ssh::armour(public, namespace, bytes, signature)
    }

    async fn seal(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<(Vec<u8>, PublicKey)> {
        let key = self.writers.get(writer).and_then(|own| own.sign.as_ref());
        let Some((arn, client, _)) = key else { return Err(lacks(writer, "key").into()) };
        let public = self.public(writer).await?.context("the key has no public half")?;
        Ok((ecdsa(client, arn, bytes).await?.to_der().as_bytes().to_vec(), public.clone()))
    }

    async fn keyed_digest(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<Digest> {
        let key = self.writers.get(writer).and_then(|own| own.mac.as_ref());
        let Some((arn, client)) = key else { return Err(lacks(writer, "variables_key").into()) };
        // KMS takes 4096 bytes at most, and the variables alone may be as many.
        let message = format!("xtask-keyed-digest {}", Digest::of(bytes));
        let call = client.generate_mac().key_id(arn.as_str()).message(Blob::new(message));
        let made = call.mac_algorithm(MacAlgorithmSpec::HmacSha256).send().await;
        let made = made.map_err(|error| unfinished(&format!("digest with {arn}"), super::errors::why(&error)))?;
        let mac = made.mac().map(Blob::as_ref).filter(|mac| mac.len() == 32);
        Ok(Digest::of(mac.with_context(|| format!("{arn} made no digest of 32 bytes"))?))
    }

    async fn trusted(&self, writer: &Writer) -> anyhow::Result<Vec<PublicKey>> {
        Ok(self.public(writer).await?.into_iter().cloned().collect())
    }
}

/// KMS signs the digest: bytes themselves may be longer than it takes.
async fn ecdsa(client: &Client, arn: &KeyArn, bytes: &[u8]) -> anyhow::Result<Signature> {
    let digest = hex::decode(Digest::of(bytes).hex()).context("failed to prepare what is signed")?;
    let call = client.sign().key_id(arn.as_str()).message(Blob::new(digest)).message_type(MessageType::Digest);
    let signed = call.signing_algorithm(SigningAlgorithmSpec::EcdsaSha256).send().await;
    let signed = signed.map_err(|error| unfinished(&format!("sign with {arn}"), super::errors::why(&error)))?;
    let der = signed.signature().map(Blob::as_ref).unwrap_or_default();
    Signature::from_der(der).map_err(|error| anyhow!("KMS made no ECDSA signature: {error}"))
}

async fn public(client: &Client, arn: &KeyArn, writer: &Writer) -> anyhow::Result<PublicKey> {
    let got = client.get_public_key().key_id(arn.as_str()).send().await;
    let got = got.map_err(|error| unfinished(&format!("read the public half of {arn}"), super::errors::why(&error)))?;
    let der = got.public_key().map(Blob::as_ref).unwrap_or_default();
    let key = VerifyingKey::from_public_key_der(der).map_err(|_other_kind| {
        let found = got.key_spec().map_or("something else", |spec| spec.as_str());
        Failure::usage(format!("the key {arn} of {writer} must be `ECC_NIST_P256` for signing, it is {found}"))
    })?;
    Ok(PublicKey::new(KeyData::Ecdsa(key.into()), writer.to_string()))
}

fn unfinished(what: &str, why: String) -> Failure {
    Failure::unfinished(format!("failed to {what}"), CallError::new(why))
}

fn lacks(writer: &Writer, key: &str) -> Failure {
    let place = match writer {
        Writer::Deployer(environment) => format!("environments.{environment}"),
        other => format!("writers.{other}"),
    };
    Failure::usage(format!("{writer} cannot write without a key: give `profile.aws.{place}.{key}` in release.toml"))
}
