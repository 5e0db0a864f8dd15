//! Looks at the ledger and the fleet, and makes the plan of a promotion from what it sees. Writes nothing.

use crate::{
    context::Context,
    engine::{facts, gate, ledger, policy, promote::layers, together},
    failure::Failure,
    model::{
        digest::Digest,
        entry::ChainName,
        environment::{EnvironmentEvent, EnvironmentState, Phase},
        manifest::Manifest,
        names::{EnvName, FleetName, FunctionName},
        version::Version,
    },
    plan::canary,
    plan::gate::{self as judgement, Gate},
    plan::promotion::{self, Action, Basis, Observed, PromotionPlan, Seen, Wanted},
    ports::fleet::{Fleet, FleetError},
};

/// The plan of a promotion, and the seal of the release that it promotes.
///
/// # Errors
/// Refused, if there is no such release; integrity or unfinished, as reading goes.
pub async fn plan(
    context: &Context,
    environment: &EnvName,
    release: Version,
) -> anyhow::Result<(PromotionPlan, Manifest)> {
    plan_breaking(context, environment, release, None).await
}

/// The same for somebody who breaks the glass for this reason, where a freeze or the soak time keeps the release out.
///
/// # Errors
/// Usage, if nobody may break it there; else as `plan`.
pub async fn plan_breaking(
    context: &Context,
    environment: &EnvName,
    release: Version,
    reason: Option<&str>,
) -> anyhow::Result<(PromotionPlan, Manifest)> {
    own_region(context, environment)?;
    let (manifest, digest) = facts::manifest(context, release).await?;
    let (gate, break_glass) = gate(context, environment, &manifest, reason).await?;
    let head = ledger::head::<EnvironmentEvent>(context, &ChainName::Environment(environment.clone())).await?;
    // The chain first: who writes to it after this is found out before the fleet is touched.
    let (head, state) = head.map(|record| (record.entry.number, record.entry.state)).unwrap_or_default();
    let basis = Basis { head, functions: functions(context, environment, &manifest).await? };
    let functions: Vec<_> = basis.functions.iter().map(|seen| seen.plan.clone()).collect();
    let from_phase = match &state.holder {
        Some(claim) if claim.release == release => state.phase,
        _ => Phase::Closed,
    };
    let plan = PromotionPlan {
        environment: environment.clone(),
        release,
        manifest: digest,
        canary: match from_phase {
            Phase::Closed | Phase::Claimed | Phase::Staged => {
                let rules = manifest.stop(environment).and_then(|stop| stop.canary.as_ref());
                canary::of_plan(rules, &functions)
            }
            // Under way it follows what it began with.
            _ => state.canary.as_ref().map(|canary| canary.rules.clone()),
        },
        functions,
        from_phase,
        orphans: orphans(&state, &manifest),
        gate,
        break_glass,
        basis,
    };
    Ok((plan, manifest))
}

/// The gate, and why its glass is broken, if there is something to override.
async fn gate(
    context: &Context,
    environment: &EnvName,
    manifest: &Manifest,
    reason: Option<&str>,
) -> anyhow::Result<(Gate, Option<String>)> {
    let whole = gate::judge(context, environment, manifest).await?;
    let Some(reason) = reason else { return Ok((whole, None)) };
    let policy = policy::state(context).await?;
    if judgement::rules(manifest, context.config.stop(environment)?, &policy).break_glass.is_none() {
        return Err(Failure::usage(format!(
            "nobody may break the glass of {environment} for {}: {}",
            manifest.release,
            judgement::NAME_ROLE
        ))
        .into());
    }
    if whole.rules.iter().all(|rule| rule.holds || !["freeze", "soak"].contains(&rule.rule.as_str())) {
        context.story.note(&format!("{environment}: there is no freeze or soak time to break the glass for"));
        return Ok((whole, None));
    }
    let broken = gate::judge_breaking(context, environment, manifest, reason).await?;
    Ok((broken, Some(reason.to_owned())))
}

/// An environment is only ever changed from its own region: two vaults must not both tell what happens there.
pub(super) fn own_region(context: &Context, environment: &EnvName) -> Result<(), Failure> {
    match (context.config.stop(environment)?.recovery, context.in_recovery) {
        (true, false) => Err(Failure::Refused(format!(
            "{environment} is the second region: it is fed by synchronisation, not by promotion; \
             run `cargo xtask dr-sync`"
        ))),
        (false, true) => Err(Failure::Refused(format!("{environment} is not in the second region"))),
        _ => Ok(()),
    }
}

/// The state of an environment, by the head of its chain.
///
/// # Errors
/// Integrity or unfinished, as reading goes.
pub async fn state(context: &Context, environment: &EnvName) -> anyhow::Result<EnvironmentState> {
    let chain = ChainName::Environment(environment.clone());
    let head = ledger::head::<EnvironmentEvent>(context, &chain).await?;
    Ok(head.map(|record| record.entry.state).unwrap_or_default())
}

/// Looks at every function of the release.
pub(super) async fn functions(
    context: &Context,
    environment: &EnvName,
    manifest: &Manifest,
) -> anyhow::Result<Vec<Seen>> {
    let fleet = context.fleet(environment)?;
    let look = async |function| -> anyhow::Result<Seen> {
        let wanted = wanted(context, environment, manifest, function)?;
        let observed = observe(context, &fleet, &wanted.name).await.map_err(|error| {
            Failure::unfinished(format!("failed to look at {} in {environment}", wanted.name), error)
        })?;
        let mut plan = promotion::function(&wanted, &observed);
        if plan.action == Action::Create {
            plan.refused = fleet.may_create(&wanted.name).err().map(|error| error.to_string());
        }
        Ok(Seen { wanted, observed, plan })
    };
    let mut seen = together::all(fleet.at_once(), manifest.functions.keys().map(look).collect()).await?;
    layers::check(&fleet, manifest, &mut seen).await?;
    Ok(seen)
}

async fn observe(context: &Context, fleet: &dyn Fleet, name: &FleetName) -> Result<Observed, FleetError> {
    let latest = fleet.function(name).await?;
    let alias = match &latest {
        Some(_) => fleet.alias(name, &context.config.alias).await?,
        None => None,
    };
    let live = match &alias {
        Some(alias) => fleet.version(name, alias.target.version).await?,
        None => None,
    };
    Ok(Observed { latest, alias, live })
}

fn wanted(
    context: &Context,
    environment: &EnvName,
    manifest: &Manifest,
    function: &FunctionName,
) -> anyhow::Result<Wanted> {
    let sealed = manifest.functions.get(function);
    let not_sealed =
        || Failure::Refused(format!("{} declares nothing for {function} in {environment}", manifest.release));
    let configuration = sealed.and_then(|f| f.configuration.get(environment)).ok_or_else(not_sealed)?;
    Ok(Wanted {
        function: function.clone(),
        name: context.config.fleet_name(environment, function)?,
        code: artifact(manifest, function)?,
        configuration: configuration.clone(),
        checks: sealed.and_then(|f| f.smoke.get(environment)).map_or(0, Vec::len),
    })
}

/// The digest of a function's artifact, as the manifest seals it.
pub(crate) fn artifact(manifest: &Manifest, function: &FunctionName) -> anyhow::Result<Digest> {
    let sealed = manifest.functions.get(function).and_then(|f| manifest.objects.get(&f.artifact));
    let missing =
        || Failure::Integrity(format!("the manifest of {} seals no artifact of {function}", manifest.release));
    Ok(sealed.ok_or_else(missing)?.sha256)
}

fn orphans(state: &EnvironmentState, manifest: &Manifest) -> Vec<FunctionName> {
    let live = state.live.iter().flat_map(|live| live.functions.keys());
    live.filter(|function| !manifest.functions.contains_key(*function)).cloned().collect()
}
