//! Staging: every function gets a published version that carries the box's bytes and the declared configuration.
//! Nothing that callers use is touched.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    context::Context,
    engine::{
        facts, ledger,
        promote::{
            Finding, Promotion, Turn,
            claim::Claimed,
            fence::{Fenced, Unwritten},
            survey,
        },
        provenance, together,
    },
    failure::Failure,
    model::{
        canonical,
        digest::Digest,
        entry::ChainName,
        environment::{Deployed, EnvironmentEvent},
        key::VaultKey,
        manifest::box_key,
        names::FleetName,
    },
    plan::promotion::{Action, Seen},
    ports::fleet::{CodeSource, Fleet, FleetError, FunctionState, LastUpdate, State},
};

/// How often a fleet is asked whether an update has settled, and how many times at most: five minutes in all.
const POLL: Duration = Duration::from_millis(500);
const POLLS: u32 = 600;

/// What stops staging one function.
enum Stop {
    /// The release is bad.
    Finding(String),
    /// The world failed, or someone else writes.
    World(anyhow::Error),
}

impl Promotion<'_> {
    /// Stages all functions.
    pub(super) async fn stage(&self, claimed: &Claimed) -> anyhow::Result<Turn> {
        if let Some(functions) = self.recorded().await? {
            return Ok(Turn::Event(Box::new(EnvironmentEvent::Staged { functions })));
        }
        provenance::verify(self.context, self.manifest).await?;
        let phase = self.context.story.phase(&format!("{}: staging", self.environment));
        let fleet = self.fenced(claimed)?;
        let seen = self.seen(claimed).await?;
        let stage = async |seen: &Seen| {
            phase.now(seen.wanted.name.as_str());
            match self.stage_one(&fleet, seen).await {
                Err(Stop::Finding(text)) => Err(Stop::Finding(format!("{}: {text}", seen.wanted.name))),
                staged => staged.map(|deployed| (seen.wanted.function.clone(), deployed)),
            }
        };
        let staged = together::all(fleet.reading().at_once(), seen.iter().map(stage).collect()).await;
        let functions: BTreeMap<_, _> = match staged {
            Ok(staged) => staged.into_iter().collect(),
            Err(Stop::World(error)) => return Err(error),
            Err(Stop::Finding(text)) => return Ok(Turn::Finding(Finding { text, smoke: Vec::new(), log: None })),
        };
        let published = functions.values().map(|d| format!("{} version {}", d.name, d.version)).collect::<Vec<_>>();
        phase.done(&published.join(", "));
        Ok(Turn::Event(Box::new(EnvironmentEvent::Staged { functions })))
    }

    /// What the fleet has: as it was planned with, if nobody held the environment in between; else looked at now. What others
    /// than this tool changed since is found by the guards.
    async fn seen(&self, claimed: &Claimed) -> anyhow::Result<Vec<Seen>> {
        let took_over = claimed.state.holder.as_ref().is_some_and(|claim| claim.took_over.is_some());
        match self.basis.filter(|basis| basis.head + 1 == claimed.last() && !took_over) {
            Some(basis) => Ok(basis.functions.clone()),
            None => survey::functions(self.context, self.environment, self.manifest).await,
        }
    }

    async fn stage_one(&self, fleet: &Fenced<'_>, seen: &Seen) -> Result<Deployed, Stop> {
        let wanted = &seen.wanted;
        let name = &wanted.name;
        let stop = |error: Unwritten| stop(name, error);
        let mut object_version = None;
        let published = match (seen.plan.action, &seen.observed.latest, &seen.observed.live) {
            (Action::Keep, _, Some(live)) => live.clone(),
            (action, latest, _) => {
                let code = self.code(seen).await?;
                object_version.clone_from(&code.object_version);
                let latest = match latest {
                    None => fleet.create(name, &code, &wanted.configuration).await.map_err(stop)?,
                    Some(latest) => latest.clone(),
                };
                let mut latest = self.settle(fleet, name, latest).await?;
                if wanted.declares_other_than(&latest.configuration) {
                    let updated = fleet.update_configuration(name, &wanted.configuration, &latest.revision).await;
                    latest = self.settle(fleet, name, updated.map_err(stop)?).await?;
                }
                // The code comes last: writing and publishing it is one call then.
                let published = if matches!(action, Action::Update { code: true, .. }) {
                    fleet.update_code(name, &code, &latest.revision, true).await
                } else {
                    let description = self.manifest.release.to_string();
                    fleet.publish(name, &wanted.code, &latest.revision, &description).await
                };
                self.settle(fleet, name, published.map_err(stop)?).await?
            }
        };
        let published = self.confirmed(fleet, name, published, wanted.code).await.map_err(stop)?;
        if published.code != wanted.code {
            let (expected, found) = (wanted.code, published.code);
            return Err(Stop::Finding(format!("wrong digest after staging: expected {expected}, found {found}")));
        }
        let version = published.version.ok_or_else(|| Stop::Finding("the fleet published no version".to_owned()))?;
        let variables = canonical::to_vec(&published.variables).map_err(|error| Stop::World(error.into()))?;
        let writer = ChainName::Environment(self.environment.clone()).writer();
        let variables = self.context.signer.keyed_digest(&writer, &variables).await;
        let variables = variables
            .map_err(|error| Stop::World(ledger::unfinished(format!("failed to key a digest for {name}"), error)))?;
        Ok(Deployed { name: name.clone(), version, code: published.code, variables, object_version })
    }

    /// The artifact in the vault, its bytes hashed once more before a fleet fetches them.
    async fn code(&self, seen: &Seen) -> Result<CodeSource, Stop> {
        let release = self.manifest.release;
        let artifact = self.manifest.functions.get(&seen.wanted.function).map(|f| f.artifact.as_str());
        let key: VaultKey = box_key(release, artifact.unwrap_or_default()).map_err(|e| Stop::World(e.into()))?;
        let found = self.context.vault.fetch(&key, None).await;
        let found = found.map_err(|e| Stop::World(e.failed(format!("failed to read {key}")).into()))?;
        match found {
            Some((digest, _)) if digest == seen.wanted.code => {
                let object_version = self.object_version(&key).await.map_err(Stop::World)?;
                let architecture = seen.wanted.configuration.architecture;
                Ok(CodeSource { key, object_version, digest, architecture })
            }
            found => {
                let found = found.map_or_else(|| "nothing".to_owned(), |(digest, _)| digest.to_string());
                let expected = seen.wanted.code;
                let text = format!("{key} in the vault is not what was sealed: expected {expected}, found {found}");
                Err(Stop::World(Failure::Integrity(format!("{text}; run `cargo xtask audit verify`")).into()))
            }
        }
    }

    /// The store's own name for the one version of an artifact. Where the box was sealed it must be the recorded one.
    async fn object_version(&self, key: &VaultKey) -> anyhow::Result<Option<String>> {
        let found = self.context.vault.object_version(key).await;
        let found = found.map_err(|error| error.failed(format!("failed to look for {key}")))?;
        if !self.context.config.stop(self.environment)?.recovery {
            let sealed = facts::object_versions(self.context, self.manifest.release).await?;
            if sealed.get(key.file_name()) != found.as_ref() {
                let show = |version: Option<&String>| version.cloned().unwrap_or_else(|| "none".to_owned());
                let (expected, found) = (show(sealed.get(key.file_name())), show(found.as_ref()));
                let text = format!("{key} is another version than was sealed: expected {expected}, found {found}");
                return Err(Failure::Integrity(format!("{text}; run `cargo xtask audit verify`")).into());
            }
        }
        Ok(found)
    }

    /// A version whose bytes are told to be wrong is asked about once more: that finding kills.
    async fn confirmed(
        &self,
        fleet: &Fenced<'_>,
        name: &FleetName,
        published: FunctionState,
        wanted: Digest,
    ) -> Result<FunctionState, Unwritten> {
        match published.version.filter(|_| published.code != wanted) {
            Some(version) => Ok(fleet.reading().version(name, version).await?.unwrap_or(published)),
            None => Ok(published),
        }
    }

    /// Waits until a function's update, or a version's preparation, has ended well.
    async fn settle(&self, fleet: &Fenced<'_>, name: &FleetName, first: FunctionState) -> Result<FunctionState, Stop> {
        let state = settled(self.context, fleet.reading(), name, first).await.map_err(|error| stop(name, error))?;
        match (&state.last_update, &state.state) {
            (LastUpdate::Failed(why), _) => Err(Stop::Finding(format!("the update failed: {why}"))),
            (_, State::Failed(why)) => Err(Stop::Finding(format!("it cannot run: {why}"))),
            _ => Ok(state),
        }
    }
}

/// Waits until a function's update, or a version's preparation, has ended, well or not.
pub(super) async fn settled(
    context: &Context,
    fleet: &dyn Fleet,
    name: &FleetName,
    first: FunctionState,
) -> Result<FunctionState, Unwritten> {
    let mut state = first;
    for _ in 0..POLLS {
        if state.last_update != LastUpdate::InProgress && state.state != State::Pending {
            return Ok(state);
        }
        context.clock.sleep(POLL).await;
        let asked = match state.version {
            None => fleet.function(name).await?,
            Some(version) => fleet.version(name, version).await?,
        };
        state = asked.ok_or_else(|| FleetError::NotFound(name.to_string()))?;
    }
    let what = format!("{name} is still being prepared after {} s", (POLL * POLLS).as_secs());
    Err(Unwritten::Unheld(Failure::Unfinished { what, source: None }.into()))
}

/// What the request itself got wrong is a finding; everything else may be better next time.
fn stop(name: &FleetName, error: Unwritten) -> Stop {
    match error {
        Unwritten::Fleet(FleetError::Invalid(why)) => Stop::Finding(why),
        Unwritten::Fleet(FleetError::NotAllowed(why)) => Stop::World(Failure::usage(why).into()),
        error => Stop::World(error.failed(|| format!("failed to stage {name}"))),
    }
}
