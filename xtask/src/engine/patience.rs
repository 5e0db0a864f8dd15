//! A fleet that is asked again while it is too busy: the one place where throttling is waited out.
//!
//! A throttled call had no effect, so the same call with the same guard may be made again. What must be checked before a
//! write belongs inside of this, so that it is checked before each attempt.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    model::{
        configuration::Configuration,
        digest::Digest,
        names::{AliasName, FleetName},
    },
    ports::{
        clock::Clock,
        fleet::{
            AliasState, AliasTarget, CodeSource, Fleet, FleetError, FleetVersion, FunctionState, Invocation, Qualifier,
            Revision,
        },
        story::Story,
    },
};

/// How often a call is made at most. The waits in between grow to about 20 seconds together.
const ATTEMPTS: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(6);

/// A fleet behind patience: `Throttled` reaches the caller only when it did not pass.
pub struct Patient<'a> {
    fleet: &'a dyn Fleet,
    clock: &'a dyn Clock,
    story: &'a dyn Story,
}

impl<'a> Patient<'a> {
    /// Waits with this clock and tells of it.
    #[must_use]
    pub fn new(fleet: &'a dyn Fleet, clock: &'a dyn Clock, story: &'a dyn Story) -> Self {
        Self { fleet, clock, story }
    }

    /// The fleet itself, for whoever has patience with more than one call of it.
    #[must_use]
    pub fn inner(&self) -> &'a dyn Fleet {
        self.fleet
    }

    /// Tries again what found the fleet busy, everything of it each time.
    ///
    /// # Errors
    /// As the last attempt.
    pub async fn patiently<T, E: Busy, F>(&self, attempt: impl Fn() -> F + Send + Sync) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>> + Send,
    {
        let mut number = 1;
        loop {
            let answered = attempt().await;
            let Some(busy) = answered.as_ref().err().and_then(Busy::busy).filter(|_| number < ATTEMPTS) else {
                return answered;
            };
            let wait = wait(number, Uuid::new_v4());
            number += 1;
            let again = format!("asking again in {} ms (attempt {number} of {ATTEMPTS})", wait.as_millis());
            self.story.note(&format!("{busy}; {again}"));
            drop(answered);
            self.clock.sleep(wait).await;
        }
    }
}

/// An error that may say that a fleet was too busy, so that nothing happened.
pub trait Busy: Send {
    /// How busy, for people; `None` if it says something else.
    fn busy(&self) -> Option<String>;
}

impl Busy for FleetError {
    fn busy(&self) -> Option<String> {
        matches!(self, Self::Throttled(_)).then(|| self.to_string())
    }
}

/// How long to wait after this attempt: doubled each time, and between half and all of it by chance, so that those who
/// were refused together do not come back together.
fn wait(attempt: u32, chance: Uuid) -> Duration {
    let longest = FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    // The last bits of a random id are all random.
    let share = u32::try_from(chance.as_u128() % 1000).unwrap_or(0);
    longest / 2 + longest / 2 * share / 1000
}

impl std::fmt::Debug for Patient<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patient").finish_non_exhaustive()
    }
}

#[async_trait]
impl Fleet for Patient<'_> {
    fn at_once(&self) -> usize {
        self.fleet.at_once()
    }

    fn may_create(&self, name: &FleetName) -> Result<(), FleetError> {
        self.fleet.may_create(name)
    }

    async fn function(&self, name: &FleetName) -> Result<Option<FunctionState>, FleetError> {
        self.patiently(|| self.fleet.function(name)).await
    }

    async fn create(
        &self,
        name: &FleetName,
        code: &CodeSource,
        configuration: &Configuration,
    ) -> Result<FunctionState, FleetError> {
        self.patiently(|| self.fleet.create(name, code, configuration)).await
    }

    async fn update_code(
        &self,
        name: &FleetName,
        code: &CodeSource,
        guard: &Revision,
        publish: bool,
    ) -> Result<FunctionState, FleetError> {
        self.patiently(|| self.fleet.update_code(name, code, guard, publish)).await
    }

    async fn update_configuration(
        &self,
        name: &FleetName,
        configuration: &Configuration,
        guard: &Revision,
    ) -> Result<FunctionState, FleetError> {
        self.patiently(|| self.fleet.update_configuration(name, configuration, guard)).await
    }

    async fn publish(
        &self,
        name: &FleetName,
        code: &Digest,
        guard: &Revision,
        description: &str,
    ) -> Result<FunctionState, FleetError> {
        self.patiently(|| self.fleet.publish(name, code, guard, description)).await
    }

    async fn version(&self, name: &FleetName, version: FleetVersion) -> Result<Option<FunctionState>, FleetError> {
        self.patiently(|| self.fleet.version(name, version)).await
    }

    async fn live(&self, name: &FleetName, alias: &AliasName) -> Result<Option<FunctionState>, FleetError> {
        self.patiently(|| self.fleet.live(name, alias)).await
    }

    async fn layer(&self, arn: &str) -> Result<Option<Digest>, FleetError> {
        self.patiently(|| self.fleet.layer(arn)).await
    }

    async fn alias(&self, name: &FleetName, alias: &AliasName) -> Result<Option<AliasState>, FleetError> {
        self.patiently(|| self.fleet.alias(name, alias)).await
    }

    async fn create_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
    ) -> Result<AliasState, FleetError> {
        self.patiently(|| self.fleet.create_alias(name, alias, target)).await
    }

    async fn update_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
        guard: &Revision,
    ) -> Result<AliasState, FleetError> {
        self.patiently(|| self.fleet.update_alias(name, alias, target, guard)).await
    }

    async fn delete_alias(&self, name: &FleetName, alias: &AliasName) -> Result<(), FleetError> {
        self.patiently(|| self.fleet.delete_alias(name, alias)).await
    }

    async fn invoke(&self, name: &FleetName, qualifier: &Qualifier, payload: &[u8]) -> Result<Invocation, FleetError> {
        self.patiently(|| self.fleet.invoke(name, qualifier, payload)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_scatter() {
        let least = |attempt| wait(attempt, Uuid::from_u128(0)).as_millis();
        let most = |attempt| wait(attempt, Uuid::from_u128(999)).as_millis();
        assert_eq!([least(1), least(2), least(5), least(6), least(60)], [100, 200, 1600, 3000, 3000]);
        assert_eq!([most(1), most(7)], [199, 5997]);
        let together: Duration = (1..ATTEMPTS).map(|attempt| wait(attempt, Uuid::from_u128(999))).sum();
        assert!(together < Duration::from_secs(20), "{together:?}");
    }
}
