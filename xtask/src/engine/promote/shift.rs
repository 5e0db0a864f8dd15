//! Shifting: moving every alias, each guarded by the revision that was read, all or none in the end (DESIGN §5.7).

use std::collections::BTreeMap;

use crate::{
    engine::promote::{Promotion, Turn},
    failure::Failure,
    model::{
        digest::Digest,
        environment::{AliasMove, EnvironmentEvent, EnvironmentState},
        names::{AliasName, FleetName, FunctionName},
    },
    plan::promotion,
    ports::fleet::{AliasTarget, Fleet, FleetError, FleetVersion},
};

impl Promotion<'_> {
    /// Moves every alias that has not moved yet.
    pub(super) async fn shift(&self, state: &EnvironmentState) -> anyhow::Result<Turn> {
        let phase = self.context.story.phase(&format!("{}: shifting live", self.environment));
        self.apply(&state.moves).await?;
        phase.done(&match state.moves.len() {
            0 => "live already points there".to_owned(),
            n => format!("{n} aliases moved to {}", self.manifest.release),
        });
        Ok(Turn::Event(EnvironmentEvent::Shifted))
    }

    /// Carries out moves, forward or back; those already done are seen and left alone.
    pub(super) async fn apply(&self, moves: &[AliasMove]) -> anyhow::Result<()> {
        let fleet = self.context.fleet(self.environment)?;
        for step in moves {
            let what = || format!("failed to move the alias {} of {}", step.alias, step.name);
            self.apply_one(&fleet, step).await.map_err(|error| match error {
                Moved::Fleet(error) => Failure::unfinished(what(), error),
                Moved::Stranger(found) => Failure::Integrity(format!(
                    "{}: it points to {}, neither to where it was nor to where it goes; someone moved it by hand: \
                     point it to {} and run the same command again",
                    what(),
                    show(found),
                    show(step.from)
                )),
            })?;
        }
        Ok(())
    }

    async fn apply_one(&self, fleet: &dyn Fleet, step: &AliasMove) -> Result<(), Moved> {
        let now = fleet.alias(&step.name, &step.alias).await?;
        let version = now.as_ref().map(|alias| alias.target.version);
        if !promotion::remaining(step, version).map_err(Moved::Stranger)? {
            return Ok(());
        }
        let Some(to) = step.to else {
            return Ok(fleet.delete_alias(&step.name, &step.alias).await?);
        };
        let target = AliasTarget { version: to, canary: None, description: format!("{}", self.manifest.release) };
        match now {
            None => fleet.create_alias(&step.name, &step.alias, &target).await?,
            Some(alias) => fleet.update_alias(&step.name, &step.alias, &target, &alias.revision).await?,
        };
        Ok(())
    }

    /// Where live points now, for every staged function.
    pub(super) async fn live_versions(
        &self,
        state: &EnvironmentState,
    ) -> anyhow::Result<BTreeMap<FunctionName, Option<FleetVersion>>> {
        let fleet = self.context.fleet(self.environment)?;
        let mut live = BTreeMap::new();
        for (function, deployed) in &state.staged {
            let alias = fleet.alias(&deployed.name, self.alias()).await;
            let alias =
                alias.map_err(|error| Failure::unfinished(format!("failed to look at {}", deployed.name), error))?;
            live.insert(function.clone(), alias.map(|alias| alias.target.version));
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
    Fleet(FleetError),
    Stranger(Option<FleetVersion>),
}

impl From<FleetError> for Moved {
    fn from(error: FleetError) -> Self {
        Self::Fleet(error)
    }
}

fn show(version: Option<FleetVersion>) -> String {
    version.map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"))
}
