//! What Lambda tells of functions, versions and aliases, in the port's words. Every operation of the SDK answers with a type
//! of its own and the same fields.

use std::collections::BTreeMap;

use aws_sdk_lambda::{
    operation::{
        create_alias::CreateAliasOutput, create_function::CreateFunctionOutput, get_alias::GetAliasOutput,
        publish_version::PublishVersionOutput, update_alias::UpdateAliasOutput,
        update_function_code::UpdateFunctionCodeOutput,
        update_function_configuration::UpdateFunctionConfigurationOutput,
    },
    types::{
        AliasRoutingConfiguration, Architecture as LambdaArchitecture, EnvironmentResponse, FunctionConfiguration,
        LastUpdateStatus, State as LambdaState, TracingMode,
    },
};

use crate::{
    model::{
        configuration::{Architecture, Configuration, Tracing},
        digest::Digest,
        names::FleetName,
    },
    ports::fleet::{AliasState, AliasTarget, FleetVersion, FunctionState, LastUpdate, Revision, State},
};

/// A function or a version as Lambda tells it; where its logs go, too.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    version: Option<String>,
    code: Option<String>,
    architectures: Vec<LambdaArchitecture>,
    memory_mb: i32,
    timeout_s: i32,
    layers: Vec<String>,
    tracing: Option<TracingMode>,
    environment: Option<EnvironmentResponse>,
    revision: Option<String>,
    state: Option<LambdaState>,
    state_reason: String,
    last_update: Option<LastUpdateStatus>,
    last_update_reason: String,
    log_group: Option<String>,
}

macro_rules! told {
    ($($output:ty),*) => {
        $(
            impl From<&$output> for Told {
                fn from(output: &$output) -> Self {
                    let reason = |text: Option<&str>, code: Option<&str>| {
                        [text, code].into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
                    };
                    let layers = output.layers().iter().filter_map(|layer| layer.arn()).map(str::to_owned);
                    Self {
                        version: output.version().map(str::to_owned),
                        code: output.code_sha256().map(str::to_owned),
                        architectures: output.architectures().to_vec(),
                        memory_mb: output.memory_size().unwrap_or_default(),
                        timeout_s: output.timeout().unwrap_or_default(),
                        layers: layers.collect(),
                        tracing: output.tracing_config().and_then(|tracing| tracing.mode()).cloned(),
                        environment: output.environment().cloned(),
                        revision: output.revision_id().map(str::to_owned),
                        state: output.state().cloned(),
                        state_reason: reason(output.state_reason(), output.state_reason_code().map(|code| code.as_str())),
                        last_update: output.last_update_status().cloned(),
                        last_update_reason: reason(
                            output.last_update_status_reason(),
                            output.last_update_status_reason_code().map(|code| code.as_str()),
                        ),
                        log_group: output.logging_config().and_then(|logs| logs.log_group()).map(str::to_owned),
                    }
                }
            }
        )*
    };
}

told!(
    FunctionConfiguration,
    CreateFunctionOutput,
    UpdateFunctionCodeOutput,
    UpdateFunctionConfigurationOutput,
    PublishVersionOutput
);

impl Told {
    /// The log group that the function writes to.
    pub(super) fn log_group(&self, name: &FleetName) -> String {
        self.log_group.clone().unwrap_or_else(|| format!("/aws/lambda/{name}"))
    }

    /// The state, if all of it was told; otherwise what was not, or what makes no sense.
    pub(super) fn state(self, log_retention_days: u32) -> Result<FunctionState, String> {
        if let Some(error) = self.environment.as_ref().and_then(|environment| environment.error()) {
            let text = [error.error_code(), error.message()].into_iter().flatten().collect::<Vec<_>>().join(": ");
            return Err(format!("its variables cannot be read: {text}"));
        }
        let version = match self.version.as_deref() {
            None | Some("$LATEST") => None,
            Some(number) => Some(version(number)?),
        };
        let code = self.code.as_deref().unwrap_or_default();
        let architecture = match self.architectures.as_slice() {
            [LambdaArchitecture::Arm64] => Architecture::Arm64,
            [LambdaArchitecture::X8664] | [] => Architecture::X86_64,
            other => return Err(format!("it is built for {other:?}")),
        };
        let variables = self.environment.and_then(|environment| environment.variables);
        let variables: BTreeMap<_, _> = variables.into_iter().flatten().collect();
        Ok(FunctionState {
            version,
            code: Digest::from_base64(code).map_err(|error| format!("its code's digest: {error}"))?,
            configuration: Configuration {
                architecture,
                memory_mb: u32::try_from(self.memory_mb).unwrap_or_default(),
                timeout_s: u32::try_from(self.timeout_s).unwrap_or_default(),
                layers: self.layers,
                tracing: match self.tracing {
                    Some(TracingMode::Active) => Tracing::Active,
                    _ => Tracing::PassThrough,
                },
                log_retention_days,
            },
            variables,
            revision: Revision(self.revision.ok_or("it has no revision")?),
            state: match self.state {
                // Old functions tell no state: they are ready.
                None | Some(LambdaState::Active) => State::Active,
                Some(LambdaState::Inactive) => State::Inactive,
                Some(LambdaState::Failed) => State::Failed(self.state_reason),
                // What this build does not know is waited for: it must not count against the release.
                Some(_) => State::Pending,
            },
            last_update: match self.last_update {
                None | Some(LastUpdateStatus::Successful) => LastUpdate::Successful,
                Some(LastUpdateStatus::Failed) => LastUpdate::Failed(self.last_update_reason),
                Some(_) => LastUpdate::InProgress,
            },
        })
    }
}

/// The number of a published version.
pub(super) fn version(text: &str) -> Result<FleetVersion, String> {
    text.parse().map(FleetVersion).map_err(|_no_number| format!("`{text}` is not a published version"))
}

/// An alias as Lambda tells it.
pub(super) struct ToldAlias {
    version: Option<String>,
    routing: Option<AliasRoutingConfiguration>,
    description: Option<String>,
    revision: Option<String>,
}

macro_rules! told_alias {
    ($($output:ty),*) => {
        $(
            impl From<$output> for ToldAlias {
                fn from(output: $output) -> Self {
                    Self {
                        version: output.function_version,
                        routing: output.routing_config,
                        description: output.description,
                        revision: output.revision_id,
                    }
                }
            }
        )*
    };
}

told_alias!(GetAliasOutput, CreateAliasOutput, UpdateAliasOutput);

impl ToldAlias {
    /// The state, if it makes sense.
    pub(super) fn state(self) -> Result<AliasState, String> {
        let weights = self.routing.and_then(|routing| routing.additional_version_weights).unwrap_or_default();
        let canary = match weights.into_iter().collect::<Vec<_>>().as_slice() {
            [] => None,
            [(number, share)] => Some((version(number)?, thousandths(*share)?)),
            many => return Err(format!("it names {} versions beside its own", many.len())),
        };
        let target = AliasTarget {
            version: version(self.version.as_deref().unwrap_or_default())?,
            canary,
            description: self.description.unwrap_or_default(),
        };
        Ok(AliasState { target, revision: Revision(self.revision.ok_or("it has no revision")?) })
    }
}

/// A weight in thousandths. Lambda tells it as a fraction.
fn thousandths(share: f64) -> Result<u16, String> {
    let thousandths = (share * 1000.0).round();
    if (0.0..=1000.0).contains(&thousandths) {
        // Within 0 to 1000, and whole.
        Ok(thousandths as u16)
    } else {
        Err(format!("it gives a share of {share} to a version"))
    }
}

/// The weights of a target; none clears what was there.
pub(super) fn routing(target: &AliasTarget) -> AliasRoutingConfiguration {
    let weights = target.canary.map(|(number, share)| (number.to_string(), f64::from(share) / 1000.0));
    AliasRoutingConfiguration::builder().set_additional_version_weights(Some(weights.into_iter().collect())).build()
}

/// Lambda's name of a processor.
pub(super) fn architecture(of: Architecture) -> LambdaArchitecture {
    match of {
        Architecture::X86_64 => LambdaArchitecture::X8664,
        Architecture::Arm64 => LambdaArchitecture::Arm64,
    }
}

/// Lambda's name of a tracing mode.
pub(super) fn tracing(of: Tracing) -> aws_sdk_lambda::types::TracingConfig {
    let mode = match of {
        Tracing::Active => TracingMode::Active,
        Tracing::PassThrough => TracingMode::PassThrough,
    };
    aws_sdk_lambda::types::TracingConfig::builder().mode(mode).build()
}
