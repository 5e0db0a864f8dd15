//! Making and changing a function.

use xtask::{
    model::{
        configuration::{Architecture, Configuration},
        digest::Digest,
    },
    ports::fleet::{AliasTarget, CodeSource, FleetError, FleetVersion, LastUpdate, Revision, State},
};

use super::{World, answering, assert_refused, bootstrap, configuration, is_refusal, latest, made, published};

pub(crate) async fn creates_a_function(world: &dyn World) {
    let code = answering(world, "one").await;
    let name = world.name();
    assert_eq!(world.fleet().function(&name).await.unwrap(), None);
    let created = world.fleet().create(&name, &code, &configuration()).await.unwrap();
    assert_eq!((created.version, created.code), (None, code.digest));
    assert_eq!(created.configuration, configuration());
    let state = latest(world, &name).await;
    assert_eq!((&state.state, &state.last_update), (&State::Active, &LastUpdate::Successful));
    assert_eq!(state.code, code.digest);
    assert_eq!(world.fleet().version(&name, FleetVersion(1)).await.unwrap(), None);
}

pub(crate) async fn creates_only_once(world: &dyn World) {
    let (name, before) = made(world, &answering(world, "one").await).await;
    let other = answering(world, "two").await;
    assert_refused!(world.fleet().create(&name, &other, &configuration()).await, Conflict);
    assert_eq!(latest(world, &name).await, before);
}

pub(crate) async fn refuses_other_bytes(world: &dyn World) {
    let code = answering(world, "one").await;
    let name = world.name();
    let wrong = CodeSource { digest: Digest::of(b"other"), ..code.clone() };
    let missing = CodeSource { key: "v9.9.9/nothing.zip".parse().unwrap(), ..code.clone() };
    for bad in [&wrong, &missing] {
        assert_refused!(world.fleet().create(&name, bad, &configuration()).await, Invalid);
    }
    assert_eq!(world.fleet().function(&name).await.unwrap(), None);
    let (name, before) = made(world, &code).await;
    for bad in [&wrong, &missing] {
        assert_refused!(world.fleet().update_code(&name, bad, &before.revision, false).await, Invalid);
    }
    assert_eq!(latest(world, &name).await, before);
}

pub(crate) async fn writes_need_a_function(world: &dyn World) {
    let code = answering(world, "one").await;
    let (name, alias, guard) = (world.name(), "live".parse().unwrap(), Revision("none".to_owned()));
    let target = AliasTarget { version: FleetVersion(1), canary: None, description: String::new() };
    let fleet = world.fleet();
    assert_refused!(fleet.update_code(&name, &code, &guard, false).await, NotFound);
    assert_refused!(fleet.update_configuration(&name, &configuration(), &guard).await, NotFound);
    assert_refused!(fleet.publish(&name, &code.digest, &guard, "").await, NotFound);
    assert_refused!(fleet.create_alias(&name, &alias, &target).await, NotFound);
    assert_refused!(fleet.update_alias(&name, &alias, &target, &guard).await, NotFound);
    assert_eq!(fleet.alias(&name, &alias).await.unwrap(), None);
    assert_eq!(fleet.version(&name, FleetVersion(1)).await.unwrap(), None);
}

pub(crate) async fn a_stale_revision_is_refused(world: &dyn World) {
    let (name, first) = made(world, &answering(world, "one").await).await;
    let other = answering(world, "two").await;
    let fleet = world.fleet();
    let wider = Configuration { memory_mb: 512, ..configuration() };
    fleet.update_configuration(&name, &wider, &first.revision).await.unwrap();
    let second = latest(world, &name).await;
    assert_ne!(second.revision, first.revision);
    assert_eq!((&second.configuration, second.code), (&wider, first.code));

    assert_refused!(fleet.update_code(&name, &other, &first.revision, false).await, Guarded);
    assert_refused!(fleet.update_configuration(&name, &configuration(), &first.revision).await, Guarded);
    assert_eq!(latest(world, &name).await, second);

    fleet.update_code(&name, &other, &second.revision, false).await.unwrap();
    let third = latest(world, &name).await;
    assert_ne!(third.revision, second.revision);
    assert_eq!((&third.configuration, third.code), (&wider, other.digest));
}

pub(crate) async fn the_processor_goes_with_the_code(world: &dyn World) {
    let (name, before) = made(world, &answering(world, "one").await).await;
    let other = match before.configuration.architecture {
        Architecture::X86_64 => Architecture::Arm64,
        Architecture::Arm64 => Architecture::X86_64,
    };
    let fleet = world.fleet();
    let declared = Configuration { architecture: other, memory_mb: 512, ..configuration() };
    fleet.update_configuration(&name, &declared, &before.revision).await.unwrap();
    let state = latest(world, &name).await;
    assert_eq!(state.configuration, Configuration { memory_mb: 512, ..configuration() });
    let code = CodeSource { architecture: other, ..answering(world, "two").await };
    fleet.update_code(&name, &code, &state.revision, false).await.unwrap();
    world.settle(&name).await;
    assert_eq!(fleet.function(&name).await.unwrap().unwrap().configuration, declared);
}

pub(crate) async fn limits_are_kept(world: &dyn World) {
    let code = answering(world, "one").await;
    let (name, before) = made(world, &code).await;
    let layer = "arn:aws:lambda:eu-central-1:123456789012:layer:tools:1".to_owned();
    for wrong in [
        Configuration { memory_mb: 127, ..configuration() },
        Configuration { memory_mb: 10_241, ..configuration() },
        Configuration { timeout_s: 0, ..configuration() },
        Configuration { timeout_s: 901, ..configuration() },
        Configuration {
            layers: (1..=6).map(|n| layer.replace("tools", &format!("tools-{n}"))).collect(),
            ..configuration()
        },
        Configuration { layers: vec![layer.clone(), layer.replace("tools:1", "tools:2")], ..configuration() },
        Configuration { layers: vec!["tools".to_owned()], ..configuration() },
        Configuration { log_retention_days: 31, ..configuration() },
    ] {
        assert_refused!(world.fleet().create(&world.name(), &code, &wrong).await, Invalid);
        assert_refused!(world.fleet().update_configuration(&name, &wrong, &before.revision).await, Invalid);
    }
    assert_eq!(latest(world, &name).await, before);
}

pub(crate) async fn what_cannot_start_fails_the_update(world: &dyn World) {
    let good = answering(world, "one").await;
    let (name, _) = made(world, &good).await;
    let mut foreign = bootstrap::program().to_vec();
    // The machine's number in an ELF header: RISC-V, which Lambda does not have.
    foreign[18..20].copy_from_slice(&243u16.to_le_bytes());
    for (files, reason) in [
        (vec![("bin/bootstrap", 0o755, bootstrap::program())], "no `bootstrap` at the root"),
        (vec![("bootstrap", 0o644, bootstrap::program())], "not an executable file"),
        (vec![("bootstrap", 0o755, foreign.as_slice())], "built for a machine"),
    ] {
        let bad = world.put(&bootstrap::zip(&files)).await;
        let before = latest(world, &name).await;
        world.fleet().update_code(&name, &bad, &before.revision, false).await.unwrap();
        let failed = latest(world, &name).await;
        let LastUpdate::Failed(found) = &failed.last_update else { panic!("{:?}", failed.last_update) };
        assert!(found.contains(reason), "{found}");
        assert!(is_refusal(&world.fleet().publish(&name, &bad.digest, &failed.revision, "").await));
    }
    // A failed update is terminal for itself, not for the function.
    let failed = latest(world, &name).await;
    world.fleet().update_code(&name, &good, &failed.revision, false).await.unwrap();
    assert_eq!(latest(world, &name).await.last_update, LastUpdate::Successful);
    assert_eq!(published(world, &name).await, FleetVersion(1));
}

pub(crate) async fn what_is_no_zip_is_refused(world: &dyn World) {
    let (name, before) = made(world, &answering(world, "one").await).await;
    let code = world.put(b"no zip").await;
    let result = world.fleet().update_code(&name, &code, &before.revision, false).await;
    assert!(matches!(result, Err(FleetError::Invalid(_))), "{result:?}");
    assert_eq!(latest(world, &name).await, before);
}
