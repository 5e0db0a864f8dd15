//! `serve`: the real binary as a gateway, asked over HTTP by a client that is not ours. No port is fixed; where it listens it
//! says itself.

use std::fs;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{
    project::{Project, RELEASE},
    serving::Serving,
};

/// `alpha` answers with its event; `beta` with what it is told.
fn project() -> Project {
    let project = Project::new();
    let routes = "\n[profile.local.routes]\n\"GET /alpha/{name}\" = \"alpha\"\n\"POST /alpha/{name}\" = \"alpha\"\n\
                  \"GET /beta\" = \"beta\"\n";
    project.repo().write("release.toml", &format!("{RELEASE}{routes}"));
    project.behave("alpha", &json!({ "mode": "echo" }));
    project
}

/// The binary while it serves this project.
pub(crate) fn serving(project: &Project, more: &[&str]) -> Serving {
    let mut command = project.command(project.root(), &[&["serve", "--port", "0"], more].concat());
    let temporary = project.repo().beside("temporary");
    fs::create_dir(&temporary).unwrap();
    command.env("TMPDIR", &temporary);
    Serving::start(command)
}

/// The event that a call became: `alpha` answers with it, which is a body to an HTTP API.
async fn event(call: RequestBuilder) -> Value {
    serde_json::from_str(&call.send().await.unwrap().text().await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_become_events_and_answers_replies() {
    let project = project();
    let serving = serving(&project, &[]);
    let got = event(serving.get("/alpha/a%20b?id=1&id=2").header("X-Name", "one")).await;
    assert_eq!((&got["routeKey"], &got["pathParameters"]["name"]), (&json!("GET /alpha/{name}"), &json!("a b")));
    assert_eq!((&got["rawQueryString"], &got["headers"]["x-name"]), (&json!("id=1&id=2"), &json!("one")));
    let got = event(serving.get("/alpha/a%252Fb")).await;
    assert_eq!((&got["pathParameters"]["name"], &got["rawPath"]), (&json!("a%2Fb"), &json!("/alpha/a%2Fb")));
    let binary = serving.client.post(format!("http://{}/alpha/x", serving.address));
    let got = event(binary.header("content-type", "image/png").body(&b"\x89PNG"[..])).await;
    assert_eq!((&got["body"], &got["isBase64Encoded"]), (&json!("iVBORw=="), &json!(true)));
    assert_eq!(serving.asked("/beta").await, (200, json!({ "from": "beta" }).to_string()));
    assert_eq!(serving.asked("/nowhere").await, (404, r#"{"message":"Not Found"}"#.to_owned()));
    let large = serving.client.post(format!("http://{}/alpha/x", serving.address)).body(vec![b'a'; 7_000_000]);
    assert_eq!(large.send().await.unwrap().status(), 413, "more than Lambda takes");
    // Calls at the same time have copies of their own.
    let several = futures_util::future::join_all((0..5).map(|_| serving.asked("/beta"))).await;
    assert!(several.iter().all(|(status, _)| *status == 200), "{several:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_api_is_another_gateway() {
    let project = project();
    project.behave("beta", &json!({ "mode": "panic" }));
    let mut serving = serving(&project, &["--api", "rest"]);
    // The event is no answer in the form that a REST API asks for.
    let malformed = r#"{"message":"Internal server error"}"#.to_owned();
    assert_eq!(serving.asked("/alpha/x").await, (502, malformed.clone()));
    assert_eq!(serving.asked("/beta").await, (502, malformed));
    serving.until("told to panic");
    serving.until("GET /beta → 502 by beta");
    assert_eq!(serving.asked("/nowhere").await, (403, r#"{"message":"Missing Authentication Token"}"#.to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_served() {
    let project = project();
    let mut serving = serving(&project, &[]);
    assert_eq!(serving.asked("/beta").await.1, json!({ "from": "beta" }).to_string());
    project.behave("beta", &json!({ "answer": { "statusCode": 200, "body": "new" } }));
    serving.until("functions/beta/behaviour.json was written");
    serving.until("serving it at");
    assert_eq!(serving.asked("/beta").await, (200, "new".to_owned()));
    // What does not compile takes nothing away.
    project.repo().write("functions/beta/src/main.rs", "fn main() { nothing }");
    serving.until("what was built before goes on answering");
    assert_eq!(serving.asked("/beta").await, (200, "new".to_owned()));
    project.repo().write("functions/beta/src/main.rs", "fn main() { nothing_else }");
    serving.until("what was built before goes on answering");
    // Of all builds the one that answers is kept.
    let folders = project.repo().beside("temporary").read_dir_utf8().unwrap();
    let builds: Vec<String> = folders
        .flat_map(|folder| folder.unwrap().path().read_dir_utf8().unwrap())
        .map(|build| build.unwrap().file_name().to_owned())
        .collect();
    assert!(
        builds.contains(&"1".to_owned()) && !builds.iter().any(|build| ["0", "2"].contains(&build.as_str())),
        "{builds:?}"
    );
}

#[test]
fn it_ends_well_when_it_is_told_to() {
    let project = project();
    let mut serving = serving(&project, &[]);
    let pid = rustix::process::Pid::from_child(&serving.child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_is_built() {
    let project = project();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = project.xtask(&["serve", "--port", &port]).expect(8).says("cannot be had; name another by --port");
    assert!(!ran.stderr.contains("building"), "{}", ran.stderr);
}

#[test]
fn without_a_route_there_is_nothing_to_serve() {
    let project = Project::new();
    project.xtask(&["serve"]).expect(2).says("write `[profile.local.routes]` into release.toml");
    project.repo().write(
        "release.toml",
        &format!("{RELEASE}\n[profile.local.routes]\n\"GET /a\" = \"alhpa\"\n\"get b\" = \"beta\"\n"),
    );
    project.xtask(&["serve"]).expect(2).says("`get b` is no route: write it as HTTP APIs do");
    project.repo().write("release.toml", &format!("{RELEASE}\n[profile.local.routes]\n\"GET /a\" = \"alhpa\"\n"));
    project.xtask(&["serve"]).expect(2).says("sends `GET /a` to an unknown function `alhpa`; did you mean `alpha`?");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_what_its_file_says_now() {
    let project = project();
    let text = fs::read_to_string(project.root().join("release.toml")).unwrap();
    project
        .repo()
        .write("release.toml", &text.replace("[profile.local]\n", "[profile.local]\ncontract = 'api.json'\n"));
    let serving = serving(&project, &[]);
    let (status, said) = serving.asked("/openapi.json").await;
    assert!(status == 404 && said.contains("api.json"), "{status} {said}");
    fs::write(project.root().join("api.json"), r#"{"openapi":"3.1.0"}"#).unwrap();
    assert_eq!(serving.asked("/openapi.json").await, (200, r#"{"openapi":"3.1.0"}"#.to_owned()));
}
