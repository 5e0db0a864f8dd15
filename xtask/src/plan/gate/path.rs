//! The rules of the way: not dead, in order, forward, on the path.

use crate::{
    model::approval::ApprovalEvent,
    plan::gate::{Facts, Rule, Signed, counting, fails, holds, rules},
};

const DEAD: &str = "dead stays dead; commit a fix and run `cargo xtask release`: the next version carries it";

/// Dead releases stay out. A rejection refuses from the moment it is signed, recorded as a death or not.
pub(super) fn alive(facts: &Facts<'_>) -> Rule {
    if let Some(death) = facts.death {
        let found = format!("it died in {} at {}: {}", death.environment, death.time, death.finding);
        return fails("alive", found, DEAD);
    }
    let mut found = "the release is not dead".to_owned();
    for signed in facts.approvals {
        let ApprovalEvent::Rejected { statement } = &signed.entry.event else { continue };
        match rejection(facts, signed) {
            Ok(why) => return fails("alive", why, DEAD),
            Err(why) => {
                let name = counting::name(facts, &statement.person);
                found.push_str(&format!("; the rejection by {name} does not count: {why}"));
            }
        }
    }
    holds("alive", found)
}

/// What a rejection that counts says, in one line.
///
/// # Errors
/// Why it does not count.
pub fn rejection(facts: &Facts<'_>, signed: &Signed) -> Result<String, String> {
    counting::sound(facts, signed)?;
    let statement = signed.entry.event.statement();
    let demands = rules(facts.manifest, facts.today, facts.policy).approvals;
    if demands.iter().all(|demand| demand.role != statement.role) {
        return Err(format!("the gate of {} does not ask for the role {}", statement.environment, statement.role));
    }
    let (environment, role, time) = (&statement.environment, &statement.role, signed.entry.time);
    let comment = statement.comment.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    Ok(format!(
        "rejected for {environment} by {} as {role} at {time}{comment}",
        counting::name(facts, &statement.person)
    ))
}

pub(super) fn order(facts: &Facts<'_>) -> Rule {
    let release = facts.manifest.release;
    // The frozen path decides: a release cannot be taken round an environment by editing release.toml.
    let before = facts.manifest.stop_before(&facts.today.environment).map(|stop| &stop.environment);
    match (before, facts.verified_before) {
        (None, _) => holds("order", "no environment is before it"),
        (Some(before), Some(_)) => match facts.failed_before {
            None => holds("order", format!("verified in {before}")),
            Some(failed) => fails(
                "order",
                format!("its newest verification in {before}, at {}, failed: {}", failed.at, failed.finding),
                format!("mend what it found, then run `cargo xtask verify --env {before}`"),
            ),
        },
        (Some(before), None) => fails(
            "order",
            format!("it is not verified in {before}"),
            format!("run `cargo xtask promote --to {before} --release {release}`"),
        ),
    }
}

pub(super) fn forward(facts: &Facts<'_>) -> Rule {
    let release = facts.manifest.release;
    match facts.live {
        Some(live) if live > release && facts.synchronised && facts.live_died => {
            holds("forward", format!("{live} is live and dead; what {} follows went back", facts.today.environment))
        }
        Some(live) if live > release => fails(
            "forward",
            format!("{live} is live in {}, which is newer", facts.today.environment),
            format!("to go back, run `cargo xtask rollback --env {}`", facts.today.environment),
        ),
        Some(live) => holds("forward", format!("{live} is live")),
        None => holds("forward", "nothing is live yet"),
    }
}

pub(super) fn path(facts: &Facts<'_>) -> Rule {
    let environment = &facts.today.environment;
    let Some(frozen) = facts.manifest.stop(environment) else {
        return fails(
            "path",
            format!("{environment} is not on the promotion path that the release froze"),
            "commit the new path and run `cargo xtask release`: the next release has it",
        );
    };
    match (frozen.recovery || facts.today.recovery, facts.synchronised) {
        (true, false) => fails(
            "path",
            format!("{environment} is the second region: it is fed by synchronisation, not by promotion"),
            format!("run `cargo xtask dr-sync --release {}`", facts.manifest.release),
        ),
        (true, true) => holds("path", format!("{environment} is the second region, and this is its synchronisation")),
        (false, true) => fails(
            "path",
            format!("{environment} is not the second region: it is fed by promotion, not by synchronisation"),
            format!("run `cargo xtask promote --to {environment} --release {}`", facts.manifest.release),
        ),
        (false, false) => holds("path", format!("{environment} is on the promotion path")),
    }
}
