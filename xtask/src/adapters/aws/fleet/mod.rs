//! The fleet in AWS Lambda: functions, versions and aliases of one environment. Every write of what exists carries its
//! guard, takes its turn in the account's budget, and pins the code to one version of one object.

mod failed;
mod report;
mod retention;
mod source;
mod told;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_lambda::{
    config::retry::RetryConfig,
    primitives::Blob,
    types::{FunctionCode, LogType, Runtime},
};
use base64::Engine as _;

use self::{
    failed::Asked,
    report::Report,
    retention::Logs,
    source::Source,
    told::{Told, ToldAlias},
};
use crate::{
    adapters::{
        aws::budget::{Budget, Kind},
        limits,
    },
    config::aws::Create,
    model::{
        configuration::Configuration,
        digest::Digest,
        names::{AliasName, EnvName, FleetName},
    },
    ports::{
        clock::Clock,
        fleet::{
            AliasState, AliasTarget, CodeSource, Fleet, FleetError, FleetVersion, FunctionState, Invocation, Qualifier,
            Revision,
        },
    },
};

/// So many that the budget is what limits: while one function settles, which takes a second or more, the budget gives out ten
/// calls for others.
const AT_ONCE: usize = 16;

/// The functions of one environment.
pub struct LambdaFleet {
    lambda: aws_sdk_lambda::Client,
    source: Source,
    logs: Logs,
    budget: Arc<Budget>,
    clock: Arc<dyn Clock>,
    place: Place,
}

/// Where an environment's functions are, and where their code comes from.
#[derive(Debug, Clone)]
pub struct Place {
    /// The environment.
    pub environment: EnvName,
    /// The vault's bucket in the functions' region.
    pub bucket: String,
    /// The account that must own the bucket.
    pub owner: String,
    /// With what a function that does not exist yet is made; without it that is refused.
    pub create: Option<Create>,
}

/// The clients that a fleet speaks through, all of one region and one writer.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Functions.
    pub lambda: aws_sdk_lambda::Client,
    /// Their logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Their code.
    pub s3: aws_sdk_s3::Client,
}

impl LambdaFleet {
    /// A fleet at this place, within this budget.
    #[must_use]
    pub fn new(clients: Clients, place: Place, budget: Arc<Budget>, clock: Arc<dyn Clock>) -> Self {
        let Clients { lambda, logs, s3 } = clients;
        let source = Source { s3, bucket: place.bucket.clone(), owner: place.owner.clone() };
        Self { lambda, source, logs: Logs::new(logs, Arc::clone(&budget)), budget, clock, place }
    }

    /// What was told, with what only its log group knows.
    async fn complete(&self, name: &FleetName, told: Told, asked: &Asked) -> Result<FunctionState, FleetError> {
        let days = self.logs.retention(&told.log_group(name)).await?;
        told.state(days).map_err(|why| asked.unreachable(format!("of {}: {why}", asked.of)))
    }

    /// A function's unpublished state, or what a qualifier stands for.
    async fn read(&self, name: &FleetName, qualifier: Option<String>) -> Result<Option<FunctionState>, FleetError> {
        let asked = asked(
            match &qualifier {
                None => format!("function `{name}`"),
                Some(qualifier) => format!("`{qualifier}` of function `{name}`"),
            },
            "read",
        );
        self.budget.turn(Kind::Read).await;
        let call = self.lambda.get_function().function_name(name.as_str());
        let call = call.set_qualifier(qualifier);
        let told = match call.send().await {
            Ok(got) => got.configuration().map(Told::from).unwrap_or_default(),
            Err(error) => match asked.failed(&error) {
                FleetError::NotFound(_) => return Ok(None),
                failed => return Err(failed),
            },
        };
        self.complete(name, told, &asked).await.map(Some)
    }

    /// With what a function is made.
    fn creation(&self, name: &FleetName) -> Result<&Create, FleetError> {
        self.place.create.as_ref().ok_or_else(|| {
            let environment = &self.place.environment;
            FleetError::NotAllowed(format!(
                "function `{name}` does not exist in Lambda, and making it is not allowed: give \
                 `profile.aws.environments.{environment}.create.role` in release.toml, or have it made with the runtime \
                 provided.al2023, the handler bootstrap and the architecture that releases are built for"
            ))
        })
    }
}

impl std::fmt::Debug for LambdaFleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LambdaFleet").field("place", &self.place).finish_non_exhaustive()
    }
}

#[async_trait]
impl Fleet for LambdaFleet {
    fn at_once(&self) -> usize {
        AT_ONCE
    }

    fn may_create(&self, name: &FleetName) -> Result<(), FleetError> {
        self.creation(name).map(drop)
    }

    async fn function(&self, name: &FleetName) -> Result<Option<FunctionState>, FleetError> {
        self.read(name, None).await
    }

    async fn create(
        &self,
        name: &FleetName,
        code: &CodeSource,
        configuration: &Configuration,
    ) -> Result<FunctionState, FleetError> {
        limits::check_configuration(configuration)?;
        let create = self.creation(name)?;
        self.source.check(code).await?;
        let asked = asked(format!("function `{name}`"), "make");
        self.budget.turn(Kind::Other).await;
        let source = FunctionCode::builder().s3_bucket(&self.place.bucket).s3_key(code.key.as_str());
        let source = source.set_s3_object_version(code.object_version.clone()).build();
        let call = self.lambda.create_function().function_name(name.as_str()).code(source);
        let call = call.runtime(Runtime::Providedal2023).handler(create.handler.as_deref().unwrap_or("bootstrap"));
        let call = call.role(create.role.as_str()).architectures(told::architecture(configuration.architecture));
        let call = call.memory_size(signed(configuration.memory_mb)).timeout(signed(configuration.timeout_s));
        let call = call.set_layers(Some(configuration.layers.clone()));
        let made = call.tracing_config(told::tracing(configuration.tracing)).send().await;
        let told = Told::from(&made.map_err(|error| asked.failed(&error))?);
        self.logs.keep(&told.log_group(name), configuration.log_retention_days).await?;
        self.complete(name, told, &asked).await
    }

    async fn update_code(
        &self,
        name: &FleetName,
        code: &CodeSource,
        guard: &Revision,
        publish: bool,
    ) -> Result<FunctionState, FleetError> {
        self.source.check(code).await?;
        let asked = asked(format!("function `{name}`"), "update the code of");
        self.budget.turn(Kind::Other).await;
        let call = self.lambda.update_function_code().function_name(name.as_str()).s3_bucket(&self.place.bucket);
        let call = call.s3_key(code.key.as_str()).set_s3_object_version(code.object_version.clone());
        let call = call.architectures(told::architecture(code.architecture));
        let updated = call.revision_id(&guard.0).publish(publish).send().await;
        let told = Told::from(&updated.map_err(|error| asked.failed(&error))?);
        self.complete(name, told, &asked).await
    }

    async fn update_configuration(
        &self,
        name: &FleetName,
        configuration: &Configuration,
        guard: &Revision,
    ) -> Result<FunctionState, FleetError> {
        limits::check_configuration(configuration)?;
        let asked = asked(format!("function `{name}`"), "update the configuration of");
        self.budget.turn(Kind::Other).await;
        // What is not named here stays: the variables above all, which are the infrastructure team's.
        let call = self.lambda.update_function_configuration().function_name(name.as_str()).revision_id(&guard.0);
        let call = call.memory_size(signed(configuration.memory_mb)).timeout(signed(configuration.timeout_s));
        let call = call.set_layers(Some(configuration.layers.clone()));
        let updated = call.tracing_config(told::tracing(configuration.tracing)).send().await;
        let told = Told::from(&updated.map_err(|error| asked.failed(&error))?);
        // Only whoever passed the guard gets here.
        self.logs.keep(&told.log_group(name), configuration.log_retention_days).await?;
        self.complete(name, told, &asked).await
    }

    async fn publish(
        &self,
        name: &FleetName,
        code: &Digest,
        guard: &Revision,
        description: &str,
    ) -> Result<FunctionState, FleetError> {
        limits::check_description(description)?;
        let asked = asked(format!("function `{name}`"), "publish");
        self.budget.turn(Kind::Other).await;
        let call = self.lambda.publish_version().function_name(name.as_str()).revision_id(&guard.0);
        let published = call.code_sha256(code.base64()).description(description).send().await;
        let told = Told::from(&published.map_err(|error| asked.failed(&error))?);
        self.complete(name, told, &asked).await
    }

    async fn version(&self, name: &FleetName, version: FleetVersion) -> Result<Option<FunctionState>, FleetError> {
        self.read(name, Some(version.to_string())).await
    }

    async fn live(&self, name: &FleetName, alias: &AliasName) -> Result<Option<FunctionState>, FleetError> {
        self.read(name, Some(alias.to_string())).await
    }

    async fn layer(&self, arn: &str) -> Result<Option<Digest>, FleetError> {
        let asked = asked(format!("layer `{arn}`"), "read");
        self.budget.turn(Kind::Other).await;
        let told = self.lambda.get_layer_version_by_arn().arn(arn).send().await;
        let told = told.map_err(|error| asked.failed(&error))?;
        let sha256 = told.content().and_then(|content| content.code_sha256()).unwrap_or_default();
        Digest::from_base64(sha256).map(Some).map_err(|error| asked.unreachable(error.to_string()))
    }

    async fn alias(&self, name: &FleetName, alias: &AliasName) -> Result<Option<AliasState>, FleetError> {
        let asked = asked(format!("alias `{alias}` of function `{name}`"), "read");
        self.budget.turn(Kind::Other).await;
        match self.lambda.get_alias().function_name(name.as_str()).name(alias.as_str()).send().await {
            Ok(got) => understood(got, &asked).map(Some),
            Err(error) => match asked.failed(&error) {
                FleetError::NotFound(_) => Ok(None),
                failed => Err(failed),
            },
        }
    }

    async fn create_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
    ) -> Result<AliasState, FleetError> {
        limits::check_target(target)?;
        let asked = asked(format!("alias `{alias}` of function `{name}`"), "make");
        self.budget.turn(Kind::Other).await;
        let call = self.lambda.create_alias().function_name(name.as_str()).name(alias.as_str());
        let call = call.function_version(target.version.to_string()).description(&target.description);
        let made = call.routing_config(told::routing(target)).send().await;
        understood(made.map_err(|error| asked.failed(&error))?, &asked)
    }

    async fn update_alias(
        &self,
        name: &FleetName,
        alias: &AliasName,
        target: &AliasTarget,
        guard: &Revision,
    ) -> Result<AliasState, FleetError> {
        limits::check_target(target)?;
        let asked = asked(format!("alias `{alias}` of function `{name}`"), "update");
        self.budget.turn(Kind::Other).await;
        let call = self.lambda.update_alias().function_name(name.as_str()).name(alias.as_str()).revision_id(&guard.0);
        let call = call.function_version(target.version.to_string()).description(&target.description);
        // Always said: what is not said stays, and a share must never be left over.
        let updated = call.routing_config(told::routing(target)).send().await;
        understood(updated.map_err(|error| asked.failed(&error))?, &asked)
    }

    async fn delete_alias(&self, name: &FleetName, alias: &AliasName) -> Result<(), FleetError> {
        let asked = asked(format!("alias `{alias}` of function `{name}`"), "remove");
        self.budget.turn(Kind::Other).await;
        match self.lambda.delete_alias().function_name(name.as_str()).name(alias.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) => match asked.failed(&error) {
                FleetError::NotFound(_) => Ok(()),
                failed => Err(failed),
            },
        }
    }

    async fn invoke(&self, name: &FleetName, qualifier: &Qualifier, payload: &[u8]) -> Result<Invocation, FleetError> {
        limits::check_event(payload)
            .map_err(|reason| FleetError::Invalid(format!("the event for function `{name}` is refused: {reason}")))?;
        let qualifier = match qualifier {
            Qualifier::Version(version) => version.to_string(),
            Qualifier::Alias(alias) => alias.to_string(),
        };
        let asked = asked(format!("`{qualifier}` of function `{name}`"), "call");
        let call = self.lambda.invoke().function_name(name.as_str()).qualifier(qualifier);
        let call = call.log_type(LogType::Tail).payload(Blob::new(payload));
        // Handed over once: an event that is sent again is processed again.
        let once = aws_sdk_lambda::Config::builder().retry_config(RetryConfig::disabled());
        let began = self.clock.now();
        let answer = call.customize().config_override(once).send().await.map_err(|error| asked.failed(&error))?;
        let took = self.clock.now().since(began);
        let executed = told::version(answer.executed_version().unwrap_or_default());
        let log = answer.log_result().map(|log| base64::engine::general_purpose::STANDARD.decode(log));
        let log = log.transpose().map_err(|error| asked.unreachable(format!("its log: {error}")))?;
        let log_tail = String::from_utf8_lossy(&log.unwrap_or_default()).into_owned();
        let report = Report::of(&log_tail);
        Ok(Invocation {
            executed: executed.map_err(|why| asked.unreachable(why))?,
            payload: answer.payload().map(|payload| payload.as_ref().to_vec()).unwrap_or_default(),
            function_error: answer.function_error().map(str::to_owned),
            duration: report.duration.unwrap_or(took),
            init: report.init,
            max_memory_mb: report.max_memory_mb,
            log_tail,
        })
    }
}

fn asked(of: String, verb: &str) -> Asked {
    Asked { what: format!("{verb} {of}"), of }
}

fn understood(told: impl Into<ToldAlias>, asked: &Asked) -> Result<AliasState, FleetError> {
    told.into().state().map_err(|why| FleetError::Conflict(format!("{} cannot be used: {why}", asked.of)))
}

/// Numbers that Lambda takes as signed; those that it allows fit.
fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
