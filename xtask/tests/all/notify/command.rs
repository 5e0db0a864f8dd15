//! `notify --test`, and the other commands, with the real binary.

use super::{
    configured,
    sinks::{dead, http, smtp},
};
use crate::support::{
    project::{Project, RELEASE, Ran},
    world::release,
};

/// Runs a command that finds the webhook's address in its environment.
async fn run(project: &Project, hook: &str, args: &[&str]) -> Ran {
    let mut command = project.command(project.root(), args);
    command.env("HOOK", hook);
    tokio::task::spawn_blocking(move || Ran::of(command.output().unwrap())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_who_was_reached() {
    let ((hook, address), (mail, port)) = (http().await, smtp().await);
    let project = Project::new();
    project.xtask(&["notify", "--test"]).expect(2).says("release.toml tells nobody");
    project.xtask(&["notify"]).expect(2).says("--test");
    project.repo().write("release.toml", &format!("{RELEASE}\n{}", configured(port)));
    let both = run(&project, &address, &["notify", "--test"]).await.expect(0);
    assert_eq!(both.stdout, "e-mail: taken\nthe webhook: taken\n");
    assert!(hook.got()[0].starts_with(":bell: *A test notice"), "{:?}", hook.got());
    assert!(mail.got()[0].contains("Subject: A test notice of the release pipeline"), "{:?}", mail.got());

    let without = project.xtask(&["notify", "--test", "--json"]).expect(8).says("did not reach the webhook");
    let json = without.json();
    assert_eq!((json[0]["channel"].as_str(), json[0]["error"].as_str()), (Some("e-mail"), None));
    let why = "the variable HOOK, which `notifications` of release.toml names, is empty or not there: set it";
    assert_eq!(json[1]["error"].as_str(), Some(why));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_comes_from_a_file_and_is_not_shown() {
    let (mail, port) = smtp().await;
    let project = Project::new();
    let login = "login = { user = \"tool\", password = { file = \"../password\" } }\n";
    project.repo().write("release.toml", &format!("{RELEASE}\n{}{login}", configured(port)));
    let password = project.repo().beside("password");
    std::fs::write(&password, "open sesame\n").unwrap();
    let hook = format!("http://127.0.0.1:{}", dead().await);
    let wrong = run(&project, &hook, &["notify", "--test"]).await.expect(8);
    assert!(wrong.stdout.contains("535") && !format!("{wrong:?}").contains("sesame"), "{wrong:?}");
    std::fs::write(&password, "sesame\n").unwrap();
    let right = run(&project, &hook, &["notify", "--test"]).await.expect(8);
    assert!(right.stdout.starts_with("e-mail: taken\n"), "{right:?}");
    assert_eq!(mail.got().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_recorded_though_nobody_can_be_told() {
    let project = Project::new();
    project.staff(&crate::support::people::STAFF, "");
    project.commit("chore: people");
    release(&project.context()).await.unwrap();
    project.repo().write("release.toml", &format!("{RELEASE}\n{}", configured(dead().await)));
    let hook = format!("http://127.0.0.1:{}", dead().await);
    let key = project.key("quinn");
    let args = ["approve", "--to", "uat", "--release", "v1.0.0", "--key", key.as_str()];
    let ran = run(&project, &hook, &args).await.expect(0);
    let ran =
        ran.says("the webhook was not told of `approved` v1.0.0").says("e-mail was not told of `approved` v1.0.0");
    assert!(ran.stdout.starts_with("v1.0.0 approved for uat by quinn as qa-lead"), "{}", ran.stdout);
}
