//! `[profile.local]`: what is wrong with it, and what its templates make of each environment.

use std::collections::BTreeMap;

use crate::{
    config::{
        Emulator, raw,
        validate::{is_inside, nearest},
    },
    model::names::{EnvName, FunctionName},
};

/// Adds every problem, in one sentence each.
pub(super) fn check(raw: &raw::Release, names: &[EnvName], problems: &mut Vec<String>) {
    let local = &raw.profile.local;
    for (database, folder) in &local.seeds {
        for relative in [database, folder] {
            if !is_inside(relative) {
                problems.push(format!("`profile.local.seeds` has `{relative}`: write a relative path, without `..`"));
            }
        }
    }
    let paths = [("audit", &local.audit), ("contract", &local.contract), ("emulator.tables", &local.emulator.tables)];
    for (key, _) in paths.into_iter().filter(|(_, path)| path.as_ref().is_some_and(|path| !is_inside(path))) {
        problems.push(format!("`profile.local.{key}` must be a relative path, without `..`"));
    }
    let given = [("variables", &local.variables), ("emulator.variables", &local.emulator.variables)];
    for (environment, (place, given)) in names.iter().flat_map(|name| given.map(|given| (name, given))) {
        let size: usize = filled(given, environment).iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > 4096 {
            problems.push(format!("`profile.local.{place}` take {size} bytes in {environment}, Lambda allows 4096"));
        }
    }
    for (route, function) in local.routes.iter().filter(|(_, function)| !raw.functions.contains_key(*function)) {
        let hint = nearest(function.as_str(), raw.functions.keys().map(FunctionName::as_str));
        problems.push(format!("`profile.local.routes` sends `{route}` to an unknown function `{function}`{hint}"));
    }
}

/// What functions find in an emulator.
pub(super) fn emulator(raw: &raw::Emulator, names: &[EnvName]) -> Emulator {
    Emulator {
        tables: raw.tables.as_ref().map(Into::into),
        audit_tables: each(raw.audit_table.as_ref(), names),
        variables: variables(&raw.variables, names),
    }
}

/// The variables of each environment.
pub(super) fn variables(
    given: &BTreeMap<String, String>,
    names: &[EnvName],
) -> BTreeMap<EnvName, BTreeMap<String, String>> {
    names.iter().map(|name| (name.clone(), filled(given, name))).collect()
}

/// What a template makes of each environment's name.
pub(super) fn each(template: Option<&String>, names: &[EnvName]) -> BTreeMap<EnvName, String> {
    let filled = |template: &String| {
        let one = |name: &EnvName| (name.clone(), template.replace("{environment}", name.as_str()));
        names.iter().map(one).collect()
    };
    template.map(filled).unwrap_or_default()
}

fn filled(given: &BTreeMap<String, String>, environment: &EnvName) -> BTreeMap<String, String> {
    let fill = |(name, value): (&String, &String)| (name.clone(), value.replace("{environment}", environment.as_str()));
    given.iter().map(fill).collect()
}
