//! What a verification says of whether a release passes on, and the record of it where that changed.

use crate::{
    context::Context,
    engine::{
        ledger, mirror,
        verify::{FunctionVerdict, Verification},
    },
    model::{
        entry::ChainName,
        environment::{EnvironmentEvent, Live},
        verdict::Verdict,
    },
};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::verify::{FunctionVerdict, aspect},
        model::{digest::Digest, names::FunctionName, version::Version},
    };

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
