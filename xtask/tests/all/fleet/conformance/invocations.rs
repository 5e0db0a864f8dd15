//! Calling functions.

use serde_json::{Value, json};
use xtask::ports::fleet::{AliasTarget, FleetVersion, Qualifier};

use super::{World, answer, answering, assert_refused, bootstrap, made, published, released};

const FIRST: Qualifier = Qualifier::Version(FleetVersion(1));

pub(crate) async fn each_version_runs_its_own_code(world: &dyn World) {
    let (name, _) = made(world, &answering(world, "one").await).await;
    published(world, &name).await;
    assert_eq!(answer(world, &name, FIRST).await, json!("one"));
    released(world, &name, &answering(world, "two").await).await;
    assert_eq!(answer(world, &name, FIRST).await, json!("one"));
    assert_eq!(answer(world, &name, Qualifier::Version(FleetVersion(2))).await, json!("two"));
    let (alias, fleet) = ("live".parse().unwrap(), world.fleet());
    let mut target = AliasTarget { version: FleetVersion(2), canary: None, description: String::new() };
    let state = fleet.create_alias(&name, &alias, &target).await.unwrap();
    assert_eq!(answer(world, &name, Qualifier::Alias(alias.clone())).await, json!("two"));
    target.version = FleetVersion(1);
    fleet.update_alias(&name, &alias, &target, &state.revision).await.unwrap();
    assert_eq!(answer(world, &name, Qualifier::Alias(alias)).await, json!("one"));
}

pub(crate) async fn failures_are_answers(world: &dyn World) {
    for (behaviour, kind) in [
        (json!({ "mode": "error" }), Some("Fixture.Error")),
        (json!({ "mode": "exit" }), Some("Runtime.ExitError")),
        (json!({ "start": "panic" }), None),
        (json!({ "start": "init-error" }), None),
    ] {
        fails(world, &behaviour, kind).await;
    }
}

/// The emulator has other words for it.
pub(crate) async fn a_start_that_fails_says_how(world: &dyn World) {
    for (start, kind) in [("panic", "Runtime.ExitError"), ("init-error", "Fixture.Init")] {
        fails(world, &json!({ "start": start }), Some(kind)).await;
    }
}

/// Calls a function that fails, in this way if it is known which.
async fn fails(world: &dyn World, behaviour: &Value, kind: Option<&str>) {
    let code = world.put(&bootstrap::function(behaviour)).await;
    let (name, _) = made(world, &code).await;
    published(world, &name).await;
    // Twice: a process that died is replaced, and one that lives goes on.
    for _ in 0..2 {
        let invocation = world.fleet().invoke(&name, &FIRST, b"{}").await.unwrap();
        assert_eq!(invocation.function_error.as_deref(), Some("Unhandled"), "{behaviour}");
        let document: Value = serde_json::from_slice(&invocation.payload).unwrap();
        let found = document["errorType"].as_str().unwrap();
        assert_eq!(found, kind.unwrap_or(found), "{behaviour}");
    }
}

pub(crate) async fn the_first_call_tells_the_start(world: &dyn World) {
    let (name, _) = made(world, &answering(world, "one").await).await;
    published(world, &name).await;
    let event = json!({ "behaviour": { "logs": 9000 } }).to_string();
    let first = world.fleet().invoke(&name, &FIRST, event.as_bytes()).await.unwrap();
    assert!(first.init.is_some() && first.max_memory_mb > 0);
    assert_eq!((first.executed, first.function_error), (FleetVersion(1), None));
    assert!(first.log_tail.len() <= 4096 && first.log_tail.contains("\nREPORT RequestId: "), "{}", first.log_tail);
    let second = world.fleet().invoke(&name, &FIRST, b"{}").await.unwrap();
    assert_eq!(second.init, None);
    assert!(second.log_tail.starts_with("START RequestId: "), "{}", second.log_tail);
}

pub(crate) async fn a_function_knows_itself(world: &dyn World) {
    let code = world.put(&bootstrap::function(&json!({ "mode": "environment" }))).await;
    let (name, _) = made(world, &code).await;
    published(world, &name).await;
    let environment = answer(world, &name, FIRST).await;
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], name.as_str());
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_VERSION"], "1");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256");
}

pub(crate) async fn what_is_not_there_cannot_be_called(world: &dyn World) {
    let fleet = world.fleet();
    assert_refused!(fleet.invoke(&world.name(), &FIRST, b"{}").await, NotFound);
    let (name, _) = made(world, &answering(world, "one").await).await;
    assert_refused!(fleet.invoke(&name, &FIRST, b"{}").await, NotFound);
    assert_refused!(fleet.invoke(&name, &Qualifier::Alias("live".parse().unwrap()), b"{}").await, NotFound);
}

pub(crate) async fn a_wrong_event_is_refused(world: &dyn World) {
    let (name, _) = made(world, &answering(world, "one").await).await;
    published(world, &name).await;
    let large = format!("\"{}\"", "z".repeat(6 * 1024 * 1024 - 1));
    for event in [large.as_bytes(), b"not JSON"] {
        assert_refused!(world.fleet().invoke(&name, &FIRST, event).await, Invalid);
    }
}
