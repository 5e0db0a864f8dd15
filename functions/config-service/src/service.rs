//! The business of a configuration lookup: read, record, and only then tell.

use common::middleware::{ApiError, Auditor, audited};
use common::models::{Action, Environment, Lookup, Subject};
use common::types::{AuditStore, Clock, Invocation, StoreError};

use crate::dto::{ConfigurationBody, ConfigurationKey, ConfigurationQuery};
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
        let subject = Subject::Configuration(key.as_ref().map(|key| key.as_str().to_owned()));
        let request_id = invocation.request_id.clone();
        let lookup = Lookup { action: Action::ConfigFetch, user, subject, request_id };
        let auditor = Auditor { store: &self.audit, clock: &self.clock, environment: &self.environment };
        let missing = match &key {
            Some(key) => format!("configuration key {}", key.as_str()),
            None => format!("a configuration of environment {}", self.environment),
        };
        audited(&auditor, lookup, self.read(key, invocation)).await?.ok_or(ApiError::NotFound(missing))
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
                Ok(value.map(|value| ConfigurationBody::One { environment, key, value }))
            }
            None => {
                let configuration = self.configuration.all(&environment, invocation).await?;
                Ok((!configuration.is_empty()).then_some(ConfigurationBody::All { environment, configuration }))
            }
        }
    }
}
