//! Mistakes in `smoke.toml`.

use insta::assert_snapshot;

use super::{RELEASE, SMOKE, said, smoke};

#[test]
fn it_is_missing() {
    assert_snapshot!(said(Some(RELEASE), None), @"there is no /functions/greeter/smoke.toml: write down there what `greeter` must answer, no function is released unproven");
}

#[test]
fn a_key_is_unknown() {
    assert_snapshot!(smoke("safe = true", "save = true"), @"
    /functions/greeter/smoke.toml is not valid: TOML parse error at line 5, column 1
      |
    5 | save = true
      | ^^^^
    unknown field `save`, expected one of `name`, `safe`, `request`, `expect`
    did you mean `safe`?
    ");
}

#[test]
fn the_schema_is_another() {
    assert_snapshot!(smoke("schema = 1", "schema = 0"), @"
    /functions/greeter/smoke.toml is not valid:
      - `schema` is 0, this tool reads 1: use the tool that the file was written for, or write it anew
    ");
}

#[test]
fn a_check_is_given_twice() {
    let twice = format!("{SMOKE}{}", SMOKE.trim_start_matches("schema = 1"));
    assert_snapshot!(said(Some(RELEASE), Some(&twice)), @"
    /functions/greeter/smoke.toml is not valid:
      - check `greets` is given twice: each needs a name of its own
    ");
}

#[test]
fn no_safe_check_is_left_for_prod() {
    assert_snapshot!(smoke("safe = true", "safe = false"), @"
    /functions/greeter/smoke.toml is not valid:
      - there is no check declared `safe = true` for prod: add one, no release enters unproven
    ");
}

#[test]
fn an_environment_is_unknown() {
    let own = "\n[environments.prd]\ncheck = []\n";
    assert_snapshot!(said(Some(RELEASE), Some(&format!("{SMOKE}{own}"))), @"
    /functions/greeter/smoke.toml is not valid:
      - `environments` names an unknown environment `prd`; did you mean `prod`?
    ");
}

#[test]
fn an_expected_value_is_a_float() {
    assert_snapshot!(smoke(r#"{ number = "99.90" }"#, "99.90"), @r#"
    /functions/greeter/smoke.toml is not valid: TOML parse error at line 7, column 46
      |
    7 | expect = { status = 200, json = { "/price" = 99.90 } }
      |                                              ^^^^^
    a number with a fraction is compared digit by digit: write its digits as a text, for example `{ number = "99.90" }`
    "#);
    assert_snapshot!(smoke(r#"{ number = "99.90" }"#, "{ number = 99.90 }"), @r#"
    /functions/greeter/smoke.toml is not valid: TOML parse error at line 7, column 57
      |
    7 | expect = { status = 200, json = { "/price" = { number = 99.90 } } }
      |                                                         ^^^^^
    a number with a fraction is compared digit by digit: write its digits as a text, for example `{ number = "99.90" }`
    "#);
}

#[test]
fn an_expected_value_is_none() {
    assert_snapshot!(smoke(r#"{ number = "99.90" }"#, r#"{ number = "about 100" }"#), @"
    /functions/greeter/smoke.toml is not valid:
      - check `greets`: `/price`: `about 100` is no number, write digits as in `99.90`
    ");
    assert_snapshot!(smoke(r#"{ number = "99.90" }"#, "[1]"), @r#"
    /functions/greeter/smoke.toml is not valid: TOML parse error at line 7, column 46
      |
    7 | expect = { status = 200, json = { "/price" = [1] } }
      |                                              ^^^
    invalid type: sequence, expected a text, a truth value, a whole number, or `{ number = "…" }`
    "#);
    assert_snapshot!(smoke(r#"{ number = "99.90" }"#, r#"{ digits = "99.90" }"#), @r#"
    /functions/greeter/smoke.toml is not valid: TOML parse error at line 7, column 48
      |
    7 | expect = { status = 200, json = { "/price" = { digits = "99.90" } } }
      |                                                ^^^^^^
    unknown field `digits`, expected `number`
    "#);
}

#[test]
fn a_question_or_an_answer_cannot_be() {
    assert_snapshot!(smoke(r#"path = "/""#, r#"path = "price""#), @"
    /functions/greeter/smoke.toml is not valid:
      - check `greets`: `request.path` must start with `/`
    ");
    assert_snapshot!(smoke("status = 200", "status = 20, within_ms = 0"), @"
    /functions/greeter/smoke.toml is not valid:
      - check `greets`: `expect.status` is 20, HTTP has 100 to 599
      - check `greets`: `expect.within_ms` must be at least 1
    ");
    assert_snapshot!(smoke(r#""/price""#, r#""price""#), @"
    /functions/greeter/smoke.toml is not valid:
      - check `greets`: `expect.json`: write `/price` instead of `price`
    ");
    assert_snapshot!(smoke("apigw-v2", "apigw-v3"), @r#"
    /functions/greeter/smoke.toml is not valid: TOML parse error at line 6, column 21
      |
    6 | request = { event = "apigw-v3", path = "/" }
      |                     ^^^^^^^^^^
    unknown variant `apigw-v3`, expected `apigw-v1` or `apigw-v2`
    did you mean `apigw-v1`?
    "#);
}
