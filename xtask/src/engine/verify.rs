//! Verifies an environment: what callers get against what was sealed. Kills nothing. What is found is recorded where it
//! decides whether a release passes on (`record`).

mod standing;

use serde::Serialize;

pub use self::standing::record;

use crate::{
    context::Context,
    engine::{facts, ledger, promote::smoke, promote::survey, together},
    failure::Failure,
    model::{
        canonical,
        digest::Digest,
        entry::ChainName,
        environment::{Deployed, Live},
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
    let look = async |(function, deployed): (&FunctionName, &Deployed)| {
        phase.now(deployed.name.as_str());
        compare(context, environment, &manifest, function, deployed).await
    };
    let at_once = context.fleet(environment)?.at_once();
    let compared = together::all(at_once, live.functions.iter().map(look).collect()).await?;
    let (functions, notices): (Vec<_>, Vec<_>) = compared.into_iter().unzip();
    let notices = notices.into_iter().flatten().collect();
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
