//! `vault` without a cloud: what it says on this machine, and the policies that it writes for whoever makes roles and keys.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::project::{Project, RELEASE};

/// A project with this at the end of its `release.toml`.
fn project(aws: &str) -> Project {
    let project = Project::new();
    project.repo().write("release.toml", &format!("{RELEASE}{aws}"));
    project
}

const ENVIRONMENTS: [&str; 5] = ["dev", "qa", "uat", "prod", "dr"];

/// A `[profile.aws]` that gives everything that policies name.
fn whole() -> String {
    let role = |name: &str| format!("arn:aws:iam::111111111111:role/{name}");
    let key = |name: &str| format!("arn:aws:kms:eu-central-1:111111111111:key/{name}");
    let writer = |name: &str| format!("{name} = {{ key = '{}', role = '{}' }}\n", key(name), role(name));
    let writers = ["releaser", "policy-administrator", "evidence"].map(writer).concat();
    let environment = |name: &str| {
        let region = if name == "dr" { "eu-west-1" } else { "eu-central-1" };
        let create =
            if name == "dev" { format!("create = {{ role = '{}' }}", role("function")) } else { String::new() };
        format!(
            "[profile.aws.environments.{name}]\nregion = '{region}'\naccount = '111111111111'\nrole = '{}'\nkey = '{}'\n\
             variables_key = '{}'\n{create}\n",
            role(&format!("deployer-{name}")),
            key(name),
            key(&format!("variables-{name}"))
        )
    };
    format!(
        "\n[profile.aws]\nfunction_name = '{{function}}-{{environment}}'\n[profile.aws.github]\nrepository = 'acme/prices'\n\
         [profile.aws.vault]\nretention_years = 7\nadministrator = '{}'\nauditor = '{}'\n\
         primary = {{ bucket = 'vault-one', region = 'eu-central-1', account = '111111111111', log = 'vault-log' }}\n\
         recovery = {{ bucket = 'vault-two', region = 'eu-west-1', account = '111111111111' }}\n\
         [profile.aws.writers]\napprover.role = '{}'\n{writers}{}",
        role("administrator"),
        role("auditor"),
        role("approver"),
        ENVIRONMENTS.map(environment).concat()
    )
}

#[test]
fn on_this_machine_there_is_nothing_to_set_up() {
    for project in [project(""), project(&whole())] {
        for command in ["apply", "doctor"] {
            let ran = project.xtask(&["vault", command]).expect(2);
            ran.says("is a folder of this machine").says("audit verify").says("add `--profile aws`");
        }
    }
    project("").xtask(&["vault", "policies"]).expect(2).says("release.toml has no [profile.aws]");
}

#[test]
fn what_policies_name_and_the_file_does_not_give_is_listed() {
    let project = project(
        &whole()
            .replace("auditor = 'arn:aws:iam::111111111111:role/auditor'\n", "")
            .replace("approver.role = 'arn:aws:iam::111111111111:role/approver'\n", "")
            .replace("key/prod'", "alias/prod'"),
    );
    let said = project.xtask(&["vault", "policies"]).expect(2).stderr;
    assert_snapshot!(said, @"
    error: policies name roles and keys that release.toml does not give:
      `profile.aws.writers.approver.role` is missing
      `profile.aws.vault.auditor` is missing
      `profile.aws.environments.prod.key`: `arn:aws:kms:eu-central-1:111111111111:alias/prod` is no key: write one key's ARN, such as `arn:aws:kms:eu-central-1:111122223333:key/…`
    ");
    let shared = whole().replace("key/evidence", "key/releaser");
    let said = self::project(&shared).xtask(&["vault", "policies"]).expect(2).stderr;
    assert_snapshot!(said, @"error: the policies of this vault would not hold: releaser and evidence share arn:aws:kms:eu-central-1:111111111111:key/releaser: give each its own, or one could write what the other owns");
}

#[test]
fn every_policy_is_written_to_a_file_of_its_own() {
    let project = project(&whole());
    let out = project.repo().beside("policies");
    project.xtask(&["vault", "policies", "--out", out.as_str(), "--plan"]).expect(0);
    assert!(!out.exists(), "a plan writes nothing");
    project.xtask(&["vault", "policies", "--out", out.as_str()]).expect(0);
    let read = |name: &str| -> Value { serde_json::from_str(&fs::read_to_string(out.join(name)).unwrap()).unwrap() };
    let shown = project.json(0, &["vault", "policies"]);
    let names: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    for name in &names {
        assert_eq!(&read(name), &shown[name], "{name}");
    }
    // Two buckets; six roles and five deployers; eight who sign, and five who digest; nine whom a job can be.
    assert_eq!(names.len(), 2 + 11 + 13 + 9, "{names:?}");
    let subject = |shown: &Value, actor: &str| {
        let trust = &shown[format!("trust/{actor}.json")]["Statement"][0]["Condition"]["StringEquals"];
        trust["token.actions.githubusercontent.com:sub"].as_str().unwrap().to_owned()
    };
    assert_eq!(subject(&shown, "deployer-prod"), "repo:acme/prices:environment:prod");
    assert_eq!(subject(&shown, "releaser"), "repo:acme/prices:environment:releaser");
    let numbered = whole().replace("'acme/prices'", "'acme/prices'\nowner_id = 1\nrepository_id = 22");
    let numbered = self::project(&numbered).json(0, &["vault", "policies"]);
    assert_eq!(subject(&numbered, "deployer-prod"), "repo:acme@1/prices@22:environment:prod");
    // Functions are made only where it is configured.
    let makes = |actor: &str| read(&format!("roles/{actor}.json")).to_string().contains("lambda:CreateFunction");
    assert_eq!(ENVIRONMENTS.map(|name| makes(&format!("deployer-{name}"))), [true, false, false, false, false]);
}
