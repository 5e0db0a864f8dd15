//! `people.toml`: what is read, and every way in which it is refused.

use super::*;
use crate::model::{canonical, people::SshKey};

const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID/So8htxneROtFCJL2ge44BQVV/AkbPldKbbUBbapQK";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBMcl+1HJFadPLEz0hFDklr0cGYSL9D3JKNuefdVIBplqlB2ukO6uRzp392nBOKC/q6GvPrgHFMLS/Cz/oIJdQD8=";
const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCzDHYJBIIJZuDU3zOW6nH3GLSG2eg8/8Cvf0IpQrGAXktsIZsH31Xbe4PI1PQFEVXjqQSNkyevNV6fE1P4tzHtsdEf9FyIiyXRYVVEEwjmDoUJw+F8C9SpuTpJIYKWHw1Ui1ory+bBIw5LuVvJgkamK+GV4fT+ORFSWZI+L5+Nsw==";
const RSA_2048: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDn87yLiVE8yINxknrdxWhFFq6oJB3+ic7+7tKpmA3wrhJz11zFH5xDfwy/RxlXZYtK+ApJhoLZgQrx1DJSCjqTmCuuTu9jdq11JWrKi0+l/IqWWVsUWlR6ToSOI3W29MlFnCQziw1A7h+/lr5P0T5Q4KVxBiYeWFBEPWwym2KgHr3rFesDV1SV7M1p22lW7irLR75oexoxJ0nSgqe11PqJ/N+pgc7Ck3idYpTtq4m8e/8EYVSDDkv1tROvQxvI4vf9j5UnPDeBMXJa/3D9O36ZxxkbPfcZtPEsxHpbOB6ES9W60NTImfDH/apb1wfzT/9ior76jKok6DmZ3kDBY2NJ";

fn check(text: &str, local: bool) -> Result<People, Vec<String>> {
    let environments = ["dev", "uat", "prod"].map(|name| name.parse().unwrap());
    validate(toml::from_str(text).unwrap(), &environments, local)
}

fn problems(text: &str) -> Vec<String> {
    check(&format!("schema = 1\n{text}"), true).unwrap_err()
}

#[test]
fn reads_people_keys_rules_and_freezes() {
    let text = format!(
        r#"
        schema = 1
        separation.several_roles = true
        approvals.valid_days = 7

        [people.quinn]
        name = "Quinn Lead"
        emails = ["Quinn@example.com"]
        github = "quinn"
        logins = ["quinn@laptop"]
        roles = ["qa-lead"]
        keys = [
            {{ key = "{ED25519} quinn", valid_until = "2026-06-01T00:00:00Z", revoked_at = "2026-05-01T00:00:00Z" }},
            {{ key = "{ECDSA}", valid_from = "2026-06-01T02:00:00+02:00" }},
            {{ key = "{RSA_2048} old" }},
        ]

        [people.nobody]
        name = "No Role"

        [[freezes]]
        name = "weekend"
        environments = ["prod"]
        zone = "Europe/Berlin"
        from = "Fri 16:00"
        to = "Mon 06:00"

        [[freezes]]
        name = "year's end"
        environments = ["uat", "prod"]
        zone = "UTC"
        from = "2026-12-20T00:00"
        to = "2027-01-02T00:00"
        "#
    );
    let people = check(&text, false).unwrap();
    assert!(people.several_roles && !people.throwaway);
    assert_eq!((people.valid_days, people.freezes.len(), people.persons.len()), (7, 2, 2));
    let quinn = &people.persons[&"quinn".parse().unwrap()];
    assert_eq!(quinn.keys[0].key.fingerprint(), "SHA256:FbzrrnwFxNPuC4tuRQ4WcDaEyv9S5r8vaG96rOBNIoU");
    assert_eq!(quinn.keys[0].key.to_string(), format!("{ED25519} quinn"));
    assert!(quinn.has_email("quinn@EXAMPLE.com") && quinn.is_actor("QUINN") && quinn.is_actor("quinn@laptop"));
    assert!(!quinn.has_email("") && !quinn.is_actor("quin"));
    let until = "2026-06-01T00:00:00Z".parse().unwrap();
    assert!(!quinn.keys[0].valid_at(until) && quinn.keys[1].valid_at(until));
    // The policy chain carries it: its canonical form reads back.
    let bytes = canonical::to_vec(&people).unwrap();
    assert_eq!(canonical::from_slice::<People>(&bytes).unwrap(), people);
}

#[test]
fn the_least_that_is_written_gets_the_strict_defaults() {
    let people = check("schema = 1", false).unwrap();
    assert_eq!((people.throwaway, people.several_roles, people.valid_days), (false, false, 14));
}

#[test]
fn unknown_keys_are_errors() {
    for text in [
        "schema = 1\nthrow_away = true",
        "schema = 1\n[people.a]\nname = \"A\"\nrole = []",
        "schema = 1\n[separation]\nx = 1",
    ] {
        assert!(toml::from_str::<Raw>(text).unwrap_err().to_string().contains("unknown field"), "{text}");
    }
}

#[test]
fn all_problems_show_at_once() {
    let text = format!(
        r#"
        approvals.valid_days = 0
        [people.Ann]
        name = " "
        roles = ["QA lead"]
        keys = [{{ key = "hello", valid_from = "yesterday" }}]
        [people.bob]
        name = "Bob"
        emails = ["bob", "b ob@example.com", "Same@example.com"]
        github = "Bob"
        logins = ["bob@pc"]
        keys = [
            {{ key = "{RSA_1024}" }},
            {{ key = "{ED25519} one", valid_from = "2026-06-01T00:00:00Z", valid_until = "2026-06-01T00:00:00Z" }},
        ]
        [people.cid]
        name = "Cid"
        emails = ["same@EXAMPLE.com", "c@example.com", "C@example.com"]
        github = "bob"
        logins = ["BOB@pc"]
        keys = [{{ key = "{ED25519} two" }}]
        [[freezes]]
        name = "weekend"
        environments = []
        zone = "Europe/Berlln"
        from = "Fri 16:00"
        to = "Fri 16:00"
        [[freezes]]
        name = "weekend"
        environments = ["prd"]
        zone = "UTC"
        from = "Fri 16:00"
        to = "2026-12-20T00:00"
        "#
    );
    insta::assert_snapshot!(problems(&text).join("\n"), @r"
    `approvals.valid_days` is 0, allowed are 1 to 365
    `people.Ann`: `name` is empty
    `people.Ann`: whoever has a role needs `emails`: authorship is compared by them
    `people.Ann`: `QA lead` is not a valid role name: lower-case letters, digits and single dashes, starting with a letter, at most 48 characters
    `people.Ann`: `valid_from`: `yesterday` is not a time: write RFC 3339 with a zone, for example `2026-01-23T12:00:00Z`
    `people.Ann`: `hello` is not a public key: write the one line of a `.pub` file
    `Ann` is not a valid person name: lower-case letters, digits and single dashes, starting with a letter, at most 48 characters
    `people.bob`: `bob` is no e-mail
    `people.bob`: `b ob@example.com` is no e-mail
    `people.bob`: an RSA key of 1024 bits is too short: it needs at least 2048
    `people.bob`: a key's `valid_until` must be after its `valid_from`
    the e-mail same@EXAMPLE.com is listed for `bob` and for `cid`
    the e-mail C@example.com of `cid` is listed twice
    the GitHub login bob is listed for `bob` and for `cid`
    the login BOB@pc is listed for `bob` and for `cid`
    the key SHA256:FbzrrnwFxNPuC4tuRQ4WcDaEyv9S5r8vaG96rOBNIoU is listed for `bob` and for `cid`
    the freeze `weekend`: `environments` is empty: it would freeze nothing
    the freeze `weekend`: `Europe/Berlln` is not a time zone: write an IANA name, for example `Europe/Berlin` or `UTC`
    the freeze `weekend`: `Fri 16:00` to `Fri 16:00` is empty: it ends before it begins
    the freeze `weekend` is given twice
    the freeze `weekend`: unknown environment `prd`; did you mean `prod`?
    the freeze `weekend`: `Fri 16:00` to `2026-12-20T00:00` is not a span: write two moments of the week, as `Fri 16:00` and `Mon 06:00`, or two civil times, as `2026-12-20T00:00` and `2027-01-02T00:00`
    ");
}

#[test]
fn an_exception_has_an_end_and_a_reason() {
    let of = |until: &str, reason: &str| {
        format!("[[exceptions]]\nadvisory = \"RUSTSEC-2026-0001\"\nuntil = \"{until}\"\nreason = \"{reason}\"\n")
    };
    let people = check(&format!("schema = 1\n{}", of("2027-01-01T00:00:00Z", "nobody calls it")), true).unwrap();
    assert_eq!(people.exceptions[0].until.to_string(), "2027-01-01T00:00:00.000Z");
    let none = check("schema = 1", true).unwrap();
    assert!(
        !canonical::to_vec(&none).unwrap().windows(9).any(|word| word == b"exception"),
        "older policies keep their bytes"
    );
    insta::assert_snapshot!(problems(&[of("soon", "because"), of("2027-01-01T00:00:00Z", " ")].concat()).join("\n"), @r"
    the exception of RUSTSEC-2026-0001: `until`: `soon` is not a time: write RFC 3339 with a zone, for example `2026-01-23T12:00:00Z`
    the exception of RUSTSEC-2026-0001 is given twice
    the exception of RUSTSEC-2026-0001: `reason` is empty: say why the risk may be taken
    ");
}

#[test]
fn throwaway_people_are_for_the_local_profile() {
    assert!(check("schema = 1\nthrowaway = true", true).unwrap().throwaway);
    let refused = check("schema = 1\nthrowaway = true", false).unwrap_err();
    assert_eq!(refused, ["`throwaway` people exist on the profile `local` only: name real people and keys"]);
    assert_eq!(check("schema = 2", true).unwrap_err(), ["`schema` is 2, this tool reads 1"]);
}

#[test]
fn keys_are_one_line_of_a_supported_kind() {
    for good in [ED25519, ECDSA, RSA_2048] {
        assert_eq!(good.parse::<SshKey>().unwrap().to_string(), good);
    }
    let dss = "ssh-dss AAAAB3NzaC1kc3MAAAABAwAAAAEDAAAAAQMAAAABAw== d";
    for (text, why) in [
        ("", "is not a public key"),
        (&format!("{ED25519}\n{ECDSA}"), "is not a public key"),
        (&ED25519.replace("ssh-ed25519", "ssh-rsa"), "is not a public key"),
        (&ED25519[..60], "is not a public key"),
        (RSA_1024, "an RSA key of 1024 bits is too short"),
        (dss, "keys of the kind ssh-dss are not supported"),
    ] {
        let error = text.parse::<SshKey>().unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}
