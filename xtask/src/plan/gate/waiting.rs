//! The rules of the clock: emergency stop, freezes, soak time.

use jiff::SignedDuration;

use crate::{
    model::{soak::Soak, time::Time},
    plan::{
        freeze::{self, Active},
        gate::{Facts, Rule, fails, holds},
    },
};

pub(super) fn stop(facts: &Facts<'_>) -> Rule {
    match &facts.policy.stop {
        None => holds("stop", "there is no emergency stop"),
        Some(stop) => fails(
            "stop",
            format!("emergency stop by {} since {}: {}", stop.by, stop.since, stop.reason),
            "when the emergency is over, run `cargo xtask policy resume \"<reason>\"`",
        ),
    }
}

pub(super) fn freeze(facts: &Facts<'_>) -> Rule {
    let environment = &facts.today.environment;
    let freezes = facts.policy.people.as_ref().map(|people| people.freezes.as_slice()).unwrap_or_default();
    let active = freeze::active(freezes, environment, facts.now);
    if active.is_empty() {
        return holds("freeze", "there is no freeze now");
    }
    let each = active.iter().map(|active| {
        let Active { freeze, until } = active;
        let there = until.timestamp().to_zoned(freeze.zone.rules().clone()).strftime("%a %Y-%m-%d %H:%M").to_string();
        format!("`{}` freezes {environment} until {until} ({there} {})", freeze.name, freeze.zone)
    });
    let remedy = match freeze::open_from(freezes, environment, facts.now) {
        Some(open) => again(facts, open),
        None => "no end is in sight: change the freezes in people.toml and run `cargo xtask policy apply`".to_owned(),
    };
    fails("freeze", each.collect::<Vec<_>>().join("; "), remedy)
}

pub(super) fn soak(facts: &Facts<'_>, soak: Soak) -> Rule {
    let Some(before) = facts.manifest.stop_before(&facts.today.environment).map(|stop| &stop.environment) else {
        return holds("soak", "no environment is before it");
    };
    let Some(since) = facts.verified_before else {
        let found = format!("0s of {soak}: it is not verified in {before}");
        let remedy = format!(
            "run `cargo xtask promote --to {before} --release {}` and let it prove itself",
            facts.manifest.release
        );
        return fails("soak", found, remedy);
    };
    let until = since.after(soak.duration());
    if facts.now >= until {
        return holds("soak", format!("verified in {before} since {since}, for at least {soak}"));
    }
    // Rounded up: what remains is never said to be nothing.
    let seconds = until.since(facts.now).as_millis().div_ceil(1000);
    let left = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let found = format!("verified in {before} since {since}; {left:#} of {soak} remain, until {until}");
    fails("soak", found, again(facts, until))
}

/// What the clock refuses and a person may let pass: they are named by the rule of the glass.
pub(super) fn unless_broken(facts: &Facts<'_>, rule: Rule) -> Rule {
    if rule.holds || facts.break_glass.is_none() {
        return rule;
    }
    holds(&rule.rule, format!("overridden by break-glass: {}", rule.found))
}

/// Nobody may break the glass here.
pub(super) fn no_glass() -> Rule {
    fails(
        "break-glass",
        "the release, the policy and release.toml do not all name the role that may break the glass",
        NAME_ROLE,
    )
}

/// How a gate gets a role that may break its glass.
pub const NAME_ROLE: &str = "write `gate.break_glass = { role = \"…\" }` into release.toml, commit it, run `cargo xtask policy apply` \
                             and `cargo xtask release`: the next release has it";

fn again(facts: &Facts<'_>, from: Time) -> String {
    let (environment, release) = (&facts.today.environment, facts.manifest.release);
    let command = if facts.synchronised {
        format!("dr-sync --release {release}")
    } else {
        format!("promote --to {environment} --release {release}")
    };
    format!("wait until {from}, then run `cargo xtask {command}`")
}
