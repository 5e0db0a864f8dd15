//! A server on a free port of this machine that replays what GitHub documents for `GET /repos/{owner}/{repo}/actions/runs/{id}`
//! and `…/approvals`, and refuses as it is told to.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Response, StatusCode},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The job's token. It must never come out again.
pub(crate) const TOKEN: &str = "ghs_T0PSECRETt0psecretT0PSECRET";
pub(crate) const RUN: &str = "/api/v3/repos/example/prices/actions/runs/4711";

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn new(status: u16, headers: &[(&'static str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }
}

/// A question: its path and its headers.
pub(crate) type Asked = (String, BTreeMap<String, String>);

#[derive(Default)]
struct Told {
    asked: Vec<Asked>,
    /// Given first, one for each question, whatever it is.
    first: VecDeque<Reply>,
    by_path: BTreeMap<String, Reply>,
}

/// The server.
#[derive(Clone)]
pub(crate) struct GitHub {
    /// What `GITHUB_API_URL` is.
    pub(crate) api: String,
    told: Arc<Mutex<Told>>,
}

impl GitHub {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}/api/v3", listener.local_addr().unwrap());
        let told = Arc::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&told));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { api, told }
    }

    /// What is known of the run: its name, who started it and who ran it again, and its reviews.
    pub(crate) fn knows(&self, name: &str, dispatched: (&str, &str), reviews: &[Value]) {
        let run = json!({
            "id": 4711, "name": "promote", "display_title": name, "run_number": 12, "run_attempt": 1,
            "created_at": "2026-01-22T19:33:08Z", "event": "workflow_dispatch", "status": "in_progress", "conclusion": null,
            "actor": user(dispatched.0), "triggering_actor": user(dispatched.1),
            "head_commit": { "id": "7638417db6d59f3c431d3e1f261cc637155684cd", "message": "feat: new" },
        });
        self.answers(RUN, Reply::new(200, &[], &run.to_string()));
        self.answers(&format!("{RUN}/approvals"), Reply::new(200, &[], &Value::from(reviews).to_string()));
    }

    pub(crate) fn answers(&self, path: &str, reply: Reply) {
        self.told.lock().unwrap().by_path.insert(path.to_owned(), reply);
    }

    /// The next questions are answered so, whatever they are.
    pub(crate) fn first(&self, replies: &[Reply]) {
        self.told.lock().unwrap().first.extend(replies.iter().cloned());
    }

    /// Everything that was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.told.lock().unwrap().asked)
    }
}

async fn answer(State(told): State<Arc<Mutex<Told>>>, request: Request) -> Response<Body> {
    let path = request.uri().path_and_query().unwrap().to_string();
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let headers = request.headers().iter().map(header).collect();
    let mut told = told.lock().unwrap();
    told.asked.push((path.clone(), headers));
    let missing = || Reply::new(404, &[], r#"{"message":"Not Found","status":"404"}"#);
    let reply = told.first.pop_front().unwrap_or_else(|| told.by_path.get(&path).cloned().unwrap_or_else(missing));
    let mut response = Response::builder().status(StatusCode::from_u16(reply.status).unwrap());
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}

fn user(login: &str) -> Value {
    json!({ "login": login, "id": 1, "node_id": "MDQ6VXNlcjE=", "type": "User", "site_admin": false })
}

/// A review as GitHub documents it.
pub(crate) fn review(login: &str, state: &str, environments: &[&str], comment: &str) -> Value {
    let environments = environments.iter().map(|name| {
        json!({
            "id": 161088068, "node_id": "MDExOkVudmlyb25tZW50MTYxMDg4MDY4", "name": name,
            "created_at": "2020-11-23T22:00:40Z", "updated_at": "2020-11-23T22:00:40Z",
        })
    });
    json!({ "state": state, "comment": comment, "environments": environments.collect::<Vec<_>>(), "user": user(login) })
}
