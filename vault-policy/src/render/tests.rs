//! What a rendered policy looks like, and what is refused.

use super::*;
use crate::{
    ownership::{self, Writer},
    policy::{Form, Policy},
    sample::vault,
};

fn subject() -> Subject {
    Subject {
        owner: "acme".parse().unwrap(),
        repository: "prices".parse().unwrap(),
        numbers: None,
        environment: "prod".parse().unwrap(),
    }
}

#[test]
fn every_document_renders_and_is_understood() {
    let vault = vault();
    let mut all = documents(&vault);
    assert_eq!(all.len(), 2 + vault.actors().len() + vault.signers().len() + vault.environments.len());
    all.extend(vault.actors().into_iter().map(|(actor, _)| Document::GithubTrust(actor, subject())));
    for document in all {
        let form = match document {
            Document::Role(_) => Form::Identity,
            Document::GithubTrust(..) => Form::Trust,
            Document::Bucket(_) | Document::Key(_) | Document::VariablesKey(_) => Form::Resource,
        };
        let text = render(&vault, &document).unwrap();
        Policy::parse(&text, form).unwrap();
        assert!(!text.contains("{{"), "{text}");
    }
}

#[test]
fn a_template_with_a_strange_variable_is_refused() {
    let vault = vault();
    let values = values(&vault, &Document::Bucket(Side::Vault)).unwrap();
    let said = |resource: &str| {
        let template = serde_json::json!({ "Statement": [{ "Resource": [resource] }] }).to_string();
        fill_in(&template, &values).map_err(|error| error.to_string())
    };
    assert_eq!(said("{{bucket}}/x").unwrap(), r#"{"Statement":[{"Resource":["acme-vault/x"]}]}"#);
    for strange in ["{{buket}}", "{{bucket", "{bucket}", "bucket}}", "${aws:username}", "{{each_bukket}}", "{{region}}"]
    {
        let error = said(strange).unwrap_err();
        assert!(error.contains("which is no variable there"), "{strange}: {error}");
    }
    assert!(fill_in("{}", &values).unwrap_err().to_string().contains("no list `Statement`"));
}

#[test]
fn each_environment_has_its_statement_and_each_item_its_place() {
    let said = render(&vault(), &Document::Bucket(Side::Vault)).unwrap();
    for sid in ["DeployerWritesDev", "OnlyDeployerWritesQaDasheast", "DeployerWritesProd", "DeployerWritesDr"] {
        assert!(said.contains(&format!("\"{sid}\"")), "{sid}");
    }
    let policy: Value = serde_json::from_str(&said).unwrap();
    let lengthen = policy["Statement"].as_array().unwrap().iter().find(|s| s["Sid"] == "DeployersLengthen").unwrap();
    assert_eq!(lengthen["Principal"]["AWS"].as_array().unwrap().len(), 4);
    assert_ne!(identifier(&"qa-1".parse().unwrap()), identifier(&"qa1".parse().unwrap()));
}

#[test]
fn the_templates_name_exactly_the_prefixes_of_the_table() {
    for template in [include_str!("../../policies/bucket.json"), include_str!("../../policies/bucket-mirror.json")] {
        let policy: Value = serde_json::from_str(template).unwrap();
        let elsewhere = policy["Statement"].as_array().unwrap().iter().find(|s| s["Sid"] == "RefuseWritesElsewhere");
        let said = elsewhere.unwrap()["NotResource"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned());
        let prefix = |prefix: &str| prefix.replace("environments/*", "environments/{{each_environment}}");
        let table: Vec<_> = ownership::TABLE.iter().map(|(p, _)| prefix(p)).collect();
        let mut all = table.clone();
        if template.contains("mirror_writer") {
            // What the first region's writers note there, of every chain; a box is no chain.
            all.push(ownership::WITNESS_OF_RECOVERY.to_owned());
            all.extend(table[1..].iter().map(|prefix| format!("{}{prefix}", ownership::WITNESS_OF_PRIMARY)));
        }
        let all: Vec<_> = all.iter().map(|prefix| format!("arn:aws:s3:::{{{{bucket}}}}/{prefix}*")).collect();
        assert_eq!(said.collect::<Vec<_>>(), all);
    }
}

#[test]
fn what_is_not_there_is_named() {
    let vault = vault();
    let error = |vault: &Vault, document| render(vault, &document).unwrap_err().to_string();
    let key = Document::Key(Actor::Auditor);
    assert_eq!(error(&vault, key), "this vault has no key of auditor: describe it first");
    let nobody = Document::Role(Actor::Writer(Writer::Deployer("nowhere".to_owned())));
    assert_eq!(error(&vault, nobody), "this vault has no deployer-nowhere: describe it first");
    let digests = Document::VariablesKey("nowhere".parse().unwrap());
    assert_eq!(error(&vault, digests), "this vault has no nowhere: describe it first");
}

#[test]
fn what_aws_would_not_take_is_refused() {
    let mut vault = vault();
    let sample = vault.environments.values().next().unwrap().clone();
    for number in 0..40 {
        let mut environment = sample.clone();
        environment.functions = format!("*-n{number:02}").parse().unwrap();
        environment.deployer.role =
            format!("arn:aws:iam::111122223333:role/vault-deployer-n{number:02}").parse().unwrap();
        environment.deployer.key = format!("arn:aws:kms:eu-central-1:111122223333:key/n{number:02}").parse().unwrap();
        environment.variables_key = format!("arn:aws:kms:eu-central-1:111122223333:key/v{number:02}").parse().unwrap();
        vault.environments.insert(format!("n{number:02}").parse().unwrap(), environment);
    }
    let error = render(&vault, &Document::Bucket(Side::Vault)).unwrap_err().to_string();
    assert!(error.ends_with("characters and AWS takes 20480: have fewer environments in one vault"), "{error}");
}

#[test]
fn a_usual_vault_leaves_room() {
    let vault = vault();
    for document in documents(&vault) {
        let length = render(&vault, &document).unwrap().len();
        assert!(length * 5 < document.limit() * 4, "{document:?} has {length} of {}", document.limit());
    }
    assert!(fits_managed(&"x ".repeat(6_144)) && !fits_managed(&"x".repeat(6_145)));
}
