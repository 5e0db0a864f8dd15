//! The identity of a workflow run: the claims of the OIDC token that GitHub gives to its jobs. The token itself is a
//! credential, so that nothing but its claims leaves this module.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, Url, redirect::Policy};
use serde::Deserialize;

use super::LIMIT;
use crate::{
    failure::Failure,
    ports::identity::{Claims, Identity},
};

/// For whom the token is made: nobody else must take it for theirs.
const AUDIENCE: &str = "urn:xtask:provenance";

/// The claims that tell what ran, of which source, for whom (GitHub's OpenID Connect reference). Numbers are told as text.
const TOLD: [&str; 22] = [
    "actor",
    "actor_id",
    "aud",
    "environment",
    "event_name",
    "iss",
    "job_workflow_ref",
    "job_workflow_sha",
    "ref",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "run_attempt",
    "run_id",
    "runner_environment",
    "sha",
    "sub",
    "workflow_ref",
    "workflow_sha",
];

/// A job of a workflow run that may ask for a token: one with `permissions: id-token: write`.
pub struct JobIdentity {
    address: String,
    secret: String,
    server: String,
}

impl JobIdentity {
    /// The job that these variables tell of; `None` where no token can be asked for.
    #[must_use]
    pub fn of(environment: &BTreeMap<String, String>) -> Option<Self> {
        let of = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
        let server = of("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
        let (address, secret) = (of("ACTIONS_ID_TOKEN_REQUEST_URL")?, of("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?);
        Some(Self { address, secret, server: server.trim_end_matches('/').to_owned() })
    }

    async fn token(&self) -> anyhow::Result<String> {
        #[derive(Deserialize)]
        struct Answer {
            value: String,
        }
        let mut url: Url = self.address.parse()?;
        url.query_pairs_mut().append_pair("audience", AUDIENCE);
        // Where another part of the process has chosen a provider already, that one is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().timeout(LIMIT).redirect(Policy::none()).build()?;
        let answer = client.get(url).bearer_auth(&self.secret).send().await?.error_for_status()?;
        Ok(serde_json::from_slice::<Answer>(&answer.bytes().await?)?.value)
    }
}

#[async_trait]
impl Identity for JobIdentity {
    async fn claims(&self) -> Result<Option<Claims>, Failure> {
        let failed = |why: anyhow::Error| Failure::unfinished("failed to ask GitHub for the identity of this job", why);
        let token = self.token().await.map_err(|error| failed(error.context("its answer")))?;
        let claims = claims(&token).map_err(|why| failed(anyhow::anyhow!("its token cannot be read: {why}")))?;
        Ok(Some(Claims { server: self.server.clone(), claims }))
    }
}

/// The claims in a token. Whoever signs them vouches for having asked GitHub itself for it, over TLS; the token's own
/// signature is worth nothing later, as GitHub's keys change.
fn claims(token: &str) -> Result<BTreeMap<String, String>, String> {
    let payload = token.split('.').nth(1).ok_or("it has no payload")?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|error| error.to_string())?;
    let all: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let told = TOLD.iter().filter_map(|name| Some(((*name).to_owned(), text(all.get(*name)?)?)));
    let told: BTreeMap<_, _> = told.collect();
    match told.contains_key("sub") {
        true => Ok(told),
        false => Err("it does not say whose it is".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_meant_to_be_told_is_told() {
        let token = |payload: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        let told = claims(&token(r#"{"sub":"repo:o/r:ref:refs/heads/main","run_id":7,"jti":"secret","aud":["a"]}"#));
        let expected = [("run_id", "7"), ("sub", "repo:o/r:ref:refs/heads/main")];
        assert_eq!(told, Ok(expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()));
        for wrong in ["", "e30", "e30.!.x", &token("[]"), &token("{}"), &token(r#"{"sub":[]}"#)] {
            assert!(claims(wrong).is_err(), "{wrong}");
        }
    }
}
