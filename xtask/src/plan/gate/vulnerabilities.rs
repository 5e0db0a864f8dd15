//! The rule of vulnerabilities: of the databases of advisories whose snapshots were recorded as evidence the newest counts.
//! It must not be too old, and must know nothing bad of what the release is linked with, but what the policy excepts.

use crate::{
    model::{
        advisories::{KIND, Scan, Vulnerability},
        manifest::VulnerabilityRule,
        people::RiskException,
        policy::PolicyState,
        time::Time,
    },
    plan::gate::{Facts, Rule, counting, fails, holds},
};

const RULE: &str = "vulnerabilities";

pub(super) fn judge(facts: &Facts<'_>, rule: &VulnerabilityRule) -> Rule {
    let (release, today) = (facts.manifest.release, &facts.today.environment);
    let place = facts.manifest.stop_before(today).map_or(today, |stop| &stop.environment);
    let record = format!("record what is known now: `cargo xtask evidence advisories {release} --env {place}`");
    let scan = match newest(facts) {
        Ok(scan) => scan,
        Err(why) => return fails(RULE, why, record),
    };
    let database = format!("the database of {}, commit {}", scan.date, scan.commit.short());
    if scan.date > counting::latest(facts) {
        return fails(RULE, format!("{database} is dated in the future"), record);
    }
    if facts.now > scan.date.after(rule.max_age.duration()) {
        return fails(RULE, format!("{database} is older than {}", rule.max_age), record);
    }
    let open = open(scan, facts.policy, facts.now);
    if !open.is_empty() {
        let each = open.iter().map(|vulnerability| told(vulnerability, facts)).collect::<Vec<_>>().join("; ");
        let remedy = format!(
            "release with a version that is not hit; or take the risk for a while: write `[[exceptions]]` with `advisory`, \
             `until` and `reason` into people.toml and run `cargo xtask policy apply`; {record}, should the database say \
             otherwise by now"
        );
        return fails(RULE, format!("{database} knows {each}"), remedy);
    }
    let excepted = scan.found.iter().filter(|vulnerability| vulnerability.informational.is_none());
    let excepted = excepted.filter_map(|vulnerability| exception(vulnerability, facts.policy));
    let excepted = excepted.map(|e| format!("; {} may pass until {}: {}", e.advisory, e.until, e.reason));
    let others = scan.found.iter().filter_map(|vulnerability| {
        let kind = vulnerability.informational.as_ref()?;
        Some(format!("; {} is {kind} ({})", vulnerability.package, vulnerability.advisory))
    });
    let more: String = excepted.chain(others).collect();
    holds(RULE, format!("{database} knows nothing against {} packages{more}", scan.packages))
}

/// The vulnerabilities that no exception lets pass now.
#[must_use]
pub fn open<'s>(scan: &'s Scan, policy: &PolicyState, now: Time) -> Vec<&'s Vulnerability> {
    let real = scan.found.iter().filter(|vulnerability| vulnerability.informational.is_none());
    real.filter(|vulnerability| exception(vulnerability, policy).is_none_or(|e| e.until <= now)).collect()
}

/// What the newest of the databases says that were recorded for these very bytes.
fn newest<'a>(facts: &Facts<'a>) -> Result<&'a Scan, String> {
    let ours = |piece: &&crate::model::evidence::Evidence| {
        piece.kind.as_str() == KIND && (piece.release, piece.manifest) == (facts.manifest.release, facts.digest)
    };
    let pieces = facts.evidence.iter().filter(ours).filter(|piece| piece.time <= counting::latest(facts));
    let (mut newest, mut wrong) = (None::<&Scan>, None);
    for piece in pieces {
        match facts.scans.get(&piece.sha256) {
            Some(Ok(scan)) if newest.is_none_or(|newest| newest.date <= scan.date) => newest = Some(scan),
            Some(Ok(_)) => {}
            Some(Err(why)) => wrong = Some(format!("`{}` of {} says nothing: {why}", piece.file, piece.time)),
            None => wrong = Some(format!("`{}` of {} was not read", piece.file, piece.time)),
        }
    }
    newest.ok_or_else(|| wrong.unwrap_or_else(|| "no database of advisories was asked".to_owned()))
}

fn exception<'p>(vulnerability: &Vulnerability, policy: &'p PolicyState) -> Option<&'p RiskException> {
    let exceptions = policy.people.as_ref().map(|people| people.exceptions.as_slice()).unwrap_or_default();
    exceptions.iter().find(|exception| exception.advisory == vulnerability.advisory)
}

fn told(vulnerability: &Vulnerability, facts: &Facts<'_>) -> String {
    let Vulnerability { advisory, package, title, severity, functions, .. } = vulnerability;
    let functions = functions.iter().map(|function| function.as_str()).collect::<Vec<_>>().join(", ");
    let severity = severity.as_ref().map(|severity| format!(", {severity}")).unwrap_or_default();
    let ended = exception(vulnerability, facts.policy);
    let ended = ended.map(|e| format!(", which could pass until {}", e.until)).unwrap_or_default();
    format!("{advisory} in {package} of {functions}{severity}{ended}: {title}")
}
