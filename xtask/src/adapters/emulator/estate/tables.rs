//! Tables of DynamoDB: one JSON file each, with what `CreateTable` takes, and the items that it begins with.

use std::fs;

use anyhow::Context as _;
use camino::Utf8Path;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    adapters::emulator::wire::{CallError, Caller},
    failure::Failure,
};

/// A table as its file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The input of `CreateTable`, in the service's own words.
    pub table: Value,
    /// The attribute with the second since 1970 after which an item may go.
    #[serde(default)]
    pub time_to_live: Option<String>,
    /// What it begins with: attributes as plain texts.
    #[serde(default)]
    pub items: Vec<Map<String, Value>>,
}

impl Table {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.table["TableName"].as_str().unwrap_or_default()
    }
}

/// Reads a folder's tables, for an environment: `{environment}` stands for its name in the name of a table.
///
/// # Errors
/// Usage: a file cannot be read, or is not of this form; the message names it.
pub fn read(folder: &Utf8Path, environment: &str) -> Result<Vec<Table>, Failure> {
    let unread = |error| Failure::usage(format!("failed to read the tables in {folder}: {error}"));
    let mut files = Vec::new();
    for item in folder.read_dir_utf8().map_err(unread)? {
        let path = item.map_err(unread)?.into_path();
        if path.extension() == Some("json") {
            files.push(path);
        }
    }
    files.sort();
    let one = |path: &camino::Utf8PathBuf| {
        let wrong = |error: &dyn std::fmt::Display| Failure::usage(format!("{path} describes no table: {error}"));
        let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
        let table: Table = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        let name = table.name().replace("{environment}", environment);
        let Value::Object(mut input) = table.table else { return Err(wrong(&"`table` is no object")) };
        input.insert("TableName".to_owned(), name.into());
        Ok(Table { table: input.into(), ..table })
    };
    files.iter().map(one).collect()
}

/// Makes a table if it is not there, lets its items expire, and adds the first items that are not there.
///
/// # Errors
/// If the emulator refuses something or does not answer; the message names the table.
pub async fn seed(caller: &Caller, table: &Table) -> anyhow::Result<()> {
    fill(caller, table).await.with_context(|| format!("failed to set up the table {}", table.name()))
}

async fn fill(caller: &Caller, table: &Table) -> Result<(), CallError> {
    make(caller, table).await?;
    for item in &table.items {
        let put = json!({ "TableName": table.name(), "Item": typed(item), "ConditionExpression": "attribute_not_exists(pk)" });
        unless(ask(caller, "PutItem", put).await, "ConditionalCheckFailedException")?;
    }
    Ok(())
}

/// Makes a table if it is not there, and puts back each of its first items that is there no more, or differs; how many. What
/// else lies in it stays.
///
/// # Errors
/// As `seed`.
pub async fn restore(caller: &Caller, table: &Table) -> anyhow::Result<usize> {
    put_back(caller, table).await.with_context(|| format!("failed to put back the items of the table {}", table.name()))
}

async fn put_back(caller: &Caller, table: &Table) -> Result<usize, CallError> {
    make(caller, table).await?;
    let names = table.table["KeySchema"].as_array().into_iter().flatten();
    let names: Vec<&str> = names.filter_map(|part| part["AttributeName"].as_str()).collect();
    let mut restored = 0;
    for item in table.items.iter().map(typed) {
        let key: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), item[*name].clone())).collect();
        let get = json!({ "TableName": table.name(), "Key": key, "ConsistentRead": true });
        if ask(caller, "GetItem", get).await?["Item"] != item {
            ask(caller, "PutItem", json!({ "TableName": table.name(), "Item": item })).await?;
            restored += 1;
        }
    }
    Ok(restored)
}

async fn make(caller: &Caller, table: &Table) -> Result<(), CallError> {
    let name = table.name();
    unless(ask(caller, "CreateTable", table.table.clone()).await, "ResourceInUseException")?;
    let Some(attribute) = &table.time_to_live else { return Ok(()) };
    let now = ask(caller, "DescribeTimeToLive", json!({ "TableName": name })).await?;
    // Switched on once more it is an error.
    if now["TimeToLiveDescription"]["TimeToLiveStatus"] != "ENABLED" {
        let wanted = json!({ "AttributeName": attribute, "Enabled": true });
        ask(caller, "UpdateTimeToLive", json!({ "TableName": name, "TimeToLiveSpecification": wanted })).await?;
    }
    Ok(())
}

async fn ask(caller: &Caller, operation: &str, body: Value) -> Result<Value, CallError> {
    caller.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), &body).await
}

/// An item in the service's own form: every attribute is a text.
fn typed(item: &Map<String, Value>) -> Value {
    Value::Object(item.iter().map(|(name, text)| (name.clone(), json!({ "S": text }))).collect())
}

/// What is there already is well.
fn unless(answer: Result<Value, CallError>, there: &str) -> Result<(), CallError> {
    match answer {
        Err(error) if !error.is(there) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_for_its_environment_and_a_wrong_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(root.join("notes.md"), "no table").unwrap();
        fs::write(root.join("a.json"), r#"{ "table": { "TableName": "A_{environment}" } }"#).unwrap();
        let tables = read(root, "dev").unwrap();
        assert_eq!((tables.len(), tables[0].name()), (1, "A_dev"));
        for wrong in ["{", r#"{ "table": 1 }"#, r#"{ "table": {}, "itmes": [] }"#] {
            fs::write(root.join("b.json"), wrong).unwrap();
            let said = read(root, "dev").unwrap_err().to_string();
            assert!(said.contains("b.json describes no table"), "{said}");
        }
        assert!(read(&root.join("none"), "dev").unwrap_err().to_string().contains("none"));
    }
}
