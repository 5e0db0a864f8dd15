//! Whose credentials count, and as whom the writers write.

use std::{collections::BTreeMap, sync::Arc};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use camino::Utf8Path;
use xtask::{
    adapters::aws::{Session, Surroundings},
    config::{aws::Aws, load},
    context::Subject,
    failure::Failure,
    model::digest::Digest,
    ports::{clock::Clock, vault::Body},
};

use super::{
    Hand, NOW, OPEN, recorded,
    recorded::{Recorded, answer},
    sdk,
};
use crate::vault::conformance::key;

const ROLE: &str = "arn:aws:iam::111111111111:role/ci/deployer-dev";

/// The configuration of two environments, dev with a role to take.
fn configuration(account: &str) -> Aws {
    configured(account, "vault-one", "vault-two", ROLE, "111111111111")
}

/// The same with these buckets, and dev in this account.
pub(super) fn configured(account: &str, primary: &str, recovery: &str, role: &str, dev: &str) -> Aws {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let key = |name: &str| format!("arn:aws:kms:us-east-1:{account}:alias/{name}");
    let text = format!(
        "schema = 1\nfunctions.f = {{}}\nprofile.local.function_name = '{{function}}-{{environment}}'\n\
         [[environments]]\nname = 'dev'\n[[environments]]\nname = 'qa'\n[profile.aws]\n\
         function_name = '{{function}}-{{environment}}'\n[profile.aws.vault]\nretention_years = 7\n\
         primary = {{ bucket = '{primary}', region = 'us-east-1', account = '{account}' }}\n\
         recovery = {{ bucket = '{recovery}', region = 'us-west-2', account = '{account}' }}\n\
         [profile.aws.environments]\n\
         dev = {{ region = 'us-east-1', account = '{dev}', role = '{role}', key = '{0}', variables_key = '{0}' }}\n\
         qa = {{ region = 'us-east-1', account = '222222222222', key = '{0}', variables_key = '{0}' }}\n",
        key("any")
    );
    std::fs::write(root.join("release.toml"), text).unwrap();
    load::release(root, None, None).unwrap().config.aws.unwrap()
}

async fn open(account: &str, config: SdkConfig) -> (Result<Session, Failure>, Arc<Subject>) {
    let subject = Arc::new(Subject::default());
    let environment = BTreeMap::new();
    let surroundings = Surroundings { actor: "ada@laptop".to_owned(), subject: Arc::clone(&subject), environment };
    (Session::with(&configuration(account), &surroundings, config).await, subject)
}

pub(super) fn identity(account: &str, resource: &str) -> HttpResponse {
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:sts::{account}:{resource}</Arn><UserId>x</UserId><Account>{account}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    );
    answer(200, &[], &body)
}

fn taken(account: &str) -> HttpResponse {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>TAKEN</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>x</AssumedRoleId>\
         <Arn>arn:aws:sts::{account}:assumed-role/deployer-dev/x</Arn></AssumedRoleUser></AssumeRoleResult>\
         </AssumeRoleResponse>"
    );
    answer(200, &[], &body)
}

/// Writes an entry of dev, and gives what was asked for it: service, session name, access key.
async fn entry_of_dev(first: HttpResponse, more: Vec<HttpResponse>) -> (Vec<String>, bool) {
    let sum = Digest::of(b"{}").base64();
    let kept = [
        ("x-amz-checksum-sha256", sum.as_str()),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", "2099-11-23T12:00:00Z"),
    ];
    let writes = [answer(200, &[("x-amz-version-id", "v1")], ""), answer(200, &kept, "")];
    let answers = Recorded::new([first].into_iter().chain(more).chain(writes).collect());
    let (session, subject) = open("111111111111", recorded(&answers)).await;
    let clock: Arc<dyn Clock> = Hand::at(NOW);
    let home = tempfile::tempdir().unwrap();
    let vault = session.unwrap().primary(Utf8Path::from_path(home.path()).unwrap(), &clock).vault;
    subject.about("v1.2.3".parse().unwrap());
    let written = vault.create(&key("environments/dev/00000001.json"), Body::Bytes(b"{}")).await;
    let asked = answers.asked(|request| {
        let signed = request.headers().get("authorization").unwrap_or_default();
        let access = signed.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next()).unwrap_or("nobody");
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let name = body.split('&').find(|part| part.starts_with("RoleSessionName=")).unwrap_or_default().to_owned();
        format!("{} {access} {name}", request.method())
    });
    (asked, written.is_ok())
}

#[tokio::test]
async fn a_role_is_taken_for_a_release_and_an_actor() {
    let (asked, written) = entry_of_dev(identity("111111111111", "user/ada"), vec![taken("111111111111")]).await;
    assert!(written);
    let session = "POST test RoleSessionName=v1.2.3%3Dada%40laptop";
    assert_eq!(asked, ["POST test ", session, "PUT TAKEN ", "HEAD TAKEN "]);
}

#[tokio::test]
async fn a_role_that_the_job_holds_is_not_taken() {
    let held = identity("111111111111", "assumed-role/deployer-dev/job");
    let (asked, written) = entry_of_dev(held, vec![]).await;
    assert!(written);
    assert_eq!(asked, ["POST test ", "PUT test ", "HEAD test "]);
}

#[tokio::test]
async fn a_role_of_another_account_is_refused() {
    let (asked, written) = entry_of_dev(identity("111111111111", "user/ada"), vec![taken("999999999999")]).await;
    assert!(!written, "{asked:?}");
    assert!(asked.iter().all(|asked| !asked.starts_with("PUT")), "{asked:?}");
}

#[tokio::test]
async fn credentials_of_an_unknown_account_are_refused() {
    let stack = OPEN.join();
    let (refused, _) = open("333333333333", sdk(&stack.endpoint())).await;
    let failure = refused.unwrap_err();
    assert_eq!(failure.code(), 2);
    let said = failure.to_string();
    assert!(
        said.starts_with("these credentials are of the AWS account 000000000000 (arn:aws:iam::000000000000:"),
        "{said}"
    );
    assert!(said.contains("release.toml names 111111111111, 222222222222, 333333333333"), "{said}");
    open("000000000000", sdk(&stack.endpoint())).await.0.unwrap();
}

#[tokio::test]
async fn an_environment_of_another_account_is_withheld_unless_it_has_a_role() {
    let answers = Recorded::new(vec![identity("111111111111", "user/ada")]);
    let session = open("111111111111", recorded(&answers)).await.0.unwrap();
    assert_eq!(session.withheld(&"dev".parse().unwrap()), None);
    let said = session.withheld(&"qa".parse().unwrap()).unwrap();
    assert!(said.contains("111111111111") && said.contains("qa is in 222222222222"), "{said}");
}

#[tokio::test]
async fn without_an_answer_the_command_is_unfinished() {
    let gone = sdk("http://127.0.0.1:9");
    let failure = open("111111111111", gone).await.0.unwrap_err();
    assert_eq!(failure.code(), 8, "{failure:?}");
}
