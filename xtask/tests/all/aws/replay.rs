//! What S3 may answer and MiniStack never does: recorded answers.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use camino::Utf8Path;
use xtask::{
    model::digest::Digest,
    ports::vault::{Body, Vault, VaultError},
};

use super::{
    Hand, NOW, S3Vault, bucket_of, recorded,
    recorded::{Recorded, answer},
    s3,
};
use crate::vault::conformance::key;

const CONFLICT: &str = "<?xml version=\"1.0\"?><Error><Code>ConditionalRequestConflict</Code>\
    <Message>The conditional request cannot succeed due to a conflicting operation against this resource.</Message></Error>";

/// A vault that gets these answers.
struct World {
    answers: Recorded,
    vault: S3Vault,
    clock: std::sync::Arc<Hand>,
    _home: tempfile::TempDir,
}

fn recorded_vault(answers: Vec<HttpResponse>) -> World {
    let answers = Recorded::new(answers);
    let (clock, home) = (Hand::at(NOW), tempfile::tempdir().unwrap());
    let bucket = bucket_of(s3(&recorded(&answers)), "vault", clock.clone());
    let vault = S3Vault::new(bucket, Utf8Path::from_path(home.path()).unwrap());
    World { answers, vault, clock, _home: home }
}

fn conflict() -> HttpResponse {
    answer(409, &[], CONFLICT)
}

fn written() -> HttpResponse {
    answer(200, &[("x-amz-version-id", "v1")], "")
}

/// The headers of an object that is kept as asked, but for these.
fn head(of: &[u8], but: &[(&str, &str)]) -> HttpResponse {
    let sum = Digest::of(of).base64();
    let mut headers = vec![
        ("x-amz-version-id", "v1"),
        ("x-amz-checksum-sha256", sum.as_str()),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", "2033-11-23T12:00:00Z"),
    ];
    headers.retain(|(name, _)| but.iter().all(|(other, _)| other != name));
    headers.extend(but.iter().filter(|(_, value)| !value.is_empty()));
    answer(200, &headers, "")
}

fn one_version(name: &str) -> HttpResponse {
    let body = format!(
        "<?xml version=\"1.0\"?><ListVersionsResult><IsTruncated>false</IsTruncated><Version><Key>{name}</Key>\
         <VersionId>v1</VersionId><IsLatest>true</IsLatest></Version></ListVersionsResult>"
    );
    answer(200, &[], &body)
}

/// Which requests were about the one version.
fn of_one_version(answers: &Recorded) -> Vec<bool> {
    answers.asked(|request| request.uri().contains("versionId=v1"))
}

fn text(error: VaultError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

#[tokio::test]
async fn a_conflict_is_tried_again_after_a_while() {
    let world = recorded_vault(vec![conflict(), conflict(), written(), head(b"bytes", &[])]);
    world.vault.create(&key("a"), Body::Bytes(b"bytes")).await.unwrap();
    let waited: Vec<_> = world.clock.waited.lock().unwrap().iter().map(std::time::Duration::as_millis).collect();
    assert_eq!(waited, [80, 160]);
    assert_eq!(world.answers.asked(|_| ()).len(), 4);
}

#[tokio::test]
async fn conflicts_without_end_are_given_up() {
    let world = recorded_vault((0..20).map(|_| conflict()).collect());
    let error = world.vault.create(&key("a"), Body::Bytes(b"bytes")).await.unwrap_err();
    assert!(matches!(error, VaultError::Unreachable { .. }), "{error:?}");
    assert!(text(error).contains("409 ConditionalRequestConflict"));
    assert_eq!(world.answers.asked(|_| ()).len(), 6);
    assert_eq!(world.clock.waited.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn a_write_is_one_put_with_everything_that_makes_it_safe() {
    let world = recorded_vault(vec![written(), head(b"bytes", &[])]);
    let home = tempfile::tempdir().unwrap();
    let file = Utf8Path::from_path(home.path()).unwrap().join("file");
    std::fs::write(&file, b"bytes").unwrap();
    world.vault.create(&key("v1.0.0/alpha.zip"), Body::File(&file)).await.unwrap();
    let asked = |name: &'static str| world.answers.asked(|request| request.headers().get(name).map(str::to_owned));
    assert_eq!(world.answers.asked(|request| request.method().to_owned()), ["PUT", "HEAD"]);
    let sum = Digest::of(b"bytes").base64();
    for (name, value) in [
        ("if-none-match", "*"),
        ("x-amz-checksum-sha256", sum.as_str()),
        ("content-length", "5"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", "2033-11-23T12:00:00Z"),
        ("x-amz-expected-bucket-owner", super::ACCOUNT),
    ] {
        assert_eq!(asked(name)[0].as_deref(), Some(value), "{name}");
    }
    // Neither in pieces nor with a second checksum behind it.
    for name in ["content-encoding", "x-amz-trailer", "x-amz-decoded-content-length", "x-amz-checksum-crc32"] {
        assert_eq!(asked(name)[0], None, "{name}");
    }
    assert_eq!(of_one_version(&world.answers), [false, true]);
    assert_eq!(asked("x-amz-checksum-mode")[1].as_deref(), Some("ENABLED"));
}

#[tokio::test]
async fn what_was_written_and_is_not_kept_as_asked_is_unsound() {
    let wrong = Digest::of(b"other").base64();
    let cases = [
        (vec![answer(200, &[], "")], "the bucket vault is not versioned"),
        (vec![written(), head(b"bytes", &[("x-amz-checksum-sha256", "")])], "has the checksum none"),
        (vec![written(), head(b"bytes", &[("x-amz-checksum-sha256", &wrong)])], "after it was written as"),
        (vec![written(), head(b"bytes", &[("x-amz-object-lock-mode", "")])], "is not kept as asked"),
        (vec![written(), head(b"bytes", &[("x-amz-object-lock-mode", "COMPLIANCE")])], "found COMPLIANCE"),
        (
            vec![written(), head(b"bytes", &[("x-amz-object-lock-retain-until-date", "2033-11-23T11:59:59Z")])],
            "is not kept as asked",
        ),
    ];
    for (answers, says) in cases {
        let error = recorded_vault(answers).vault.create(&key("a"), Body::Bytes(b"bytes")).await.unwrap_err();
        assert!(matches!(error, VaultError::Unsound { .. }), "{error:?}");
        assert!(text(error).contains(says), "{says}");
    }
}

#[tokio::test]
async fn a_checksum_must_be_there_and_be_that_of_the_bytes() {
    let right = Digest::of(b"bytes").base64();
    let get = |sum: Option<&str>| {
        let sum = sum.map(|sum| ("x-amz-checksum-sha256", sum));
        let headers: Vec<_> = [("content-length", "5")].into_iter().chain(sum).collect();
        recorded_vault(vec![one_version("a"), answer(200, &headers, "bytes")])
    };
    let world = get(Some(&right));
    assert_eq!(world.vault.read(&key("a")).await.unwrap().as_deref(), Some(&b"bytes"[..]));
    assert_eq!(of_one_version(&world.answers), [false, true]);
    let modes = world.answers.asked(|request| request.headers().get("x-amz-checksum-mode").map(str::to_owned));
    assert_eq!(modes[1].as_deref(), Some("ENABLED"));
    let wrong = Digest::of(b"other").base64();
    for (sum, says) in [(None, "has no SHA-256 checksum"), (Some(wrong.as_str()), "but its checksum is")] {
        let error = get(sum).vault.read(&key("a")).await.unwrap_err();
        assert!(matches!(error, VaultError::Unsound { .. }), "{error:?}");
        assert!(text(error).contains(says), "{says}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_tampering() {
    let right = Digest::of(b"bytes").base64();
    let headers = [("content-length", "5"), ("x-amz-checksum-sha256", right.as_str())];
    let world = recorded_vault(vec![one_version("a"), answer(200, &headers, "byt")]);
    let error = world.vault.read(&key("a")).await.unwrap_err();
    assert!(matches!(error, VaultError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refusal_says_that_it_may_mean_something_else() {
    let denied = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let error = recorded_vault(vec![answer(403, &[], denied)]).vault.exists(&key("a")).await.unwrap_err();
    assert!(matches!(error, VaultError::Unreachable { .. }), "{error:?}");
    let said = text(error);
    assert!(said.contains("403 AccessDenied") && said.contains("s3:ListBucket"), "{said}");
}
