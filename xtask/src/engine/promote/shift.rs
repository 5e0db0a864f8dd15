//! Shifting: moving every alias, each guarded by the revision that was read, all or none in the end (DESIGN §5.7).

use std::collections::BTreeMap;

use crate::{
    engine::promote::{
        Promotion, Turn,
        claim::Claimed,
        fence::{Fenced, Unwritten},
    },
    failure::Failure,
    model::{
        digest::Digest,
        environment::{AliasMove, EnvironmentEvent, EnvironmentState},
        names::{AliasName, FleetName, FunctionName},
    },
    plan::{canary, promotion},
    ports::fleet::{AliasTarget, Fleet as _, FleetError, FleetVersion},
};

impl Promotion<'_> {
    /// Moves every alias that has not moved yet.
    pub(super) async fn shift(&self, claimed: &Claimed, state: &EnvironmentState) -> anyhow::Result<Turn> {
        if let Some(canary) = &state.canary
            && let Some(turn) = self.canary(claimed, state, canary).await?
        {
            return Ok(turn);
        }
        let phase = self.context.story.phase(&format!("{}: shifting live", self.environment));
        self.apply(claimed, &state.moves).await?;
        phase.done(&match state.moves.len() {
            0 => "live already points there".to_owned(),
            n => format!("{n} aliases moved to {}", self.manifest.release),
        });
        Ok(Turn::Event(EnvironmentEvent::Shifted))
    }

    /// Carries out moves, forward or back; those already done are seen and left alone.
    pub(super) async fn apply(&self, claimed: &Claimed, moves: &[AliasMove]) -> anyhow::Result<()> {
        self.apply_at(claimed, moves, None).await
    }

    /// Carries out moves as far as this share of the calls, in percent; what has no calls to share moves as a whole.
    pub(super) async fn apply_at(
        &self,
        claimed: &Claimed,
        moves: &[AliasMove],
        weight: Option<u8>,
    ) -> anyhow::Result<()> {
        let fleet = self.fenced(claimed)?;
        for step in moves {
            let what = || format!("failed to move the alias {} of {}", step.alias, step.name);
            match self.apply_one(&fleet, step, weight).await {
                Ok(()) => {}
                Err(Moved::Unwritten(error)) => return Err(error.failed(what)),
                Err(Moved::Stranger(found)) => {
                    // The stranger may be the one who took over.
                    fleet.held().await?;
                    let (what, found, from) = (what(), show(found), show(step.from));
                    return Err(Failure::Integrity(format!(
                        "{what}: it points to {found}, neither to where it was nor to where it goes; \
                         someone moved it by hand: point it to {from} and run the same command again"
                    ))
                    .into());
                }
            }
        }
        Ok(())
    }

    async fn apply_one(&self, fleet: &Fenced<'_>, step: &AliasMove, weight: Option<u8>) -> Result<(), Moved> {
        let now = fleet.reading().alias(&step.name, &step.alias).await?;
        if !promotion::remaining(step, now.as_ref().map(|now| &now.target)).map_err(Moved::Stranger)? {
            return Ok(());
        }
        match (now, self.target(step, weight)) {
            (Some(now), None) => fleet.delete_alias(&step.name, &step.alias, &now).await?,
            (Some(now), Some(target)) => {
                if (now.target.version, now.target.canary) != (target.version, target.canary) {
                    fleet.update_alias(&step.name, &step.alias, &target, &now.revision).await?;
                }
            }
            (None, Some(target)) => fleet.create_alias(&step.name, &step.alias, &target).await?,
            (None, None) => {}
        }
        Ok(())
    }

    /// Where an alias points after a move, or after this share of it; `None` if it is no more.
    fn target(&self, step: &AliasMove, weight: Option<u8>) -> Option<AliasTarget> {
        let description = self.manifest.release.to_string();
        let shared = weight.and_then(|weight| canary::target(step, weight, description.clone()));
        shared.or_else(|| step.to.map(|version| AliasTarget { version, canary: None, description }))
    }

    /// Where live points now, for every staged function.
    pub(super) async fn live_versions(
        &self,
        state: &EnvironmentState,
    ) -> anyhow::Result<BTreeMap<FunctionName, Option<AliasTarget>>> {
        let fleet = self.context.fleet(self.environment)?;
        let mut live = BTreeMap::new();
        for (function, deployed) in &state.staged {
            let alias = fleet.alias(&deployed.name, self.alias()).await;
            let alias =
                alias.map_err(|error| Failure::unfinished(format!("failed to look at {}", deployed.name), error))?;
            live.insert(function.clone(), alias.map(|alias| alias.target));
        }
        Ok(live)
    }

    /// What the bytes behind live hash to.
    pub(super) async fn live_code(&self, name: &FleetName) -> anyhow::Result<Option<Digest>> {
        let fleet = self.context.fleet(self.environment)?;
        let code = async {
            let Some(alias) = fleet.alias(name, self.alias()).await? else { return Ok(None) };
            Ok(fleet.version(name, alias.target.version).await?.map(|state| state.code))
        };
        let code: Result<_, FleetError> = code.await;
        Ok(code.map_err(|error| Failure::unfinished(format!("failed to look at {name}"), error))?)
    }

    pub(super) fn alias(&self) -> &AliasName {
        &self.context.config.alias
    }
}

enum Moved {
    Unwritten(Unwritten),
    Stranger(Option<FleetVersion>),
}

impl<E: Into<Unwritten>> From<E> for Moved {
    fn from(error: E) -> Self {
        Self::Unwritten(error.into())
    }
}

fn show(version: Option<FleetVersion>) -> String {
    version.map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"))
}
