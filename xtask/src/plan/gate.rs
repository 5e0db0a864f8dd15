//! The gate: what must hold before a release may enter an environment. Every rule is judged and explained, so that
//! the plan, the status and the refusal say the same.

use serde::{Deserialize, Serialize};

use crate::model::{
    manifest::{GateRules, Manifest, Stop},
    names::EnvName,
    time::Time,
    version::Version,
};

/// What is known when the gate is judged.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The release's seal, with the rules frozen into it.
    pub manifest: &'a Manifest,
    /// Today's rules of that environment.
    pub today: &'a Stop,
    /// Where the release died, if it did.
    pub death: Option<&'a Death>,
    /// Whether it is verified in the environment before; `None` where there is none before.
    pub verified_before: Option<bool>,
    /// What is live in the environment.
    pub live: Option<Version>,
}

/// A death.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Death {
    /// Where.
    pub environment: EnvName,
    /// When.
    pub time: Time,
    /// Why, in one line.
    pub finding: String,
    /// Who ran the command that found it.
    pub actor: String,
}

/// The gate's judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The environment.
    pub environment: EnvName,
    /// Every rule and whether it holds.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The rule's name.
    pub rule: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found.
    pub found: String,
    /// What would satisfy it, if it does not hold.
    pub remedy: Option<String>,
}

impl Gate {
    /// Whether every rule holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.rules.iter().all(|rule| rule.holds)
    }

    /// Every rule that does not hold, a line each with what would satisfy it.
    #[must_use]
    pub fn refusals(&self) -> String {
        let lines = self.rules.iter().filter(|rule| !rule.holds).map(|rule| {
            let remedy = rule.remedy.as_ref().map(|text| format!("; {text}")).unwrap_or_default();
            format!("  - {}: {}{remedy}", rule.rule, rule.found)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Judges the gate of one environment for one release.
#[must_use]
pub fn judge(facts: &Facts<'_>) -> Gate {
    let mut rules = vec![alive(facts), order(facts), forward(facts)];
    rules.extend(path(facts));
    rules.extend(approvals(facts));
    Gate { environment: facts.today.environment.clone(), rules }
}

/// Whether a gate needs a person, by the stricter of the frozen rules and today's.
#[must_use]
pub fn needs_person(manifest: &Manifest, today: &Stop) -> bool {
    let frozen = manifest.stop(&today.environment);
    !today.gate.approvals.is_empty() || frozen.is_some_and(|stop| !stop.gate.approvals.is_empty())
}

fn alive(facts: &Facts<'_>) -> Rule {
    match facts.death {
        None => holds("alive", "the release is not dead"),
        Some(death) => fails(
            "alive",
            format!("it died in {} at {}: {}", death.environment, death.time, death.finding),
            "dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it".to_owned(),
        ),
    }
}

fn order(facts: &Facts<'_>) -> Rule {
    let release = facts.manifest.release;
    // The frozen path decides: a release cannot be taken round an environment by editing release.toml.
    let before = facts.manifest.stop_before(&facts.today.environment).map(|stop| &stop.environment);
    match (before, facts.verified_before) {
        (None, _) => holds("order", "it is the first environment"),
        (Some(before), Some(true)) => holds("order", format!("verified in {before}")),
        (Some(before), _) => fails(
            "order",
            format!("it is not verified in {before}"),
            format!("run `cargo xtask promote --to {before} --release {release}`"),
        ),
    }
}

fn forward(facts: &Facts<'_>) -> Rule {
    let release = facts.manifest.release;
    match facts.live {
        Some(live) if live > release => fails(
            "forward",
            format!("{live} is live in {}, which is newer", facts.today.environment),
            format!("to go back, run `cargo xtask rollback --env {}`", facts.today.environment),
        ),
        Some(live) => holds("forward", format!("{live} is live")),
        None => holds("forward", "nothing is live yet"),
    }
}

fn path(facts: &Facts<'_>) -> Option<Rule> {
    let environment = &facts.today.environment;
    if facts.manifest.stop(environment).is_none() {
        return Some(fails(
            "path",
            format!("{environment} is not on the promotion path that the release froze"),
            "commit the new path and run `cargo xtask release`: the next release has it".to_owned(),
        ));
    }
    facts.today.recovery.then(|| {
        let found = format!("{environment} is the second region: it is fed by synchronisation, not by promotion");
        fails("path", found, "promote to the environment before it".to_owned())
    })
}

/// Roles of both rule sets; where both name one, the higher count.
fn approvals(facts: &Facts<'_>) -> Vec<Rule> {
    let none = GateRules::default();
    let frozen = facts.manifest.stop(&facts.today.environment).map_or(&none, |stop| &stop.gate);
    let mut needed: Vec<(&str, u32)> = Vec::new();
    for rule in frozen.approvals.iter().chain(&facts.today.gate.approvals) {
        match needed.iter_mut().find(|(role, _)| *role == rule.role) {
            Some((_, count)) => *count = (*count).max(rule.count),
            None => needed.push((&rule.role, rule.count)),
        }
    }
    let refuse = |(role, count): (&str, u32)| {
        fails(
            "approval",
            format!("0 of {count} by {role}"),
            format!("{count} with the role {role} must approve {} for this environment", facts.manifest.release),
        )
    };
    needed.into_iter().map(refuse).collect()
}

fn holds(rule: &str, found: impl Into<String>) -> Rule {
    Rule { rule: rule.to_owned(), holds: true, found: found.into(), remedy: None }
}

fn fails(rule: &str, found: String, remedy: String) -> Rule {
    Rule { rule: rule.to_owned(), holds: false, found, remedy: Some(remedy) }
}
