//! The rules of AWS's evaluation, each by a request that tells it from its neighbour.

use serde_json::{Value, json};

use super::*;
use crate::policy::Form;

const ROLE: &str = "arn:aws:iam::111122223333:role/a";
const OTHER: &str = "arn:aws:iam::444455556666:role/a";
const OBJECT: &str = "arn:aws:s3:::b/k";

fn policy(form: Form, statements: Value) -> Policy {
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string(), form).unwrap()
}

fn ask(role: &str) -> Request {
    Request::of(role, "s3:PutObject", OBJECT)
}

#[test]
fn a_bucket_and_a_role_decide_together() {
    let says = |effect, principal| {
        policy(Form::Resource, json!({ "Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": "*" }))
    };
    let role = |effect| policy(Form::Identity, json!({ "Effect": effect, "Action": "s3:*", "Resource": "*" }));
    let empty = policy(Form::Resource, json!([]));
    let bucket = |policy, identity: &[Policy], who| {
        allowed(Guard::Bucket { policy, account: "111122223333" }, identity, &ask(who))
    };
    let (may, may_not) = ([role("Allow")], [role("Allow"), role("Deny")]);
    let named = says("Allow", json!({ "AWS": [ROLE, OTHER] }));
    let account = says("Allow", json!({ "AWS": ["111122223333", "arn:aws:iam::444455556666:root"] }));
    let refuses = says("Deny", json!("*"));
    // In one account either side is enough; naming the account is no permission of itself.
    assert!(bucket(&empty, &may, ROLE) && bucket(&named, &[], ROLE) && !bucket(&account, &[], ROLE));
    // Across accounts both are needed.
    assert!(!bucket(&empty, &may, OTHER) && !bucket(&named, &[], OTHER));
    assert!(bucket(&named, &may, OTHER) && bucket(&account, &may, OTHER));
    // A refusal on either side wins.
    assert!(!bucket(&refuses, &may, ROLE) && !bucket(&named, &may_not, ROLE));
    // A key asks its own policy first.
    let key =
        |policy, identity: &[Policy]| allowed(Guard::Key { policy, account: "111122223333" }, identity, &ask(ROLE));
    assert!(!key(&empty, &may) && key(&named, &[]) && !key(&account, &[]) && key(&account, &may));
    assert!(allowed(Guard::None, &may, &ask(ROLE)) && !allowed(Guard::None, &may_not, &ask(ROLE)));
    // Whoever has no policy of a role gets in only by a direct permission.
    let open = says("Allow", json!("*"));
    let anonymous = Request::anonymous("s3:PutObject", OBJECT);
    let anyone = |policy| allowed(Guard::Bucket { policy, account: "111122223333" }, &[], &anonymous);
    assert!(anyone(&open) && !anyone(&named) && !anyone(&account));
}

#[test]
fn actions_and_resources_are_met() {
    let meets = |element: &str, value: Value| {
        let mut statement = json!({ "Sid": "x", "Effect": "Deny", "Action": "s3:PutObject", "Resource": OBJECT });
        let opposite = element.trim_start_matches("Not").to_owned();
        statement.as_object_mut().unwrap().remove(&opposite);
        statement[element] = value;
        policy(Form::Identity, statement).refusal(&ask(ROLE)).is_some()
    };
    assert!(meets("Action", json!("S3:putobject")) && meets("Action", json!(["x:y", "s3:Put*"])));
    assert!(!meets("Action", json!("s3:PutObjectAcl")) && !meets("Action", json!([])));
    assert!(meets("NotAction", json!("s3:Get*")) && !meets("NotAction", json!(["s3:Get*", "s3:*"])));
    assert!(meets("Resource", json!("arn:aws:s3:::b/?")) && !meets("Resource", json!("arn:aws:s3:::B/k")));
    assert!(
        meets("NotResource", json!("arn:aws:s3:::b/a*")) && !meets("NotResource", json!(["x", "arn:aws:s3:::b/*"]))
    );
}

/// The operator, its values, what the request carries (`None`: the key is absent), and whether it holds.
type Case = (&'static str, &'static [&'static str], Option<&'static [&'static str]>, bool);

const CONDITIONS: &[Case] = &[
    ("StringEquals", &["a", "b"], Some(&["b"]), true),
    ("StringEquals", &["a"], Some(&["A"]), false),
    ("StringEquals", &["a*"], Some(&["ab"]), false),
    ("StringEquals", &["a"], None, false),
    ("StringEqualsIfExists", &["a"], None, true),
    ("StringEqualsIfExists", &["a"], Some(&["b"]), false),
    ("StringNotEquals", &["a", "b"], Some(&["b"]), false),
    ("StringNotEquals", &["a"], Some(&["c"]), true),
    ("StringNotEquals", &["a"], None, true),
    ("StringEqualsIgnoreCase", &["a"], Some(&["A"]), true),
    ("StringNotEqualsIgnoreCase", &["a"], Some(&["A"]), false),
    ("StringLike", &["a*"], Some(&["ab"]), true),
    ("StringLike", &["a?"], Some(&["a"]), false),
    ("StringNotLike", &["a*"], Some(&["ab"]), false),
    ("StringNotLike", &["a*"], None, true),
    ("Bool", &["false"], Some(&["False"]), true),
    ("Bool", &["false"], None, false),
    ("BoolIfExists", &["false"], None, true),
    ("Null", &["true"], None, true),
    ("Null", &["true"], Some(&["x"]), false),
    ("Null", &["false"], Some(&["x"]), true),
    ("Null", &["false"], None, false),
    ("NumericEquals", &["7"], Some(&["7"]), true),
    ("NumericNotEquals", &["7"], Some(&["7"]), false),
    ("NumericLessThan", &["7"], Some(&["6"]), true),
    ("NumericLessThan", &["7"], Some(&["7"]), false),
    ("NumericLessThan", &["7"], Some(&["10"]), false),
    ("NumericLessThan", &["7"], None, false),
    ("NumericLessThanIfExists", &["7"], None, true),
    ("NumericLessThanEquals", &["7"], Some(&["7"]), true),
    ("NumericGreaterThan", &["7"], Some(&["10"]), true),
    ("NumericGreaterThanEquals", &["7"], Some(&["6"]), false),
    ("NumericGreaterThan", &["7"], Some(&["x"]), false),
    ("ArnEquals", &["arn:aws:iam::*:role/a"], Some(&["arn:aws:iam::1:role/a"]), true),
    ("ArnLike", &["arn:aws:iam::1:role/?"], Some(&["arn:aws:iam::1:role/ab"]), false),
    ("ArnNotEquals", &["arn:aws:iam::1:role/a"], Some(&["arn:aws:iam::1:role/a"]), false),
    ("ArnNotLike", &["arn:aws:iam::1:role/a"], None, true),
    ("ForAnyValue:StringEquals", &["a"], Some(&["b", "a"]), true),
    ("ForAnyValue:StringEquals", &["a"], None, false),
    ("ForAllValues:StringEquals", &["a", "b"], Some(&["b", "a"]), true),
    ("ForAllValues:StringEquals", &["a"], Some(&["b", "a"]), false),
    ("ForAllValues:StringEquals", &["a"], None, true),
];

#[test]
fn conditions_hold_as_aws_says() {
    for (operator, values, carried, expected) in CONDITIONS {
        let condition = json!({ *operator: { "S3:Prefix": values } });
        let statement = json!({ "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition });
        let mut request = ask(ROLE);
        if let Some(carried) = carried {
            let carried = carried.iter().map(|&value| value.to_owned()).collect();
            request.context.insert("s3:prefix".to_owned(), carried);
        }
        let holds = policy(Form::Identity, statement).refusal(&request).is_some();
        assert_eq!(holds, *expected, "{operator} {values:?} {carried:?}");
    }
}

#[test]
fn all_conditions_of_a_statement_must_hold() {
    let condition = json!({ "Null": { "s3:prefix": "true" }, "Bool": { "aws:SecureTransport": "true" } });
    let statement = json!({ "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition });
    let policy = policy(Form::Identity, statement);
    assert!(policy.refusal(&ask(ROLE)).is_some());
    assert!(policy.refusal(&ask(ROLE).with("s3:prefix", "x")).is_none());
    assert!(policy.refusal(&ask(ROLE).with("aws:SecureTransport", "false")).is_none());
}
