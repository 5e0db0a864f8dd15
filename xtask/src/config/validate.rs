//! From what is written to what the rest may rely on. All problems are collected: one run shows them all.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::{
    config::{Config, FunctionConfig, Settings, aws, canary, layers, local, notifications, raw},
    model::{
        configuration::{Architecture, Configuration},
        gateway::Routes,
        manifest::{GateRules, Stop},
        names::{AliasName, EnvName, FleetName, FunctionName, NameError},
        version::Version,
    },
};

/// Validates a `release.toml`.
///
/// # Errors
/// Every problem found, in one sentence each.
pub fn release(raw: raw::Release) -> Result<Config, Vec<String>> {
    let mut problems = Vec::new();
    let mut names: Vec<EnvName> = Vec::new();
    for environment in &raw.environments {
        if names.contains(&environment.name) {
            problems.push(format!("environment `{}` is given twice: a release enters each once", environment.name));
        } else {
            names.push(environment.name.clone());
        }
    }
    if raw.schema != 1 {
        problems.push(schema(raw.schema));
    }
    if raw.functions.is_empty() {
        problems.push("`functions` is empty: a release needs at least one `[functions.<name>]`".to_owned());
    }
    path(&raw, &names, &mut problems);
    let given = &raw.profile.local;
    let template = |environment: &EnvName| {
        let own = given.environments.get(environment).and_then(|e| e.function_name.as_ref());
        (own.unwrap_or(&given.function_name).as_str(), String::new())
    };
    let fleet_names = fleet_names(&raw, &template, &mut problems);
    let aws = raw.profile.aws.as_ref().and_then(|aws| aws::validate(&raw, aws, &mut problems));
    let functions = raw.functions.iter().map(|(name, f)| (name.clone(), function(name, f, &names, &mut problems)));
    let functions: BTreeMap<_, _> = functions.collect();
    canary::check(&raw, &mut problems);
    notifications::check(&raw.notifications, &mut problems);
    layers::check(&raw, &names, &mut problems);
    local::check(&raw, &names, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Config {
        first_release: raw.first_release.unwrap_or(Version { major: 1, minor: 0, patch: 0 }),
        cargo_profile: raw.build.profile.unwrap_or_else(|| "function".to_owned()),
        target: raw.build.target,
        glibc: raw.build.glibc,
        functions,
        layers: raw.layers,
        alias: alias(given.alias.as_ref()).map_err(|problem| vec![problem])?,
        fleet_names,
        variables: local::variables(&given.variables, &names),
        emulator: local::emulator(&given.emulator, &names),
        on_lambda: false,
        notifications: raw.notifications,
        alarms: given.alarms.clone(),
        audit: local::each(given.audit.as_ref(), &names),
        routes: Routes::new(given.routes.clone()),
        contract: given.contract.as_ref().map(Into::into),
        seeds: given.seeds.iter().map(|(db, folder)| (db.clone(), folder.into())).collect(),
        aws,
        path: raw.environments.into_iter().map(stop).collect(),
    })
}

fn stop(raw: raw::Environment) -> Stop {
    Stop {
        environment: raw.name,
        safe_smoke_only: raw.safe_smoke_only,
        recovery: raw.recovery,
        gate: raw.gate,
        canary: raw.canary,
    }
}

/// The alias that a profile gives, or `live`.
pub(super) fn alias(given: Option<&AliasName>) -> Result<AliasName, String> {
    given.cloned().map_or_else(|| "live".parse().map_err(|error: NameError| error.to_string()), Ok)
}

fn path(raw: &raw::Release, names: &[EnvName], problems: &mut Vec<String>) {
    if names.is_empty() {
        problems.push("`environments` is empty: a release needs at least one `[[environments]]` to go to".to_owned());
    }
    for environment in &raw.environments {
        let name = &environment.name;
        gate(name, &environment.gate, problems);
        if environment.gate.break_glass.is_some() && environment.recovery {
            problems.push(format!(
                "gate of `{name}`: `break_glass` is for promotions, and `{name}` is fed by synchronisation"
            ));
        }
        if environment.gate.reviews.is_some() && environment.recovery {
            problems.push(format!(
                "gate of `{name}`: `reviews` are seen when a workflow promotes, and `{name}` is fed by synchronisation"
            ));
        } else if environment.gate.reviews.is_some()
            && environment.gate.approvals.is_empty()
            && environment.gate.break_glass.is_none()
        {
            problems.push(format!(
                "gate of `{name}`: `reviews` without `approvals`: there is nothing they could count for"
            ));
        }
    }
    if raw.environments.first().is_some_and(|first| first.recovery) {
        problems.push("the first environment cannot be `recovery`: there is nothing before it to follow".to_owned());
    }
    if raw.environments.first().is_some_and(|first| first.gate.soak.is_some()) {
        problems
            .push("the first environment cannot ask for a `soak`: there is nothing before it to soak in".to_owned());
    }
    let known = |(function, f): (&FunctionName, &raw::Function)| {
        let of = format!("functions.{function}.environments");
        f.environments.keys().map(|env| (of.clone(), env.clone())).collect::<Vec<_>>()
    };
    let overrides = raw.functions.iter().flat_map(known);
    let profile = raw.profile.local.environments.keys().map(|e| ("profile.local.environments".to_owned(), e.clone()));
    for (place, environment) in overrides.chain(profile) {
        if !names.contains(&environment) {
            problems.push(unknown_environment(&place, &environment, names.iter()));
        }
    }
}

fn gate(name: &EnvName, rules: &GateRules, problems: &mut Vec<String>) {
    let mut roles = BTreeSet::new();
    for rule in &rules.approvals {
        if rule.count == 0 {
            problems.push(format!("gate of `{name}`: role `{}` needs a count of at least 1", rule.role));
        }
        if !roles.insert(&rule.role) {
            problems.push(format!(
                "gate of `{name}`: role `{}` is given twice: write it once, with its `count`",
                rule.role
            ));
        }
    }
    if rules.reviews.as_ref().and_then(|rule| rule.environment.as_ref()).is_some_and(|name| name.trim().is_empty()) {
        problems
            .push(format!("gate of `{name}`: `reviews.environment` is empty: write GitHub's name, or leave it out"));
    }
    let mut kinds = BTreeSet::new();
    for rule in rules.evidence.iter().filter(|rule| !kinds.insert(&rule.kind)) {
        problems.push(format!("gate of `{name}`: evidence `{}` is given twice", rule.kind));
    }
}

/// Two environments that resolve to one function would overwrite each other. `template` gives an environment's template
/// and the place in which its names must differ from others'.
pub(super) fn fleet_names<'a>(
    raw: &raw::Release,
    template: &dyn Fn(&EnvName) -> (&'a str, String),
    problems: &mut Vec<String>,
) -> BTreeMap<(EnvName, FunctionName), FleetName> {
    let mut taken: BTreeMap<(String, FleetName), String> = BTreeMap::new();
    let mut resolved = BTreeMap::new();
    for environment in raw.environments.iter().map(|environment| &environment.name) {
        let (template, place) = template(environment);
        for function in raw.functions.keys() {
            let text = template.replace("{function}", function.as_str()).replace("{environment}", environment.as_str());
            let what = format!("{function} in {environment}");
            let key = (environment.clone(), function.clone());
            if resolved.contains_key(&key) {
                continue; // An environment that is given twice is told of elsewhere.
            }
            match text.parse::<FleetName>() {
                Err(error) => {
                    problems.push(format!("the template `{template}` gives a wrong name for {what}: {error}"))
                }
                Ok(name) => {
                    if let Some(other) = taken.insert((place.clone(), name.clone()), what.clone()) {
                        problems.push(format!(
                            "the template `{template}` gives `{name}` to both {other} and {what}: \
                             put `{{function}}` and `{{environment}}` into it"
                        ));
                    }
                    resolved.insert(key, name);
                }
            }
        }
    }
    resolved
}

fn function(
    name: &FunctionName,
    raw: &raw::Function,
    environments: &[EnvName],
    problems: &mut Vec<String>,
) -> FunctionConfig {
    let path = raw.path.clone().unwrap_or_else(|| format!("functions/{name}"));
    if !is_inside(&path) {
        problems.push(format!("`functions.{name}.path` is `{path}`: write a path under the project, without `..`"));
    }
    limits(&format!("functions.{name}.configuration"), &raw.configuration, problems);
    for (environment, own) in &raw.environments {
        limits(&format!("functions.{name}.environments.{environment}"), own, problems);
    }
    let none = raw::Settings::default();
    let merged = |env: &EnvName| merge(raw.environments.get(env).unwrap_or(&none), &raw.configuration);
    let settings = environments.iter().map(|env| (env.clone(), Settings(merged(env))));
    FunctionConfig { path: path.into(), settings: settings.collect(), libraries: raw.libraries.clone() }
}

/// Checked where they are written, so that each mistake is told once and where it stands.
fn limits(place: &str, settings: &raw::Settings, problems: &mut Vec<String>) {
    let numbers = [
        ("memory_mb", settings.memory_mb, 128, 10_240),
        ("timeout_s", settings.timeout_s, 1, 900),
        ("log_retention_days", settings.log_retention_days, 1, 3653),
    ];
    for (what, value, low, high) in numbers {
        if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
            problems.push(format!("`{place}.{what}` is {value}, Lambda allows {low} to {high}"));
        }
    }
    let layers = settings.layers.as_ref().map_or(0, Vec::len);
    if layers > 5 {
        problems.push(format!("`{place}.layers` has {layers} layers, Lambda allows 5"));
    }
}

fn merge(own: &raw::Settings, general: &raw::Settings) -> Configuration {
    Configuration {
        // Filled in by `Settings::on`, when the target is known.
        architecture: Architecture::X86_64,
        memory_mb: own.memory_mb.or(general.memory_mb).unwrap_or(128),
        timeout_s: own.timeout_s.or(general.timeout_s).unwrap_or(3),
        layers: own.layers.clone().or_else(|| general.layers.clone()).unwrap_or_default(),
        tracing: own.tracing.or(general.tracing).unwrap_or_default(),
        log_retention_days: own.log_retention_days.or(general.log_retention_days).unwrap_or(30),
    }
}

pub(super) fn is_inside(path: &str) -> bool {
    let path = Utf8Path::new(path);
    !path.as_str().is_empty() && path.components().all(|part| matches!(part, camino::Utf8Component::Normal(_)))
}

/// What to say of a form that this tool does not read.
pub(super) fn schema(given: u32) -> String {
    format!("`schema` is {given}, this tool reads 1: use the tool that the file was written for, or write it anew")
}

/// What to say of an environment that is none, with the nearest that is one, or all of them.
pub(super) fn unknown_environment<'a>(
    place: &str,
    unknown: &EnvName,
    known: impl Iterator<Item = &'a EnvName> + Clone,
) -> String {
    let hint = match nearest(unknown.as_str(), known.clone().map(EnvName::as_str)) {
        none if none.is_empty() => format!("; there are {}", known.map(EnvName::as_str).collect::<Vec<_>>().join(", ")),
        hint => hint,
    };
    format!("`{place}` names an unknown environment `{unknown}`{hint}")
}

/// `; did you mean …?` with the nearest of the valid names, or nothing if none is near.
#[must_use]
pub fn nearest<'a>(text: &str, valid: impl Iterator<Item = &'a str>) -> String {
    let close = valid.map(|v| (strsim::damerau_levenshtein(text, v), v)).min();
    match close {
        Some((distance, name)) if distance <= text.len().max(name.len()).div_ceil(2) => {
            format!("; did you mean `{name}`?")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gates(first: &str, second: &str) -> Result<Config, Vec<String>> {
        let text = format!(
            "schema = 1\nfunctions.f = {{}}\nprofile.local.function_name = '{{function}}-{{environment}}'\n\
             [[environments]]\nname = 'dev'\n{first}\n[[environments]]\nname = 'uat'\n{second}\n"
        );
        release(toml::from_str(&text).unwrap())
    }

    #[test]
    fn a_gate_asks_for_approvals_soak_and_evidence() {
        let rules = "gate = { approvals = [{ role = 'qa-lead', count = 1 }], soak = '90m', \
                     evidence = [{ kind = 'e2e', tests = true }, { kind = 'pentest' }] }";
        let gate = &gates("", rules).unwrap().path[1].gate;
        assert_eq!(gate.soak.unwrap().to_string(), "1h 30m");
        assert_eq!(gate.evidence.iter().map(|rule| rule.tests).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_gate_that_cannot_be_meant_is_refused() {
        let twice = "gate = { approvals = [{ role = 'a', count = 0 }, { role = 'a', count = 1 }], \
                     evidence = [{ kind = 'e2e' }, { kind = 'e2e', tests = true }] }";
        let problems = gates("gate.soak = '1h'", twice).unwrap_err();
        assert_eq!(
            problems,
            [
                "gate of `uat`: role `a` needs a count of at least 1",
                "gate of `uat`: role `a` is given twice: write it once, with its `count`",
                "gate of `uat`: evidence `e2e` is given twice",
                "the first environment cannot ask for a `soak`: there is nothing before it to soak in",
            ]
        );
    }
}
