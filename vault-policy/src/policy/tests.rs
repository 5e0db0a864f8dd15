//! What is not understood is refused, and named with its statement.

use serde_json::json;

use super::*;

fn parse(change: impl Fn(&mut Value)) -> Result<Policy, PolicyError> {
    let mut policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "A", "Effect": "Deny", "Principal": "*", "Action": "s3:put*", "Resource": "*" }
    ] });
    change(&mut policy);
    Policy::parse(&policy.to_string(), Form::Resource)
}

fn refused(change: impl Fn(&mut Value)) -> String {
    parse(change).unwrap_err().to_string()
}

#[test]
fn whatever_is_not_known_is_an_error_and_named() {
    assert!(parse(|_| {}).is_ok());
    let of = |element: &'static str, value: Value| refused(move |p| p["Statement"][0][element] = value.clone());
    let when = |operator: &str, key: &str, value: Value| of("Condition", json!({ operator: { key: value } }));
    for (error, what) in [
        (of("NotPrincipal", json!("*")), "the element `NotPrincipal`"),
        (of("Effect", json!("allow")), "an effect that is neither"),
        (of("NotAction", json!("s3:Get*")), "both `Action` and `NotAction`"),
        (of("NotResource", json!("*")), "both `Resource` and `NotResource`"),
        (of("Principal", json!({ "CanonicalUser": "x" })), "the principal `x`"),
        (of("Principal", json!({ "AWS": "arn:aws:sts::111122223333:assumed-role/a/b" })), "the principal `arn:aws:sts"),
        (of("Principal", json!({})), "an empty principal"),
        (of("Resource", json!("arn:aws:s3:::b/${aws:username}/*")), "the policy variable"),
        (of("Resource", json!(null)), "the value null"),
        (when("DateLessThan", "aws:CurrentTime", json!("2020")), "the operator `DateLessThan`"),
        (when("IpAddress", "aws:SourceIp", json!("10.0.0.0/8")), "the operator `IpAddress`"),
        (when("NullIfExists", "s3:if-none-match", json!("true")), "the operator `NullIfExists`"),
        (when("ForSomeValues:StringEquals", "s3:prefix", json!("a")), "the operator `ForSomeValues:StringEquals`"),
        (when("StringEquals", "aws:SourceVpce", json!("vpce-1")), "the condition key `aws:SourceVpce`"),
        (when("Null", "s3:if-none-match", json!("yes")), "the value `yes`"),
        (when("NumericLessThan", "s3:object-lock-remaining-retention-days", json!("six")), "the value `six`"),
        (when("ArnEquals", "aws:PrincipalArn", json!("*")), "the value `*`"),
    ] {
        assert!(error.starts_with("statement `A` has ") && error.contains(what), "{what}: {error}");
    }
    assert!(refused(|p| p["Version"] = "2008-10-17".into()).contains("version"));
    assert!(refused(|p| p["Transform"] = "x".into()).contains("`Transform`"));
    let unnamed = refused(|p| p["Statement"][0] = json!({ "Effect": "Deny" }));
    assert!(unnamed.starts_with("statement `1` has no action"), "{unnamed}");
    assert!(Policy::parse("{", Form::Resource).is_err() && Policy::parse("[]", Form::Resource).is_err());
}

#[test]
fn a_policy_has_the_elements_of_its_form() {
    let text = |statement: Value| json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
    let identity = text(json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }));
    let resource = text(json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*" }));
    let trust = text(json!({ "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole" }));
    let forms = [(Form::Identity, &identity), (Form::Resource, &resource), (Form::Trust, &trust)];
    for (form, _) in forms {
        for (its, text) in forms {
            assert_eq!(Policy::parse(text, form).is_ok(), form == its, "{form:?} {its:?}");
        }
    }
}

#[test]
fn every_exception_of_a_policy_is_mentioned() {
    let policy = parse(|p| {
        p["Statement"][0] = json!({
            "Effect": "Deny",
            "Principal": { "AWS": ["444455556666", "arn:aws:iam::111122223333:role/named"] },
            "Action": "s3:*",
            "NotResource": "arn:aws:s3:::b/back/*",
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/back-*" },
                "StringNotEquals": { "aws:PrincipalAccount": "777788889999" } }
        });
    });
    let (roles, resources) = policy.unwrap().mentions();
    assert_eq!(
        roles,
        [
            "arn:aws:iam::444455556666:role/any-other-role",
            "arn:aws:iam::111122223333:role/named",
            "arn:aws:iam::999999999999:role/back-1",
            "arn:aws:iam::777788889999:role/any-other-role",
        ]
    );
    assert_eq!(resources, ["arn:aws:s3:::b/back/1"]);
}
