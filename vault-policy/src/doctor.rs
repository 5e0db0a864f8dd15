//! Finds every hole in a live bucket: one verdict per rule, with what was found and the exact fix.
//!
//! Which hole is which: versioning and lock make versions immutable (fact 8) but not keys (facts 2 and 3), the policy
//! makes keys write-once (facts 4 to 6), lifecycle passes the policy by (fact 6), the access log must go elsewhere
//! (fact 12).

use std::{collections::BTreeSet, fmt};

use crate::{
    apply::Step,
    names::BucketName,
    policy::{Form, Policy},
    probe::{self, Hole},
    render::{Document, RenderError, render},
    state::BucketState,
    vault::{Side, Vault},
};

mod settings;

/// The result of a rule, in the toolchain's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Correct,
    /// There, but not as it should be.
    Incorrect,
    /// Not there.
    Missing,
    /// There, but should not be.
    Unexpected,
    /// Could not be asked.
    Unreachable,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule: a setting of the bucket, or `policy/` with the `Sid` of the reviewed statement.
    pub rule: String,
    /// Its result.
    pub verdict: Verdict,
    /// What is there.
    pub found: String,
    /// How to mend it; nothing if it is right.
    pub fix: Option<Fix>,
}

/// How to mend something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// A step of `cargo xtask vault apply`, which also opens and closes the policy around it.
    Step(BucketName, Step),
    /// Put this statement of the reviewed policy back, or the whole of it with `cargo xtask vault apply`.
    Statement(String),
    /// Something that a person must do.
    Do(String),
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(bucket, step) => write!(f, "`cargo xtask vault apply`, or by hand: {}", step.command(bucket)),
            Self::Statement(statement) => {
                write!(f, "`cargo xtask vault apply`, or add to the bucket policy: {statement}")
            }
            Self::Do(what) => f.pad(what),
        }
    }
}

/// Judges a bucket by what it says about itself.
///
/// # Errors
/// If its policies cannot be rendered; what the bucket has wrong is a finding, not an error.
pub fn examine(vault: &Vault, side: Side, state: &BucketState) -> Result<Vec<Finding>, RenderError> {
    let store = vault.bucket(side);
    let mut findings = settings::findings(store, vault.retention, state);
    // A bucket that is not there, or cannot be asked, has no policy to speak of.
    if state.region.found().is_some() {
        findings.extend(policy(vault, side, &store.bucket, state)?);
    }
    Ok(findings)
}

fn policy(vault: &Vault, side: Side, bucket: &BucketName, state: &BucketState) -> Result<Vec<Finding>, RenderError> {
    let reviewed = render(vault, &Document::Bucket(side))?;
    let one = |verdict, found: String| {
        let fix = Some(Fix::Step(bucket.clone(), Step::PutPolicy(reviewed.clone())));
        Ok(vec![Finding { rule: "policy".to_owned(), verdict, found, fix }])
    };
    if let Some(reason) = state.policy.reason() {
        let fix = Some(Fix::Do("let the auditor's role call s3:GetBucketPolicy, then ask again".to_owned()));
        let (rule, found) = ("policy".to_owned(), reason.to_owned());
        return Ok(vec![Finding { rule, verdict: Verdict::Unreachable, found, fix }]);
    }
    let Some(live) = state.policy.found() else { return one(Verdict::Missing, "no policy".to_owned()) };
    match Policy::parse(live, Form::Resource) {
        Ok(live) => Ok(by_rule(vault, side, &live, &reviewed)?),
        Err(error) => one(Verdict::Incorrect, error.to_string()),
    }
}

/// One finding per statement of the reviewed policy, whatever the statements of the live one are called.
fn by_rule(vault: &Vault, side: Side, live: &Policy, reviewed: &str) -> Result<Vec<Finding>, RenderError> {
    let judgement = probe::judge(vault, side, live)?;
    let finding = |(rule, asked): &(String, usize)| {
        let holes: Vec<&Hole> = judgement.holes.iter().filter(|hole| hole.rule == *rule).collect();
        let (verdict, found) = match holes.first() {
            None => (Verdict::Correct, format!("answers {asked} requests as it should")),
            Some(first) if holes.len() == 1 => (Verdict::Incorrect, first.what.clone()),
            Some(first) => (Verdict::Incorrect, format!("{}; and {} more", first.what, holes.len() - 1)),
        };
        let fix = || match statement(reviewed, rule) {
            Some(statement) => Fix::Statement(statement),
            None => Fix::Do(format!("remove what permits it: {}", by_whom(&holes))),
        };
        Finding { rule: format!("policy/{rule}"), verdict, found, fix: (verdict != Verdict::Correct).then(fix) }
    };
    Ok(judgement.rules.iter().map(finding).collect())
}

fn statement(policy: &str, sid: &str) -> Option<String> {
    let policy: serde_json::Value = serde_json::from_str(policy).ok()?;
    let statement = policy.get("Statement")?.as_array()?.iter().find(|statement| statement["Sid"] == sid)?;
    Some(statement.to_string())
}

fn by_whom(holes: &[&Hole]) -> String {
    let permitted = |hole: &&Hole| hole.what.rsplit_once(" is permitted by ").map(|(_, by)| by.to_owned());
    holes.iter().filter_map(permitted).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(crate) mod tests;
