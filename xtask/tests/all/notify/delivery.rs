//! How a notice is delivered: tried again, given up soon, and without showing a secret.

use std::time::Instant;

use xtask::{
    context::Context,
    engine::notify::{Delivery, tell},
    model::notice::{Notice, Occasion},
    ports::clock::Clock as _,
};

use super::{
    sinks::{dead, http, silent, smtp},
    telling,
};
use crate::support::{project::Project, world::Hand};

fn notice() -> Notice {
    Notice {
        occasion: Occasion::Died,
        release: Some("v1.0.0".parse().unwrap()),
        environment: Some("qa".parse().unwrap()),
        time: "2026-01-23T12:00:00Z".parse().unwrap(),
        who: "ada@laptop".to_owned(),
        detail: Some("alpha answers nobody".to_owned()),
    }
}

fn errors(deliveries: Vec<Delivery>) -> Vec<Option<String>> {
    deliveries.into_iter().map(|delivery| delivery.error.map(|error| format!("{error:#}"))).collect()
}

#[tokio::test]
async fn what_fails_for_a_moment_is_tried_again() {
    let ((hook, address), (mail, port)) = (http().await, smtp().await);
    let project = Project::new();
    let clock = Hand::new();
    let context = Context { clock: clock.clone(), ..telling(&project, &address, port) };
    hook.refuse(&[500, 429]);
    mail.refuse(&[451, 552]);
    let begin = clock.now();
    assert_eq!(errors(tell(&context, &notice()).await), [None, None]);
    assert_eq!((hook.got().len(), mail.got().len()), (1, 1));
    // Half a second and a second, for each of the two.
    assert_eq!(clock.now().since(begin).as_millis(), 3_000);
}

#[tokio::test]
async fn it_is_given_up_and_the_next_is_tried_once() {
    let ((hook, address), (mail, port)) = (http().await, smtp().await);
    let project = Project::new();
    let context = telling(&project, &address, port);
    hook.refuse(&[500; 4]);
    let refused = errors(tell(&context, &notice()).await);
    assert_eq!(refused, [None, Some("it answered 500 Internal Server Error".to_owned())]);
    assert!(errors(tell(&context, &notice()).await)[1].is_some(), "one attempt only, which was refused");
    assert_eq!(errors(tell(&context, &notice()).await), [None, None], "it is back");
    hook.refuse(&[500, 500]);
    assert_eq!(errors(tell(&context, &notice()).await), [None, None], "and has all attempts again");
    assert_eq!((hook.got().len(), mail.got().len()), (2, 4));
}

#[tokio::test]
async fn whoever_never_answers_is_left_within_seconds() {
    let project = Project::new();
    let address = format!("http://127.0.0.1:{}/services/TOPSECRET", silent().await);
    let context = telling(&project, &address, silent().await);
    let begin = Instant::now();
    let failed = errors(tell(&context, &notice()).await);
    let took = begin.elapsed().as_secs();
    assert!(failed.iter().all(Option::is_some) && took < 15, "{failed:?} after {took} s");
    assert!(!format!("{failed:?}").contains("TOPSECRET"), "{failed:?}");
}

#[tokio::test]
async fn a_redirect_takes_the_notice_nowhere() {
    let (hook, address) = http().await;
    let project = Project::new();
    hook.refuse(&[302; 3]);
    let context = telling(&project, &address, dead().await);
    assert_eq!(errors(tell(&context, &notice()).await)[1], Some("it answered 302 Found".to_owned()));
}

/// What does not speak TLS where it should is an error like any other.
#[tokio::test]
async fn encryption_is_not_left_out() {
    let ((hook, address), (mail, port)) = (http().await, smtp().await);
    let project = Project::new();
    for encryption in ["starttls", "tls"] {
        let text = super::configured(port).replace("\"none\"", &format!("\"{encryption}\""));
        let context = super::telling_as(&project, &text, &address.replace("http:", "https:"));
        assert!(errors(tell(&context, &notice()).await).iter().all(Option::is_some), "{encryption}");
    }
    assert_eq!((hook.got().len(), mail.got().len()), (0, 0));
}

#[tokio::test]
async fn an_address_that_is_none_is_not_shown() {
    let project = Project::new();
    let context = telling(&project, "TOPSECRET without a scheme", dead().await);
    assert_eq!(errors(tell(&context, &notice()).await)[1], Some("its address is not a URL".to_owned()));
}

#[tokio::test]
async fn the_same_notice_is_the_same_message() {
    let (mail, port) = smtp().await;
    let project = Project::new();
    let context = telling(&project, &format!("http://127.0.0.1:{}", dead().await), port);
    tell(&context, &notice()).await;
    tell(&context, &notice()).await;
    let mails = mail.got();
    assert_eq!(mails[0], mails[1]);
    insta::assert_snapshot!(mails[0], @"
    MAIL FROM:<releases@example.com>
    RCPT TO:<quinn@example.com>
    RCPT TO:<max@example.com>
    From: Releases <releases@example.com>
    Subject: v1.0.0 died in qa
    Date: Fri, 23 Jan 2026 12:00:00 +0000
    Message-ID: <died.v1.0.0.1769169600000@example.com>
    Content-Type: text/plain; charset=utf-8
    To: Quinn <quinn@example.com>, max@example.com
    Content-Transfer-Encoding: 7bit

    v1.0.0 died in qa.

    alpha answers nobody

    When: 2026-01-23T12:00:00.000Z
    Who:  ada@laptop

    Dead stays dead: commit a fix and run: cargo xtask release
    The whole story: cargo xtask graveyard
    ");
}
