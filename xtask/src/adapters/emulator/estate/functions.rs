//! Functions as an infrastructure team makes them: with their role and variables, and with code that only says that there is
//! no release in them yet.

use std::io::{Cursor, Write as _};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::json;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{adapters::emulator::wire::Caller, model::configuration::Variables};

/// The code of a function that nothing was deployed to.
const NOTHING: &str = "#!/bin/sh\necho 'nothing was deployed to this function yet' >&2\nexit 1\n";

/// One function.
#[derive(Debug, Clone)]
pub(super) struct Function {
    /// Its name in Lambda.
    pub(super) name: String,
    /// The role that it runs as.
    pub(super) role: String,
    /// Its variables.
    pub(super) variables: Variables,
}

/// Makes a function if it is not there, and gives it its variables.
///
/// # Errors
/// If the emulator refuses or does not answer; the message names the function.
pub(super) async fn seed(caller: &Caller, function: &Function) -> anyhow::Result<()> {
    let name = &function.name;
    let what = || format!("failed to set up the function {name}");
    let environment = json!({ "Variables": function.variables });
    let code = STANDARD.encode(placeholder().with_context(what)?);
    let made = json!({ "FunctionName": name, "Role": function.role, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Code": { "ZipFile": code }, "Environment": environment });
    match caller.rest(Method::POST, "lambda", "2015-03-31/functions", &made).await {
        Err(error) if error.is("ResourceConflictException") => {}
        made => return made.map(drop).with_context(what),
    }
    let place = format!("2015-03-31/functions/{name}/configuration");
    let now = caller.rest(Method::GET, "lambda", &place, &json!(null)).await.with_context(what)?;
    if now["Environment"]["Variables"] == environment["Variables"] {
        return Ok(());
    }
    let changed = json!({ "Environment": environment });
    caller.rest(Method::PUT, "lambda", &place, &changed).await.map(drop).with_context(what)
}

fn placeholder() -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755))?;
    zip.write_all(NOTHING.as_bytes())?;
    Ok(zip.finish()?.into_inner())
}
