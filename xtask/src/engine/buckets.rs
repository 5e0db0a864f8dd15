//! Sets the vault's buckets up, and finds every hole in them: asks them through the port, and has `vault-policy` decide.

use serde::Serialize;
use vault_policy::{
    apply::{self, Refusal, Step},
    doctor::{self, Finding},
    vault::{SIDES, Side, Vault},
};

use crate::{
    failure::Failure,
    model::verdict::Verdict,
    ports::{buckets::Buckets, story::Story},
};

/// What has to be done to a bucket: the very steps that run, printed by `--plan`.
#[derive(Debug, Clone, Serialize)]
pub struct BucketPlan {
    /// The bucket.
    pub bucket: String,
    /// Where it is, or is made.
    pub region: String,
    /// The steps, in order; none if it is what it should be.
    pub steps: Vec<Planned>,
    #[serde(skip)]
    side: Side,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// The IAM action that it needs.
    pub action: &'static str,
    /// The command of AWS's own tool that does the same.
    pub command: String,
    #[serde(skip)]
    step: Step,
}

/// What a bucket was asked, and what is wrong with it.
#[derive(Debug, Clone, Serialize)]
pub struct BucketReport {
    /// The bucket.
    pub bucket: String,
    /// Where it should be.
    pub region: String,
    /// One for each rule.
    pub rules: Vec<Examined>,
}

/// One rule.
#[derive(Debug, Clone, Serialize)]
pub struct Examined {
    /// Its name: a setting, or `policy/` and a statement of the reviewed policy.
    pub rule: String,
    /// Its result.
    pub verdict: Verdict,
    /// What is there.
    pub found: String,
    /// How to mend it; nothing if it is right.
    pub fix: Option<String>,
}

/// What has to be done to both buckets.
///
/// # Errors
/// Usage: the vault is described so that no policy could hold, or a bucket is where it must not be. Refused: a bucket
/// cannot become what it should be. Integrity: something in it was written twice. Unfinished: it cannot be asked.
pub async fn plan(vault: &Vault, buckets: &dyn Buckets) -> Result<Vec<BucketPlan>, Failure> {
    let mut plans = Vec::new();
    for side in SIDES {
        plans.push(plan_one(vault, buckets, side).await?);
    }
    Ok(plans)
}

async fn plan_one(vault: &Vault, buckets: &dyn Buckets, side: Side) -> Result<BucketPlan, Failure> {
    let store = vault.bucket(side);
    let steps = apply::plan(vault, side, &buckets.state(side).await).map_err(refused)?;
    let planned = |step: Step| Planned { action: step.action(), command: step.command(&store.bucket), step };
    let steps = steps.into_iter().map(planned).collect();
    Ok(BucketPlan { bucket: store.bucket.to_string(), region: store.region.to_string(), steps, side })
}

/// Takes the steps of both plans, and looks whether the buckets are what they should be then.
///
/// # Errors
/// Unfinished: a step was not taken, or cannot be seen yet. The same command goes on.
pub async fn run(vault: &Vault, buckets: &dyn Buckets, plans: &[BucketPlan], story: &dyn Story) -> Result<(), Failure> {
    for plan in plans.iter().filter(|plan| !plan.steps.is_empty()) {
        let phase = story.phase(&plan.bucket);
        for planned in &plan.steps {
            phase.now(planned.action);
            buckets.take(plan.side, &planned.step).await?;
        }
        let left = plan_one(vault, buckets, plan.side).await?.steps;
        if let Some(left) = left.first() {
            let what = format!("bucket {} does not show yet what {} set", plan.bucket, left.action);
            return Err(Failure::Unfinished { what, source: None });
        }
        phase.done(&format!("{} steps", plan.steps.len()));
    }
    Ok(())
}

/// Looks for every hole in both buckets.
///
/// # Errors
/// Usage: the vault is described so that no policy could hold. What is wrong with a bucket is in the report.
pub async fn examine(vault: &Vault, buckets: &dyn Buckets) -> Result<Vec<BucketReport>, Failure> {
    let mut reports = Vec::new();
    for side in SIDES {
        let store = vault.bucket(side);
        let findings = doctor::examine(vault, side, &buckets.state(side).await);
        let findings = findings.map_err(|error| refused(error.into()))?;
        let rules = findings.into_iter().map(Examined::from).collect();
        reports.push(BucketReport { bucket: store.bucket.to_string(), region: store.region.to_string(), rules });
    }
    Ok(reports)
}

/// How a command ends that found this: integrity, if there is a hole; unfinished, if something could not be asked.
#[must_use]
pub fn failure(reports: &[BucketReport]) -> Option<Failure> {
    let wrong = |report: &BucketReport, unreachable: bool| {
        let rules = report.rules.iter().filter(|rule| rule.verdict != Verdict::Correct);
        let rules = rules.filter(|rule| (rule.verdict == Verdict::Unreachable) == unreachable);
        let rules: Vec<_> = rules.map(|rule| rule.rule.clone()).collect();
        (!rules.is_empty()).then(|| format!("{}: {}", report.bucket, rules.join(", ")))
    };
    let all = |unreachable| {
        let wrong: Vec<_> = reports.iter().filter_map(|report| wrong(report, unreachable)).collect();
        (!wrong.is_empty()).then(|| wrong.join("; "))
    };
    let holes = all(false).map(|holes| Failure::Integrity(format!("the vault has holes: {holes}; see the fixes")));
    let unasked = |what| Failure::Unfinished { what: format!("some rules could not be asked: {what}"), source: None };
    holes.or_else(|| all(true).map(unasked))
}

fn refused(refusal: Refusal) -> Failure {
    let text = match &refusal {
        Refusal::Render(error) => {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            return Failure::usage(format!("{error}{cause}"));
        }
        other => other.to_string(),
    };
    match refusal {
        Refusal::Render(_) | Refusal::Region { .. } => Failure::Usage(text),
        Refusal::Unreachable { .. } => Failure::Unfinished { what: text, source: None },
        Refusal::Shadowed(_) => Failure::Integrity(text),
        Refusal::Unlocked(_) | Refusal::Weaker { .. } | Refusal::LockedOut { .. } => Failure::Refused(text),
    }
}

impl From<Finding> for Examined {
    fn from(finding: Finding) -> Self {
        use vault_policy::doctor::Verdict as Theirs;
        let verdict = match finding.verdict {
            Theirs::Correct => Verdict::Correct,
            Theirs::Incorrect => Verdict::Incorrect,
            Theirs::Missing => Verdict::Missing,
            Theirs::Unexpected => Verdict::Unexpected,
            Theirs::Unreachable => Verdict::Unreachable,
        };
        let fix = finding.fix.map(|fix| fix.to_string());
        Self { rule: finding.rule, verdict, found: finding.found, fix }
    }
}
