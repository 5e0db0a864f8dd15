//! Whatever people without the needed keys do, in whatever order: nothing comes into prod.

use std::fs;

use camino::Utf8Path;
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Runtime;
use xtask::{
    engine::{decide::Verdict, ledger},
    model::{entry::ChainName, environment::EnvironmentEvent},
    ports::fleet::Fleet as _,
};

use super::attack::{Case, Step, play};
use crate::support::{
    people::Person,
    project::{FUNCTIONS, Project, tree},
    world::release,
};

/// Everyone lacks something: ada wrote and released it, carl wrote a part, pia and quinn hold one role, rex's key is
/// revoked, vic's is past its time, and nobody knows mallory. Max lacks nothing, and takes no part.
const PEOPLE: [Person<'_>; 7] = [
    ("ada", &["product-owner", "manager"], ""),
    ("carl", &["product-owner", "manager"], ""),
    ("pia", &["product-owner"], ""),
    ("quinn", &["qa-lead"], ""),
    ("rex", &["manager"], ", revoked_at = \"2020-01-01T00:00:00Z\""),
    ("vic", &["manager"], ", valid_until = \"2020-01-01T00:00:00Z\""),
    ("max", &["manager"], ""),
];
const ATTACKERS: [&str; 7] = ["ada", "carl", "pia", "quinn", "rex", "vic", "mallory"];
const ROLES: [&str; 3] = ["qa-lead", "product-owner", "manager"];
const SEQUENCES: u32 = 150;

const fn prod(release: &'static str) -> Case {
    Case { to: "prod", release }
}

fn approve(who: &'static str, about: Case) -> Step {
    Step::Decide { who, verdict: Verdict::Approve, about, role: None }
}

/// v1.0.0 stands before prod and lacks a manager only; v1.0.1 stands before uat. Max, a manager, approved other things:
/// v1.0.0 for uat, and v1.0.1 for prod, which he took back.
async fn beginning() -> Project {
    let project = Project::new();
    project.staff(&PEOPLE, "");
    project.commit("feat: more\n\nCo-authored-by: Carl <carl@example.com>");
    release(&project.context()).await.unwrap();
    let uat = || Case { to: "uat", release: "v1.0.0" };
    let of_max = |verdict, about| Step::Decide { who: "max", verdict, about, role: Some("manager") };
    project.improve("alpha", "better");
    for step in [approve("quinn", uat()), of_max(Verdict::Approve, uat()), Step::Promote { about: uat(), loose: false }]
    {
        play(&project, &step).await.unwrap();
    }
    project.commit("fix: better\n\nCo-authored-by: Carl <carl@example.com>");
    release(&project.context()).await.unwrap();
    for step in [
        of_max(Verdict::Approve, prod("v1.0.1")),
        of_max(Verdict::Revoke, prod("v1.0.1")),
        approve("pia", prod("v1.0.0")),
    ] {
        play(&project, &step).await.unwrap();
    }
    project.commit("fix: not released yet");
    project
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let about = || {
        let release = prop_oneof![6 => Just("v1.0.0"), 3 => Just("v1.0.1"), 1 => Just("v1.0.2")];
        (prop_oneof![3 => Just("prod"), 1 => Just("uat")], release).prop_map(|(to, release)| Case { to, release })
    };
    let who = || select(ATTACKERS.to_vec());
    let role = || select(ROLES.to_vec());
    let verdict = prop_oneof![6 => Just(Verdict::Approve), 1 => Just(Verdict::Reject), 2 => Just(Verdict::Revoke)];
    let decide = (who(), verdict, about(), proptest::option::of(role()))
        .prop_map(|(who, verdict, about, role)| Step::Decide { who, verdict, about, role });
    let names = select(PEOPLE.map(|(id, ..)| id).to_vec());
    let forge = (who(), names, any::<bool>(), about(), role())
        .prop_map(|(signs, names, their_key, about, role)| Step::Forge { signs, names, their_key, about, role });
    let replay = (any::<usize>(), about(), prop::bool::weighted(0.8)).prop_map(|(which, about, mended)| Step::Replay {
        which,
        about,
        mended,
    });
    let promote = (about(), prop::bool::weighted(0.3)).prop_map(|(about, loose)| Step::Promote { about, loose });
    let step = prop_oneof![
        12 => decide,
        10 => forge,
        3 => replay,
        8 => promote,
        1 => select(vec!["uat", "prod"]).prop_map(Step::Rollback),
        1 => any::<bool>().prop_map(|loose| Step::Release { loose }),
        1 => about().prop_map(Step::Prove),
    ];
    // After these a chain is visibly forged, and nothing goes on: they come last.
    let forged = prop_oneof![who().prop_map(Step::Usurp), Just(Step::Resume), about().prop_map(Step::Invent)];
    let forged = prop::option::weighted(0.2, forged);
    (prop::collection::vec(step, 2..9), forged).prop_map(|(steps, forged)| steps.into_iter().chain(forged).collect())
}

/// Whether anything ever was in prod: what its deployer recorded, and where its aliases point.
async fn reached(project: &Project) -> bool {
    let context = project.context();
    let environment = "prod".parse().unwrap();
    let chain = ChainName::Environment("prod".parse().unwrap());
    let mut recorded = 0;
    for number in 1.. {
        if !context.vault.exists(&chain.key(number).unwrap()).await.unwrap() {
            break;
        }
        // What the attackers invented is no record.
        recorded += u32::from(ledger::entry::<EnvironmentEvent>(&context, &chain, number).await.is_ok());
    }
    let mut aliases = 0;
    for function in context.config.functions.keys() {
        let name = context.config.fleet_name(&environment, function).unwrap();
        let alias = context.fleet(&environment).unwrap().alias(&name, &context.config.alias).await;
        aliases += usize::from(!matches!(alias, Ok(None) | Err(xtask::ports::fleet::FleetError::NotFound(_))));
    }
    assert!([0, FUNCTIONS.len()].contains(&aliases), "in between: {aliases} aliases");
    recorded > 0 || aliases > 0
}

/// Makes the local state what it was. An archive in the vault or a fleet is never written again, so a link will do.
fn put_back(from: &Utf8Path, to: &Utf8Path, names: &[String]) {
    fs::remove_dir_all(to).unwrap();
    for name in names {
        let (from, to) = (from.join(name), to.join(name));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        if name.ends_with(".zip") {
            fs::hard_link(from, to).unwrap();
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn without_the_needed_keys_nothing_comes_into_prod() {
    let runtime = Runtime::new().unwrap();
    let project = runtime.block_on(beginning());
    let saved = project.repo().beside("saved");
    fs::rename(project.local(), &saved).unwrap();
    let names: Vec<String> = tree(&saved).into_keys().filter(|name| !name.starts_with("build/")).collect();
    fs::create_dir(project.local()).unwrap();
    let run = |steps: &[Step]| {
        put_back(&saved, project.local(), &names);
        runtime.block_on(async {
            for step in steps {
                // Most are refused, each in its own way.
                play(&project, step).await.unwrap_or_default();
            }
            reached(&project).await
        })
    };
    // The machinery does carry a release into prod, once the one who lacks nothing takes part.
    let promote = |release| Step::Promote { about: prod(release), loose: false };
    assert!(run(&[approve("max", prod("v1.0.0")), promote("v1.0.0")]), "with the needed keys it must come into prod");

    let config = Config { cases: SEQUENCES, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let ended = TestRunner::new(config).run(&steps(), |mut steps| {
        steps.extend(["v1.0.0", "v1.0.1"].map(promote));
        prop_assert!(!run(&steps), "this brought a release into prod");
        Ok(())
    });
    ended.unwrap_or_else(|error| panic!("{error}"));
}
