//! Provenance: verified by a tool that is not ours, and refused at the gate if anything about it is wrong.

use std::{
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use xtask::{
    adapters::local::keys::FileKeys,
    context::Context,
    engine::{facts, provenance},
    model::{digest::Digest, entry::Writer, key::VaultKey, manifest::Manifest},
    ports::{signer::Signer, vault::Body},
};

use super::python::python;
use crate::support::{
    project::Project,
    world::{code, promote_to, seal},
};

/// securesystemslib's own verification of an envelope, and what the statement says.
pub(crate) const VERIFY: &str = r#"
import json, sys
from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
text = open(sys.argv[2], "rb").read()
public = load_pem_public_key(text) if text.startswith(b"-----BEGIN") else load_ssh_public_key(text)
for line in open(sys.argv[1]):
    envelope = Envelope.from_dict(json.loads(line))
    keyid = next(iter(envelope.signatures))
    envelope.verify([SSlibKey.from_crypto(public, keyid)], 1)
    assert envelope.payload_type == "application/vnd.in-toto+json"
    statement = json.loads(envelope.payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    [subject] = statement["subject"]
    print(subject["name"], subject["digest"]["sha256"])
"#;

async fn released() -> (Project, Context, Manifest, String) {
    let project = Project::new();
    let context = project.context();
    seal(&context).await.unwrap();
    let (manifest, _) = facts::manifest(&context, "v1.0.0".parse().unwrap()).await.unwrap();
    let envelopes = fs::read_to_string(project.local().join("vault/v1.0.0/provenance.intoto.jsonl")).unwrap();
    (project, context, manifest, envelopes)
}

#[tokio::test]
async fn a_tool_that_is_not_ours_verifies_it() {
    let (project, _, manifest, envelopes) = released().await;
    let file = project.local().join("vault/v1.0.0/provenance.intoto.jsonl");
    let key = project.local().join("keys/releaser.pub");
    let (verified, said) = python(VERIFY, &[file.as_str(), key.as_str()]);
    assert!(verified, "{said}");
    let sums = ["alpha.zip", "beta.zip"].map(|name| format!("{name} {}\n", manifest.objects[name].sha256.hex()));
    assert_eq!(said, sums.concat());
    // The same tool refuses it with another key, and with another payload.
    let other = project.local().join("keys/deployer-dev.pub");
    assert!(!python(VERIFY, &[file.as_str(), other.as_str()]).0);
    let altered = project.local().join("altered.jsonl");
    fs::write(&altered, with(&envelopes, |envelope| repay(envelope, "alpha.zip", "alphb.zip"))).unwrap();
    assert!(!python(VERIFY, &[altered.as_str(), key.as_str()]).0);
}

#[test]
fn a_key_on_p256_signs_as_well() {
    let project = Project::new();
    let key = project.local().join("keys/releaser");
    fs::create_dir_all(key.parent().unwrap()).unwrap();
    let mut made = Command::new("ssh-keygen");
    made.args(["-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f", key.as_str()]);
    assert!(made.status().unwrap().success());
    project.xtask(&["release"]).expect(0);
    let file = project.local().join("vault/v1.0.0/provenance.intoto.jsonl");
    let (verified, said) = python(VERIFY, &[file.as_str(), key.with_extension("pub").as_str()]);
    assert!(verified, "{said}");
    project.xtask(&["audit", "verify"]).expect(0);
}

/// The first envelope changed.
fn with(envelopes: &str, change: impl FnOnce(&mut Value)) -> String {
    let (first, rest) = envelopes.split_once('\n').unwrap();
    let mut envelope: Value = serde_json::from_str(first).unwrap();
    change(&mut envelope);
    format!("{envelope}\n{rest}")
}

fn repay(envelope: &mut Value, from: &str, to: &str) {
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    assert!(payload.contains(from), "{payload}");
    envelope["payload"] = STANDARD.encode(payload.replace(from, to)).into();
}

#[tokio::test]
async fn whatever_is_wrong_with_it_proves_nothing() {
    let (_keep, context, manifest, envelopes) = released().await;
    let trusted = context.signer.trusted(&Writer::Releaser).await.unwrap();
    assert_eq!(provenance::proves(&trusted, &manifest, envelopes.as_bytes()), Ok(()));
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 5] = [
        (|e| repay(e, "cargo-function", "make"), "none of its 1 signatures is by a key that counts"),
        (|e| e["payloadType"] = "application/json".into(), "its payload is of type `application/json`"),
        (|e| e["signatures"] = serde_json::json!([]), "it has no signature"),
        (|e| e["signatures"][0]["sig"] = STANDARD.encode([7; 64]).into(), "none of its 1 signatures"),
        (|e| e["extra"] = 1.into(), "it is no envelope"),
    ];
    for (change, words) in changes {
        let bent = with(&envelopes, change);
        let why = provenance::proves(&trusted, &manifest, bent.as_bytes()).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
    let mut lines = envelopes.lines();
    let (alpha, beta) = (lines.next().unwrap(), lines.next().unwrap());
    for (lines, words) in [
        (vec![alpha], "nothing is said about beta.zip"),
        (vec![alpha, alpha, beta], "3 statements about 2 artifacts"),
        (vec![], "nothing is said about alpha.zip"),
    ] {
        let why = provenance::proves(&trusted, &manifest, lines.join("\n").as_bytes()).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
    // Sound envelopes, but of another build: of other bytes, of another commit, for another release.
    let mut other = manifest.clone();
    other.objects.get_mut("alpha.zip").unwrap().sha256 = Digest::of(b"other");
    let why = provenance::proves(&trusted, &other, envelopes.as_bytes()).unwrap_err();
    assert!(why.contains("alpha.zip is sha256:") && why.contains("the provenance is about"), "{why}");
    let other = Manifest { release: "v9.9.9".parse().unwrap(), ..manifest };
    let why = provenance::proves(&trusted, &other, envelopes.as_bytes()).unwrap_err();
    assert!(why.contains("alpha.zip was built for v1.0.0"), "{why}");
}

/// Someone who may write the ledger, but signs provenance with a key of their own, which only their own tool believes.
struct Forger {
    own: FileKeys,
    known: Arc<dyn Signer>,
}

#[async_trait]
impl Signer for Forger {
    async fn sign(&self, writer: &Writer, namespace: &str, bytes: &[u8], fresh: bool) -> anyhow::Result<String> {
        self.known.sign(writer, namespace, bytes, fresh).await
    }

    async fn seal(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<(Vec<u8>, ssh_key::PublicKey)> {
        self.own.sign(writer, "none", b"makes the key", true).await?;
        self.own.seal(writer, bytes).await
    }

    async fn keyed_digest(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<Digest> {
        self.known.keyed_digest(writer, bytes).await
    }

    async fn trusted(&self, writer: &Writer) -> anyhow::Result<Vec<ssh_key::PublicKey>> {
        Ok([self.known.trusted(writer).await?, self.own.trusted(writer).await?].concat())
    }
}

#[tokio::test]
async fn a_box_with_a_strangers_provenance_is_promoted_nowhere() {
    let project = Project::new();
    let context = project.context();
    let own = FileKeys::new(&project.local().join("stranger"));
    let forger = Context { signer: Arc::new(Forger { own, known: Arc::clone(&context.signer) }), ..context.clone() };
    seal(&forger).await.unwrap();
    let refused = promote_to(&context, &"dev".parse().unwrap(), "v1.0.0".parse().unwrap()).await;
    assert_eq!(code(&refused), 5);
    let words = format!("{refused:?}");
    assert!(
        words.contains("v1.0.0/provenance.intoto.jsonl proves nothing: line 1: none of its 1 signatures"),
        "{words}"
    );
    // The auditor finds it too, although every entry and every digest of that vault is sound.
    project
        .xtask(&["audit", "verify"])
        .expect(5)
        .says("v1.0.0/provenance.intoto.jsonl")
        .says("none of its 1 signatures");
}

/// A key whose first answer is damaged.
struct Damaged {
    known: Arc<dyn Signer>,
    before: AtomicBool,
}

#[async_trait]
impl Signer for Damaged {
    async fn sign(&self, writer: &Writer, namespace: &str, bytes: &[u8], fresh: bool) -> anyhow::Result<String> {
        self.known.sign(writer, namespace, bytes, fresh).await
    }

    async fn seal(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<(Vec<u8>, ssh_key::PublicKey)> {
        let (mut signature, key) = self.known.seal(writer, bytes).await?;
        signature[0] ^= u8::from(!self.before.swap(true, Ordering::SeqCst));
        Ok((signature, key))
    }

    async fn keyed_digest(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<Digest> {
        self.known.keyed_digest(writer, bytes).await
    }

    async fn trusted(&self, writer: &Writer) -> anyhow::Result<Vec<ssh_key::PublicKey>> {
        self.known.trusted(writer).await
    }
}

#[tokio::test]
async fn a_signature_that_came_damaged_gets_into_no_box() {
    let project = Project::new();
    let known = project.context();
    let signer = Arc::new(Damaged { known: Arc::clone(&known.signer), before: AtomicBool::new(false) });
    let context = Context { signer, ..known };
    let unfinished = seal(&context).await;
    assert_eq!(code(&unfinished), 8);
    assert!(format!("{unfinished:?}").contains("failed to sign the provenance of alpha"), "{unfinished:?}");
    assert_eq!(seal(&context).await.unwrap().release.to_string(), "v1.0.0");
}

/// Nothing can be taken out of a vault, so that a number whose box holds such a thing is given up.
#[tokio::test]
async fn what_somebody_else_put_there_burns_the_number() {
    let project = Project::new();
    let there: VaultKey = "v1.0.0/provenance.intoto.jsonl".parse().unwrap();
    project.context().vault.create(&there, Body::Bytes(b"{}\n")).await.unwrap();
    let burned = seal(&project.context()).await;
    assert_eq!(code(&burned), 5);
    let words = format!("{burned:?}");
    assert!(words.contains("v1.0.0 is burned: v1.0.0/provenance.intoto.jsonl proves nothing: line 1"), "{words}");
    assert_eq!(seal(&project.context()).await.unwrap().release.to_string(), "v1.0.1");
    project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test]
async fn an_altered_file_is_tampering() {
    let (project, context, _, envelopes) = released().await;
    let file = project.local().join("vault/v1.0.0/provenance.intoto.jsonl");
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "the attacker's own way to change an object")]
    permissions.set_readonly(false);
    fs::set_permissions(&file, permissions).unwrap();
    fs::write(&file, envelopes.replacen('=', "", 1)).unwrap();
    let refused = promote_to(&context, &"dev".parse().unwrap(), "v1.0.0".parse().unwrap()).await;
    assert_eq!(code(&refused), 5);
    assert!(format!("{refused:?}").contains("v1.0.0/provenance.intoto.jsonl proves nothing: expected sha256:"));
}
