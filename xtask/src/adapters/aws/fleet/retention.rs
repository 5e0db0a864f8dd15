//! How long a function's log is kept: a setting of its log group in CloudWatch Logs, which has no versions. It is the
//! function's, for whichever version writes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_cloudwatchlogs::{Client, error::ProvideErrorMetadata as _};

use super::failed::Asked;
use crate::{
    adapters::aws::{
        budget::{Budget, Kind},
        errors::{status, why},
    },
    ports::fleet::FleetError,
};

/// The log groups of one account in one region.
pub(super) struct Logs {
    client: Client,
    budget: Arc<Budget>,
    /// What was told already: while a function settles it is asked for again and again, and its log is not what changes.
    known: Mutex<HashMap<String, u32>>,
}

impl Logs {
    pub(super) fn new(client: Client, budget: Arc<Budget>) -> Self {
        Self { client, budget, known: Mutex::default() }
    }

    /// For how many days a log group keeps what is written; 0 for ever, or if it does not exist yet.
    pub(super) async fn retention(&self, group: &str) -> Result<u32, FleetError> {
        if let Some(days) = self.known(group, None) {
            return Ok(days);
        }
        self.budget.turn(Kind::Logs).await;
        // Groups come by name, so that of all that begin with this one it is the first.
        let listed = self.client.describe_log_groups().log_group_name_prefix(group).limit(1).send().await;
        let listed = listed.map_err(|error| asked("read the log retention of", group, &error))?;
        let own = listed.log_groups().iter().find(|found| found.log_group_name() == Some(group));
        let days = own.and_then(|own| own.retention_in_days()).and_then(|days| u32::try_from(days).ok());
        let days = days.unwrap_or_default();
        self.known(group, Some(days));
        Ok(days)
    }

    /// Sets it, making the log group if the function has not written yet.
    pub(super) async fn keep(&self, group: &str, days: u32) -> Result<(), FleetError> {
        if self.retention(group).await? == days {
            return Ok(());
        }
        let days_of = i32::try_from(days).unwrap_or(i32::MAX);
        for made in [false, true] {
            self.budget.turn(Kind::Logs).await;
            let put = self.client.put_retention_policy().log_group_name(group).retention_in_days(days_of).send().await;
            let error = match put {
                Ok(_) => break,
                Err(error) => error,
            };
            let is_missing = error.as_service_error().is_some_and(|e| e.code() == Some("ResourceNotFoundException"));
            if made || !is_missing {
                return Err(asked("set the log retention of", group, &error));
            }
            self.make(group).await?;
        }
        self.known(group, Some(days));
        Ok(())
    }

    async fn make(&self, group: &str) -> Result<(), FleetError> {
        self.budget.turn(Kind::Logs).await;
        match self.client.create_log_group().log_group_name(group).send().await {
            Ok(_) => Ok(()),
            // The function wrote its first line meanwhile.
            Err(error)
                if error.as_service_error().is_some_and(|e| e.code() == Some("ResourceAlreadyExistsException")) =>
            {
                Ok(())
            }
            Err(error) => Err(asked("make", group, &error)),
        }
    }

    /// What is known of a group, after noting this of it.
    fn known(&self, group: &str, days: Option<u32>) -> Option<u32> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(days) = days {
            known.insert(group.to_owned(), days);
        }
        known.get(group).copied()
    }
}

/// A log group is nothing that a release could be blamed for: what fails here is only unfinished.
fn asked<E>(
    what: &str,
    group: &str,
    error: &aws_sdk_cloudwatchlogs::error::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> FleetError
where
    E: aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    let asked = Asked { of: format!("log group `{group}`"), what: format!("{what} log group `{group}`") };
    let is_busy = error.as_service_error().is_some_and(|service| service.code() == Some("ThrottlingException"));
    if is_busy || status(error) == Some(429) {
        FleetError::Throttled(why(error))
    } else {
        asked.unreachable(why(error))
    }
}
