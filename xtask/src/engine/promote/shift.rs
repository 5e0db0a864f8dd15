//! Shifting: moving every alias, each guarded by the revision that was read, all or none in the end (DESIGN §5.7).

use std::collections::BTreeMap;

use crate::{
    engine::{
        promote::{
            Promotion, Turn,
            claim::Claimed,
            fence::{Fenced, Unwritten},
            smoke::{ATTEMPTS, PAUSE},
        },
        together,
    },
    failure::Failure,
    model::{
        digest::Digest,
        environment::{AliasMove, Deployed, EnvironmentEvent, EnvironmentState},
        names::{AliasName, FleetName, FunctionName},
    },
    plan::{canary, promotion},
    ports::fleet::{AliasTarget, Fleet, FleetError, FleetVersion},
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
        Ok(Turn::Event(Box::new(EnvironmentEvent::Shifted)))
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
        let go = async |step| self.apply_to(&fleet, step, weight).await;
        together::all(fleet.reading().at_once(), moves.iter().map(go).collect()).await?;
        let look = async |step| self.arrived(&fleet, step, weight).await;
        together::all(fleet.reading().at_once(), moves.iter().map(look).collect()).await?;
        Ok(())
    }

    async fn apply_to(&self, fleet: &Fenced<'_>, step: &AliasMove, weight: Option<u8>) -> anyhow::Result<()> {
        let what = || format!("failed to move the alias {} of {}", step.alias, step.name);
        match self.apply_one(fleet, step, weight).await {
            Ok(()) => Ok(()),
            Err(Moved::Unwritten(error)) => Err(error.failed(what)),
            Err(Moved::Stranger(found)) => {
                // The stranger may be the one who took over.
                fleet.held().await?;
                let (what, found, from) = (what(), show(found), show(step.from));
                Err(Failure::Integrity(format!(
                    "{what}: it points to {found}, neither to where it was nor to where it goes; \
                     someone moved it by hand: point it to {from} and run the same command again"
                ))
                .into())
            }
        }
    }

    /// Looks once more at where an alias points: what a fleet said while it moved may have been of an older moment, and
    /// what is recorded next is that all are there.
    async fn arrived(&self, fleet: &Fenced<'_>, step: &AliasMove, weight: Option<u8>) -> anyhow::Result<()> {
        let wanted = place(self.target(step, weight).as_ref());
        // Whoever was interrupted may have gone further than this share already.
        let there =
            |found: Option<&AliasTarget>| place(found) == wanted || promotion::remaining(step, found) == Ok(false);
        let found = self.pointing(fleet.reading(), &step.name, there).await;
        let found = found.map_err(|error| Failure::unfinished(format!("failed to look at {}", step.name), error))?;
        if there(found.as_ref()) {
            return Ok(());
        }
        fleet.held().await?;
        let (found, to) = (show(found.map(|target| target.version)), show(step.to));
        let what = format!("the alias {} of {} is at {found}, not yet at {to}", step.alias, step.name);
        Err(Failure::Unfinished { what, source: None }.into())
    }

    /// Where live points. An answer other than the expected one is asked for again before it counts.
    async fn pointing(
        &self,
        fleet: &(impl Fleet + ?Sized),
        name: &FleetName,
        expected: impl Fn(Option<&AliasTarget>) -> bool,
    ) -> Result<Option<AliasTarget>, FleetError> {
        let mut attempts = 1;
        loop {
            let found = fleet.alias(name, self.alias()).await?.map(|alias| alias.target);
            if expected(found.as_ref()) || attempts == ATTEMPTS {
                return Ok(found);
            }
            attempts += 1;
            self.context.clock.sleep(PAUSE).await;
        }
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

    /// Where live points now, for every staged function. Moves are recorded from there and stay so: an answer that is not
    /// what the chain says is believed only if it is repeated.
    pub(super) async fn live_versions(
        &self,
        state: &EnvironmentState,
    ) -> anyhow::Result<BTreeMap<FunctionName, Option<AliasTarget>>> {
        let fleet = self.context.fleet(self.environment)?;
        let look = async |(function, deployed): (&FunctionName, &Deployed)| -> anyhow::Result<_> {
            let was = state.live.as_ref().and_then(|live| live.functions.get(function)).map(|was| (was.version, None));
            let found = self.pointing(&fleet, &deployed.name, |found| place(found) == was).await;
            let found =
                found.map_err(|error| Failure::unfinished(format!("failed to look at {}", deployed.name), error))?;
            Ok((function.clone(), found))
        };
        let live = together::all(fleet.at_once(), state.staged.iter().map(look).collect()).await?;
        Ok(live.into_iter().collect())
    }

    /// What the bytes behind live hash to.
    pub(super) async fn live_code(&self, name: &FleetName) -> anyhow::Result<Option<Digest>> {
        let fleet = self.context.fleet(self.environment)?;
        let live = fleet.live(name, self.alias()).await;
        let live = live.map_err(|error| Failure::unfinished(format!("failed to look at {name}"), error))?;
        Ok(live.map(|state| state.code))
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

/// Where a target sends calls, whatever is written beside it.
fn place(target: Option<&AliasTarget>) -> Option<(FleetVersion, Option<(FleetVersion, u16)>)> {
    target.map(|target| (target.version, target.canary))
}

fn show(version: Option<FleetVersion>) -> String {
    version.map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"))
}
