//! A webhook that takes what Slack's incoming webhooks take: a POST of JSON with `text`, answered by a 2xx.

use anyhow::bail;
use async_trait::async_trait;
use reqwest::{Client, Url, redirect::Policy};

use crate::{
    adapters::notify::{LIMIT, secret::Reader, text},
    config::raw::notifications::Webhook as Configured,
    model::notice::Notice,
    ports::notifier::Notifier,
};

/// The webhook.
pub(super) struct Webhook {
    configured: Configured,
    reader: Reader,
}

impl Webhook {
    pub(super) fn new(configured: Configured, reader: Reader) -> Self {
        Self { configured, reader }
    }
}

#[async_trait]
impl Notifier for Webhook {
    fn name(&self) -> &'static str {
        "the webhook"
    }

    async fn deliver(&self, notice: &Notice) -> anyhow::Result<()> {
        let url = self.reader.read(&self.configured.url)?;
        // The address is itself the secret, so that no error may show it.
        let Ok(url) = url.parse::<Url>() else { bail!("its address is not a URL") };
        // Where another part of the process has chosen a provider already, that one is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().timeout(LIMIT).redirect(Policy::none()).build()?;
        let body = serde_json::json!({ "text": text::slack(notice)? }).to_string();
        let request = client.post(url).header("content-type", "application/json").body(body);
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        if answer.status().is_success() { Ok(()) } else { bail!("it answered {}", answer.status()) }
    }
}
