//! Mistakes in `[notifications]`.

use xtask::config::load;

use crate::support::project::{Project, RELEASE};

const README: &str = include_str!("../../../../README.md");

#[test]
fn the_example_of_the_readme_is_read() {
    let (_, text) = README.split_once("```toml\n[notifications.webhook]").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let project = Project::new();
    project.repo().write("release.toml", &format!("{RELEASE}\n[notifications.webhook]{text}"));
    let read = load::release(project.root(), None, None).unwrap().config.notifications;
    assert!(read.webhook.is_some() && read.email.is_some_and(|email| email.login.is_some()));
}

/// What a command says of this table.
fn said(table: &str) -> String {
    let project = Project::new();
    project.repo().write("release.toml", &format!("{RELEASE}\n{table}"));
    let ran = project.xtask(&["status"]).expect(2);
    ran.stderr.replace(project.root().as_str(), "")
}

#[test]
fn nobody_is_told_and_nobody_tells() {
    let mail = "[notifications.email]\nserver = \"mail.example.com\"\n";
    insta::assert_snapshot!(said(&format!("{mail}from = \"nobody\"\nto = []")), @"
    error: /release.toml is not valid:
      - `notifications.email.to` is empty: name somebody, or leave the e-mail out
      - `notifications.email.from` has `nobody`, which is no address: write `Name <name@example.com>`
    ");
}

#[test]
fn a_password_would_travel_in_the_clear() {
    let mail = "[notifications.email]\nserver = \"mail.example.com\"\nencryption = \"none\"\n";
    let more = "from = \"a@example.com\"\nto = [\"b@example.com\"]\n\
                login = { user = \"tool\", password = { env = \"PASSWORD\" } }\n";
    insta::assert_snapshot!(said(&format!("{mail}{more}")), @"
    error: /release.toml is not valid:
      - `notifications.email.encryption` is `none`: the password would be read by whoever is on the way; write `starttls` or `tls`, or leave `login` out
    ");
}

#[test]
fn a_secret_stands_in_the_file() {
    let said = said("[notifications.webhook]\nurl = \"https://hooks.example.com/T0/B0/secret\"");
    insta::assert_snapshot!(said, @r#"
    error: /release.toml is not valid: TOML parse error at line 37, column 7
       |
    37 | url = "https://hooks.example.com/T0/B0/secret"
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    unknown variant `https://hooks.example.com/T0/B0/secret`, expected `env` or `file`
    "#);
}
