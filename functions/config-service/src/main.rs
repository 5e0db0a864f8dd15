//! `config-service`: `GET /config` and `GET /config/{key}`. This file only wires; the work is in `handler` and `service`.

mod dto;
#[cfg(test)]
mod faults;
mod handler;
#[cfg(test)]
mod marks;
#[cfg(test)]
mod openapi;
mod repository_configuration;
mod service;

use std::process::ExitCode;
use std::sync::Arc;

use common::clients::{
    Access, DynamoAuditStore, DynamoClient, OPERATION_TIMEOUT, OracleClient, SqliteAuditStore, SqliteClient,
};
use common::middleware::{Error, serve, start};
use common::models::Environment;
use common::types::{Audit, AuditStore, Settings, Store, SystemClock};

use crate::repository_configuration::{ConfigurationStore, DynamoConfigurationStore, SqlConfigurationStore};
use crate::service::App;

/// The name in logs, and of the sessions in Oracle.
const FUNCTION: &str = "config-service";

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the one place where this process reads its environment")]
    let variable = |name| std::env::var(name);
    start(variable, wired)
}

async fn wired(settings: Settings) -> Result<(), Error> {
    let (environment, clock) = (settings.environment, Arc::new(SystemClock));
    match settings.store {
        Store::Sqlite { data, audit } => {
            let data = SqliteClient::new("configuration", data, Access::Read);
            run(SqlConfigurationStore::new(data), SqliteAuditStore::new(audit), environment).await
        }
        Store::Dynamo { access, data, audit } => {
            let client = DynamoClient::new(access, OPERATION_TIMEOUT, clock)?;
            let audit = DynamoAuditStore::new(client.clone(), audit);
            run(DynamoConfigurationStore::new(client, data), audit, environment).await
        }
        Store::Oracle { access, audit } => {
            let data =
                SqlConfigurationStore::new(OracleClient::new(("configuration", FUNCTION), access, clock.clone())?);
            match audit {
                Audit::Sqlite(path) => run(data, SqliteAuditStore::new(path), environment).await,
                Audit::Dynamo { access, table } => {
                    let client = DynamoClient::new(access, OPERATION_TIMEOUT, clock)?;
                    run(data, DynamoAuditStore::new(client, table), environment).await
                }
            }
        }
    }
}

async fn run(
    configuration: impl ConfigurationStore + 'static,
    audit: impl AuditStore + 'static,
    environment: Environment,
) -> Result<(), Error> {
    let app = Arc::new(App { configuration, audit, clock: SystemClock, environment: environment.clone() });
    let handler = move |checked| {
        let app = Arc::clone(&app);
        async move { handler::handle(&app, checked).await }
    };
    serve(FUNCTION, environment, handler).await
}
