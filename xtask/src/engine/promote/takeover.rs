//! Locking out whoever held the environment before: a takeover first rotates the revision of everything that is written
//! under a guard, so that the guarded write of a holder who does not know yet fails (DESIGN §5.8).

use std::collections::BTreeSet;

use crate::{
    engine::{
        promote::{
            Promotion,
            claim::Claimed,
            fence::{Fenced, Unwritten},
            stage,
        },
        together,
    },
    failure::Failure,
    model::names::FleetName,
    ports::fleet::{AliasTarget, Fleet as _, FleetError},
};

/// A holder who was taken over can be in the middle of one write of each function; it has no second.
const TRIES: u32 = 3;

impl Promotion<'_> {
    /// Locks out whose claim this one took over, if it did. Done again when a takeover is resumed: it may have ended
    /// before this was through.
    pub(super) async fn lock_out(&self, claimed: &Claimed) -> anyhow::Result<()> {
        let claim = claimed.state.holder.as_ref();
        let Some(before) = claim.and_then(|claim| claim.took_over.as_ref()) else { return Ok(()) };
        let phase = self.context.story.phase(&format!("{}: taking over from {before}", self.environment));
        let fleet = self.fenced(claimed)?;
        let names = self.written(claimed)?;
        let lock_out = async |name: &FleetName| {
            phase.now(name.as_str());
            let rotated = self.rotate(&fleet, name, claimed.fence()).await;
            rotated.map_err(|error| error.failed(|| format!("failed to take {name} over from {before}")))
        };
        together::all(fleet.reading().at_once(), names.iter().map(lock_out).collect()).await?;
        phase.done("nothing that it still does has an effect");
        Ok(())
    }

    /// Everything in the fleet that a promotion into this environment may write.
    fn written(&self, claimed: &Claimed) -> Result<BTreeSet<FleetName>, Failure> {
        let state = &claimed.state;
        let deployed = state.staged.values().chain(state.live.iter().flat_map(|live| live.functions.values()));
        let mut names: BTreeSet<FleetName> = deployed.map(|deployed| deployed.name.clone()).collect();
        names.extend(state.moves.iter().map(|step| step.name.clone()));
        for function in self.manifest.functions.keys() {
            names.insert(self.context.config.fleet_name(self.environment, function)?);
        }
        Ok(names)
    }

    async fn rotate(&self, fleet: &Fenced<'_>, name: &FleetName, fence: u64) -> Result<(), Unwritten> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.rotate_once(fleet, name, fence).await {
                Err(Unwritten::Fleet(FleetError::Guarded(_) | FleetError::Conflict(_))) if tries < TRIES => {}
                rotated => return rotated,
            }
        }
    }

    async fn rotate_once(&self, fleet: &Fenced<'_>, name: &FleetName, fence: u64) -> Result<(), Unwritten> {
        let Some(latest) = fleet.reading().function(name).await? else { return Ok(()) };
        let latest = stage::settled(self.context, fleet.reading(), name, latest).await?;
        let rotated = fleet.update_configuration(name, &latest.configuration, &latest.revision).await?;
        stage::settled(self.context, fleet.reading(), name, rotated).await?;
        let alias = &self.context.config.alias;
        if let Some(now) = fleet.reading().alias(name, alias).await? {
            let target = AliasTarget { description: format!("held under claim {fence}"), ..now.target };
            fleet.update_alias(name, alias, &target, &now.revision).await?;
        }
        Ok(())
    }
}
