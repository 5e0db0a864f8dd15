//! GitHub's API, asked from inside of a workflow run about that run and its reviews. It reads, and never writes.
//!
//! The job's token goes into one header and nowhere else: not into an error, an answer or a page of another host.

mod identity;
mod retry;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{
    Client, Response, Url,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LINK, USER_AGENT},
    redirect::Policy,
};

pub use self::identity::JobIdentity;
use crate::{
    failure::Failure,
    model::review::{Answer, LARGEST},
    ports::{clock::Clock, reviews::Reviews},
};

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The version of the API whose answers are read here.
const VERSION: &str = "2022-11-28";
/// More pages than any run has reviews: who gives more gives them without end.
const PAGES: usize = 100;
const GRANT: &str = "give the job `permissions: actions: read` and the step `env: GITHUB_TOKEN: ${{ github.token }}`";

/// The workflow run that this process is a part of.
pub struct WorkflowRun {
    place: Result<Place, String>,
    clock: Arc<dyn Clock>,
}

/// Where to ask, and as whom.
#[derive(Clone)]
struct Place {
    api: Url,
    path: String,
    run: String,
    token: String,
}

impl WorkflowRun {
    /// The run that these variables tell of, `None` outside of one.
    #[must_use]
    pub fn of(environment: &BTreeMap<String, String>, clock: &Arc<dyn Clock>) -> Option<Self> {
        let of = |name: &str| environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let run = of("GITHUB_RUN_ID").filter(|_| of("GITHUB_ACTIONS") == Some("true"))?;
        let place = place(run, of("GITHUB_REPOSITORY"), of("GITHUB_API_URL"), of("GITHUB_TOKEN"));
        Some(Self { place, clock: Arc::clone(clock) })
    }
}

fn place(run: &str, repository: Option<&str>, api: Option<&str>, token: Option<&str>) -> Result<Place, String> {
    let named = |part: &str| {
        let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        plain && !part.is_empty() && ![".", ".."].contains(&part)
    };
    let (owner, name) = repository
        .and_then(|repository| repository.split_once('/'))
        .filter(|(owner, name)| named(owner) && named(name))
        .ok_or("GITHUB_REPOSITORY is not `owner/name`")?;
    let run: u64 = run.parse().map_err(|_not_one| format!("GITHUB_RUN_ID is `{run}`, which is no number"))?;
    let api = api.unwrap_or("https://api.github.com").trim_end_matches('/');
    let wrong = || format!("GITHUB_API_URL is `{api}`: it must be an https address, or one of this machine");
    let parsed: Url = api.parse().map_err(|_not_one| wrong())?;
    let here = ["127.0.0.1", "[::1]", "localhost"].contains(&parsed.host_str().unwrap_or_default());
    // The token must not cross a network in the clear.
    if parsed.scheme() != "https" && !(parsed.scheme() == "http" && here) {
        return Err(wrong());
    }
    let token = token.ok_or_else(|| format!("GITHUB_TOKEN is not set: {GRANT}"))?.to_owned();
    let path = parsed.path().trim_end_matches('/').to_owned();
    Ok(Place { api: parsed, path, run: format!("/repos/{owner}/{name}/actions/runs/{run}"), token })
}

#[async_trait]
impl Reviews for WorkflowRun {
    async fn answers(&self) -> Result<Vec<Answer>, Failure> {
        let place = self.place.clone().map_err(|why| Failure::usage(format!("the reviews cannot be read: {why}")))?;
        let asking = Asking { client: place.client()?, clock: &*self.clock, place: &place };
        let (run, _) = asking.ask(&place.run, 0).await?;
        let mut answers = vec![run];
        let mut next = Some(format!("{}/approvals", place.run));
        while let Some(path) = next {
            if answers.len() > PAGES {
                return Err(Failure::Integrity(format!("{} has reviews on more than {PAGES} pages", place.run)));
            }
            let kept = answers.iter().map(|answer: &Answer| answer.text.len()).sum();
            let (answer, more) = asking.ask(&path, kept).await?;
            answers.push(answer);
            next = more;
        }
        Ok(answers)
    }
}

impl Place {
    fn client(&self) -> Result<Client, Failure> {
        // Where another part of the process has chosen a provider already, that one is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut headers = HeaderMap::new();
        let wrong = || Failure::usage("GITHUB_TOKEN is no token: it has characters that no header can carry");
        let mut token = HeaderValue::from_str(&format!("Bearer {}", self.token)).map_err(|_not_one| wrong())?;
        token.set_sensitive(true);
        headers.insert(AUTHORIZATION, token);
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static(VERSION));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("xtask/", env!("CARGO_PKG_VERSION"))));
        let client = Client::builder().timeout(LIMIT).redirect(Policy::none()).default_headers(headers).build();
        client.map_err(|error| Failure::unfinished("failed to prepare for asking GitHub", error))
    }

    fn url(&self, path: &str) -> Result<Url, Failure> {
        let joined = self.api.join(&format!("{}{path}", self.path));
        joined.map_err(|error| Failure::Integrity(format!("GitHub's API has no such path as {path}: {error}")))
    }

    /// The path of the page that a `Link` header calls the next. Only of this API: the token goes to nobody else.
    fn next(&self, link: &str) -> Option<Result<String, Failure>> {
        let next = link.split(',').find_map(|part| {
            let (target, parameters) = part.trim().strip_prefix('<')?.split_once('>')?;
            let is_next = |parameter: &str| parameter.trim().trim_end_matches('"') == "rel=\"next";
            parameters.split(';').any(is_next).then(|| target.to_owned())
        })?;
        let elsewhere = || Failure::Integrity(format!("the next page of reviews is at {next}, which is another host"));
        let url = match next.parse::<Url>() {
            Ok(url) if url.origin() == self.api.origin() => url,
            _ => return Some(Err(elsewhere())),
        };
        let Some(path) = url.path().strip_prefix(&self.path) else { return Some(Err(elsewhere())) };
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(Ok(format!("{path}{query}")))
    }
}

struct Asking<'a> {
    client: Client,
    clock: &'a dyn Clock,
    place: &'a Place,
}

impl Asking<'_> {
    /// The answer to one question, and where the next page is. `kept` is how many bytes other answers have already.
    async fn ask(&self, path: &str, kept: usize) -> Result<(Answer, Option<String>), Failure> {
        let url = self.place.url(path)?;
        let response = retry::until_answered(self.clock, path, || self.client.get(url.clone()).send()).await?;
        let status = response.status().as_u16();
        let next = response.headers().get(LINK).and_then(|link| link.to_str().ok().and_then(|l| self.place.next(l)));
        let text = body(response, path, LARGEST.saturating_sub(kept)).await?;
        if status != 200 {
            return Err(Failure::usage(self.denied(status, path, &text)));
        }
        // What is kept is kept for ever, and read by everyone who may read the ledger.
        if text.contains(&self.place.token) {
            return Err(Failure::Integrity(format!("the answer to {path} holds the job's own token: it is not kept")));
        }
        Ok((Answer::new(path.to_owned(), text), next.transpose()?))
    }

    /// What to tell of a refusal, with what GitHub says of it, a little of it and without the token.
    fn denied(&self, status: u16, path: &str, text: &str) -> String {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let said = value["message"].as_str().unwrap_or("no reason given").replace(&self.place.token, "…");
        let said: String = said.chars().take(200).collect();
        format!("GitHub answered {status} to {path}: {said}; {GRANT}")
    }
}

/// The body as text, as long as it is no larger than this.
async fn body(mut response: Response, path: &str, largest: usize) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(reqwest::Error::without_url);
        match chunk.map_err(|error| Failure::unfinished(format!("failed to read the answer to {path}"), error))? {
            None => break,
            Some(chunk) if bytes.len() + chunk.len() > largest => {
                let text = format!("the answer to {path} is larger than what is kept of all answers, {LARGEST} bytes");
                return Err(Failure::Integrity(text));
            }
            Some(chunk) => bytes.extend_from_slice(&chunk),
        }
    }
    String::from_utf8(bytes).map_err(|error| Failure::Integrity(format!("the answer to {path} is not UTF-8: {error}")))
}
