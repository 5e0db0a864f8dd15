//! Decides about canaries: whether a shift is one, where an alias points in a step, and after each look at the world
//! whether to wait, to go on or to go back.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    model::{
        canary::{CanaryRules, CanaryStep},
        environment::AliasMove,
        names::{AlarmName, FunctionName},
    },
    plan::promotion::{Action, FunctionPlan},
    ports::fleet::{AliasTarget, FleetVersion},
};

/// How often a step is looked at. CloudWatch tells by the minute.
const LOOK: Duration = Duration::from_secs(15);

/// What a look at the world during a step brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How long the step has lasted.
    pub elapsed: Duration,
    /// How many requests each function's new version got since the step began; `None` if nobody could tell.
    pub requests: BTreeMap<FunctionName, Option<u64>>,
    /// Every alarm of the rules.
    pub alarms: BTreeMap<AlarmName, Signal>,
}

/// What an alarm says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// All is well.
    Clear,
    /// It is raised, and why.
    Raised(String),
    /// It has no data yet, or cannot be asked, and why.
    Silent(String),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Look again later; the text says what it waits for.
    Wait(String),
    /// The step is over, and went well.
    Next,
    /// The release is bad, and why: back, and dead.
    Finding(String),
    /// The release could not be proven, and why: back, but not dead.
    Unproven(String),
}

/// Decides about a step under way. An alarm is heard at once; that all is well is believed only when the bake time is
/// over, every new version got its requests and every alarm says so. What is missing then is waited for, but not forever.
#[must_use]
pub fn judge(rules: &CanaryRules, step: CanaryStep, seen: &Seen) -> Decision {
    if let Some(finding) = raised(seen) {
        return Decision::Finding(format!("at {}% of the calls: {finding}", step.weight));
    }
    let left = step.bake.duration().saturating_sub(seen.elapsed);
    let missing = missing(rules, seen);
    if left.is_zero() && missing.is_empty() {
        return Decision::Next;
    }
    if seen.elapsed >= rules.longest(step) {
        let (weight, waited) = (step.weight, rules.wait_at_most);
        let text = format!("at {weight}% of the calls, {waited} after the bake time: {}", missing.join("; "));
        return Decision::Unproven(text);
    }
    let baking = (!left.is_zero()).then(|| format!("bake time left: {}", whole(left)));
    Decision::Wait(baking.into_iter().chain(missing).collect::<Vec<_>>().join("; "))
}

/// The first alarm that is raised.
#[must_use]
pub fn raised(seen: &Seen) -> Option<String> {
    seen.alarms.iter().find_map(|(alarm, signal)| match signal {
        Signal::Raised(why) => Some(format!("alarm `{alarm}` is raised: {why}")),
        Signal::Clear | Signal::Silent(_) => None,
    })
}

/// What keeps a step whose bake time is over from being over.
fn missing(rules: &CanaryRules, seen: &Seen) -> Vec<String> {
    let least = rules.min_requests;
    let requests = seen.requests.iter().filter_map(|(function, requests)| match requests {
        Some(got) if *got >= least => None,
        Some(got) => Some(format!("{function} got {got} of {least} requests")),
        None if least == 0 => None,
        None => Some(format!("the requests of {function} cannot be counted")),
    });
    let alarms = seen.alarms.iter().filter_map(|(alarm, signal)| match signal {
        Signal::Silent(why) => Some(format!("alarm `{alarm}` does not tell: {why}")),
        Signal::Clear | Signal::Raised(_) => None,
    });
    requests.chain(alarms).collect()
}

/// In whole seconds, as people write it.
fn whole(wait: Duration) -> String {
    let seconds = i64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
    format!("{:#}", jiff::SignedDuration::from_secs(seconds))
}

/// The canary that a shift follows: none without rules, in a rollback, or where no function is live yet whose calls could
/// be shared.
#[must_use]
pub fn of_shift(rules: Option<&CanaryRules>, rollback: bool, moves: &[AliasMove]) -> Option<CanaryRules> {
    let shared = moves.iter().any(|step| both(step).is_some());
    rules.filter(|_| shared && !rollback).cloned()
}

/// The canary that a promotion would follow, as far as it can be told before anything is staged.
#[must_use]
pub fn of_plan(rules: Option<&CanaryRules>, functions: &[FunctionPlan]) -> Option<CanaryRules> {
    let shared = functions.iter().any(|function| function.live.is_some() && function.action != Action::Keep);
    rules.filter(|_| shared).cloned()
}

/// How long to wait before the next look: not past the moment at which the step may be over.
#[must_use]
pub fn pause(rules: &CanaryRules, step: CanaryStep, elapsed: Duration) -> Duration {
    let ends = [step.bake.duration(), rules.longest(step)].map(|end| end.saturating_sub(elapsed));
    ends.into_iter().filter(|left| !left.is_zero()).min().map_or(LOOK, |left| left.min(LOOK))
}

/// The version that a move leaves and the one that it goes to, where their calls can be shared: a function that is not
/// live yet has nobody to share with.
#[must_use]
pub fn both(step: &AliasMove) -> Option<(FleetVersion, FleetVersion)> {
    step.from.zip(step.to).filter(|(from, to)| from != to)
}

/// Where an alias points while the new version gets this share of its calls; `None` if there is nothing to share.
#[must_use]
pub fn target(step: &AliasMove, weight: u8, description: String) -> Option<AliasTarget> {
    let (version, new) = both(step)?;
    Some(AliasTarget { version, canary: Some((new, u16::from(weight) * 10)), description })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: &str = r#"{ "weight": 10, "bake": "5m" }"#;

    fn rules() -> CanaryRules {
        let text = format!(r#"{{ "steps": [{STEP}], "min_requests": 50, "alarms": ["errors", "slow"] }}"#);
        serde_json::from_str(&text).unwrap()
    }

    fn silent() -> Signal {
        Signal::Silent("no data".to_owned())
    }

    fn decided(minutes: u64, requests: [Option<u64>; 2], alarms: [Signal; 2]) -> Decision {
        let names = |names: [&str; 2]| names.map(str::to_owned);
        let requests = names(["a", "b"]).map(|name| name.parse().unwrap()).into_iter().zip(requests).collect();
        let alarms = names(["errors", "slow"]).map(|name| name.parse().unwrap()).into_iter().zip(alarms).collect();
        let seen = Seen { elapsed: Duration::from_secs(minutes * 60), requests, alarms };
        judge(&rules(), serde_json::from_str(STEP).unwrap(), &seen)
    }

    #[test]
    fn the_table() {
        use Decision::{Finding, Next, Unproven, Wait};
        use Signal::Clear;
        let text = str::to_owned;
        let raised = || Signal::Raised("5 of 9 failed".to_owned());
        let (many, few) = ([Some(50), Some(70)], [Some(49), Some(70)]);
        let dies = || Finding(text("at 10% of the calls: alarm `slow` is raised: 5 of 9 failed"));
        let is_few = "a got 49 of 50 requests";
        let is_silent = "alarm `errors` does not tell: no data";
        for (minutes, requests, alarms, expected) in [
            // Nothing is believed before the bake time is over.
            (0, many, [Clear, Clear], Wait(text("bake time left: 5m"))),
            (4, few, [silent(), Clear], Wait(format!("bake time left: 1m; {is_few}; {is_silent}"))),
            (5, many, [Clear, Clear], Next),
            (64, many, [Clear, Clear], Next),
            (500, many, [Clear, Clear], Next),
            // What is missing is waited for, for an hour.
            (5, few, [Clear, Clear], Wait(text(is_few))),
            (64, few, [silent(), Clear], Wait(format!("{is_few}; {is_silent}"))),
            (64, [Some(50), None], [Clear, Clear], Wait(text("the requests of b cannot be counted"))),
            (65, few, [Clear, Clear], Unproven(format!("at 10% of the calls, 1h after the bake time: {is_few}"))),
            (
                65,
                many,
                [silent(), Clear],
                Unproven(format!("at 10% of the calls, 1h after the bake time: {is_silent}")),
            ),
            // An alarm is heard at once, and as long as anybody listens.
            (0, [Some(0), Some(0)], [Clear, raised()], dies()),
            (5, many, [silent(), raised()], dies()),
            (65, few, [Clear, raised()], dies()),
        ] {
            assert_eq!(decided(minutes, requests, alarms.clone()), expected, "{minutes} min, {requests:?}, {alarms:?}");
        }
    }

    #[test]
    fn a_step_is_looked_at_when_it_may_be_over() {
        let (rules, step) = (rules(), serde_json::from_str(STEP).unwrap());
        let pause = |seconds| super::pause(&rules, step, Duration::from_secs(seconds)).as_secs();
        assert_eq!([pause(0), pause(290), pause(300), pause(3890), pause(3900)], [15, 10, 15, 10, 15]);
    }

    #[test]
    fn without_a_minimum_nobody_counts() {
        let rules = CanaryRules { min_requests: 0, alarms: Vec::new(), ..rules() };
        let requests = BTreeMap::from([("a".parse().unwrap(), None)]);
        let seen = Seen { elapsed: Duration::from_secs(300), requests, alarms: BTreeMap::new() };
        assert_eq!(judge(&rules, rules.steps[0], &seen), Decision::Next);
    }

    #[test]
    fn only_what_is_live_can_share_its_calls() {
        let step = |from: Option<u64>, to: Option<u64>| AliasMove {
            function: "a".parse().unwrap(),
            name: "a-dev".parse().unwrap(),
            alias: "live".parse().unwrap(),
            from: from.map(FleetVersion),
            to: to.map(FleetVersion),
        };
        let (first, update, same) = (step(None, Some(1)), step(Some(1), Some(2)), step(Some(2), Some(2)));
        let rules = rules();
        assert_eq!(of_shift(Some(&rules), false, &[first.clone(), update.clone()]), Some(rules.clone()));
        assert_eq!(of_shift(Some(&rules), false, &[first.clone(), same.clone()]), None);
        assert_eq!(of_shift(Some(&rules), true, std::slice::from_ref(&update)), None);
        assert_eq!(of_shift(None, false, std::slice::from_ref(&update)), None);
        let shared = target(&update, 25, String::new()).unwrap();
        assert_eq!((shared.version, shared.canary), (FleetVersion(1), Some((FleetVersion(2), 250))));
        assert_eq!(target(&first, 25, String::new()), None);
        assert_eq!(target(&same, 25, String::new()), None);
    }
}
