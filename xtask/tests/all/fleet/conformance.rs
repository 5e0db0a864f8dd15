//! What every fleet must do, written once over the port. An adapter joins by a [`World`] and one line of
//! [`conformance!`]. One that is as strict as Lambda says `strict` and keeps the rules, too, that an emulator of Lambda lets
//! through; how those are proven of the adapter for Lambda stands in the table of `aws/mod.rs`.

pub(crate) mod aliases;
pub(crate) mod invocations;
pub(crate) mod versions;
pub(crate) mod writes;

use async_trait::async_trait;
use serde_json::{Value, json};
use xtask::{
    model::{
        configuration::{Architecture, Configuration, Tracing},
        names::FleetName,
    },
    ports::fleet::{CodeSource, Fleet, FleetError, FleetVersion, FunctionState, Qualifier},
};

use super::bootstrap;

/// A fresh fleet with a vault, to be dropped after one rule.
#[async_trait]
pub(crate) trait World: Send + Sync {
    /// The fleet.
    fn fleet(&self) -> &dyn Fleet;

    /// Puts an object into the vault that the fleet fetches from.
    async fn put(&self, object: &[u8]) -> CodeSource;

    /// A name that no function has yet.
    fn name(&self) -> FleetName;

    /// Waits until nothing about this function is in progress or pending any more.
    async fn settle(&self, name: &FleetName);
}

/// Runs every rule against the worlds that an expression makes.
macro_rules! conformance {
    ($adapter:ident, $world:expr) => {
        mod $adapter {
            $crate::fleet::conformance::conformance!(@shared $world);
        }
    };
    ($adapter:ident, $world:expr, strict) => {
        mod $adapter {
            $crate::fleet::conformance::conformance!(@shared $world);
            $crate::fleet::conformance::conformance!(@writes $world; what_cannot_start_fails_the_update);
            $crate::fleet::conformance::conformance!(@versions $world; what_is_written_again_is_no_change,
                publishes_only_what_was_named, a_stale_revision_publishes_nothing);
            $crate::fleet::conformance::conformance!(@aliases $world; an_alias_of_what_is_not_there_is_refused,
                a_canary_takes_its_share);
            $crate::fleet::conformance::conformance!(@invocations $world; the_first_call_tells_the_start,
                a_start_that_fails_says_how);
        }
    };
    (@shared $world:expr) => {
            $crate::fleet::conformance::conformance!(@writes $world; creates_a_function, creates_only_once, refuses_other_bytes,
                writes_need_a_function, a_stale_revision_is_refused, limits_are_kept,
                what_is_no_zip_is_refused, the_processor_goes_with_the_code);
            $crate::fleet::conformance::conformance!(@versions $world; versions_count_from_one_and_never_change,
                without_a_change_no_version_is_made, code_is_written_and_published_at_once);
            $crate::fleet::conformance::conformance!(@aliases $world; an_alias_is_made_moved_and_removed, an_alias_names_published_versions,
                a_description_rotates_the_revision);
            $crate::fleet::conformance::conformance!(@invocations $world; each_version_runs_its_own_code, failures_are_answers, a_function_knows_itself, what_is_not_there_cannot_be_called,
                a_wrong_event_is_refused);
    };
    (@$rules:ident $world:expr; $($rule:ident),*) => {
        $(
            #[tokio::test]
            async fn $rule() {
                $crate::fleet::conformance::$rules::$rule(&$world).await;
            }
        )*
    };
}
pub(crate) use conformance;

pub(crate) fn configuration() -> Configuration {
    Configuration {
        architecture: match std::env::consts::ARCH {
            "aarch64" => Architecture::Arm64,
            _ => Architecture::X86_64,
        },
        memory_mb: 256,
        timeout_s: 20,
        layers: Vec::new(),
        tracing: Tracing::PassThrough,
        log_retention_days: 30,
    }
}

/// The fixture in the vault, answering this.
pub(crate) async fn answering(world: &dyn World, answer: &str) -> CodeSource {
    world.put(&bootstrap::function(&json!({ "answer": answer }))).await
}

/// The settled unpublished state.
pub(crate) async fn latest(world: &dyn World, name: &FleetName) -> FunctionState {
    world.settle(name).await;
    world.fleet().function(name).await.unwrap().expect("the function")
}

/// A settled function with this code.
pub(crate) async fn made(world: &dyn World, code: &CodeSource) -> (FleetName, FunctionState) {
    let name = world.name();
    world.fleet().create(&name, code, &configuration()).await.unwrap();
    let state = latest(world, &name).await;
    (name, state)
}

/// Publishes the unpublished state as it is, and waits until that version is ready.
pub(crate) async fn published(world: &dyn World, name: &FleetName) -> FleetVersion {
    let state = latest(world, name).await;
    let version = world.fleet().publish(name, &state.code, &state.revision, "").await.unwrap();
    world.settle(name).await;
    version.version.expect("a published version has a number")
}

/// Replaces the code and publishes it.
pub(crate) async fn released(world: &dyn World, name: &FleetName, code: &CodeSource) -> FleetVersion {
    let state = latest(world, name).await;
    world.fleet().update_code(name, code, &state.revision, false).await.unwrap();
    published(world, name).await
}

/// What a version answers.
pub(crate) async fn answer(world: &dyn World, name: &FleetName, qualifier: Qualifier) -> Value {
    let invocation = world.fleet().invoke(name, &qualifier, b"{}").await.unwrap();
    serde_json::from_slice(&invocation.payload).unwrap()
}

macro_rules! assert_refused {
    ($result:expr, $variant:ident) => {
        match $result {
            Err(xtask::ports::fleet::FleetError::$variant(_)) => {}
            other => panic!("expected {}, found {other:?}", stringify!($variant)),
        }
    };
}
use assert_refused;

/// A failed update may not be published; Lambda's own word for it is a conflict, a preflight may call it invalid.
fn is_refusal<T>(result: &Result<T, FleetError>) -> bool {
    matches!(result, Err(FleetError::Conflict(_) | FleetError::Invalid(_)))
}
