//! Every occasion that people are told of, in a story that has them all.

use std::sync::Arc;

use xtask::{context::Context, engine::decide::Verdict};

use super::{
    Warnings,
    sinks::{dead, http, smtp},
    telling,
};
use crate::support::{
    journey,
    people::STAFF,
    project::Project,
    world::{promote_to, release},
};

const TOLD: [&str; 26] = [
    "v1.0.0 died in dev",
    "v1.0.1 is live in dev",
    "v1.0.1 is live in qa",
    "v1.0.1 waits at the gate of uat",
    "v1.0.1 is rejected for uat by quinn as qa-lead: it is dead",
    "v1.0.2 is live in dev",
    "v1.0.2 is live in qa",
    "v1.0.2 waits at the gate of uat",
    "v1.0.2 is approved for uat by quinn as qa-lead",
    "v1.0.2 is live in uat",
    "v1.0.2 waits at the gate of prod",
    "v1.0.2 is approved for prod by pia as product-owner",
    "v1.0.2 is approved for prod by max as manager",
    "v1.0.2 is live in prod",
    "v1.0.2 is live in dr",
    "v1.0.2 is Globally Synced",
    "v1.0.3 is live in dev",
    "v1.0.3 is live in qa",
    "v1.0.3 waits at the gate of uat",
    "v1.0.3 is approved for uat by quinn as qa-lead",
    "v1.0.3 is live in uat",
    "v1.0.3 waits at the gate of prod",
    "v1.0.3 is approved for prod by pia as product-owner",
    "v1.0.3 is approved for prod by max as manager",
    "v1.0.3 is live in prod",
    "v1.0.3 died in prod",
];

#[tokio::test]
async fn each_reaches_the_webhook_and_the_mail_server() {
    let ((hook, address), (mail, port)) = (http().await, smtp().await);
    let project = Project::new();
    let story = Arc::new(Warnings::default());
    let context = Context { story: story.clone(), ..telling(&project, &address, port) };
    journey::of_four_releases(&project, &context).await;

    let told: Vec<&str> = TOLD.into_iter().chain(["v1.0.2 is live in prod"]).collect();
    let posted = hook.got();
    let subjects: Vec<&str> = posted.iter().map(|text| text.split('*').nth(1).unwrap()).collect();
    assert_eq!(subjects, told);
    let mails = mail.got();
    let subject = |text: &String| {
        // A long subject goes on in the next line.
        let header = text.split_once("Subject: ").unwrap().1.replace("\n ", " ");
        header.lines().next().unwrap().to_owned()
    };
    assert_eq!(mails.iter().map(subject).collect::<Vec<_>>(), told);

    let first = &mails[0];
    for part in ["<releases@example.com>", "<quinn@example.com>", "<max@example.com>", "Message-ID: <died.v1.0.0."] {
        assert!(first.contains(part), "`{part}` is missing: {first}");
    }
    assert!(mails[3].contains("cargo xtask approve --to uat --release v1.0.1"), "{}", mails[3]);
    assert!(posted[0].starts_with(":headstone: *v1.0.0 died in dev*\nalpha: smoke check"), "{}", posted[0]);
    assert!(posted[4].contains("\nthe button is red\n"), "{}", posted[4]);
    let warnings = story.all();
    assert!(!warnings.iter().any(|text| text.contains("was not told")), "{warnings:?}");
}

#[tokio::test]
async fn with_both_down_nothing_else_is_disturbed() {
    let project = Project::new();
    let story = Arc::new(Warnings::default());
    let (hook, port) = (format!("http://127.0.0.1:{}/services/TOPSECRET", dead().await), dead().await);
    let context = Context { story: story.clone(), ..telling(&project, &hook, port) };
    journey::of_four_releases(&project, &context).await;

    let quiet = Project::new();
    journey::of_four_releases(&quiet, &quiet.context()).await;
    let names = |project: &Project| {
        let all = project.lasting().into_keys();
        // Evidence and objects of a fleet have the same names, too: nothing is named by time or by chance.
        all.filter(|name| !name.starts_with("keys/")).collect::<Vec<_>>()
    };
    assert_eq!(names(&project), names(&quiet));
    let warnings = story.all();
    assert!(!warnings.iter().any(|text| text.contains("TOPSECRET")), "{warnings:#?}");
    let lost =
        |channel: &str| warnings.iter().filter(|text| text.starts_with(&format!("{channel} was not told"))).count();
    assert_eq!((lost("the webhook"), lost("e-mail")), (TOLD.len() + 1, TOLD.len() + 1), "{warnings:#?}");
}

/// What a person says ends up in other people's chat and mail: it must stay what it is.
#[tokio::test]
async fn what_people_say_stays_text() {
    let ((hook, address), (mail, port)) = (http().await, smtp().await);
    let project = Project::new();
    let context = telling(&project, &address, port);
    project.staff(&STAFF, "");
    project.commit("chore: people");
    release(&context).await.unwrap();
    let comment = "<!channel> see <https://evil.example|here> & now\r\nBcc: everyone@example.com\r\n\r\n.\r\nQUIT";
    journey::decide(&project, &context, "quinn", "uat v1.0.0", (Verdict::Approve, Some(comment))).await;
    promote_to(&context, &"uat".parse().unwrap(), "v1.0.0".parse().unwrap()).await.unwrap();

    let approved = |all: Vec<String>| all.into_iter().find(|text| text.contains("is approved for uat")).unwrap();
    let posted = approved(hook.got());
    assert!(posted.contains("&lt;!channel&gt; see &lt;https://evil.example|here&gt; &amp; now"), "{posted}");
    let mailed = approved(mail.got());
    let (header, body) = mailed.split_once("\n\n").unwrap();
    assert!(!header.contains("Bcc") && body.contains("Bcc: everyone@example.com"), "{mailed}");
    assert_eq!(mail.got().len(), hook.got().len());
}
