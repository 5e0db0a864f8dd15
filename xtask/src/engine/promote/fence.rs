//! Every write to a fleet goes through the claim: whoever lost it changes nothing more (DESIGN §5.8).
//!
//! Before each write the chain is asked whether it went on without us. Who is taken over right after that is stopped by
//! the guard: a takeover rotates the revision of everything that is guarded by one, and the revision that a stale
//! holder carries was read before.

use crate::{
    context::Context,
    engine::{
        patience::{Busy, Patient},
        promote::Promotion,
    },
    failure::Failure,
    model::{
        configuration::Configuration,
        digest::Digest,
        names::{AliasName, FleetName},
    },
    ports::fleet::{AliasState, AliasTarget, CodeSource, Fleet, FleetError, FunctionState, Revision},
};

use super::claim::Claimed;

/// A fleet, writable only as long as its environment is held.
pub(super) struct Fenced<'a> {
    fleet: Patient<'a>,
    context: &'a Context,
    promotion: &'a Promotion<'a>,
    claimed: &'a Claimed,
}

/// Why a write did not happen.
pub(super) enum Unwritten {
    /// The claim is lost, or nobody can say whether it is.
    Unheld(anyhow::Error),
    /// The fleet did not do it.
    Fleet(FleetError),
}

impl Busy for Unwritten {
    fn busy(&self) -> Option<String> {
        match self {
            Self::Unheld(_) => None,
            Self::Fleet(error) => error.busy(),
        }
    }
}

impl From<FleetError> for Unwritten {
    fn from(error: FleetError) -> Self {
        Self::Fleet(error)
    }
}

impl Unwritten {
    /// The failure, with what was tried on which object.
    pub(super) fn failed(self, what: impl FnOnce() -> String) -> anyhow::Error {
        match self {
            Self::Unheld(error) => error,
            Self::Fleet(error) => Failure::unfinished(what(), error).into(),
        }
    }
}

impl Promotion<'_> {
    /// The environment's fleet, for writing under this claim.
    pub(super) fn fenced<'a>(&'a self, claimed: &'a Claimed) -> Result<Fenced<'a>, Failure> {
        let fleet = self.context.fleet(self.environment)?;
        Ok(Fenced { fleet, context: self.context, promotion: self, claimed })
    }
}

impl<'a> Fenced<'a> {
    /// The fleet itself, for reading.
    pub(super) fn reading(&self) -> &Patient<'a> {
        &self.fleet
    }

    pub(super) async fn create(
        &self,
        name: &FleetName,
        code: &CodeSource,
        configuration: &Configuration,
    ) -> Result<FunctionState, Unwritten> {
        self.write(|| self.fleet.inner().create(name, code, configuration)).await
    }

    pub(super) async fn update_code(
        &self,
        name: &FleetName,
        code: &CodeSource,
        guard: &Revision,
        publish: bool,
    ) -> Result<FunctionState, Unwritten> {
        self.write(|| self.fleet.inner().update_code(name, code, guard, publish)).await
    }

    pub(super) async fn update_configuration(
        &self,
        name: &FleetName,
        configuration: &Configuration,
        guard: &Revision,
    ) -> Result<FunctionState, Unwritten> {
        self.write(|| self.fleet.inner().update_configuration(name, configuration, guard)).await
    }

    pub(super) async fn publish(
        &self,
        name: &FleetName,
        code: &Digest,
        guard: &Revision,
        description: &str,
    ) -> Result<FunctionState, Unwritten> {
        self.write(|| self.fleet.inner().publish(name, code, guard, description)).await
    }

    pub(super) async fn update_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
        guard: &Revision,
    ) -> Result<AliasState, Unwritten> {
        self.write(|| self.fleet.inner().update_alias(name, alias, target, guard)).await
    }

    /// Lambda's `CreateAlias` takes no guard, so that the claim is asked once more afterwards; what was made without it
    /// is removed again.
    pub(super) async fn create_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
    ) -> Result<(), Unwritten> {
        let made = self.write(|| self.fleet.inner().create_alias(name, alias, target)).await?;
        if let Err(lost) = self.held().await {
            if self.fleet.alias(name, alias).await?.is_some_and(|now| now.revision == made.revision) {
                self.fleet.delete_alias(name, alias).await?;
            }
            return Err(Unwritten::Unheld(lost));
        }
        Ok(())
    }

    /// Lambda's `DeleteAlias` takes no guard: a guarded write that changes nothing but the description goes before it.
    pub(super) async fn delete_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        now: &AliasState,
    ) -> Result<(), Unwritten> {
        let target = AliasTarget { description: "about to be removed".to_owned(), ..now.target.clone() };
        self.update_alias(name, alias, &target, &now.revision).await?;
        self.write(|| self.fleet.inner().delete_alias(name, alias)).await
    }

    /// The claim is asked before each attempt: waiting for a busy fleet is time enough to lose it.
    async fn write<T: Send, F>(&self, write: impl Fn() -> F + Send + Sync) -> Result<T, Unwritten>
    where
        F: Future<Output = Result<T, FleetError>> + Send,
    {
        let attempt = || async {
            self.held().await.map_err(Unwritten::Unheld)?;
            match write().await {
                // Whoever is refused by a guard has probably been taken over: that is the reason to give then.
                Err(error @ (FleetError::Guarded(_) | FleetError::Conflict(_))) => {
                    self.held().await.map_err(Unwritten::Unheld)?;
                    Err(Unwritten::Fleet(error))
                }
                written => Ok(written?),
            }
        };
        self.fleet.patiently(attempt).await
    }

    /// Whether the chain still ends where this claim left it: one probe, however long the chain is.
    pub(super) async fn held(&self) -> anyhow::Result<()> {
        let key = self.promotion.chain().key(self.claimed.last() + 1)?;
        let went_on = self.context.vault.exists(&key).await;
        if went_on.map_err(|error| error.failed(format!("failed to look for {key}")))? {
            return Err(self.promotion.taken_over().await?.into());
        }
        Ok(())
    }
}
