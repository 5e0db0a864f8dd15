//! Verifies an environment: what callers get against what was sealed. Kills nothing. What is found is recorded where it
//! decides whether a release passes on (`record`).

use serde::Serialize;

use crate::{
    context::Context,
    engine::{facts, ledger, mirror, promote::smoke, promote::survey},
    failure::Failure,
    model::{
        canonical,
        digest::Digest,
        entry::ChainName,
        environment::{Deployed, EnvironmentEvent, Live},
        manifest::Manifest,
        names::{EnvName, FleetName, FunctionName},
        smoke::CheckResult,
        verdict::Verdict,
        version::Version,
    },
    ports::fleet::{Fleet, FleetError, FunctionState, Qualifier},
};

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The environment.
    pub environment: EnvName,
    /// The release that the ledger says is live.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// A verdict per function.
    pub functions: Vec<FunctionVerdict>,
    /// What the smoke checks answered through live.
    pub smoke: Vec<CheckResult>,
    /// What changed and harms nobody: variables that the infrastructure team set since, a log that is kept for longer.
    pub notices: Vec<String>,
    /// What the ledger said was live when it began.
    #[serde(skip)]
    pub seen: Live,
}

/// One function, compared in every aspect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionVerdict {
    /// The function.
    pub function: FunctionName,
    /// Its name in the fleet.
    pub name: FleetName,
    /// The worst of its aspects.
    pub verdict: Verdict,
    /// What was compared.
    pub aspects: Vec<Aspect>,
}

/// One thing compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aspect {
    /// `alias`, `bytes` or `configuration`.
    pub aspect: &'static str,
    /// The result.
    pub verdict: Verdict,
    /// What was sealed or recorded.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Verification {
    /// The failure that this verification ends with: integrity before wrong answers before unreachable.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let environment = &self.environment;
        let of = |verdict: fn(Verdict) -> bool| {
            let found = self.functions.iter().filter(|function| verdict(function.verdict));
            found.map(FunctionVerdict::explain).collect::<Vec<_>>().join("; ")
        };
        let tampered = of(|verdict| !matches!(verdict, Verdict::Correct | Verdict::Unreachable));
        if !tampered.is_empty() {
            let back =
                format!("to put it back, run `cargo xtask promote --to {environment} --release {}`", self.release);
            return Some(Failure::Integrity(format!("{environment} is not what was sealed: {tampered}; {back}")));
        }
        if let Some(wrong) = self.smoke.iter().find(|result| result.verdict == Verdict::Incorrect) {
            let reason = wrong.reason.as_deref().unwrap_or("no reason given");
            return Some(Failure::Incorrect(format!(
                "{} in {environment} answers wrongly: check `{}`: {reason}; look at its log, then release a fix",
                wrong.function, wrong.check
            )));
        }
        let unreachable = of(|verdict| verdict == Verdict::Unreachable);
        (!unreachable.is_empty()).then(|| Failure::Unfinished {
            what: format!("{environment} could not be verified: {unreachable}"),
            source: None,
        })
    }
}

impl Verification {
    /// What is wrong, in one line, or that all is well; `None` if not everything could be asked.
    fn standing(&self) -> Option<Result<(), String>> {
        let wrong = |verdict: Verdict| !matches!(verdict, Verdict::Correct | Verdict::Unreachable);
        let functions = self.functions.iter().filter(|function| wrong(function.verdict)).map(FunctionVerdict::explain);
        let smoke = self.smoke.iter().filter(|result| wrong(result.verdict)).map(|result| {
            let reason = result.reason.as_deref().unwrap_or("no reason given");
            format!("{}: check `{}` {}: {reason}", result.function, result.check, result.verdict)
        });
        let found: Vec<_> = functions.chain(smoke).collect();
        let reached = self.functions.iter().map(|function| function.verdict);
        let mut reached = reached.chain(self.smoke.iter().map(|result| result.verdict));
        match (found.is_empty(), reached.all(|verdict| verdict == Verdict::Correct)) {
            (false, _) => Some(Err(found.join("; "))),
            (true, true) => Some(Ok(())),
            (true, false) => None,
        }
    }
}

/// Records what a verification found, if that changes whether the release passes on. Whoever cannot write it is told so: what
/// was found stands either way.
pub async fn record(context: &Context, verification: &Verification) {
    let Some(standing) = verification.standing() else { return };
    let finding = standing.err();
    let known = verification.seen.failed.as_ref().map(|failed| &failed.finding);
    if known == finding.as_ref() {
        return;
    }
    let (release, environment) = (verification.release, &verification.environment);
    if let Err(error) = append(context, verification, finding).await {
        context.story.warn(&format!(
            "what was found is not recorded, so the gate behind {environment} does not know it: {error:#}; whoever has the \
             key of deployer-{environment} runs `cargo xtask verify --env {environment}`, for {release}"
        ));
    }
}

async fn append(context: &Context, verification: &Verification, finding: Option<String>) -> anyhow::Result<()> {
    let Verification { environment, release, manifest, seen, .. } = verification;
    let chain = ChainName::Environment(environment.clone());
    // The second region's own vault is the authority for what happens there.
    let recovery = context.config.stop(environment)?.recovery;
    let there = if recovery { context.at_recovery() } else { context.clone() };
    ledger::append::<EnvironmentEvent>(&there, &chain, |head| {
        let state = head.map(|record| &record.entry.state);
        let same = |live: &Live| live.release == *release && live.since == seen.since;
        if state.is_none_or(|state| state.holder.is_some() || !state.live.as_ref().is_some_and(same)) {
            anyhow::bail!("{environment} is being changed, or was since");
        }
        let event = EnvironmentEvent::Reverified { finding: finding.clone() };
        Ok(ledger::Draft { release: Some(*release), manifest: Some(*manifest), event })
    })
    .await?;
    if recovery {
        mirror::chain::<EnvironmentEvent>(&there, context, &chain).await?;
    }
    Ok(())
}

impl FunctionVerdict {
    fn explain(&self) -> String {
        let wrong = self.aspects.iter().filter(|aspect| aspect.verdict != Verdict::Correct);
        let each = wrong.map(|a| format!("{} {}: expected {}, found {}", a.aspect, a.verdict, a.expected, a.found));
        format!("{} ({})", self.name, each.collect::<Vec<_>>().join(", "))
    }
}

/// Verifies what is live in an environment.
///
/// # Errors
/// Refused, if nothing is live there; integrity or unfinished, as reading the vault goes.
pub async fn run(context: &Context, environment: &EnvName) -> anyhow::Result<Verification> {
    context.config.stop(environment)?;
    let state = survey::state(context, environment).await?;
    let Some(live) = state.live else {
        return Err(Failure::Refused(format!(
            "nothing is live in {environment}, so there is nothing to verify; \
             run `cargo xtask promote --to {environment}`"
        ))
        .into());
    };
    let (manifest, digest) = facts::manifest(context, live.release).await?;
    let phase = context.story.phase(&format!("{environment}: verifying {}", live.release));
    let mut functions = Vec::new();
    let mut notices = Vec::new();
    for (function, deployed) in &live.functions {
        phase.now(deployed.name.as_str());
        let (verdict, more) = compare(context, environment, &manifest, function, deployed).await?;
        functions.push(verdict);
        notices.extend(more);
    }
    let sound = |(function, _): &(&FunctionName, &Deployed)| {
        functions.iter().any(|v| &v.function == *function && v.verdict == Verdict::Correct)
    };
    // What is not what was sealed is not asked: nobody knows what it would do.
    let asked: Vec<_> = live.functions.iter().filter(sound).collect();
    let alias = |_: &Deployed| Qualifier::Alias(context.config.alias.clone());
    let smoked = smoke::all(context, environment, &manifest, &asked, alias, &|text| phase.now(text)).await?;
    phase.done(&format!("{} functions, {} checks", functions.len(), smoked.results.len()));
    Ok(Verification {
        environment: environment.clone(),
        release: live.release,
        manifest: digest,
        functions,
        smoke: smoked.results,
        notices,
        seen: live,
    })
}

async fn compare(
    context: &Context,
    environment: &EnvName,
    manifest: &Manifest,
    function: &FunctionName,
    deployed: &Deployed,
) -> anyhow::Result<(FunctionVerdict, Vec<String>)> {
    let fleet = context.fleet(environment)?;
    let mut notices = Vec::new();
    let aspects = match look(context, &fleet, &deployed.name).await {
        Err(error) => {
            let found = format!("{:#}", anyhow::Error::from(error));
            vec![aspect("alias", Verdict::Unreachable, format!("version {}", deployed.version), found)]
        }
        Ok(None) => {
            vec![aspect("alias", Verdict::Missing, format!("version {}", deployed.version), "nothing".to_owned())]
        }
        Ok(Some((state, canary))) => {
            notices.extend(variables(context, environment, deployed, &state).await?);
            notices.extend(retention(environment, manifest, function, deployed, &state));
            aspects(environment, manifest, function, deployed, &state, canary)?
        }
    };
    let worst = aspects.iter().map(|a| a.verdict).max().unwrap_or(Verdict::Correct);
    let (function, name) = (function.clone(), deployed.name.clone());
    Ok((FunctionVerdict { function, name, verdict: worst, aspects }, notices))
}

/// What live points to, and whether it also points elsewhere.
async fn look(
    context: &Context,
    fleet: &dyn Fleet,
    name: &FleetName,
) -> Result<Option<(FunctionState, bool)>, FleetError> {
    let Some(alias) = fleet.alias(name, &context.config.alias).await? else { return Ok(None) };
    let state = fleet.version(name, alias.target.version).await?;
    Ok(state.map(|state| (state, alias.target.canary.is_some())))
}

fn aspects(
    environment: &EnvName,
    manifest: &Manifest,
    function: &FunctionName,
    deployed: &Deployed,
    state: &FunctionState,
    canary: bool,
) -> anyhow::Result<Vec<Aspect>> {
    let judge = |name, holds: bool, expected: String, found: String| {
        aspect(name, if holds { Verdict::Correct } else { Verdict::Incorrect }, expected, found)
    };
    let version = state.version.map_or_else(|| "nothing".to_owned(), |v| format!("version {v}"));
    let split = if canary { " and, for a share of the calls, another" } else { "" };
    let code = survey::artifact(manifest, function)?;
    let declared = manifest.functions.get(function).and_then(|f| f.configuration.get(environment));
    let text = |value: Option<&_>| -> anyhow::Result<String> { Ok(serde_json::to_string(&value)?) };
    Ok(vec![
        judge(
            "alias",
            state.version == Some(deployed.version) && !canary,
            format!("version {}", deployed.version),
            format!("{version}{split}"),
        ),
        judge("bytes", state.code == code, code.to_string(), state.code.to_string()),
        judge(
            "configuration",
            declared.is_some_and(|declared| declared.is_met_by(&state.configuration)),
            text(declared)?,
            text(Some(&state.configuration))?,
        ),
    ])
}

/// Variables belong to the infrastructure team: a change is a notice, not a verdict (DESIGN §7).
async fn variables(
    context: &Context,
    environment: &EnvName,
    deployed: &Deployed,
    state: &FunctionState,
) -> anyhow::Result<Option<String>> {
    let writer = ChainName::Environment(environment.clone()).writer();
    let digest = context.signer.keyed_digest(&writer, &canonical::to_vec(&state.variables)?).await;
    let digest =
        digest.map_err(|error| ledger::unfinished(format!("failed to key a digest for {}", deployed.name), error))?;
    let changed = digest != deployed.variables;
    Ok(changed.then(|| format!("the variables of {} are not those that it was promoted with", deployed.name)))
}

/// A log that is kept for longer than declared is a notice: no caller gets anything else.
fn retention(
    environment: &EnvName,
    manifest: &Manifest,
    function: &FunctionName,
    deployed: &Deployed,
    state: &FunctionState,
) -> Option<String> {
    let declared = manifest.functions.get(function)?.configuration.get(environment)?.log_retention_days;
    let kept = match state.configuration.log_retention_days {
        0 => "for ever".to_owned(),
        days if days > declared => format!("for {days} days"),
        _ => return None,
    };
    let back = format!("to put it back, run `cargo xtask promote --to {environment}`");
    Some(format!("the log of {} is kept {kept}, {declared} days are declared; {back}", deployed.name))
}

fn aspect(aspect: &'static str, verdict: Verdict, expected: String, found: String) -> Aspect {
    Aspect { aspect, verdict, expected, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One function, and one check of it, with these verdicts.
    fn standing(function: Verdict, check: Verdict) -> Option<Result<(), String>> {
        let (function_name, time): (FunctionName, _) = ("alpha".parse().unwrap(), "2026-01-23T12:00:00Z");
        let digest = Digest::of(b"manifest");
        let release: Version = "v1.0.0".parse().unwrap();
        let aspects = vec![aspect("alias", function, "1".to_owned(), "2".to_owned())];
        let name = "alpha-qa".parse().unwrap();
        let seen = Live {
            release,
            manifest: digest,
            since: time.parse().unwrap(),
            verified: true,
            synced: None,
            functions: std::collections::BTreeMap::new(),
            break_glass: None,
            failed: None,
        };
        let smoke = serde_json::json!({
            "function": "alpha", "check": "answers", "verdict": check, "reason": "404", "attempts": 1, "took_ms": 3,
        });
        let verification = Verification {
            environment: "qa".parse().unwrap(),
            release,
            manifest: digest,
            functions: vec![FunctionVerdict { function: function_name, name, verdict: function, aspects }],
            smoke: vec![serde_json::from_value(smoke).unwrap()],
            notices: Vec::new(),
            seen,
        };
        verification.standing()
    }

    #[test]
    fn what_could_not_be_asked_is_neither_well_nor_wrong() {
        use Verdict::{Correct, Incorrect, Missing, Unexpected, Unreachable};
        assert_eq!(standing(Correct, Correct), Some(Ok(())));
        for (function, check) in [(Unreachable, Correct), (Correct, Unreachable), (Unreachable, Unreachable)] {
            assert_eq!(standing(function, check), None);
        }
        for wrong in [Incorrect, Missing, Unexpected] {
            let found = format!("alpha-qa (alias {wrong}: expected 1, found 2)");
            assert_eq!(standing(wrong, Unreachable), Some(Err(found)));
        }
        assert_eq!(standing(Unreachable, Incorrect), Some(Err("alpha: check `answers` Incorrect: 404".to_owned())));
    }
}
