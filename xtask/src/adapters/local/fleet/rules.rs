//! Lambda's rules, as decisions on values: variables, guards, routing. What it limits in what a release declares is in
//! `adapters/limits.rs`. No I/O.

use uuid::Uuid;

use crate::{
    adapters::limits::check_description,
    model::{configuration::Variables, digest::Digest},
    ports::fleet::{AliasTarget, FleetError, FleetVersion, FunctionState, LastUpdate, Revision, State},
};

/// Keys that Lambda sets itself and refuses from others (developer guide, "Defined runtime environment variables").
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// All keys and values of a function's variables together, in bytes (Lambda quotas: 4 KB).
const LARGEST_VARIABLES: usize = 4096;

/// Refuses variables that Lambda would refuse.
pub(super) fn check_variables(variables: &Variables) -> Result<(), FleetError> {
    let size: usize = variables.iter().map(|(key, value)| key.len() + value.len()).sum();
    let wrong = if size > LARGEST_VARIABLES {
        format!("they take {size} bytes together, more than {LARGEST_VARIABLES}")
    } else if let Some(key) = variables.keys().find(|key| RESERVED.contains(&key.as_str())) {
        format!("`{key}` is reserved by Lambda")
    } else if let Some(key) = variables.keys().find(|key| !is_variable(key)) {
        format!("`{key}` is not a name: start with a letter, go on with letters, digits and `_`")
    } else if let Some((key, _)) = variables.iter().find(|(_, value)| value.contains('\0')) {
        format!("the value of `{key}` contains a NUL")
    } else {
        return Ok(());
    };
    Err(FleetError::Invalid(format!("the variables are wrong: {wrong}")))
}

/// Refuses a write of the unpublished state by someone who did not see it last, or while another is in progress.
pub(super) fn check_write(name: &str, state: &FunctionState, guard: &Revision) -> Result<(), FleetError> {
    if state.revision != *guard {
        return Err(FleetError::Guarded(format!("function `{name}`")));
    }
    match state.last_update {
        LastUpdate::InProgress => Err(FleetError::Conflict(format!(
            "an update of function `{name}` is in progress; wait until it has settled"
        ))),
        LastUpdate::Successful | LastUpdate::Failed(_) => Ok(()),
    }
}

/// Refuses to publish what is not ready, or not what the caller thinks it is.
pub(super) fn check_publish(
    name: &str,
    state: &FunctionState,
    code: &Digest,
    description: &str,
) -> Result<(), FleetError> {
    check_description(description)?;
    if let LastUpdate::Failed(reason) = &state.last_update {
        return Err(FleetError::Conflict(format!("the last update of function `{name}` failed: {reason}")));
    }
    if state.code != *code {
        return Err(FleetError::Invalid(format!("the code of function `{name}` is {}, not {code}", state.code)));
    }
    check_variables(&state.variables)
}

/// The version that takes this request: random over requests, always the same for one.
pub(super) fn route(target: &AliasTarget, request: Uuid) -> FleetVersion {
    match target.canary {
        // The last bits of a random id are all random.
        Some((canary, share)) if request.as_u128() % 1000 < u128::from(share) => canary,
        _ => target.version,
    }
}

/// Refuses to route calls to a version that is not ready: on Lambda, too, calls that operate on a function which is still
/// `Pending` fail (developer guide, "Lambda function states").
pub(super) fn check_ready(name: &str, number: FleetVersion, state: &State) -> Result<(), FleetError> {
    let why = match state {
        State::Active | State::Inactive => return Ok(()),
        State::Pending => "still pending".to_owned(),
        State::Failed(reason) => format!("failed: {reason}"),
    };
    Err(FleetError::Conflict(format!("version {number} of function `{name}` is {why}")))
}

fn is_variable(key: &str) -> bool {
    key.len() > 1
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_gets_its_share_and_a_request_its_version() {
        let target = |share| AliasTarget {
            version: FleetVersion(1),
            canary: Some((FleetVersion(2), share)),
            description: String::new(),
        };
        let hits = |share| (0..2000).filter(|&n| route(&target(share), Uuid::from_u128(n)) == FleetVersion(2)).count();
        assert_eq!([hits(0), hits(100), hits(1000)], [0, 200, 2000]);
        let id = Uuid::new_v4();
        assert_eq!(route(&target(500), id), route(&target(500), id));
    }
}
