//! With IAM enforced: everybody has the rendered policy of their role and nothing more, and the buckets and keys have
//! theirs. What each actor may not do is tried through the SDK and refused; what the pipeline does still works.
//!
//! The policies are changed in what `vault_policy::emulator::EMULATOR` lists and in nothing else. What the emulator does not
//! look at (the retention asked for, copies, a write without `If-None-Match`) is proven by evaluation, on the policies as
//! they are, in `vault-policy`.

mod attempts;

use std::{collections::BTreeMap, process::Command, sync::Arc};

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use camino::Utf8Path;
use serde_json::{Value, json};
use vault_policy::emulator::{EMULATOR, substitute};
use xtask::{
    adapters::aws::{Session, Surroundings},
    config::load,
    context::{Site, Subject},
    model::{
        digest::Digest,
        entry::{ChainName, Writer},
        sshsig,
    },
    ports::{clock::Clock, vault::Body, witness::Head},
};

use super::{
    ACCOUNT, Hand, NOW,
    estate::{ENVIRONMENTS, Estate},
    front::Front,
    roles::tag,
    s3, sdk, sdk_as,
};
use crate::{
    support::{
        ministack::{Auth, MiniStack},
        people::STAFF,
        project::Ran,
    },
    vault::conformance::key,
};

/// Everything that the policies speak of, with the policies in force.
struct City {
    estate: Estate,
    front: Front,
    policies: serde_json::Map<String, Value>,
    ada: Credentials,
}

impl City {
    /// Roles and keys with their policies, and no bucket yet.
    async fn found() -> Self {
        let estate = Estate::new(Arc::new(MiniStack::start(Auth::On))).await;
        let front = Front::before(&estate.stack.endpoint());
        let policies = estate.policies();
        let ada = user(&estate, "ada", &json!(["sts:AssumeRole", "sts:GetCallerIdentity"]));
        estate.make_roles(&format!("arn:aws:iam::{ACCOUNT}:user/ada"));
        let city = Self { estate, front, policies, ada };
        for actor in city.estate.actors() {
            let policy = substitute(&city.policies[&format!("roles/{actor}.json")], &EMULATOR).to_string();
            let role = city.estate.role_name(&actor);
            let own = [("RoleName", role.as_str()), ("PolicyName", "own"), ("PolicyDocument", &policy)];
            city.estate.stack.iam("PutRolePolicy", &own);
        }
        let kms = aws_sdk_kms::Client::new(&sdk(&city.estate.stack.endpoint()));
        for (name, arn) in city.signing_keys().into_iter().chain(city.digesting_keys()) {
            let policy = city.policies[&format!("keys/{name}.json")].to_string();
            let put = kms.put_key_policy().key_id(arn).policy_name("default").policy(policy);
            put.bypass_policy_lockout_safety_check(true).send().await.unwrap();
        }
        city
    }

    /// Puts the policies of the buckets in force as the emulator understands them. Root is exempt from all of them.
    async fn understood(&self) {
        let (clients, estate) = (self.estate.root(), &self.estate);
        for (client, bucket) in clients.iter().zip([&estate.primary, &estate.recovery]) {
            let policy = substitute(&self.policies[&format!("buckets/{bucket}.json")], &EMULATOR);
            client.put_bucket_policy().bucket(bucket).policy(policy.to_string()).send().await.unwrap();
        }
    }

    /// Who signs, and with which key.
    fn signing_keys(&self) -> Vec<(String, String)> {
        self.keys("Sign", "")
    }

    /// Whose variables are digested with which key, as the file of its policy is named.
    fn digesting_keys(&self) -> Vec<(String, String)> {
        let keys = self.keys("DigestVariables", "deployer-");
        keys.into_iter().map(|(name, arn)| (format!("variables-{name}"), arn)).collect()
    }

    fn keys(&self, sid: &str, strip: &str) -> Vec<(String, String)> {
        let named = self.policies.iter().filter_map(|(name, policy)| {
            let actor = name.strip_prefix("roles/")?.strip_suffix(".json")?;
            let statement = policy["Statement"].as_array()?.iter().find(|statement| statement["Sid"] == sid)?;
            Some((actor.strip_prefix(strip)?.to_owned(), statement["Resource"].as_str()?.to_owned()))
        });
        named.collect()
    }

    /// Somebody's credentials, as a job of theirs holds them.
    async fn job(&self, actor: &str) -> Credentials {
        let sts = aws_sdk_sts::Client::new(&self.sdk(&self.ada));
        let taken = sts.assume_role().role_arn(self.estate.role(actor)).role_session_name("job").send().await.unwrap();
        let got = taken.credentials().unwrap();
        let token = Some(got.session_token().to_owned());
        Credentials::new(got.access_key_id(), got.secret_access_key(), token, None, "the test's own")
    }

    fn sdk(&self, credentials: &Credentials) -> SdkConfig {
        let provider = SharedCredentialsProvider::new(credentials.clone());
        sdk(&self.front.endpoint()).into_builder().credentials_provider(provider).build()
    }

    fn command(&self, credentials: &Credentials, args: &[&str]) -> Command {
        let mut command = self.estate.command(args);
        command.env("AWS_ENDPOINT_URL", self.front.endpoint());
        command.env("AWS_ACCESS_KEY_ID", credentials.access_key_id());
        command.env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key());
        command.envs(credentials.session_token().map(|token| ("AWS_SESSION_TOKEN", token)));
        command
    }

    /// The real binary, run by a person, who takes the roles.
    fn by_ada(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(&self.ada, args).output().unwrap())
    }

    /// The real binary in a job that holds this role and no other credentials.
    async fn by(&self, actor: &str, args: &[&str]) -> Ran {
        Ran::of(self.command(&self.job(actor).await, args).output().unwrap())
    }

    /// The two regions and the keys, as a job of this role has them.
    async fn sites(&self, actor: &str) -> (Site, Site, Session, tempfile::TempDir) {
        let aws = load::release(self.estate.project.root(), None, None).unwrap().config.aws.unwrap();
        let (subject, environment) = (Arc::new(Subject::default()), BTreeMap::new());
        let surroundings = Surroundings { actor: "job@ci".to_owned(), subject, environment };
        let session = Session::with(&aws, &surroundings, self.sdk(&self.job(actor).await)).await.unwrap();
        let (home, clock) = (tempfile::tempdir().unwrap(), Hand::at(NOW) as Arc<dyn Clock>);
        let folder = Utf8Path::from_path(home.path()).unwrap();
        (session.primary(folder, &clock), session.recovery(folder, &clock), session, home)
    }
}

/// A new user who may do this with everything.
fn user(estate: &Estate, name: &str, actions: &Value) -> Credentials {
    let policy =
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] });
    let policy = policy.to_string();
    estate.stack.iam("CreateUser", &[("UserName", name)]);
    estate.stack.iam("PutUserPolicy", &[("UserName", name), ("PolicyName", "own"), ("PolicyDocument", &policy)]);
    let made = estate.stack.iam("CreateAccessKey", &[("UserName", name)]);
    Credentials::new(tag(&made, "AccessKeyId"), tag(&made, "SecretAccessKey"), None, None, "the test's own")
}

/// Sets up, seals, decides, proves and audits with the rendered policies and nothing more; then everything that somebody
/// may not do is tried.
#[tokio::test(flavor = "multi_thread")]
async fn the_pipeline_runs_with_the_rendered_policies_and_everything_else_is_refused() {
    let city = City::found().await;
    let estate = &city.estate;

    // With the policies as they are.
    city.by_ada(&["vault", "apply"]).expect(0);
    let again = city.by_ada(&["vault", "apply"]).expect(0).stdout;
    assert_eq!(again.matches("nothing to do").count(), 2, "{again}");
    city.by_ada(&["vault", "doctor"]).expect(0);
    let plain = s3(&sdk_as(&estate.stack.endpoint(), city.ada.access_key_id(), city.ada.secret_access_key()));
    let refused = plain.list_objects_v2().bucket(&estate.primary).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));
    let mut direct = city.command(&city.job("auditor").await, &["audit", "verify"]);
    direct.env("AWS_ENDPOINT_URL", estate.stack.endpoint());
    Ran::of(direct.output().unwrap()).expect(8).says("403 AccessDenied");

    city.understood().await;
    city.by("releaser", &["release", "--until", "sealed"]).await.expect(0);
    estate.project.people(&STAFF, "");
    city.by("policy-administrator", &["policy", "apply"]).await.expect(0);
    let quinn = estate.project.key("quinn");
    let approve = ["approve", "--to", "uat", "--release", "v1.0.0", "--key", quinn.as_str()];
    city.by("approver", &approve).await.expect(0);
    estate.project.repo().write("report.txt", "all is well");
    let add = ["evidence", "add", "v1.0.0", "--env", "uat", "--kind", "review", "--file", "report.txt"];
    city.by("evidence", &add).await.expect(0);
    for environment in ENVIRONMENTS {
        deploys(&city, environment).await;
    }
    brings_the_mirror(&city).await;

    let [east, west] = estate.root();
    for (client, bucket) in [(&east, &estate.primary), (&west, &estate.recovery)] {
        let listed = client.list_object_versions().bucket(bucket).send().await.unwrap();
        assert!(listed.versions().len() > 5 && listed.delete_markers().is_empty());
    }
    attempts::all(&city).await;
}

/// What the vault is for a deployer: its chain, its heads, its key, its digests, and the time for which a box is kept.
async fn deploys(city: &City, environment: &str) {
    let (primary, _, session, _home) = city.sites(&format!("deployer-{environment}")).await;
    let chain: ChainName = format!("environments/{environment}").parse().unwrap();
    let (entry, writer) = (chain.key(1).unwrap(), chain.writer());
    primary.vault.create(&entry, Body::Bytes(b"{}")).await.unwrap();
    let head = Head { number: 1, sha256: Digest::of(environment.as_bytes()) };
    primary.witness.note(&chain, head).await.unwrap();
    assert_eq!(primary.witness.head(&chain).await.unwrap(), Some(head));
    for name in ["v1.0.0/alpha.zip", "v1.0.0/manifest.json"] {
        primary.vault.keep(&key(name), &writer).await.unwrap();
    }
    let signer = session.signer();
    let armour = signer.sign(&writer, "xtask-ledger", b"entry", true).await.unwrap();
    sshsig::verify(&armour, b"entry", "xtask-ledger", &signer.trusted(&writer).await.unwrap()).unwrap();
    signer.keyed_digest(&writer, b"variables").await.unwrap();
    assert_eq!(signer.trusted(&Writer::Releaser).await.unwrap().len(), 1, "everybody checks everybody's signatures");
}

/// The second region's deployer alone brings everything there, whoever wrote it first.
async fn brings_the_mirror(city: &City) {
    let (primary, recovery, _, _home) = city.sites("deployer-dr").await;
    for name in ["v1.0.0/alpha.zip", "releases/00000001.json", "environments/dev/00000001.json", "policy/00000001.json"]
    {
        let (sha256, _) = primary.vault.fetch(&key(name), None).await.unwrap().unwrap();
        recovery.vault.create(&key(name), Body::Object { vault: primary.vault.as_ref(), sha256 }).await.unwrap();
    }
    let chain = ChainName::Releases;
    recovery.witness.note(&chain, Head { number: 1, sha256: Digest::of(b"") }).await.unwrap();
    let dr = Writer::Deployer("dr".parse().unwrap());
    recovery.vault.keep(&key("v1.0.0/alpha.zip"), &dr).await.unwrap();
}
