//! Notices: each occasion reaches a real HTTP sink and a real SMTP server, and nothing else depends on it.

mod command;
mod config;
mod delivery;
mod occasions;
mod sinks;
mod tls;

use std::{collections::BTreeMap, sync::Arc};

use xtask::{
    adapters::notify,
    config::raw::notifications::Notifications,
    context::Context,
    engine::notify::Channels,
    ports::story::{Phase, Story},
};

use crate::support::{project::Project, world::Silence};

/// What `release.toml` says.
fn configured(port: u16) -> String {
    format!(
        "[notifications.webhook]\nurl = {{ env = \"HOOK\" }}\n\n[notifications.email]\nserver = \"127.0.0.1\"\n\
         port = {port}\nencryption = \"none\"\nfrom = \"Releases <releases@example.com>\"\n\
         to = [\"Quinn <quinn@example.com>\", \"max@example.com\"]\n"
    )
}

/// The project's world with everyone told, at these places.
fn telling(project: &Project, hook: &str, smtp: u16) -> Context {
    telling_as(project, &configured(smtp), hook)
}

/// The same, as this text configures it.
fn telling_as(project: &Project, text: &str, hook: &str) -> Context {
    #[derive(serde::Deserialize)]
    struct File {
        notifications: Notifications,
    }
    let file: File = toml::from_str(text).unwrap();
    let environment = BTreeMap::from([("HOOK".to_owned(), hook.to_owned())]);
    let context = project.context();
    let channels = Channels::new(notify::open(&file.notifications, project.root(), &environment));
    Context { channels: Arc::new(channels), ..context }
}

/// Keeps every warning.
#[derive(Default)]
struct Warnings(std::sync::Mutex<Vec<String>>);

impl Warnings {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Story for Warnings {
    fn phase(&self, name: &str) -> Box<dyn Phase> {
        Silence.phase(name)
    }

    fn note(&self, _text: &str) {}

    fn warn(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}
