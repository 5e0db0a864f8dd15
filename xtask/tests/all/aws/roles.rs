//! With IAM enforced: people may read and take roles, writers write under their own prefix, and nobody is root.

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;
use xtask::{
    adapters::aws::{Session, Surroundings},
    context::Subject,
    ports::{
        clock::Clock,
        vault::{Body, VaultError},
        witness::Head,
    },
};

use super::{ACCOUNT, Hand, NOW, make_bucket, s3, sdk, sdk_as, session::configured};
use crate::{
    support::ministack::{Auth, MiniStack},
    vault::conformance::key,
};

/// What a tag holds in an answer of IAM.
pub(super) fn tag<'a>(answer: &'a str, name: &str) -> &'a str {
    let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name}: {answer}"));
    rest.split_once('<').unwrap().0
}

fn policy(actions: &str, resources: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{actions},"Resource":{resources}}}]}}"#
    )
}

#[tokio::test]
async fn a_writer_writes_with_its_role_under_its_own_prefix_only() {
    let stack = MiniStack::start(Auth::On);
    let root = sdk(&stack.endpoint());
    let west = root.to_builder().region(aws_config::Region::new("us-west-2")).build();
    let primary = make_bucket(&s3(&root), None).await;
    let recovery = make_bucket(&s3(&west), Some("us-west-2")).await;

    let role = format!("arn:aws:iam::{ACCOUNT}:role/deployer-dev");
    let reads = policy(
        r#"["s3:ListBucketVersions","s3:ListBucket","s3:GetObject","s3:GetObjectVersion","sts:AssumeRole","sts:GetCallerIdentity"]"#,
        r#""*""#,
    );
    stack.iam("CreateUser", &[("UserName", "ada")]);
    stack.iam("PutUserPolicy", &[("UserName", "ada"), ("PolicyName", "reads"), ("PolicyDocument", &reads)]);
    let access = stack.iam("CreateAccessKey", &[("UserName", "ada")]);
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/ada"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    stack.iam("CreateRole", &[("RoleName", "deployer-dev"), ("AssumeRolePolicyDocument", &trust)]);
    let own = format!(
        r#"["arn:aws:s3:::{primary}/environments/dev/*","arn:aws:s3:::{recovery}/witness/primary/environments/dev/*"]"#
    );
    let writes = policy(
        r#"["s3:PutObject","s3:PutObjectRetention","s3:GetObject","s3:GetObjectVersion","s3:GetObjectRetention"]"#,
        &own,
    );
    stack.iam("PutRolePolicy", &[("RoleName", "deployer-dev"), ("PolicyName", "writes"), ("PolicyDocument", &writes)]);

    let aws = configured(ACCOUNT, &primary, &recovery, &role, ACCOUNT);
    let (subject, environment) = (Arc::new(Subject::default()), BTreeMap::new());
    let surroundings = Surroundings { actor: "ada@laptop".to_owned(), subject, environment };
    let ada = sdk_as(&stack.endpoint(), tag(&access, "AccessKeyId"), tag(&access, "SecretAccessKey"));
    let session = Session::with(&aws, &surroundings, ada).await.unwrap();
    let (home, clock) = (tempfile::tempdir().unwrap(), Hand::at(NOW) as Arc<dyn Clock>);
    let site = session.primary(Utf8Path::from_path(home.path()).unwrap(), &clock);

    let entry = key("environments/dev/00000001.json");
    site.vault.create(&entry, Body::Bytes(b"{}")).await.unwrap();
    assert_eq!(site.vault.read(&entry).await.unwrap().as_deref(), Some(&b"{}"[..]));
    let (chain, head) =
        ("environments/dev".parse().unwrap(), Head { number: 1, sha256: xtask::model::digest::Digest::of(b"") });
    site.witness.note(&chain, head).await.unwrap();
    assert_eq!(site.witness.head(&chain).await.unwrap(), Some(head));
    // Ada herself may not write, and the releaser's role is not configured here.
    let refused = site.vault.create(&key("releases/00000001.json"), Body::Bytes(b"{}")).await.unwrap_err();
    assert!(matches!(refused, VaultError::Unreachable { .. }), "{refused:?}");
    let said = format!("{:#}", anyhow::Error::from(refused));
    assert!(said.contains("403 AccessDenied") && said.contains("the credentials at hand may not do this"), "{said}");
}
