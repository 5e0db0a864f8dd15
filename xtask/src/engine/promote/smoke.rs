//! Smoking: asking functions the questions that the box brought along, before the shift and after it.

use std::time::Duration;

use crate::{
    context::Context,
    engine::{
        promote::{Finding, Promotion, Turn, survey},
        together,
    },
    failure::Failure,
    model::{
        digest::Digest,
        environment::{AliasMove, Deployed, EnvironmentEvent, EnvironmentState, Live},
        manifest::Manifest,
        names::{EnvName, FunctionName},
        smoke::{Check, CheckResult},
        verdict::Verdict,
    },
    plan::{canary, promotion, smoke},
    ports::fleet::{Fleet, FleetError, Invocation, Qualifier},
};

/// A wrong answer is asked for again before it counts: a store may have been slow to wake.
pub(super) const ATTEMPTS: u32 = 3;
pub(super) const PAUSE: Duration = Duration::from_millis(500);

/// What all checks of an environment's functions brought.
#[derive(Debug, Clone, Default)]
pub struct Smoked {
    /// Every check.
    pub results: Vec<CheckResult>,
    /// The end of the log of the first function that answered wrongly.
    pub log: Option<String>,
}

impl Smoked {
    /// The first check that did not answer well.
    #[must_use]
    pub fn wrong(&self) -> Option<&CheckResult> {
        self.results.iter().find(|result| result.verdict != Verdict::Correct)
    }
}

/// Runs every check of every function; `qualifier` says what of a function is asked.
///
/// # Errors
/// Unfinished, if a function cannot be asked at all.
pub async fn all(
    context: &Context,
    environment: &EnvName,
    manifest: &Manifest,
    functions: &[(&FunctionName, &Deployed)],
    qualifier: impl Fn(&Deployed) -> Qualifier,
    now: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Smoked> {
    let fleet = context.fleet(environment)?;
    let one = async |(function, deployed): &(&FunctionName, &Deployed)| -> anyhow::Result<_> {
        let asked = Asked { context, fleet: &fleet, function, deployed, qualifier: qualifier(deployed) };
        let checks = manifest.functions.get(*function).and_then(|f| f.smoke.get(environment));
        let mut answers = Vec::new();
        for check in checks.map(Vec::as_slice).unwrap_or_default() {
            now(&format!("{}: {}", deployed.name, check.name));
            answers.push(ask(&asked, check).await?);
        }
        Ok(answers)
    };
    let answers = together::all(fleet.at_once(), functions.iter().map(one).collect()).await?;
    let mut smoked = Smoked::default();
    for (result, log) in answers.into_iter().flatten() {
        if result.verdict != Verdict::Correct && smoked.log.is_none() {
            smoked.log = Some(log);
        }
        smoked.results.push(result);
    }
    Ok(smoked)
}

struct Asked<'a> {
    context: &'a Context,
    fleet: &'a dyn Fleet,
    function: &'a FunctionName,
    deployed: &'a Deployed,
    qualifier: Qualifier,
}

async fn ask(asked: &Asked<'_>, check: &Check) -> anyhow::Result<(CheckResult, String)> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let id = format!("smoke-{}", uuid::Uuid::now_v7());
        let payload = serde_json::to_vec(&smoke::event(check, &id))?;
        let answer = asked.fleet.invoke(&asked.deployed.name, &asked.qualifier, &payload).await;
        let (judged, took_ms, log) = match answer {
            Ok(answer) => judge(check, &answer),
            // The fleet itself says that this version cannot run.
            Err(FleetError::Invalid(why)) => (Err(why), 0, String::new()),
            Err(error) => {
                let name = &asked.deployed.name;
                return Err(Failure::unfinished(format!("failed to ask {name} for `{}`", check.name), error).into());
            }
        };
        if judged.is_err() && attempts < ATTEMPTS {
            asked.context.clock.sleep(PAUSE).await;
            continue;
        }
        let verdict = if judged.is_ok() { Verdict::Correct } else { Verdict::Incorrect };
        let (function, check) = (asked.function.clone(), check.name.clone());
        return Ok((CheckResult { function, check, verdict, reason: judged.err(), took_ms, attempts }, log));
    }
}

fn judge(check: &Check, answer: &Invocation) -> (Result<(), String>, u64, String) {
    let took_ms = u64::try_from(answer.duration.as_millis()).unwrap_or(u64::MAX);
    let function_error = answer.function_error.as_deref();
    let judged = smoke::judge(check, &smoke::Answer { payload: &answer.payload, function_error, took_ms });
    (judged, took_ms, answer.log_tail.clone())
}

impl Promotion<'_> {
    /// Asks the very versions that were staged, before they get traffic; then the gate once more, right before the
    /// shift (DESIGN §5.4).
    pub(super) async fn prove(&self, state: &EnvironmentState) -> anyhow::Result<Turn> {
        let phase = self.context.story.phase(&format!("{}: smoke before traffic", self.environment));
        let staged: Vec<_> = state.staged.iter().collect();
        let version = |deployed: &Deployed| Qualifier::Version(deployed.version);
        let now = |text: &str| phase.now(text);
        let smoked = all(self.context, self.environment, self.manifest, &staged, version, &now).await?;
        if let Some(finding) = finding(&smoked, "before traffic") {
            return Ok(Turn::Finding(finding));
        }
        phase.done(&format!("{} checks Correct", smoked.results.len()));
        // A way back must not wait for anybody's approval.
        let known = match state.rollback {
            Some(_) => None,
            None => match self.gate_still_holds().await? {
                Ok(known) => Some(known),
                Err(refusals) => return Ok(Turn::Refused(refusals)),
            },
        };
        let moves: Vec<AliasMove> = promotion::moves(&state.staged, &self.live_versions(state).await?, self.alias());
        let rules = self.manifest.stop(self.environment).and_then(|stop| stop.canary.as_ref());
        let canary = canary::of_shift(rules, state.rollback.is_some(), &moves);
        Ok(Turn::Event(Box::new(EnvironmentEvent::Shifting { moves, smoke: smoked.results, canary, known })))
    }

    /// Asks through live, and proves that live has the sealed bytes.
    pub(super) async fn verify(&self, state: &EnvironmentState) -> anyhow::Result<Turn> {
        let phase = self.context.story.phase(&format!("{}: verifying live", self.environment));
        let Some(live) = &state.live else {
            return Ok(Turn::Refused("nothing is live".to_owned()));
        };
        if let Some(text) = self.wrong_bytes(live).await? {
            return Ok(Turn::Finding(Finding { text, smoke: Vec::new(), log: None }));
        }
        let functions: Vec<_> = live.functions.iter().collect();
        let alias = |_: &Deployed| Qualifier::Alias(self.alias().clone());
        let now = |text: &str| phase.now(text);
        let smoked = all(self.context, self.environment, self.manifest, &functions, alias, &now).await?;
        if let Some(finding) = finding(&smoked, "through live") {
            return Ok(Turn::Finding(finding));
        }
        phase.done(&format!("{} checks Correct", smoked.results.len()));
        self.keep().await?;
        let smoke = smoked.results;
        Ok(Turn::Event(Box::new(match state.rollback.clone() {
            None => EnvironmentEvent::Verified { smoke },
            Some(from) => EnvironmentEvent::RolledBack { from, smoke },
        })))
    }

    async fn wrong_bytes(&self, live: &Live) -> anyhow::Result<Option<String>> {
        let look = async |(function, deployed)| self.wrong_bytes_of(function, deployed).await;
        let at_once = self.context.fleet(self.environment)?.at_once();
        let found = together::all(at_once, live.functions.iter().map(look).collect()).await?;
        Ok(found.into_iter().flatten().next())
    }

    async fn wrong_bytes_of(&self, function: &FunctionName, deployed: &Deployed) -> anyhow::Result<Option<String>> {
        let wanted = survey::artifact(self.manifest, function)?;
        let mut found = self.live_code(&deployed.name).await?;
        for _ in 1..ATTEMPTS {
            if found != Some(wanted) {
                self.context.clock.sleep(PAUSE).await;
                found = self.live_code(&deployed.name).await?;
            }
        }
        let name = &deployed.name;
        let show = |found: Option<Digest>| found.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
        let text = || format!("{name}: wrong digest on live: expected {wanted}, found {}", show(found));
        Ok((found != Some(wanted)).then(text))
    }
}

fn finding(smoked: &Smoked, when: &str) -> Option<Finding> {
    let wrong = smoked.wrong()?;
    let reason = wrong.reason.as_deref().unwrap_or("no reason given");
    let text = format!("{}: smoke check `{}` {when}: {reason}", wrong.function, wrong.check);
    Some(Finding { text, smoke: smoked.results.clone(), log: smoked.log.clone() })
}
