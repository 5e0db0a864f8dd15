//! What a canary and the alarms that it listens to must be.

use std::collections::BTreeSet;

use crate::{
    config::{raw, validate::nearest},
    model::{
        canary::CanaryRules,
        names::{AlarmName, EnvName},
    },
};

/// Finds every problem of the canaries and of the alarms of this machine.
pub(super) fn check(raw: &raw::Release, problems: &mut Vec<String>) {
    let defined = &raw.profile.local.alarms;
    for environment in &raw.environments {
        if let Some(rules) = &environment.canary {
            steps(&environment.name, rules, problems);
            alarms(&environment.name, rules, || defined.keys(), problems);
        }
    }
    for (alarm, own) in defined {
        if own.errors_percent.is_some_and(|percent| !(1..=100).contains(&percent)) {
            problems.push(format!("`profile.local.alarms.{alarm}.errors_percent` is not within 1 to 100"));
        }
        if own.period.is_some() && own.errors_percent.is_none() {
            problems.push(format!(
                "`profile.local.alarms.{alarm}.period` means nothing without `errors_percent`: add it, or leave both out"
            ));
        }
    }
}

fn steps(name: &EnvName, rules: &CanaryRules, problems: &mut Vec<String>) {
    if rules.steps.is_empty() {
        problems.push(format!("canary of `{name}`: `steps` is empty: give one, or leave the canary out"));
    }
    for step in rules.steps.iter().filter(|step| !(1..=99).contains(&step.weight)) {
        let weight = step.weight;
        problems.push(format!(
            "canary of `{name}`: a weight of {weight} is not within 1 to 99: after the last step the release gets all calls"
        ));
    }
    for (before, after) in rules.steps.iter().zip(rules.steps.iter().skip(1)) {
        if before.weight >= after.weight {
            let (before, after) = (before.weight, after.weight);
            problems.push(format!("canary of `{name}`: weights must grow, and {after} follows {before}"));
        }
    }
}

fn alarms<'a, I>(name: &EnvName, rules: &CanaryRules, defined: impl Fn() -> I, problems: &mut Vec<String>)
where
    I: Iterator<Item = &'a AlarmName>,
{
    let mut seen = BTreeSet::new();
    for alarm in &rules.alarms {
        if !seen.insert(alarm) {
            problems.push(format!("canary of `{name}`: alarm `{alarm}` is given twice"));
        }
        if !defined().any(|known| known == alarm) {
            let hint = nearest(alarm.as_str(), defined().map(AlarmName::as_str));
            let remedy = "define it under `profile.local.alarms`";
            problems.push(format!("canary of `{name}`: there is no alarm `{alarm}`: {remedy}{hint}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, validate};

    fn config(canary: &str, alarms: &str) -> Result<Config, Vec<String>> {
        let text = format!(
            "schema = 1\nfunctions.f = {{}}\nprofile.local.function_name = '{{function}}-{{environment}}'\n{alarms}\n\
             [[environments]]\nname = 'dev'\n[[environments]]\nname = 'prod'\ncanary = {canary}\n"
        );
        validate::release(toml::from_str(&text).unwrap_or_else(|error| panic!("{error}")))
    }

    #[test]
    fn a_canary_has_steps_and_listens_to_alarms() {
        let steps = "steps = [{ weight = 10, bake = '5m' }, { weight = 50, bake = '10m' }]";
        let alarms =
            "profile.local.alarms.errors = { errors_percent = 5, period = '2m' }\nprofile.local.alarms.pager = {}";
        let all = format!("{{ {steps}, min_requests = 50, wait_at_most = '30m', alarms = ['errors', 'pager'] }}");
        let config = config(&all, alarms).unwrap();
        assert!(config.path[0].canary.is_none());
        let canary = config.path[1].canary.as_ref().unwrap();
        assert_eq!(canary.to_string(), "10% for 5m, 50% for 10m, then all");
        assert_eq!((canary.min_requests, canary.wait_at_most.to_string().as_str()), (50, "30m"));
    }

    #[test]
    fn a_canary_that_cannot_be_meant_is_refused() {
        let steps = "{ weight = 0, bake = '5m' }, { weight = 50, bake = '5m' }, { weight = 50, bake = '5m' }, \
                     { weight = 100, bake = '5m' }";
        let canary = format!("{{ steps = [{steps}], alarms = ['errers', 'errers'] }}");
        let alarms = "profile.local.alarms.errors = { errors_percent = 0 }\nprofile.local.alarms.pager.period = '5m'";
        let all = "after the last step the release gets all calls";
        let unknown = "canary of `prod`: there is no alarm `errers`: define it under `profile.local.alarms`; did you mean `errors`?";
        assert_eq!(
            config(&canary, alarms).unwrap_err(),
            [
                &format!("canary of `prod`: a weight of 0 is not within 1 to 99: {all}"),
                &format!("canary of `prod`: a weight of 100 is not within 1 to 99: {all}"),
                "canary of `prod`: weights must grow, and 50 follows 50",
                unknown,
                "canary of `prod`: alarm `errers` is given twice",
                unknown,
                "`profile.local.alarms.errors.errors_percent` is not within 1 to 100",
                "`profile.local.alarms.pager.period` means nothing without `errors_percent`: add it, or leave both out",
            ]
        );
        let none = config("{ steps = [] }", "").unwrap_err();
        assert_eq!(none, ["canary of `prod`: `steps` is empty: give one, or leave the canary out"]);
    }
}
