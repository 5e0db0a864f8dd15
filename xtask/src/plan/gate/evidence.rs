//! The rule of evidence: of each kind that is asked for, the newest piece about these very bytes counts.

use crate::{
    model::{evidence::Evidence, manifest::EvidenceRule},
    plan::gate::{Facts, Rule, counting, fails, holds},
};

pub(super) fn judge(facts: &Facts<'_>, rule: &EvidenceRule) -> Rule {
    let place =
        facts.manifest.stop_before(&facts.today.environment).map_or(&facts.today.environment, |s| &s.environment);
    let (kind, release) = (&rule.kind, facts.manifest.release);
    let what = if rule.tests { "a JUnit report" } else { "a file" };
    let remedy = format!("add {what}: `cargo xtask evidence add {release} --env {place} --kind {kind} --file <file>`");
    // From where the release proved itself before, or about the environment that it would enter.
    let here = |piece: &&Evidence| [place, &facts.today.environment].contains(&&piece.environment);
    let of_kind = facts.evidence.iter().filter(|piece| &piece.kind == kind && piece.release == release);
    let (same, other): (Vec<_>, Vec<_>) = of_kind.partition(|piece| piece.manifest == facts.digest);
    // Two pieces of one moment: the one that refuses counts.
    let newest =
        same.iter().copied().filter(here).max_by_key(|piece| (piece.time, wrong(facts, rule, piece).is_some()));
    let Some(newest) = newest else {
        let found = match (same.first(), other.first()) {
            (Some(piece), _) => format!("`{}` is about {}, not about {place}", piece.file, piece.environment),
            (None, Some(piece)) => format!("`{}` is about another manifest, {}", piece.file, piece.manifest.short()),
            (None, None) => "there is none".to_owned(),
        };
        return fails("evidence", format!("{kind}: {found}"), remedy);
    };
    match wrong(facts, rule, newest) {
        Some(why) => fails("evidence", format!("{kind}: `{}` of {} is none: {why}", newest.file, newest.time), remedy),
        None => {
            let tests = newest.tests.map(|t| format!(", {} tests passed, {} skipped", t.tests - t.skipped, t.skipped));
            let tests = tests.unwrap_or_default();
            holds("evidence", format!("{kind}: `{}` of {}{tests}", newest.file, newest.time))
        }
    }
}

/// Why a piece is no evidence of success.
fn wrong(facts: &Facts<'_>, rule: &EvidenceRule, piece: &Evidence) -> Option<String> {
    if piece.time > counting::latest(facts) {
        return Some("it is dated in the future".to_owned());
    }
    match piece.tests {
        None => rule.tests.then(|| "it is not a test report".to_owned()),
        // A report of failures proves the contrary, whether or not a report was asked for.
        Some(tests) if tests.success() => None,
        Some(tests) if tests.failures + tests.errors > 0 => {
            Some(format!("of {} tests {} failed and {} broke off", tests.tests, tests.failures, tests.errors))
        }
        Some(tests) if tests.tests == 0 => Some("no test ran".to_owned()),
        Some(tests) => Some(format!("all {} tests were skipped", tests.tests)),
    }
}
