//! Tells people by webhook and by e-mail. The words are templates under `templates/notice/`.

mod mail;
mod secret;
mod text;
mod webhook;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use camino::Utf8Path;

use self::{mail::Mail, secret::Reader, webhook::Webhook};
use crate::{config::raw::notifications::Notifications, ports::notifier::Notifier};

/// How long one attempt may take.
const LIMIT: Duration = Duration::from_secs(3);

/// Every way that the configuration names. Secrets are read only when there is something to tell.
#[must_use]
pub fn open(
    configured: &Notifications,
    root: &Utf8Path,
    environment: &BTreeMap<String, String>,
) -> Vec<Arc<dyn Notifier>> {
    let reader = || Reader { root: root.to_owned(), environment: environment.clone() };
    let webhook = configured.webhook.clone().map(|own| Arc::new(Webhook::new(own, reader())) as Arc<dyn Notifier>);
    let mail = configured.email.clone().map(|own| Arc::new(Mail::new(own, reader())) as Arc<dyn Notifier>);
    webhook.into_iter().chain(mail).collect()
}
