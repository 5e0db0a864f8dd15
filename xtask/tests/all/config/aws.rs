//! Mistakes in `[profile.aws]`.

use insta::assert_snapshot;

use super::{RELEASE, SMOKE, said};

const AWS: &str = r#"
[profile.aws]
function_name = "{function}-{environment}"

[profile.aws.vault]
retention_years = 7
primary = { bucket = "vault-one", region = "eu-central-1", account = "111111111111" }
recovery = { bucket = "vault-two", region = "eu-west-1", account = "111111111111" }

[profile.aws.writers.releaser]
key = "arn:aws:kms:eu-central-1:111111111111:alias/releaser"

[profile.aws.environments.dev]
region = "eu-central-1"
account = "222222222222"
role = "arn:aws:iam::222222222222:role/deployer-dev"
key = "arn:aws:kms:eu-central-1:111111111111:alias/deployer-dev"
variables_key = "arn:aws:kms:eu-central-1:222222222222:alias/variables"

[profile.aws.environments.prod]
region = "eu-central-1"
account = "333333333333"
key = "arn:aws:kms:eu-central-1:111111111111:alias/deployer-prod"
variables_key = "arn:aws:kms:eu-central-1:333333333333:alias/variables"
create = { role = "arn:aws:iam::333333333333:role/function" }
"#;

/// With this text in `[profile.aws]` instead of that.
fn aws(from: &str, to: &str) -> String {
    assert!(AWS.contains(from), "{from}");
    said(Some(&format!("{RELEASE}{}", AWS.replacen(from, to, 1))), Some(SMOKE))
}

#[test]
fn without_a_mistake_nothing_is_said() {
    assert_eq!(aws("", ""), "all is well");
    // The same name in another account is another function.
    assert_eq!(aws("{function}-{environment}", "{function}"), "all is well");
}

#[test]
fn a_key_or_a_name_is_wrong() {
    assert_snapshot!(aws("variables_key", "variable_key"), @r#"
    /release.toml is not valid: TOML parse error at line 31, column 1
       |
    31 | variable_key = "arn:aws:kms:eu-central-1:222222222222:alias/variables"
       | ^^^^^^^^^^^^
    unknown field `variable_key`, expected one of `region`, `account`, `role`, `key`, `variables_key`, `function_name`, `create`, `audit`
    did you mean `variables_key`?
    "#);
    assert_snapshot!(aws("writers.releaser", "writers.relaeser"), @"
    /release.toml is not valid: TOML parse error at line 23, column 22
       |
    23 | [profile.aws.writers.relaeser]
       |                      ^^^^^^^^
    unknown variant `relaeser`, expected one of `releaser`, `approver`, `policy-administrator`, `evidence`
    did you mean `releaser`?
    ");
    assert_snapshot!(aws("retention_years = 7", "retention_years = 7\nmode = 'STRICT'"), @"
    /release.toml is not valid: TOML parse error at line 20, column 8
       |
    20 | mode = 'STRICT'
       |        ^^^^^^^^
    unknown variant `STRICT`, expected `GOVERNANCE` or `COMPLIANCE`
    ");
    assert_snapshot!(aws("[profile.aws.vault]", "endpoints = { s4 = 'http://localhost' }\n[profile.aws.vault]"), @"
    /release.toml is not valid: TOML parse error at line 18, column 15
       |
    18 | endpoints = { s4 = 'http://localhost' }
       |               ^^
    unknown variant `s4`, expected one of `s3`, `lambda`, `cloudwatch`, `logs`, `kms`, `sts`, `dynamodb`
    did you mean `s3`?
    ");
    assert_snapshot!(aws("account = \"222222222222\"", "account = \"2222\""), @r#"
    /release.toml is not valid: TOML parse error at line 28, column 11
       |
    28 | account = "2222"
       |           ^^^^^^
    `2222` is not a valid AWS account name: 12 digits
    "#);
    assert_snapshot!(aws("region = \"eu-central-1\"", "region = \"frankfurt\""), @r#"
    /release.toml is not valid: TOML parse error at line 20, column 44
       |
    20 | primary = { bucket = "vault-one", region = "frankfurt", account = "111111111111" }
       |                                            ^^^^^^^^^^^
    `frankfurt` is not a valid AWS region name: as in `eu-central-1`
    "#);
    assert_snapshot!(aws("arn:aws:kms:eu-central-1:111111111111:alias/releaser", "alias/releaser"), @r#"
    /release.toml is not valid: TOML parse error at line 24, column 7
       |
    24 | key = "alias/releaser"
       |       ^^^^^^^^^^^^^^^^
    `alias/releaser` is not a valid KMS key name: its ARN, as in `arn:aws:kms:eu-central-1:123456789012:key/…` or `…:alias/releaser`
    "#);
}

#[test]
fn environments_do_not_fit() {
    assert_snapshot!(aws("environments.prod", "environments.prd"), @"
    /release.toml is not valid:
      - `profile.aws.environments` names an unknown environment `prd`; did you mean `prod`?
      - `profile.aws.environments` lacks `prod`: give its region, account and keys
    ");
    assert_snapshot!(aws("region = \"eu-central-1\"\naccount = \"333333333333\"", "region = \"eu-west-1\"\naccount = \"333333333333\""), @"
    /release.toml is not valid:
      - `profile.aws.environments.prod.region` is eu-west-1, but its vault's bucket vault-one is in eu-central-1: Lambda takes code from its own region only
    ");
    assert_snapshot!(aws("arn:aws:iam::222222222222:role/deployer-dev", "arn:aws:iam::444444444444:role/deployer-dev"), @"
    /release.toml is not valid:
      - `profile.aws.environments.dev.role` is a role of account 444444444444, but dev is in 222222222222
    ");
    assert_snapshot!(aws("arn:aws:iam::333333333333:role/function", "arn:aws:iam::222222222222:role/function"), @"
    /release.toml is not valid:
      - `profile.aws.environments.prod.create.role` is a role of account 222222222222, but prod is in 333333333333
    ");
}

#[test]
fn two_environments_resolve_to_one_function() {
    let one = AWS.replace("333333333333", "222222222222").replace("{function}-{environment}", "{function}");
    assert_snapshot!(said(Some(&format!("{RELEASE}{one}")), Some(SMOKE)), @"
    /release.toml is not valid:
      - the template `{function}` gives `greeter` to both greeter in dev and greeter in prod: put `{function}` and `{environment}` into it
    ");
}

#[test]
fn numbers_are_out_of_range() {
    assert_snapshot!(aws("retention_years = 7", "retention_years = 0"), @"
    /release.toml is not valid:
      - `profile.aws.vault.retention_years` is 0, Object Lock allows 1 to 100
    ");
    assert_snapshot!(aws("[profile.aws.vault]", "control_plane_per_second = 16\n[profile.aws.vault]"), @"
    /release.toml is not valid:
      - `profile.aws.control_plane_per_second` is 16, Lambda allows 15 to a whole account
    ");
    assert_snapshot!(aws("eu-west-1", "eu-central-1"), @"
    /release.toml is not valid:
      - `profile.aws.vault` has both buckets in eu-central-1: one region may be lost with its vault
    ");
    assert_snapshot!(aws("[profile.aws.writers.releaser]", "[profile.aws.writers.approver]"), @"
    /release.toml is not valid:
      - `profile.aws.writers.approver` has a `key`: approvals are signed by people
    ");
}

#[test]
fn a_layer_is_of_another_region() {
    let layered = RELEASE.replace(
        "[functions.greeter]",
        "[functions.greeter]\nconfiguration.layers = ['arn:aws:lambda:eu-west-1:222222222222:layer:tools:1']\n\
         environments.dev.layers = ['arn:aws:lambda:eu-central-1:222222222222:layer:tools:1']",
    );
    assert_snapshot!(said(Some(&format!("{layered}{AWS}")), Some(SMOKE)), @"
    /release.toml is not valid:
      - `functions.greeter` has the layer arn:aws:lambda:eu-west-1:222222222222:layer:tools:1 in prod, which is in eu-central-1: Lambda takes layers of its own region only; give the version of that region in `functions.greeter.environments.prod.layers`
    ");
}
