//! What a new function begins with: its files, and what `release.toml` says of it. The files are templates that are
//! compiled in; a test makes a function of them in a copy of this very repository, builds it and runs its tests.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use serde::Serialize;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::{
    config::{raw, validate},
    model::names::FunctionName,
};

/// Everything that a new function is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scaffold {
    /// The function.
    pub function: FunctionName,
    /// Its route, as `serve` has it.
    pub route: String,
    /// Its files by their path from the root.
    pub files: BTreeMap<Utf8PathBuf, String>,
    /// The whole `release.toml` with the function in it. What was written there before stays as it is, comments too.
    pub release: String,
}

/// Why there can be no such function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScaffoldError {
    /// It is there.
    #[error("there is a function `{0}` already: choose another name, or change what is in functions/{0}")]
    Exists(FunctionName),
    /// Cargo could not tell the two apart.
    #[error(
        "`{0}` is the name of a package that is built with this workspace, or of a folder of cargo's own: choose another name"
    )]
    Taken(FunctionName),
    /// Its route leads elsewhere.
    #[error("release.toml sends `{route}` to `{function}` already: choose another name, or change that route first")]
    Routed {
        /// The route.
        route: String,
        /// Where it leads.
        function: String,
    },
    /// What is there cannot take it.
    #[error("release.toml cannot take the function `{function}`: {problem}; mend that first")]
    Refused {
        /// The function.
        function: FunctionName,
        /// What is wrong.
        problem: String,
    },
}

/// What cargo calls its own folders and crates; a binary of such a name does not build, or hides one of them.
const RESERVED: [&str; 9] = ["alloc", "build", "core", "deps", "examples", "incremental", "proc-macro", "std", "test"];

/// What stands for the function's name in a template.
const NAME: &str = "__name__";

/// The templates, by where they go.
const FILES: [(&str, &str); 8] = [
    ("functions/__name__/Cargo.toml", include_str!("../../templates/function/manifest.toml")),
    ("functions/__name__/smoke.toml", include_str!("../../templates/function/smoke.toml")),
    ("functions/__name__/src/main.rs", include_str!("../../templates/function/src/main.rs")),
    ("functions/__name__/src/dto.rs", include_str!("../../templates/function/src/dto.rs")),
    ("functions/__name__/src/handler.rs", include_str!("../../templates/function/src/handler.rs")),
    ("functions/__name__/src/service.rs", include_str!("../../templates/function/src/service.rs")),
    (
        "functions/__name__/src/repository_product.rs",
        include_str!("../../templates/function/src/repository_product.rs"),
    ),
    ("infra-local/events/__name__-event.json", include_str!("../../templates/function/event.json")),
];

/// Plans a function in a project with this `release.toml`, whose build knows these packages.
///
/// # Errors
/// If there can be no function of this name; the message says what to do.
pub fn plan(function: &FunctionName, release: &str, packages: &BTreeSet<String>) -> Result<Scaffold, ScaffoldError> {
    let name = function.as_str();
    if packages.contains(name) || RESERVED.contains(&name) {
        return Err(ScaffoldError::Taken(function.clone()));
    }
    let rendered = |text: &str| text.replace(NAME, name);
    let files = FILES.iter().map(|(path, text)| (Utf8PathBuf::from(rendered(path)), rendered(text)));
    let route = format!("GET /{name}");
    let release = enter(function, &route, release)?;
    Ok(Scaffold { function: function.clone(), route, files: files.collect(), release })
}

/// The same file with the function in it.
fn enter(function: &FunctionName, route: &str, release: &str) -> Result<String, ScaffoldError> {
    let refused = |problem: String| ScaffoldError::Refused { function: function.clone(), problem };
    let mut document: DocumentMut = release.parse().map_err(|error| refused(format!("it is no TOML: {error}")))?;
    if document.get("functions").and_then(|functions| functions.get(function.as_str())).is_some() {
        return Err(ScaffoldError::Exists(function.clone()));
    }
    let has_prod = document.get("environments").and_then(Item::as_array_of_tables).is_some_and(|environments| {
        environments.iter().any(|stop| stop.get("name").and_then(Item::as_str) == Some("prod"))
    });
    let no_table = |name: &str| refused(format!("`{name}` is no table of its own"));
    let functions = document.entry("functions").or_insert(Item::Table(implicit()));
    let functions = functions.as_table_mut().ok_or_else(|| no_table("functions"))?;
    functions.insert(function.as_str(), Item::Table(declared(has_prod)));
    let mut local = document.as_item_mut();
    for key in ["profile", "local", "routes"] {
        let table = local.as_table_mut().ok_or_else(|| no_table("profile.local.routes"))?;
        local = table.entry(key).or_insert_with(|| Item::Table(Table::new()));
    }
    let routes = local.as_table_like_mut().ok_or_else(|| no_table("profile.local.routes"))?;
    match routes.get(route).map(|led| led.as_str().unwrap_or_default().to_owned()) {
        Some(led) if led != function.as_str() => {
            return Err(ScaffoldError::Routed { route: route.to_owned(), function: led });
        }
        _ => routes.insert(route, value(function.as_str())),
    };
    let text = document.to_string();
    let raw: raw::Release = toml::from_str(&text).map_err(|error| refused(error.message().to_owned()))?;
    let entered = raw.functions.contains_key(function) && raw.profile.local.routes.values().any(|led| led == function);
    validate::release(raw).map_err(|problems| refused(problems.join("; ")))?;
    if entered { Ok(text) } else { Err(refused("its tables are written in a form that takes no more".to_owned())) }
}

/// As the other functions are declared: X-Ray in prod only, and logs that are kept a week elsewhere.
fn declared(has_prod: bool) -> Table {
    let mut own = implicit();
    own.insert("configuration", table([("memory_mb", value(256)), ("timeout_s", value(5)), retention(7)]));
    if has_prod {
        let mut environments = implicit();
        environments.insert("prod", table([("tracing", value("active")), retention(365)]));
        own.insert("environments", Item::Table(environments));
    }
    own
}

fn retention(days: i64) -> (&'static str, Item) {
    ("log_retention_days", value(days))
}

/// A table with a line before it.
fn table<const N: usize>(entries: [(&'static str, Item); N]) -> Item {
    let mut table: Table = entries.into_iter().collect();
    table.decor_mut().set_prefix("\n");
    Item::Table(table)
}

/// A table that is written by what is below it alone.
fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}
