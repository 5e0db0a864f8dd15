//! The pipeline on a vault in S3, with keys in KMS: the real binary, two regions, one emulator.

use std::{fs, process::Command, sync::Arc};

use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use aws_sdk_s3::{Client, primitives::ByteStream};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use xtask::model::cloud::KeyArn;

use super::{ACCOUNT, OPEN, fleet::FUNCTION_ROLE, keys, make_bucket, s3, sdk};
use crate::supply::{provenance::VERIFY, python::python};
use crate::support::{
    ministack::MiniStack,
    project::{Project, RELEASE, Ran},
};

/// A project whose profile `aws` is an emulator.
pub(super) struct Cloud {
    pub(super) stack: Arc<MiniStack>,
    pub(super) project: Project,
    pub(super) client: Client,
    kms: aws_sdk_kms::Client,
    /// With which every writer signs.
    sign: KeyArn,
    pub(super) primary: String,
    recovery: String,
    /// What the functions' names begin with: the emulator is everybody's.
    pub(super) prefix: String,
}

impl Cloud {
    /// Where functions may be made.
    pub(super) async fn new() -> Self {
        Self::with(&format!(", create = {{ role = '{FUNCTION_ROLE}' }}")).await
    }

    /// With so much more about each environment.
    async fn with(more: &str) -> Self {
        let stack = OPEN.join();
        let base = sdk(&stack.endpoint());
        let west = base.to_builder().region(aws_config::Region::new("us-west-2")).build();
        let (client, kms) = (s3(&base), aws_sdk_kms::Client::new(&base));
        let primary = make_bucket(&client, None).await;
        let recovery = make_bucket(&s3(&west), Some("us-west-2")).await;
        let sign = keys::make(&kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
        let mac = keys::make(&kms, KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await;
        let environments = ["dev", "qa", "uat", "prod", "dr"].map(|name| {
            let region = if name == "dr" { "us-west-2" } else { "us-east-1" };
            format!(
                "{name} = {{ region = '{region}', account = '{ACCOUNT}', key = '{sign}', variables_key = '{mac}'{more} }}\n"
            )
        });
        let prefix = format!("x{}", uuid::Uuid::new_v4().simple());
        let text = format!(
            "{RELEASE}\n[profile.aws]\nfunction_name = '{prefix}-{{function}}-{{environment}}'\ncontrol_plane_per_second = 15\n\
             [profile.aws.vault]\nretention_years = 7\n\
             primary = {{ bucket = '{primary}', region = 'us-east-1', account = '{ACCOUNT}' }}\n\
             recovery = {{ bucket = '{recovery}', region = 'us-west-2', account = '{ACCOUNT}' }}\n\
             [profile.aws.writers]\nreleaser.key = '{sign}'\nevidence.key = '{sign}'\npolicy-administrator.key = '{sign}'\n\
             [profile.aws.environments]\n{}",
            environments.concat()
        );
        let project = Project::new();
        project.repo().write("release.toml", &text);
        project.commit("build: go to the cloud");
        Self { stack, project, client, kms, sign, primary, recovery, prefix }
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.project.command(self.project.root(), args);
        command.envs([("AWS_ENDPOINT_URL", self.stack.endpoint().as_str()), ("XTASK_PROFILE", "aws")]);
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        command
    }

    pub(super) fn xtask(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_sealed_in_the_bucket_and_the_audit_finds_what_is_done_to_it() {
    let cloud = Cloud::with("").await;
    cloud.xtask(&["release", "--until", "sealed"]).expect(0);
    // Nothing new: the same command is done already.
    cloud.xtask(&["release", "--until", "sealed"]).expect(0);
    cloud.xtask(&["audit", "verify"]).expect(0);
    let status = cloud.xtask(&["status", "--json"]).expect(0).json();
    assert_eq!(status["releases"][0]["release"], "v1.0.0", "{status}");

    let listed = cloud.client.list_objects_v2().bucket(&cloud.primary).send().await.unwrap();
    let names: Vec<_> = listed.contents().iter().filter_map(|object| object.key()).collect();
    let sealed = ["releases/00000001.json", "releases/00000002.json", "v1.0.0/SHA256SUMS", "v1.0.0/alpha.zip"];
    let told = ["v1.0.0/provenance.intoto.jsonl", "v1.0.0/sbom/alpha.cdx.json", "v1.0.0/sbom/beta.cdx.json"];
    assert_eq!(names, [&sealed[..], &["v1.0.0/beta.zip", "v1.0.0/manifest.json"], &told].concat());
    signed_by_kms(&cloud).await;
    let witnessed = cloud.client.list_objects_v2().bucket(&cloud.recovery).prefix("witness/").send().await;
    assert!(witnessed.is_err(), "a bucket answers in its own region only");

    // No function is there yet, and release.toml does not say how to make one: a plan says so, and nothing is begun.
    let plan = cloud.xtask(&["promote", "--to", "dev", "--plan"]).expect(2);
    assert_eq!(plan.stdout.matches("create: refused").count(), 2, "{}", plan.stdout);
    plan.says("give `profile.aws.environments.dev.create.role` in release.toml");
    let plan = cloud.xtask(&["promote", "--to", "dev", "--plan", "--json"]).expect(2).json();
    let why = plan["functions"][1]["refused"].as_str().unwrap();
    assert!(why.contains(&format!("function `{}-beta-dev` does not exist in Lambda", cloud.prefix)), "{plan}");
    cloud.project.improve("alpha", "second");
    cloud.project.commit("fix: alpha");
    for args in [&["release", "--plan"][..], &["release"]] {
        let refused = cloud.xtask(args).expect(2);
        let of = |name: &str| refused.stderr.contains(&format!("function `{}-{name}` does not exist", cloud.prefix));
        assert!(["alpha-dev", "beta-dev", "alpha-qa", "beta-qa"].iter().all(|name| of(name)), "{refused:?}");
    }
    let status = cloud.xtask(&["status", "--json"]).expect(0).json();
    assert_eq!(status["releases"].as_array().unwrap().len(), 1, "no number was used: {status}");
    let refused = cloud.xtask(&["promote", "--to", "dev"]).expect(2);
    let refused = refused.says("does not exist in Lambda, and making it is not allowed");
    refused.says("give `profile.aws.environments.dev.create.role` in release.toml");
    cloud.xtask(&["audit", "verify"]).expect(0);

    let put = cloud.client.put_object().bucket(&cloud.primary).body(ByteStream::from_static(b"other"));
    put.key("v1.0.0/alpha.zip").send().await.unwrap();
    cloud.xtask(&["audit", "verify"]).expect(5).says("v1.0.0/alpha.zip in the vault has more than one version");
    let ledger = cloud.client.delete_object().bucket(&cloud.primary).key("releases/00000002.json");
    ledger.send().await.unwrap();
    cloud.xtask(&["status"]).expect(5).says("releases/00000002.json in the vault was deleted");
}

/// The provenance in the bucket, by a tool that is not ours, with the key as KMS itself tells it.
async fn signed_by_kms(cloud: &Cloud) {
    let told = cloud.kms.get_public_key().key_id(cloud.sign.as_str()).send().await.unwrap();
    let key = cloud.project.repo().beside("releaser.pem");
    let der = STANDARD.encode(told.public_key().unwrap());
    fs::write(&key, format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")).unwrap();
    let file = cloud.project.repo().beside("provenance.jsonl");
    let read = cloud.client.get_object().bucket(&cloud.primary).key("v1.0.0/provenance.intoto.jsonl").send().await;
    fs::write(&file, read.unwrap().body.collect().await.unwrap().into_bytes()).unwrap();
    let (verified, said) = python(VERIFY, &[file.as_str(), key.as_str()]);
    assert!(verified && said.starts_with("alpha.zip "), "{said}");
    let other = fs::read_to_string(&file).unwrap().replace("\"sig\":\"ME", "\"sig\":\"MF");
    fs::write(&file, other).unwrap();
    assert!(!python(VERIFY, &[file.as_str(), key.as_str()]).0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_who_has_no_credentials_or_the_wrong_ones() {
    let cloud = Cloud::new().await;
    let mut other = cloud.command(&["status"]);
    // MiniStack takes a key of twelve digits for the root of that account.
    other.env("AWS_ACCESS_KEY_ID", "999999999999");
    Ran::of(other.output().unwrap())
        .expect(2)
        .says("of the AWS account 999999999999")
        .says("release.toml names 000000000000");
    let mut nobody = cloud.command(&["status"]);
    nobody.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_EC2_METADATA_DISABLED", "true");
    Ran::of(nobody.output().unwrap()).expect(8).says("aws sso login");
}
