//! A project whose `[profile.aws]` names everything that the policies speak of: two buckets that nobody has made yet, a
//! role for everybody, and a key for everybody who signs.

use std::{fmt::Write as _, process::Command, sync::Arc};

use aws_config::Region;
use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use aws_sdk_s3::Client;
use serde_json::{Value, json};

use super::{ACCOUNT, fleet::FUNCTION_ROLE, keys, s3, sdk};
use crate::support::{
    ministack::MiniStack,
    project::{Project, RELEASE, Ran},
};

pub(super) const ENVIRONMENTS: [&str; 5] = ["dev", "qa", "uat", "prod", "dr"];

/// Where the toolchain makes no functions: the infrastructure team does.
pub(super) const PREPARED: &str = "prod";

/// Where an environment's functions are.
pub(super) fn region(environment: &str) -> &'static str {
    if environment == "dr" { "us-west-2" } else { "us-east-1" }
}

/// The project, and the emulator that it runs on.
pub(super) struct Estate {
    pub(super) stack: Arc<MiniStack>,
    pub(super) project: Project,
    pub(super) primary: String,
    pub(super) recovery: String,
    id: String,
}

impl Estate {
    pub(super) async fn new(stack: Arc<MiniStack>) -> Self {
        let id = uuid::Uuid::now_v7().simple().to_string();
        let (primary, recovery) = (format!("{id}-one"), format!("{id}-two"));
        let estate = Self { project: Project::new(), stack, primary, recovery, id };
        let text = estate.configuration().await;
        estate.project.repo().write("release.toml", &text);
        estate.project.commit("build: go to the cloud");
        estate
    }

    /// The ARN of somebody's role.
    pub(super) fn role(&self, actor: &str) -> String {
        format!("arn:aws:iam::{ACCOUNT}:role/{}", self.role_name(actor))
    }

    pub(super) fn role_name(&self, actor: &str) -> String {
        format!("{}-{actor}", self.id)
    }

    async fn configuration(&self) -> String {
        let kms = aws_sdk_kms::Client::new(&sdk(&self.stack.endpoint()));
        let sign = async || keys::make(&kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
        let mac = async || keys::make(&kms, KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await;
        let (primary, recovery) = (&self.primary, &self.recovery);
        let mut text = format!(
            "{RELEASE}\n[profile.aws]\nfunction_name = '{{function}}-{{environment}}'\n\
             github = {{ repository = 'acme/prices' }}\n[profile.aws.vault]\nretention_years = 7\n\
             administrator = '{}'\nauditor = '{}'\n\
             primary = {{ bucket = '{primary}', region = 'us-east-1', account = '{ACCOUNT}' }}\n\
             recovery = {{ bucket = '{recovery}', region = 'us-west-2', account = '{ACCOUNT}' }}\n\
             [profile.aws.writers]\napprover.role = '{}'\n",
            self.role("vault-administrator"),
            self.role("auditor"),
            self.role("approver")
        );
        for writer in ["releaser", "policy-administrator", "evidence"] {
            writeln!(text, "{writer} = {{ key = '{}', role = '{}' }}", sign().await, self.role(writer)).unwrap();
        }
        text.push_str("[profile.aws.environments]\n");
        for name in ENVIRONMENTS {
            let region = region(name);
            let (role, key, digests) = (self.role(&format!("deployer-{name}")), sign().await, mac().await);
            let create =
                if name == PREPARED { String::new() } else { format!(", create = {{ role = '{FUNCTION_ROLE}' }}") };
            writeln!(
                text,
                "{name} = {{ region = '{region}', account = '{ACCOUNT}', role = '{role}', key = '{key}', variables_key = '{digests}'{create} }}"
            )
            .unwrap();
        }
        text
    }

    /// Every policy that the toolchain renders for this project, by its file's name.
    pub(super) fn policies(&self) -> serde_json::Map<String, Value> {
        let Value::Object(all) = self.project.json(0, &["vault", "policies"]) else { panic!("no object") };
        all
    }

    /// Everybody who has a role.
    pub(super) fn actors(&self) -> Vec<String> {
        let names = self.policies().into_iter().map(|(name, _)| name);
        names.filter_map(|name| Some(name.strip_prefix("roles/")?.strip_suffix(".json")?.to_owned())).collect()
    }

    /// Makes the roles, which whoever this is may take.
    pub(super) fn make_roles(&self, who: &str) {
        let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": { "AWS": who },
            "Action": "sts:AssumeRole" }] });
        for actor in self.actors() {
            let (name, trust) = (self.role_name(&actor), trust.to_string());
            self.stack.iam("CreateRole", &[("RoleName", &name), ("AssumeRolePolicyDocument", &trust)]);
        }
    }

    /// The buckets, as the root that made the emulator.
    pub(super) fn root(&self) -> [Client; 2] {
        let base = sdk(&self.stack.endpoint());
        let west = base.to_builder().region(Region::new("us-west-2")).build();
        [s3(&base), s3(&west)]
    }

    /// The real binary on the profile `aws`, with the keys of root where nobody is asked who they are.
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
