//! Finds the holes in a bucket policy: it is asked about requests that must be refused or allowed, and each wrong
//! answer is a hole. So a policy that says the same in other words passes, and one that only looks alike does not.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    evaluate::{self, Request},
    ownership::{self, Kind, Writer},
    render::Variables,
};

/// Something that the policy does not do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hole {
    /// The `Sid` of the statement in the reviewed file that closes it.
    pub statement: String,
    /// The request that gets the wrong answer, and that answer.
    pub what: String,
    /// How to close it.
    pub fix: String,
}

/// Every hole in a rendered bucket policy, for the vault that these variables describe.
#[must_use]
pub fn check(policy: &Value, variables: &Variables) -> Vec<Hole> {
    let vault = Vault { policy, bucket: arn(variables), writers: writers(variables), variables };
    let mut holes = vault.refusals();
    for (writer, role) in &vault.writers {
        holes.extend(vault.writer(writer, role));
    }
    holes.sort();
    holes.dedup();
    holes
}

/// Actions on objects that nobody may take, by the statement that refuses them.
const OBJECT_ACTIONS: [(&str, &str); 7] = [
    ("RefuseDeletion", "s3:DeleteObject"),
    ("RefuseDeletion", "s3:DeleteObjectVersion"),
    ("RefuseRetentionChanges", "s3:PutObjectRetention"),
    ("RefuseRetentionChanges", "s3:BypassGovernanceRetention"),
    ("RefuseReplicationInto", "s3:ReplicateObject"),
    ("RefuseReplicationInto", "s3:ReplicateDelete"),
    ("RefuseReplicationInto", "s3:ReplicateTags"),
];

/// The same of the bucket.
const BUCKET_ACTIONS: [&str; 5] = [
    "s3:DeleteBucket",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
];

struct Vault<'a> {
    policy: &'a Value,
    bucket: String,
    writers: Vec<(Writer, String)>,
    variables: &'a Variables,
}

impl Vault<'_> {
    /// What is refused to everyone, the writers and the vault administrator included.
    fn refusals(&self) -> Vec<Hole> {
        let mut holes = Vec::new();
        let administrator = self.variables.values.get("vault_administrator").cloned().unwrap_or_default();
        let stranger = self.stranger();
        let writers = self.writers.iter().map(|(_, role)| role);
        for role in writers.chain([&administrator, &stranger]) {
            for key in SAMPLES.map(|(key, _)| key).into_iter().chain(["other/x"]) {
                let object = format!("{}/{key}", self.bucket);
                for (statement, action) in OBJECT_ACTIONS {
                    holes.extend(self.refused(statement, &ask(role, action, &object)));
                }
            }
            for action in BUCKET_ACTIONS {
                holes.extend(self.refused("RefuseBucketChanges", &ask(role, action, &self.bucket)));
            }
            for action in ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"] {
                if *role != administrator {
                    holes.extend(self.refused("OnlyVaultAdministratorChangesThis", &ask(role, action, &self.bucket)));
                }
            }
            for (action, key) in [("s3:GetObject", "/releases/00000001.json"), ("s3:ListBucket", "")] {
                let mut plain = ask(role, action, &format!("{}{key}", self.bucket));
                plain.context.insert("aws:securetransport", "false");
                holes.extend(self.refused("RefusePlainHttp", &plain));
            }
            holes.extend(self.refused("RefuseWritesElsewhere", &ask(role, PUT, &format!("{}/other/x", self.bucket))));
        }
        holes
    }

    /// What one writer alone may do, and only write-once.
    fn writer(&self, writer: &Writer, role: &str) -> Vec<Hole> {
        let mut holes = Vec::new();
        let (only, may) = statements(writer);
        let stranger = self.stranger();
        let others = self.writers.iter().filter(|(other, _)| other != writer).map(|(_, role)| role);
        let others: Vec<_> = others.filter(|other| *other != role).chain([&stranger]).collect();
        for key in keys(writer) {
            let object = format!("{}/{key}", self.bucket);
            for other in &others {
                holes.extend(self.refused(&only, &ask(other, PUT, &object)));
            }
            let mut overwrite = ask(role, PUT, &object);
            overwrite.context.remove("s3:if-none-match");
            holes.extend(self.refused("RefuseUnconditionalWrites", &overwrite));
            // Uploads in parts cannot carry the condition before they are completed.
            let mut part = overwrite;
            part.context.insert("s3:objectcreationoperation", "false");
            for (request, how) in [(&ask(role, PUT, &object), ""), (&part, " in parts")] {
                if !self.allowed(request) {
                    holes.push(Hole {
                        statement: may.clone(),
                        what: format!("{writer} may not write {key}{how}"),
                        fix: format!("allow `{PUT}` on its prefix to {role}, and refuse it in no other statement"),
                    });
                }
            }
        }
        holes
    }

    fn refused(&self, statement: &str, request: &Request<'_>) -> Option<Hole> {
        (!evaluate::meets(self.policy, "Deny", request)).then(|| Hole {
            statement: statement.to_owned(),
            what: format!("`{}` on {} is not refused to {}", request.action, request.resource, request.principal),
            fix: format!("put the statement `{statement}` of the reviewed bucket policy back"),
        })
    }

    fn allowed(&self, request: &Request<'_>) -> bool {
        evaluate::meets(self.policy, "Allow", request) && !evaluate::meets(self.policy, "Deny", request)
    }

    /// A role of the same account that is no writer.
    fn stranger(&self) -> String {
        let account = self.variables.values.get("account").map_or("", String::as_str);
        format!("arn:aws:iam::{account}:role/any-other-role")
    }
}

const PUT: &str = "s3:PutObject";

/// Keys of every writer but the deployers.
const SAMPLES: [(&str, Kind); 5] = [
    ("v1.0.0/manifest.json", Kind::Releaser),
    ("releases/00000001.json", Kind::Releaser),
    ("approvals/v1.0.0/prod/00000001.json", Kind::Approver),
    ("policy/00000001.json", Kind::PolicyAdministrator),
    ("evidence/v1.0.0/0.json", Kind::Evidence),
];

fn keys(writer: &Writer) -> Vec<String> {
    match writer {
        Writer::Deployer(environment) => vec![format!("environments/{environment}/00000001.json")],
        Writer::Of(_) => {
            let own = SAMPLES.iter().filter(|(key, _)| ownership::writer(key).as_ref() == Some(writer));
            own.map(|(key, _)| (*key).to_owned()).collect()
        }
    }
}

/// The statements that keep a writer's prefixes to it, and that let it write there.
fn statements(writer: &Writer) -> (String, String) {
    let (name, environment) = match writer {
        Writer::Deployer(environment) => ("Deployer", crate::render::identifier(environment)),
        Writer::Of(Kind::Releaser) => ("Releaser", String::new()),
        Writer::Of(Kind::Deployer) => ("Deployer", String::new()),
        Writer::Of(Kind::Approver) => ("Approver", String::new()),
        Writer::Of(Kind::PolicyAdministrator) => ("PolicyAdministrator", String::new()),
        Writer::Of(Kind::Evidence) => ("Evidence", String::new()),
    };
    (format!("Only{name}Writes{environment}"), format!("{name}Writes{environment}"))
}

fn writers(variables: &Variables) -> Vec<(Writer, String)> {
    let kinds = [
        ("releaser", Kind::Releaser),
        ("approver", Kind::Approver),
        ("policy_administrator", Kind::PolicyAdministrator),
        ("evidence", Kind::Evidence),
    ];
    let single = kinds.map(|(name, kind)| (Writer::Of(kind), variables.values.get(name).cloned().unwrap_or_default()));
    let deployers = variables.deployers.iter().map(|(env, role)| (Writer::Deployer(env.clone()), role.clone()));
    single.into_iter().chain(deployers).collect()
}

fn arn(variables: &Variables) -> String {
    format!("arn:aws:s3:::{}", variables.values.get("bucket").map_or("", String::as_str))
}

/// A request as the toolchain makes it: over TLS, and a write only if nothing is there.
fn ask<'a>(principal: &'a str, action: &'a str, resource: &str) -> Request<'a> {
    let mut context = BTreeMap::from([("aws:securetransport", "true"), ("aws:principalarn", principal)]);
    if action == PUT {
        context.insert("s3:if-none-match", "*");
        context.insert("s3:objectcreationoperation", "true");
    }
    Request { principal, action, resource: resource.to_owned(), context }
}

#[cfg(test)]
pub(crate) mod tests;
