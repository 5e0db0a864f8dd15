//! `config-service`: `GET /config` and `GET /config/{key}`. This file only wires; the work is in `handler` and `service`.

mod dto;
mod handler;
mod repository_configuration;
mod service;

use std::process::ExitCode;
use std::sync::Arc;

use common::clients::SqliteAuditStore;
use common::middleware::{serve, start};
use common::types::{Store, SystemClock};

use crate::repository_configuration::SqliteConfigurationStore;
use crate::service::App;

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the one place where this process reads its environment")]
    let variable = |name| std::env::var(name);
    start(variable, |settings| async {
        let Store::Sqlite { data, audit } = settings.store;
        let app = Arc::new(App {
            configuration: SqliteConfigurationStore::new(data),
            audit: SqliteAuditStore::new(audit),
            clock: SystemClock,
            environment: settings.environment.clone(),
        });
        let handler = move |request| {
            let app = Arc::clone(&app);
            async move { handler::handle(&app, &request).await }
        };
        serve("config-service", settings.environment, handler).await
    })
}
