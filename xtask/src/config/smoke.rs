//! The smoke checks beside each function, resolved for each environment.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::{
    config::{Config, FunctionConfig, load, raw, validate},
    failure::Failure,
    model::{
        manifest::Stop,
        names::{EnvName, FunctionName},
        smoke::{Check, Expected},
    },
};

/// The checks of one function in every environment; where only safe ones may run, only those.
pub type Checks = BTreeMap<EnvName, Vec<Check>>;

/// The checks of all functions.
pub type AllChecks = BTreeMap<FunctionName, Checks>;

/// Reads every function's `smoke.toml`.
///
/// # Errors
/// Usage: a file is missing or wrong, or an environment is left without a check.
pub fn all(root: &Utf8Path, config: &Config) -> Result<AllChecks, Failure> {
    let one = |(name, function): (&FunctionName, &FunctionConfig)| {
        let path = root.join(&function.path).join("smoke.toml");
        if !path.is_file() {
            return Err(Failure::usage(format!(
                "there is no {path}: write down there what `{name}` must answer, no function is released unproven"
            )));
        }
        let raw: raw::Smoke = load::toml(&path)?;
        let checks = resolve(raw, &config.path)
            .map_err(|problems| Failure::usage(format!("{path} is not valid:\n  - {}", problems.join("\n  - "))))?;
        Ok((name.clone(), checks))
    };
    config.functions.iter().map(one).collect()
}

fn resolve(raw: raw::Smoke, path: &[Stop]) -> Result<Checks, Vec<String>> {
    let mut problems = Vec::new();
    if raw.schema != 1 {
        problems.push(validate::schema(raw.schema));
    }
    let own = raw.environments.values().flat_map(|e| &e.check);
    raw.check.iter().chain(own).for_each(|check| problems.extend(wrong(check)));
    for checks in std::iter::once(&raw.check).chain(raw.environments.values().map(|e| &e.check)) {
        let mut names = BTreeSet::new();
        let doubled = checks.iter().filter(|check| !names.insert(&check.name));
        problems.extend(
            doubled.map(|check| format!("check `{}` is given twice: each needs a name of its own", check.name)),
        );
    }
    for environment in raw.environments.keys() {
        if !path.iter().any(|stop| &stop.environment == environment) {
            let known = path.iter().map(|stop| &stop.environment);
            problems.push(validate::unknown_environment("environments", environment, known));
        }
    }
    let mut resolved = Checks::new();
    for stop in path {
        let mut checks = raw.check.clone();
        for check in raw.environments.get(&stop.environment).map(|e| e.check.as_slice()).unwrap_or_default() {
            match checks.iter_mut().find(|known| known.name == check.name) {
                Some(known) => *known = check.clone(),
                None => checks.push(check.clone()),
            }
        }
        checks.retain(|check| check.safe || !stop.safe_smoke_only);
        if checks.is_empty() {
            let kind = if stop.safe_smoke_only { "check declared `safe = true`" } else { "check" };
            problems.push(format!("there is no {kind} for {}: add one, no release enters unproven", stop.environment));
        }
        resolved.insert(stop.environment.clone(), checks);
    }
    if problems.is_empty() { Ok(resolved) } else { Err(problems) }
}

fn wrong(check: &Check) -> Vec<String> {
    let name = &check.name;
    let mut problems = Vec::new();
    let mut rule = |holds: bool, text: String| {
        if !holds {
            problems.push(format!("check `{name}`: {text}"));
        }
    };
    rule(!name.trim().is_empty(), "it needs a name".to_owned());
    rule(check.request.path.starts_with('/'), "`request.path` must start with `/`".to_owned());
    rule(
        (100..600).contains(&check.expect.status),
        format!("`expect.status` is {}, HTTP has 100 to 599", check.expect.status),
    );
    rule(check.expect.within_ms != Some(0), "`expect.within_ms` must be at least 1".to_owned());
    for (pointer, expected) in &check.expect.json {
        rule(
            pointer.is_empty() || pointer.starts_with('/'),
            format!("`expect.json`: write `/{pointer}` instead of `{pointer}`"),
        );
        if let Expected::Decimal { number } = expected {
            let digits = serde_json::from_str::<serde_json::Number>(number).is_ok();
            rule(digits, format!("`{pointer}`: `{number}` is no number, write digits as in `99.90`"));
        }
    }
    problems
}
