//! What GitHub answers instead of reviews, and how long it is asked.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use xtask::{
    adapters::github::WorkflowRun,
    ports::{clock::Clock, reviews::Reviews as _},
};

use super::{
    COUNTED, PROMOTE, WHOLE, Waiting, approved,
    github::{GitHub, RUN, Reply, TOKEN},
};
use crate::support::world::Hand;

const SOON: (&str, &str) = ("retry-after", "0");

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_followed() {
    let waiting = Waiting::at(COUNTED).await;
    let (page, next) = (format!("{RUN}/approvals"), format!("{RUN}/approvals?page=2"));
    let link =
        format!("<{}{}>; rel=\"prev\", <{}{}>; rel=\"next\"", waiting.github.api, "/x", waiting.github.api, &next[7..]);
    waiting.github.answers(&page, Reply::new(200, &[("link", &link)], "[]"));
    let two = serde_json::json!([approved("rita-hub")]).to_string();
    waiting.github.answers(&next, Reply::new(200, &[("link", "<http://x/>; rel=\"prev\"")], &two));
    waiting.run(&PROMOTE).expect(0);
    assert_eq!(waiting.github.asked().into_iter().map(|(path, _)| path).collect::<Vec<_>>(), [RUN, &page, &next]);
    waiting.is_left(&WHOLE);
    waiting.project.xtask(&["audit", "verify"]).expect(0);
}

/// The token goes to the API and to nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_elsewhere_is_not_followed() {
    let waiting = Waiting::at(COUNTED).await;
    let elsewhere = GitHub::new().await;
    let link = format!("<{}{}>; rel=\"next\"", elsewhere.api, &RUN[7..]);
    let page = format!("{RUN}/approvals");
    waiting.github.answers(&page, Reply::new(200, &[("link", &link)], "[]"));
    waiting.run(&PROMOTE).expect(5).says("which is another host");
    let moved = format!("{}{}", elsewhere.api, &page[7..]);
    waiting.github.answers(&page, Reply::new(302, &[("location", &moved)], "{}"));
    waiting.run(&PROMOTE).expect(2).says("GitHub answered 302");
    // A page that leads to itself ends.
    let link = format!("<{}{}>; rel=\"next\"", waiting.github.api, &page[7..]);
    waiting.github.answers(&page, Reply::new(200, &[("link", &link)], "[]"));
    waiting.run(&PROMOTE).expect(5).says("more than 100 pages");
    assert_eq!(elsewhere.asked(), []);
    let env = |name: &str, value: &str| waiting.run_with(&PROMOTE, &[(name, value)]);
    env("GITHUB_API_URL", "http://api.example.com").expect(2).says("it must be an https address");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_to_grant() {
    let waiting = Waiting::at(COUNTED).await;
    waiting.reviewed(&[approved("rita-hub")]);
    let echo = format!(r#"{{"message":"Bad credentials {TOKEN}\n{}"}}"#, "x".repeat(5000)).replace('\n', "\\n");
    for (status, body, said) in [
        (401, echo.as_str(), "Bad credentials …"),
        (403, r#"{"message":"Resource not accessible by integration"}"#, "Resource not accessible by integration"),
        (404, r#"{"message":"Not Found"}"#, "Not Found"),
        (418, "no JSON", "no reason given"),
    ] {
        waiting.github.first(&[Reply::new(status, &[], body)]);
        let ran = waiting.run(&PROMOTE).expect(2).says(&format!("GitHub answered {status} to /repos/example/prices"));
        let ran = ran.says(said).says("permissions: actions: read");
        assert!(ran.stderr.len() < 2000, "{ran:?}");
    }
    for (name, value, said) in [
        ("GITHUB_TOKEN", "", "GITHUB_TOKEN is not set: give the job `permissions: actions: read`"),
        ("GITHUB_TOKEN", "a\nb", "GITHUB_TOKEN is no token"),
        ("GITHUB_REPOSITORY", "../../x", "GITHUB_REPOSITORY is not `owner/name`"),
        ("GITHUB_RUN_ID", "1/../2", "GITHUB_RUN_ID is `1/../2`"),
    ] {
        waiting.run_with(&PROMOTE, &[(name, value)]).expect(2).says(said);
    }
    // Nobody holds the environment after any of these, and the next run goes its way.
    waiting.is_left(&["claimed", "abandoned"].repeat(8));
    waiting.run(&PROMOTE).expect(0);
    waiting.project.xtask(&["audit", "verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_asked_again() {
    let waiting = Waiting::at(COUNTED).await;
    waiting.reviewed(&[approved("rita-hub")]);
    let down = || Reply::new(502, &[SOON], "<html>bad gateway</html>");
    waiting.github.first(&[down(), down(), down(), down()]);
    let ran = waiting.run(&PROMOTE).expect(8).says("after 4 attempts: it answered 502");
    ran.says("run the same command again");
    let reset = "4102444800";
    let none_left = Reply::new(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)], "{}");
    waiting.github.first(&[none_left]);
    let ran = waiting.run(&PROMOTE).expect(8);
    ran.says("after 1 attempts: its rate limit is used up, until 2100-01-01T00:00:0");
    waiting.is_left(&["claimed", "abandoned"].repeat(2));
    let limited = |status| Reply::new(status, &[SOON], r#"{"message":"You have exceeded a secondary rate limit"}"#);
    waiting.github.first(&[down(), limited(403), limited(429)]);
    waiting.run(&PROMOTE).expect(0);
    waiting.run_with(&PROMOTE, &[("GITHUB_API_URL", "http://127.0.0.1:1")]).expect(0);
}

/// What is kept is kept for ever: it has an end, and no secret in it.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_kept_is_refused() {
    let waiting = Waiting::at(COUNTED).await;
    let page = format!("{RUN}/approvals");
    let long = super::review("rita-hub", "approved", &["uat"], &"x".repeat(1 << 20));
    for (body, said) in [
        (serde_json::json!([long]).to_string(), "larger than what is kept of all answers"),
        (format!(r#"[{{"comment":"{TOKEN}"}}]"#), "holds the job's own token"),
        ("{}".to_owned(), "is not of the documented form"),
        ("[{\"state\":\"approved\"}]".to_owned(), "is not of the documented form"),
    ] {
        waiting.github.answers(&page, Reply::new(200, &[], &body));
        waiting.run(&PROMOTE).expect(5).says(said);
    }
    waiting.is_left(&["claimed", "abandoned"].repeat(4));
}

/// The context's clock waits, for as long as GitHub says.
#[tokio::test]
async fn waits_are_those_that_github_names() {
    let github = GitHub::new().await;
    github.knows("promote", ("bob-hub", "bob-hub"), &[]);
    let clock = Hand::new();
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_RUN_ID", "4711"),
        ("GITHUB_REPOSITORY", "example/prices"),
        ("GITHUB_API_URL", &github.api),
        ("GITHUB_TOKEN", TOKEN),
    ];
    let environment: BTreeMap<String, String> =
        environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let reviews = WorkflowRun::of(&environment, &shared).unwrap();
    let waited = async |replies: &[Reply]| {
        let before = clock.now();
        github.first(replies);
        reviews.answers().await.unwrap();
        clock.now().since(before)
    };
    let at = |seconds: i64| (clock.now().timestamp().as_second() + seconds).to_string();
    assert_eq!(waited(&[]).await, Duration::ZERO);
    assert_eq!(waited(&[Reply::new(503, &[("retry-after", "30")], "")]).await, Duration::from_secs(30));
    let reset = at(20);
    let none_left = Reply::new(429, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)], "");
    assert_eq!(waited(&[none_left]).await, Duration::from_secs(21));
    let bare = || Reply::new(500, &[], "");
    assert_eq!(waited(&[bare(), bare(), bare()]).await, Duration::from_secs(1 + 2 + 4));
    // Outside of a run there is nobody to ask.
    for without in ["GITHUB_ACTIONS", "GITHUB_RUN_ID"] {
        let mut outside = environment.clone();
        outside.remove(without);
        assert!(WorkflowRun::of(&outside, &shared).is_none());
    }
}
