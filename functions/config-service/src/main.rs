//! `config-service`: `GET /config` and `GET /config/{key}`. This file only wires; the work is in `handler` and `service`.

mod dto;
mod handler;
mod repository_configuration;
mod service;

use std::process::ExitCode;
use std::sync::Arc;

use common::clients::{DynamoAuditStore, DynamoClient, OPERATION_TIMEOUT, SqliteAuditStore};
use common::middleware::{Error, serve, start};
use common::models::Environment;
use common::types::{AuditStore, Store, SystemClock};

use crate::repository_configuration::{ConfigurationStore, DynamoConfigurationStore, SqliteConfigurationStore};
use crate::service::App;

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the one place where this process reads its environment")]
    let variable = |name| std::env::var(name);
    start(variable, |settings| async {
        let environment = settings.environment;
        match settings.store {
            Store::Sqlite { data, audit } => {
                run(SqliteConfigurationStore::new(data), SqliteAuditStore::new(audit), environment).await
            }
            Store::Dynamo { access, data, audit } => {
                let client = DynamoClient::new(access, OPERATION_TIMEOUT, Arc::new(SystemClock))?;
                let audit = DynamoAuditStore::new(client.clone(), audit);
                run(DynamoConfigurationStore::new(client, data), audit, environment).await
            }
        }
    })
}

async fn run(
    configuration: impl ConfigurationStore + 'static,
    audit: impl AuditStore + 'static,
    environment: Environment,
) -> Result<(), Error> {
    let app = Arc::new(App { configuration, audit, clock: SystemClock, environment: environment.clone() });
    let handler = move |request| {
        let app = Arc::clone(&app);
        async move { handler::handle(&app, &request).await }
    };
    serve("config-service", environment, handler).await
}
