//! The stores that handlers are measured on: made for one run, in a folder and in an emulator.

use anyhow::Context as _;
use camino::Utf8Path;
use serde_json::json;

use crate::{
    adapters::{
        emulator::{
            estate::{REGIONS, tables},
            wire::Caller,
        },
        local::{places::Places, seed},
    },
    config::Config,
    model::configuration::Variables,
};

/// The first environment's stores on this machine, once more in this folder, so that nobody's audit trail is filled. Gives the
/// variables that name them.
///
/// # Errors
/// If a seed does not run.
pub fn sqlite(root: &Utf8Path, config: &Config, folder: &Utf8Path) -> anyhow::Result<Variables> {
    let first = &config.path.first().context("release.toml has no environment")?.environment;
    for (database, seeds) in &config.seeds {
        seed::apply(&folder.join(database.replace("{environment}", first.as_str())), &root.join(seeds))?;
    }
    let places = Places { local: folder.to_owned(), ..Places::default() };
    Ok(places.fill(&config.variables.get(first).cloned().unwrap_or_default())?)
}

/// Tables in an emulator that are nobody else's. Gives the variables that name them.
///
/// # Errors
/// If the emulator refuses something, or does not answer.
pub async fn dynamodb(root: &Utf8Path, endpoint: &str) -> anyhow::Result<Variables> {
    let [region, _] = REGIONS;
    let environment = format!("bench-{}", uuid::Uuid::now_v7().simple());
    let caller = Caller::new(endpoint, region)?;
    let folder = root.join("infra-local/tables");
    for table in tables::read(&folder, &environment)? {
        tables::seed(&caller, &table).await?;
    }
    let variables = json!({
        "APP_PROFILE": "aws", "APP_ENVIRONMENT": "dev", "STORE": "dynamodb", "TABLE_DATA": format!("Data_{environment}"),
        "TABLE_AUDIT": format!("Audit_Logs_{environment}"), "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    });
    Ok(serde_json::from_value(variables)?)
}
