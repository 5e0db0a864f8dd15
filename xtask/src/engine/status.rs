//! Where is what: computed from the heads of the chains. The fleet is not asked; that is what `verify` is for.

use serde::Serialize;

use crate::{
    context::Context,
    engine::{
        facts::{self, Standing},
        policy,
        promote::survey,
        release,
    },
    model::{
        canary::Canary,
        digest::Digest,
        environment::{Claim, Live, Phase},
        names::EnvName,
        releases::{Reservation, SealedRelease},
        time::Time,
        version::Version,
    },
    plan::gate::{Death, Gate},
};

/// Where is what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Every environment, in the order of the path.
    pub environments: Vec<EnvironmentStatus>,
    /// The newest releases, the newest first.
    pub releases: Vec<ReleaseRow>,
    /// The newest sealed release.
    pub newest: Option<SealedRelease>,
    /// A release that is being built.
    pub open: Option<Reservation>,
    /// What to do next.
    pub next: Option<NextStep>,
    /// What was found in the vault that counts for nothing, and is not as it must be.
    pub notices: Vec<String>,
}

/// One release and how it stands in every environment, in the order of the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseRow {
    /// The release.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// How it stands: `live`, `verified`, `dead`, `synced`, … or `-`.
    pub cells: Vec<String>,
}

/// How many releases are shown.
const SHOWN: usize = 10;

/// One environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentStatus {
    /// Its name.
    pub environment: EnvName,
    /// What callers get.
    pub live: Option<Live>,
    /// Who holds it.
    pub holder: Option<Claim>,
    /// Where the holder's promotion stands.
    pub phase: Phase,
    /// The canary under way.
    pub canary: Option<Canary>,
    /// The release that a rollback pinned here.
    pub pin: Option<Version>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextStep {
    /// For which release.
    pub release: Option<Version>,
    /// In which environment.
    pub environment: Option<EnvName>,
    /// What it waits for.
    pub waits_for: Option<String>,
    /// What to type.
    pub command: String,
}

/// One release, everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseStatus {
    /// The release.
    pub release: Version,
    /// Its identity.
    pub manifest: Digest,
    /// What it was built from.
    pub commit: crate::model::commit::CommitId,
    /// Every environment of its path.
    pub environments: Vec<StandingStatus>,
    /// What was found in the vault that counts for nothing, and is not as it must be.
    pub notices: Vec<String>,
}

/// How a release stands in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandingStatus {
    /// The environment.
    pub environment: EnvName,
    /// `verified`, `dead` or `not yet`.
    pub standing: &'static str,
    /// Why and when it died, if it did.
    pub death: Option<(Time, String)>,
    /// The gate, where it has not entered yet.
    pub gate: Option<Gate>,
}

/// Where is what.
///
/// # Errors
/// Integrity or unfinished, as reading the vault goes.
pub async fn overview(context: &Context) -> anyhow::Result<Status> {
    let mut environments = Vec::new();
    for stop in &context.config.path {
        let state = survey::state(context, &stop.environment).await?;
        environments.push(EnvironmentStatus {
            environment: stop.environment.clone(),
            live: state.live,
            holder: state.holder,
            phase: state.phase,
            canary: state.canary,
            pin: state.pin,
        });
    }
    let releases = release::survey::state(context).await?;
    let rows = rows(context, &environments, releases.sealed.as_ref().map(|sealed| sealed.version)).await?;
    let next = next_step(context, releases.sealed.as_ref().map(|sealed| sealed.version)).await?;
    let notices = context.notices.told();
    Ok(Status { environments, releases: rows, newest: releases.sealed, open: releases.open, next: Some(next), notices })
}

async fn rows(
    context: &Context,
    environments: &[EnvironmentStatus],
    newest: Option<Version>,
) -> anyhow::Result<Vec<ReleaseRow>> {
    let mut rows = Vec::new();
    let mut here = newest;
    while let Some(release) = here.filter(|_| rows.len() < SHOWN) {
        let (manifest, digest) = facts::manifest(context, release).await?;
        let death = facts::death(context, release).await?;
        let mut cells = Vec::new();
        for environment in environments {
            let standing = standing(context, &environment.environment, release, death.as_ref()).await?;
            cells.push(cell(environment, release, &standing));
        }
        rows.push(ReleaseRow { release, manifest: digest, cells });
        here = manifest.previous.map(|previous| previous.release);
    }
    Ok(rows)
}

/// How a release stands in an environment. A rejection for the next one kills it here, and only the approvals tell.
async fn standing(
    context: &Context,
    environment: &EnvName,
    release: Version,
    death: Option<&Death>,
) -> anyhow::Result<Standing> {
    match death.filter(|death| &death.environment == environment) {
        Some(death) => Ok(Standing::Dead(death.clone())),
        None => facts::standing(context, environment, release).await,
    }
}

fn cell(environment: &EnvironmentStatus, release: Version, standing: &Standing) -> String {
    let live = environment.live.as_ref().filter(|live| live.release == release);
    let word = match (standing, live) {
        (Standing::Dead(_), Some(_)) => "live, dead",
        (Standing::Dead(_), None) => "dead",
        (_, Some(live)) if live.synced.is_some() => "synced",
        (_, Some(live)) if !live.verified => "unverified",
        (_, Some(_)) if environment.pin == Some(release) => "pinned",
        (_, Some(_)) => "live",
        (Standing::Verified, None) => "verified",
        (Standing::Unproven, None) => match &environment.holder {
            Some(claim) if claim.release == release => "under way",
            _ => "-",
        },
    };
    word.to_owned()
}

/// One release, everywhere.
///
/// # Errors
/// Refused, if there is no such release; integrity or unfinished, as reading the vault goes.
pub async fn release(context: &Context, release: Version) -> anyhow::Result<ReleaseStatus> {
    let (manifest, digest) = facts::manifest(context, release).await?;
    let dead = facts::death(context, release).await?;
    let mut environments = Vec::new();
    for stop in &context.config.path {
        let environment = stop.environment.clone();
        let (standing, death) = match standing(context, &environment, release, dead.as_ref()).await? {
            Standing::Verified => ("verified", None),
            Standing::Dead(death) => ("dead", Some((death.time, death.finding))),
            Standing::Unproven => ("not yet", None),
        };
        let gate = match standing {
            "not yet" => Some(crate::engine::gate::judge(context, &environment, &manifest).await?),
            _ => None,
        };
        environments.push(StandingStatus { environment, standing, death, gate });
    }
    let notices = context.notices.told();
    Ok(ReleaseStatus { release, manifest: digest, commit: manifest.commit, environments, notices })
}

/// What brings the newest release on.
///
/// # Errors
/// Integrity or unfinished, as reading the vault goes.
pub async fn next_step(context: &Context, newest: Option<Version>) -> anyhow::Result<NextStep> {
    let command = |text: &str| NextStep {
        release: newest,
        environment: None,
        waits_for: None,
        command: format!("cargo xtask {text}"),
    };
    let Some(release) = newest else { return Ok(command("release")) };
    if facts::death(context, release).await?.is_some() {
        return Ok(NextStep { waits_for: Some("a commit that fixes it".to_owned()), ..command("release") });
    }
    let (manifest, _) = facts::manifest(context, release).await?;
    for stop in &context.config.path {
        let environment = &stop.environment;
        if facts::standing(context, environment, release).await? == Standing::Verified {
            continue;
        }
        let gate = crate::engine::gate::judge(context, environment, &manifest).await?;
        let refused: Vec<_> = gate.rules.iter().filter(|rule| !rule.holds).collect();
        let waits_for =
            refused.iter().map(|rule| format!("{} {}", rule.rule, rule.found)).collect::<Vec<_>>().join(", ");
        let to = format!("--to {environment} --release {release}");
        let only_people = refused.iter().all(|rule| rule.rule == "approval");
        let text = match () {
            () if refused.is_empty() && stop.recovery => "dr-sync".to_owned(),
            () if refused.is_empty() => format!("promote {to}"),
            () if only_people && policy::state(context).await?.people.is_none() => "doctor --fix".to_owned(),
            () if only_people => format!("approve {to}"),
            () => format!("status --release {release}"),
        };
        let waits_for = Some(waits_for).filter(|text| !text.is_empty());
        return Ok(NextStep { environment: Some(environment.clone()), waits_for, ..command(&text) });
    }
    Ok(command("release"))
}
