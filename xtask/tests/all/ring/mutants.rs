//! The invariants are checks that can fail: whatever is broken by hand is named.

use std::fs;

use serde_json::{Value, json};
use xtask::{
    engine::ledger,
    model::{
        entry::ChainName,
        environment::{AliasMove, Deployed, EnvironmentEvent},
        names::EnvName,
        releases::ReleaseEvent,
        version::Version,
    },
    ports::fleet::FleetVersion,
};

use super::work::{Stage, Work, alone};
use crate::support::project::tree;

/// Breaks something; what must be said of it.
type Mutant = (&'static str, fn(&Stage));

#[rustfmt::skip]
const MUTANTS: &[Mutant] = &[
    ("vault/releases/00000001.json was changed or removed", |stage| rewrite(stage, "vault/releases/00000001.json", b"{}")),
    ("vault/v1.0.0/alpha.zip was changed or removed", |stage| remove(stage, "vault/v1.0.0/alpha.zip")),
    ("vault/v1.0.0/alpha.zip is not what v1.0.0/SHA256SUMS says", |stage| rewrite(stage, "vault/v1.0.0/alpha.zip", b"zip")),
    ("audit: AuditFinding { object: \"v1.0.0/manifest.json\"", |stage| rewrite(stage, "vault/v1.0.0/manifest.json", b"{}")),
    ("vault/v1.0.0/more.json can be written to", |stage| rewrite(stage, "vault/v1.0.0/more.json", b"{}")),
    ("vault/v1.0.0/draft.tmp is no object of a vault", |stage| rewrite(stage, "vault/v1.0.0/draft.tmp", b"")),
    ("only the mirror has v1.0.0/more.json", |stage| rewrite(stage, "dr/vault/v1.0.0/more.json", b"{}")),
    ("the second region does not have environments/dr/00000006.json", |stage| remove(stage, "dr/vault/environments/dr/00000006.json")),
    ("the witness saw entry 9 of environments/qa, which is not there", |stage| edit(stage, "witness.json", |heads| heads["environments/qa"]["number"] = 9.into())),
    ("live of alpha-dev is at Some(FleetVersion(1))", |stage| edit(stage, "fleet/alpha-dev/aliases/live.json", |alias| alias["target"]["version"] = 1.into())),
    ("live of beta-dev is at None", |stage| remove(stage, "fleet/beta-dev/aliases/live.json")),
    ("a canary of beta-dev was left", |stage| edit(stage, "fleet/beta-dev/aliases/live.json", |alias| alias["target"]["canary"] = json!([1, 100]))),
    ("live of alpha-dev has Some", |stage| {
        let other = fs::read(stage.local().join("fleet/beta-dev/versions/2/code.zip")).unwrap();
        rewrite(stage, "fleet/alpha-dev/versions/2/code.zip", &other);
    }),
    ("v1.1.0 is live in prod and never was verified before it", |stage| verify_in_prod(stage)),
    ("2 open reservations", |stage| (0..2).for_each(|_| reserve(stage))),
];

fn rewrite(stage: &Stage, name: &str, bytes: &[u8]) {
    remove(stage, name);
    fs::write(stage.local().join(name), bytes).unwrap();
}

fn remove(stage: &Stage, name: &str) {
    fs::remove_file(stage.local().join(name)).unwrap_or_default();
}

fn edit(stage: &Stage, name: &str, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(stage.local().join(name)).unwrap()).unwrap();
    change(&mut value);
    rewrite(stage, name, &xtask::model::canonical::to_vec(&value).unwrap());
}

fn reserve(stage: &Stage) {
    let context = stage.context();
    let (commit, expires) = (context.git.head().unwrap().commit, context.clock.now());
    let event = ReleaseEvent::Reserved { commit, machine: "laptop".to_owned(), expires, email: None };
    let draft = ledger::Draft { release: Some("v3.0.0".parse().unwrap()), manifest: None, event };
    alone(|| async { ledger::append(&context, &ChainName::Releases, |_| Ok(draft.clone())).await.unwrap() });
}

/// Takes v1.1.0 into prod past uat, with everything else in order.
fn verify_in_prod(stage: &Stage) {
    let context = stage.context();
    let (release, prod): (Version, EnvName) = ("v1.1.0".parse().unwrap(), "prod".parse().unwrap());
    let step = |function: &str| {
        let name = format!("{function}-prod").parse().unwrap();
        let (alias, function) = (context.config.alias.clone(), function.parse().unwrap());
        AliasMove { function, name, alias, from: Some(FleetVersion(1)), to: Some(FleetVersion(1)) }
    };
    let moves = vec![step("alpha"), step("beta")];
    alone(|| async {
        let (manifest, digest) = xtask::engine::facts::manifest(&context, release).await.unwrap();
        let functions = manifest.functions.keys().map(|function| {
            let code = manifest.objects[&manifest.functions[function].artifact].sha256;
            let name = context.config.fleet_name(&prod, function).unwrap();
            (function.clone(), Deployed { name, version: FleetVersion(1), code, variables: code, object_version: None })
        });
        let claimed = EnvironmentEvent::Claimed {
            machine: "laptop".to_owned(),
            expires: context.clock.now(),
            took_over: None,
            rollback: None,
        };
        for event in [
            claimed,
            EnvironmentEvent::Staged { functions: functions.collect() },
            EnvironmentEvent::Shifting { moves, smoke: Vec::new(), canary: None, known: None },
            EnvironmentEvent::Shifted,
            EnvironmentEvent::Verified { smoke: Vec::new() },
        ] {
            let draft = ledger::Draft { release: Some(release), manifest: Some(digest), event };
            let chain = ChainName::Environment(prod.clone());
            ledger::append(&context, &chain, |_| Ok(draft.clone())).await.unwrap();
        }
    });
}

#[test]
fn whatever_is_broken_by_hand_is_named() {
    for (named, mutate) in MUTANTS {
        let mut stage = Stage::new(Work::Promote);
        let before = tree(&stage.local());
        mutate(&stage);
        assert!(tree(&stage.local()) != before, "{named}: nothing was broken");
        let broken = alone(|| async { stage.seen.broken(&stage.context()).await });
        assert!(broken.iter().any(|what| what.contains(named)), "`{named}` is not in {broken:#?}");
    }
}
