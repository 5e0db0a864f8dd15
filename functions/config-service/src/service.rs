//! The business of a configuration lookup: read, record, and only then tell.

use common::middleware::{ApiError, Auditor, audited};
use common::models::{Action, Configuration, ConfigurationKey, Environment, Lookup, Setting, Subject};
use common::types::{AuditStore, Clock, Invocation, StoreError};

use crate::dto::{ConfigurationBody, ConfigurationQuery};
use crate::repository_configuration::ConfigurationStore;

/// What the function works with.
pub(crate) struct App<S, A, C> {
    /// Where the configuration comes from.
    pub(crate) configuration: S,
    /// Where audit items go.
    pub(crate) audit: A,
    /// The time.
    pub(crate) clock: C,
    /// The environment that this process serves, the only one whose rows it reads.
    pub(crate) environment: Environment,
}

impl<S: ConfigurationStore, A: AuditStore, C: Clock> App<S, A, C> {
    /// The part of the configuration that `query` asks for; every outcome is audited first.
    ///
    /// # Errors
    /// Not found; the configuration or the audit store failed.
    pub(crate) async fn configuration(
        &self,
        query: ConfigurationQuery,
        invocation: &Invocation,
    ) -> Result<ConfigurationBody, ApiError> {
        let ConfigurationQuery { key, user } = query;
        let subject = Subject::Configuration(key.clone());
        let Invocation { request_id, correlation_id, measures, .. } = invocation.clone();
        let lookup = Lookup { action: Action::ConfigFetch, user, subject, request_id, correlation_id };
        let auditor = Auditor { store: &self.audit, clock: &self.clock, environment: &self.environment };
        let missing = if key.is_some() { "the configuration key" } else { "the environment's configuration" };
        let found = audited(&auditor, &measures, lookup, self.read(key, invocation)).await?;
        found.ok_or(ApiError::NotFound(missing))
    }

    async fn read(
        &self,
        key: Option<ConfigurationKey>,
        invocation: &Invocation,
    ) -> Result<Option<ConfigurationBody>, StoreError> {
        let environment = self.environment.clone();
        match key {
            Some(key) => {
                let value = self.configuration.one(&environment, &key, invocation).await?;
                Ok(value.map(|value| ConfigurationBody::One(Setting { environment, key, value })))
            }
            None => {
                let configuration = self.configuration.all(&environment, invocation).await?;
                Ok((!configuration.is_empty())
                    .then_some(ConfigurationBody::All(Configuration { environment, configuration })))
            }
        }
    }
}
