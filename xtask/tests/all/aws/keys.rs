//! The writers' keys in KMS, on MiniStack; OpenSSH's own tool gives the second opinion.

use std::collections::BTreeMap;

use aws_sdk_kms::{
    Client,
    types::{KeySpec, KeyUsageType},
};
use xtask::{
    adapters::aws::{KmsKeys, WriterKey},
    failure,
    model::{cloud::KeyArn, entry::Writer, sshsig},
    ports::signer::Signer as _,
};

use super::{OPEN, sdk};
use crate::ssh::tools::{Claim, NAMESPACES, Workshop};

/// A new key's ARN.
pub(super) async fn make(client: &Client, spec: KeySpec, usage: KeyUsageType) -> KeyArn {
    let made = client.create_key().key_spec(spec).key_usage(usage).send().await.unwrap();
    made.key_metadata().unwrap().arn().unwrap().parse().unwrap()
}

fn keys(client: &Client, sign: &KeyArn, mac: Option<&KeyArn>) -> KmsKeys {
    let sign = Some((sign.clone(), client.clone(), client.clone()));
    let mac = mac.map(|mac| (mac.clone(), client.clone()));
    KmsKeys::new(BTreeMap::from([(Writer::Releaser, WriterKey::new(sign, mac))]))
}

#[tokio::test]
async fn a_signature_counts_here_and_for_openssh() {
    let stack = OPEN.join();
    let client = Client::new(&sdk(&stack.endpoint()));
    let key = make(&client, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let signer = keys(&client, &key, None);
    let armour = signer.sign(&Writer::Releaser, "xtask-ledger", b"entry", true).await.unwrap();
    let trusted = signer.trusted(&Writer::Releaser).await.unwrap();
    sshsig::verify(&armour, b"entry", "xtask-ledger", &trusted).unwrap();
    assert!(sshsig::verify(&armour, b"other", "xtask-ledger", &trusted).is_err());
    assert!(sshsig::verify(&armour, b"entry", "other", &trusted).is_err());

    let workshop = Workshop::new();
    let armour = signer.sign(&Writer::Releaser, NAMESPACES[0], b"entry", true).await.unwrap();
    assert!(workshop.openssh_accepts(&Claim::new(&armour, b"entry", &trusted[0])));
    assert!(!workshop.openssh_accepts(&Claim::new(&armour, b"other", &trusted[0])));
}

#[tokio::test]
async fn digests_of_variables_depend_on_the_key() {
    let stack = OPEN.join();
    let client = Client::new(&sdk(&stack.endpoint()));
    let sign = make(&client, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let mut digests = Vec::new();
    for _ in 0..2 {
        let mac = make(&client, KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await;
        let signer = keys(&client, &sign, Some(&mac));
        for bytes in [&b"a"[..], b"b", &[7; 10_000]] {
            let digest = signer.keyed_digest(&Writer::Releaser, bytes).await.unwrap();
            assert_eq!(signer.keyed_digest(&Writer::Releaser, bytes).await.unwrap(), digest);
            assert!(!digests.contains(&digest));
            digests.push(digest);
        }
    }
}

#[tokio::test]
async fn a_key_that_is_missing_or_of_another_kind_is_named() {
    let stack = OPEN.join();
    let client = Client::new(&sdk(&stack.endpoint()));
    let code = |error: &anyhow::Error| failure::find(error).map(failure::Failure::code);
    let rsa = make(&client, KeySpec::Rsa2048, KeyUsageType::SignVerify).await;
    let error = keys(&client, &rsa, None).sign(&Writer::Releaser, "n", b"x", true).await.unwrap_err();
    assert_eq!(code(&error), Some(2));
    assert!(format!("{error:#}").contains("of releaser must be `ECC_NIST_P256` for signing"), "{error:#}");
    let sign = make(&client, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let signer = keys(&client, &sign, None);
    let dev = Writer::Deployer("dev".parse().unwrap());
    assert_eq!(signer.trusted(&dev).await.unwrap(), []);
    let error = signer.sign(&dev, "n", b"x", true).await.unwrap_err();
    assert_eq!(code(&error), Some(2));
    assert!(format!("{error:#}").contains("give `profile.aws.environments.dev.key`"), "{error:#}");
    let error = signer.keyed_digest(&dev, b"x").await.unwrap_err();
    assert!(format!("{error:#}").contains("environments.dev.variables_key"), "{error:#}");
    let gone = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000".parse().unwrap();
    let error = keys(&client, &gone, None).trusted(&Writer::Releaser).await.unwrap_err();
    assert_eq!(code(&error), Some(8), "{error:#}");
    assert!(format!("{error:#}").contains("NotFoundException"), "{error:#}");
}
