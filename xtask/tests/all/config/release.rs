//! Mistakes in `release.toml`.

use insta::assert_snapshot;

use super::{RELEASE, SMOKE, release, said};

#[test]
fn it_is_missing() {
    assert_snapshot!(said(None, Some(SMOKE)), @"there is no /release.toml: write it, or correct the path to it");
}

#[test]
fn there_is_none_up_to_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let root = camino::Utf8Path::from_path(folder.path()).unwrap();
    let failure = xtask::config::load::release(root, None, None).unwrap_err();
    assert_snapshot!(failure.to_string().replace(root.as_str(), "/project"), @"there is no release.toml in /project or above it; change into the project or name the file with --config");
}

#[test]
fn a_key_is_unknown() {
    assert_snapshot!(release("safe_smoke_only", "save_smoke_only"), @"
    /release.toml is not valid: TOML parse error at line 10, column 1
       |
    10 | save_smoke_only = true
       | ^^^^^^^^^^^^^^^
    unknown field `save_smoke_only`, expected one of `name`, `safe_smoke_only`, `recovery`, `gate`, `canary`
    did you mean `safe_smoke_only`?
    ");
    assert_snapshot!(release("[functions.greeter]", "[functions.greeter.configuration]\nmemory = 256"), @"
    /release.toml is not valid: TOML parse error at line 4, column 1
      |
    4 | memory = 256
      | ^^^^^^
    unknown field `memory`, expected one of `memory_mb`, `timeout_s`, `layers`, `tracing`, `log_retention_days`
    did you mean `memory_mb`?
    ");
}

#[test]
fn the_schema_is_another() {
    assert_snapshot!(release("schema = 1", "schema = 2"), @"
    /release.toml is not valid:
      - `schema` is 2, this tool reads 1: use the tool that the file was written for, or write it anew
    ");
}

#[test]
fn a_name_is_wrong() {
    assert_snapshot!(release(r#"name = "dev""#, r#"name = "Dev""#), @r#"
    /release.toml is not valid: TOML parse error at line 6, column 8
      |
    6 | name = "Dev"
      |        ^^^^^
    `Dev` is not a valid environment name: lower-case letters, digits and single dashes, starting with a letter, at most 32 characters
    "#);
}

#[test]
fn functions_are_empty() {
    assert_snapshot!(release("[functions.greeter]", "[functions]"), @"
    /release.toml is not valid:
      - `functions` is empty: a release needs at least one `[functions.<name>]`
    ");
}

#[test]
fn environments_are_empty() {
    let from = RELEASE.find("[[environments]]").unwrap();
    let to = RELEASE.find("[profile.local]").unwrap();
    assert_snapshot!(release(&RELEASE[from..to], ""), @"
    /release.toml is not valid: TOML parse error at line 1, column 1
      |
    1 | schema = 1
      | ^
    missing field `environments`
    ");
    assert_snapshot!(release(&RELEASE[..to], "schema = 1\nenvironments = []\n[functions.greeter]\n"), @"
    /release.toml is not valid:
      - `environments` is empty: a release needs at least one `[[environments]]` to go to
    ");
}

#[test]
fn an_environment_is_given_twice() {
    assert_snapshot!(release(r#"name = "prod""#, r#"name = "dev""#), @"
    /release.toml is not valid:
      - environment `dev` is given twice: a release enters each once
    ");
}

#[test]
fn two_environments_resolve_to_one_function() {
    assert_snapshot!(release("{function}-{environment}", "{function}"), @"
    /release.toml is not valid:
      - the template `{function}` gives `greeter` to both greeter in dev and greeter in prod: put `{function}` and `{environment}` into it
    ");
}

#[test]
fn the_template_gives_a_wrong_name() {
    assert_snapshot!(release("{function}-{environment}", "{function}:{environment}"), @"
    /release.toml is not valid:
      - the template `{function}:{environment}` gives a wrong name for greeter in dev: `greeter:dev` is not a valid fleet function name: letters, digits, dashes and underscores, at most 64 characters
      - the template `{function}:{environment}` gives a wrong name for greeter in prod: `greeter:prod` is not a valid fleet function name: letters, digits, dashes and underscores, at most 64 characters
    ");
}

#[test]
fn overrides_name_an_unknown_environment() {
    assert_snapshot!(release("[functions.greeter]", "[functions.greeter.environments.prd]\nmemory_mb = 256"), @"
    /release.toml is not valid:
      - `functions.greeter.environments` names an unknown environment `prd`; did you mean `prod`?
    ");
    let profile = "[profile.local.environments.production]\nfunction_name = \"x\"\n[profile.local]";
    assert_snapshot!(release("[profile.local]", profile), @"
    /release.toml is not valid:
      - `profile.local.environments` names an unknown environment `production`; there are dev, prod
    ");
}

#[test]
fn a_setting_is_out_of_range() {
    let general = "[functions.greeter.configuration]\nmemory_mb = 64\ntimeout_s = 901";
    assert_snapshot!(release("[functions.greeter]", general), @"
    /release.toml is not valid:
      - `functions.greeter.configuration.memory_mb` is 64, Lambda allows 128 to 10240
      - `functions.greeter.configuration.timeout_s` is 901, Lambda allows 1 to 900
    ");
    let six = [1, 2, 3, 4, 5, 6].map(|number| format!("arn:aws:lambda:eu-central-1:222222222222:layer:l{number}:1"));
    let own = format!("[functions.greeter.environments.prod]\nlog_retention_days = 0\nlayers = {six:?}");
    assert_snapshot!(release("[functions.greeter]", &own), @"
    /release.toml is not valid:
      - `functions.greeter.environments.prod.log_retention_days` is 0, Lambda allows 1 to 3653
      - `functions.greeter.environments.prod.layers` has 6 layers, Lambda allows 5
    ");
}

#[test]
fn the_first_environment_is_for_recovery() {
    assert_snapshot!(release(r#"name = "dev""#, "name = \"dev\"\nrecovery = true"), @"
    /release.toml is not valid:
      - the first environment cannot be `recovery`: there is nothing before it to follow
    ");
}

#[test]
fn a_path_leaves_the_project() {
    let outside = "[functions.greeter]\npath = \"../greeter\"";
    assert_snapshot!(release("[functions.greeter]", outside), @"
    /release.toml is not valid:
      - `functions.greeter.path` is `../greeter`: write a path under the project, without `..`
    ");
    let seeds = "[profile.local]\nseeds = { \"data.sqlite\" = \"/etc\" }";
    assert_snapshot!(release("[profile.local]", seeds), @"
    /release.toml is not valid:
      - `profile.local.seeds` has `/etc`: write a relative path, without `..`
    ");
}

#[test]
fn a_gate_is_wrong() {
    let gate = r#"name = "prod"
gate.approvals = [{ role = "manager", count = 0 }, { role = "manager", count = 1 }]"#;
    assert_snapshot!(release(r#"name = "prod""#, gate), @"
    /release.toml is not valid:
      - gate of `prod`: role `manager` needs a count of at least 1
      - gate of `prod`: role `manager` is given twice: write it once, with its `count`
    ");
}

#[test]
fn a_canary_is_wrong() {
    let canary = |rules: &str| release(r#"name = "prod""#, &format!("name = \"prod\"\ncanary = {{ {rules} }}"));
    assert_snapshot!(canary("steps = [{ weigth = 10, bake = '5m' }]"), @"
    /release.toml is not valid: TOML parse error at line 10, column 23
       |
    10 | canary = { steps = [{ weigth = 10, bake = '5m' }] }
       |                       ^^^^^^
    unknown field `weigth`, expected `weight` or `bake`
    did you mean `weight`?
    ");
    assert_snapshot!(canary("steps = [{ weight = 10, bake = 'soon' }]"), @"
    /release.toml is not valid: TOML parse error at line 10, column 43
       |
    10 | canary = { steps = [{ weight = 10, bake = 'soon' }] }
       |                                           ^^^^^^
    `soon` is not a length of time: write hours, minutes and seconds, for example `24h`, `1h 30m` or `168h` for a week
    ");
    assert_snapshot!(canary("steps = [{ weight = 100, bake = '5m' }], alarms = ['errors']"), @"
    /release.toml is not valid:
      - canary of `prod`: a weight of 100 is not within 1 to 99: after the last step the release gets all calls
      - canary of `prod`: there is no alarm `errors`: define it under `profile.local.alarms`
    ");
}

#[test]
fn the_variables_are_too_many() {
    let variables = format!("[profile.local]\nvariables = {{ A = \"{}\" }}", "x".repeat(4096));
    assert_snapshot!(release("[profile.local]", &variables), @"
    /release.toml is not valid:
      - `profile.local.variables` take 4097 bytes in dev, Lambda allows 4096
      - `profile.local.variables` take 4097 bytes in prod, Lambda allows 4096
    ");
}

#[test]
fn layers_are_versions_and_each_has_one_owner() {
    let arn = "arn:aws:lambda:eu-central-1:222222222222:layer:oracle-client:1";
    let digest = format!("sha256:{}", "0".repeat(64));
    let layer = |name: &str, versions: &str| {
        format!("[layers.{name}]\nsha256 = '{digest}'\nunpacked = 1\nversions = {versions}\n[functions.greeter]")
    };
    let one = layer("one", &format!("['{arn}']"));
    assert_eq!(release("[functions.greeter]", &one), "all is well");
    for (text, told) in [
        (layer("one", "[]"), "`layers.one.versions` is empty".to_owned()),
        (
            layer("one", "['oracle-client']"),
            "`layers.one.versions` has `oracle-client`, which is no version".to_owned(),
        ),
        (
            one.replace("[functions.greeter]", &layer("two", &format!("['{arn}']"))),
            format!("`{arn}` is a version of both"),
        ),
        (format!("{one}\nconfiguration.layers = ['tools']"), "has `tools`, which is no version of a layer".to_owned()),
        (one.replace("sha256:", "md5:"), "is not a digest".to_owned()),
    ] {
        let said = release("[functions.greeter]", &text);
        assert!(said.contains(&told), "{told}\n{said}");
    }
}
