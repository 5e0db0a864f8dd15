//! What an infrastructure team sets up in AWS before anything can be released there, for an emulator: keys, roles, tables,
//! and functions with their variables. All of it may be set up again at any time; what is there stays. The vault's buckets
//! are not made here: `vault apply` does that, on the emulator as in AWS.

mod functions;
pub mod tables;

use std::{collections::BTreeMap, fmt::Write as _};

use camino::Utf8Path;
use serde::Serialize;
use serde_json::{Value, json};

use self::functions::Function;
use super::wire::{CallError, Caller};
use crate::{config::Config, model::manifest::Stop};

/// The account that the emulator's root belongs to.
pub const ACCOUNT: &str = "000000000000";

/// The region of the environments, and the second one.
pub const REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];

/// What was set up.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Estate {
    /// The vault's buckets.
    pub buckets: Vec<String>,
    /// The keys, by whose they are.
    pub keys: BTreeMap<String, String>,
    /// The roles.
    pub roles: Vec<String>,
    /// The tables, each with its region.
    pub tables: Vec<String>,
    /// The functions, each with its region.
    pub functions: Vec<String>,
}

/// The region of an environment.
#[must_use]
pub fn region(stop: &Stop) -> &'static str {
    let [first, second] = REGIONS;
    if stop.recovery { second } else { first }
}

/// Makes a key and a role for everybody who writes, and gives the `[profile.aws]` that names them. What belongs to it begins
/// with `prefix`.
///
/// # Errors
/// The emulator refused something, or does not answer.
pub async fn profile(caller: &Caller, prefix: &str, config: &Config, estate: &mut Estate) -> Result<String, CallError> {
    let [first, second] = REGIONS;
    estate.buckets = REGIONS.map(|region| format!("{prefix}-vault-{region}")).to_vec();
    let mut text = format!(
        "# What `cargo xtask local up` has set up in MiniStack; it writes this file anew each time.\n\
         [profile.aws]\nfunction_name = \"{{function}}-{{environment}}\"\nendpoint = \"{}\"\n\
         control_plane_per_second = 15\ngithub = {{ repository = \"example/prices\" }}\n\n[profile.aws.vault]\nretention_years = 7\n",
        caller.endpoint()
    );
    for (key, actor) in [("administrator", "vault-administrator"), ("auditor", "auditor")] {
        line(&mut text, format_args!("{key} = \"{}\"", role(caller, prefix, actor, estate).await?));
    }
    for (side, region, bucket) in [("primary", first, 0), ("recovery", second, 1)] {
        let bucket = &estate.buckets[bucket];
        line(
            &mut text,
            format_args!("{side} = {{ bucket = \"{bucket}\", region = \"{region}\", account = \"{ACCOUNT}\" }}"),
        );
    }
    text.push_str("\n[profile.aws.writers]\n");
    for writer in ["releaser", "policy-administrator", "evidence"] {
        let key = key(caller, prefix, writer, "ECC_NIST_P256", "SIGN_VERIFY", estate).await?;
        let role = role(caller, prefix, writer, estate).await?;
        line(&mut text, format_args!("{writer} = {{ key = \"{key}\", role = \"{role}\" }}"));
    }
    line(&mut text, format_args!("approver = {{ role = \"{}\" }}", role(caller, prefix, "approver", estate).await?));
    let function = role(caller, prefix, "function", estate).await?;
    for stop in &config.path {
        let (name, region) = (&stop.environment, region(stop));
        let there = caller.within(region);
        let deployer = format!("deployer-{name}");
        let key_of = key(&there, prefix, &deployer, "ECC_NIST_P256", "SIGN_VERIFY", estate).await?;
        let variables = format!("variables-{name}");
        let variables = key(&there, prefix, &variables, "HMAC_256", "GENERATE_VERIFY_MAC", estate).await?;
        let role = role(caller, prefix, &deployer, estate).await?;
        line(
            &mut text,
            format_args!("\n[profile.aws.environments.{name}]\nregion = \"{region}\"\naccount = \"{ACCOUNT}\""),
        );
        line(&mut text, format_args!("role = \"{role}\"\nkey = \"{key_of}\"\nvariables_key = \"{variables}\""));
        line(&mut text, format_args!("create = {{ role = \"{function}\" }}"));
        if let Some(table) = config.emulator.audit_tables.get(name) {
            line(&mut text, format_args!("audit = {{ table = \"{table}\" }}"));
        }
    }
    Ok(text)
}

/// Writing to a string cannot fail.
fn line(text: &mut String, more: std::fmt::Arguments<'_>) {
    writeln!(text, "{more}").unwrap_or_default();
}

/// A key's ARN; it is found again by its alias.
async fn key(
    caller: &Caller,
    prefix: &str,
    whose: &str,
    spec: &str,
    usage: &str,
    estate: &mut Estate,
) -> Result<String, CallError> {
    let alias = format!("alias/{prefix}-{whose}");
    let arn = |told: &Value| told["KeyMetadata"]["Arn"].as_str().unwrap_or_default().to_owned();
    let found = caller.json("kms", "TrentService.DescribeKey", &json!({ "KeyId": alias })).await;
    let arn = match found {
        Ok(found) => arn(&found),
        Err(error) if error.is("NotFoundException") => {
            let made = json!({ "KeySpec": spec, "KeyUsage": usage });
            let made = arn(&caller.json("kms", "TrentService.CreateKey", &made).await?);
            let named = json!({ "AliasName": alias, "TargetKeyId": made });
            caller.json("kms", "TrentService.CreateAlias", &named).await?;
            made
        }
        Err(error) => return Err(error),
    };
    estate.keys.insert(whose.to_owned(), arn.clone());
    Ok(arn)
}

/// A role's ARN. Everybody may take it: the emulator of a laptop asks nobody who they are.
async fn role(caller: &Caller, prefix: &str, actor: &str, estate: &mut Estate) -> Result<String, CallError> {
    let name = format!("{prefix}-{actor}");
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": { "AWS": "*" },
        "Action": "sts:AssumeRole" }] });
    let fields = [("Version", "2010-05-08"), ("RoleName", &name), ("AssumeRolePolicyDocument", &trust.to_string())];
    match caller.form("iam", "CreateRole", &fields).await {
        Err(error) if !error.is("EntityAlreadyExists") => return Err(error),
        _ => {}
    }
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    estate.roles.push(arn.clone());
    Ok(arn)
}

/// Sets up every environment's tables and functions, as `[profile.local.emulator]` describes them.
///
/// # Errors
/// Usage: a table's file is wrong. Else the emulator refused something, or does not answer.
pub async fn stores(caller: &Caller, root: &Utf8Path, config: &Config, estate: &mut Estate) -> anyhow::Result<()> {
    let role = estate.roles.iter().find(|role| role.ends_with("-function")).cloned().unwrap_or_default();
    for stop in &config.path {
        let (name, region) = (&stop.environment, region(stop));
        let there = caller.within(region);
        let folder = config.emulator.tables.as_ref().map(|folder| root.join(folder));
        for table in folder.map(|folder| tables::read(&folder, name.as_str())).transpose()?.unwrap_or_default() {
            tables::seed(&there, &table).await?;
            estate.tables.push(format!("{region}/{}", table.name()));
        }
        let variables = config.emulator.variables.get(name).cloned().unwrap_or_default();
        for function in config.functions.keys() {
            let name = config.fleet_name(name, function)?.to_string();
            let function = Function { name, role: role.clone(), variables: variables.clone() };
            functions::seed(&there, &function).await?;
            estate.functions.push(format!("{region}/{}", function.name));
        }
    }
    Ok(())
}
