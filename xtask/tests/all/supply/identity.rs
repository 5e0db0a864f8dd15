//! A release that a workflow's job builds says in its provenance which run of which workflow that was.

use std::fs;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, Uri, header::AUTHORIZATION},
    routing::get,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::project::{Project, Ran, tree};

const REQUEST: &str = "MARKED-request-token";
const SIGNATURE: &str = "MARKED-signature";

/// GitHub's endpoint for a job's token; its address, which is over as soon as the runtime is.
async fn github() -> String {
    async fn token(headers: HeaderMap, address: Uri) -> Result<String, StatusCode> {
        assert_eq!(address.query(), Some("api-version=2.0&audience=urn%3Axtask%3Aprovenance"));
        if headers.get(AUTHORIZATION).is_none_or(|given| given != &format!("Bearer {REQUEST}")) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let claims = json!({
            "iss": "https://token.actions.githubusercontent.com",
            "sub": "repo:octo/pricing:environment:release",
            "repository": "octo/pricing",
            "repository_id": "74",
            "job_workflow_ref": "octo/sre/.github/workflows/release.yml@refs/heads/main",
            "workflow_ref": "octo/pricing/.github/workflows/main.yml@refs/heads/main",
            "run_id": "30433642",
            "run_attempt": "2",
            "jti": "MARKED-id",
        });
        let token = format!("e30.{}.{SIGNATURE}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        Ok(json!({ "value": token }).to_string())
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/token?api-version=2.0", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/token", get(token))).await });
    address
}

async fn release(project: &Project, address: &str, token: &str) -> Ran {
    let mut command = project.command(project.root(), &["release", "--until", "sealed"]);
    let job = [("ACTIONS_ID_TOKEN_REQUEST_URL", address), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", token)];
    command.envs(job).env("GITHUB_SERVER_URL", "https://github.example.com");
    Ran::of(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

#[tokio::test]
async fn the_provenance_names_the_run_that_built_it() {
    let (project, address) = (Project::new(), github().await);
    // Who is not let in runs again, and has sealed nothing.
    let refused = release(&project, &address, "MARKED-another").await.expect(8).says("the identity of this job");
    assert!(!refused.stderr.contains("MARKED"), "{}", refused.stderr);
    let released = release(&project, &address, REQUEST).await.expect(0);
    assert!(!format!("{released:?}").contains("MARKED"), "{released:?}");
    let envelopes = fs::read_to_string(project.local().join("vault/v1.0.0/provenance.intoto.jsonl")).unwrap();
    let envelope: Value = serde_json::from_str(envelopes.lines().next().unwrap()).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let predicate = &serde_json::from_slice::<Value>(&payload).unwrap()["predicate"];
    let details = &predicate["runDetails"];
    let server = "https://github.example.com";
    let workflow = format!("{server}/octo/sre/.github/workflows/release.yml@refs/heads/main");
    assert_eq!(details["builder"]["id"], workflow.as_str());
    let run = format!("{server}/octo/pricing/actions/runs/30433642/attempts/2");
    assert_eq!(details["metadata"]["invocationId"], run.as_str());
    let told = &predicate["buildDefinition"]["internalParameters"]["run"];
    assert_eq!(told["sub"], "repo:octo/pricing:environment:release");
    // Neither what the token was asked for with, nor the token, nor its own number is anywhere.
    for (name, bytes) in tree(project.local()) {
        assert!(!String::from_utf8_lossy(&bytes).contains("MARKED"), "{name}");
    }
    project.xtask(&["audit", "verify"]).expect(0);
}
