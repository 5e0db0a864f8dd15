//! What was interrupted and is not what comes next: the number is burned, or the promotion taken back.

use std::{fs, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use xtask::{
    context::Context,
    engine::{audit, ledger, mirror, status},
    model::{
        entry::{ChainName, Event as _},
        manifest::Toolchain,
        releases::ReleaseEvent,
    },
    ports::cargo::{Artifact, BuildRequest, Built, Cargo},
};

use crate::support::{
    faults::{Fate, How},
    project::{FUNCTIONS, Project, tree},
    world::{code, release},
};

#[tokio::test]
async fn a_fix_goes_on_where_anything_was_interrupted() {
    let project = Project::new();
    release(&project.context()).await.unwrap();
    FUNCTIONS.iter().for_each(|function| project.improve(function, "second"));
    let second = project.commit("feat: second").to_string();
    let beginning = tree(project.local());
    let fate = Fate::undisturbed();
    release(&fate.over(project.context())).await.unwrap();
    FUNCTIONS.iter().for_each(|function| project.improve(function, "third"));
    project.commit("fix: third");
    // What the witness knows plays no part in what comes next.
    for at in fate.effects().into_iter().filter(|at| !fate.called(*at).starts_with("note ")) {
        fs::remove_dir_all(project.local()).unwrap();
        for (name, bytes) in &beginning {
            let path = project.local().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        project.repo().checkout(&second);
        let fate = Fate::new(How::KilledAfter, at);
        release(&fate.over(project.context())).await.unwrap_err();
        project.repo().checkout("main");
        let context = project.context();
        let next = release(&context).await;
        let what = format!("killed after {}: {next:?}", fate.struck());
        assert_eq!(code(&next), 0, "{what}");
        let sealed = next.unwrap();
        let overview = status::overview(&context).await.unwrap();
        for environment in &overview.environments[..2] {
            let live = environment.live.as_ref().unwrap();
            assert!(live.release == sealed.release && live.verified && environment.holder.is_none(), "{what}");
        }
        let audit = audit::run(&context).await.unwrap();
        assert!(audit.findings.is_empty(), "{what}: {:?}", audit.findings);
        for environment in ["dev", "qa"] {
            let verified = xtask::engine::verify::run(&context, &environment.parse().unwrap()).await.unwrap();
            assert!(verified.failure().is_none(), "{what}: {:?}", verified.failure());
        }
    }
}

/// A build tool that builds another folder: the same commit, other bytes.
struct Elsewhere(Arc<dyn Cargo>, Utf8PathBuf);

impl Cargo for Elsewhere {
    fn build(&self, request: &BuildRequest<'_>, progress: &dyn Fn(&str)) -> anyhow::Result<Built> {
        self.0.build(&BuildRequest { root: &self.1, ..request.clone() }, progress)
    }

    fn toolchain(&self, request: &BuildRequest<'_>) -> anyhow::Result<Toolchain> {
        self.0.toolchain(request)
    }

    fn difference(&self, sealed: &Utf8Path, artifact: &Artifact) -> anyhow::Result<Vec<String>> {
        self.0.difference(sealed, artifact)
    }
}

#[tokio::test]
async fn a_rebuild_that_differs_burns_the_number() {
    let project = Project::new();
    let other = Project::new();
    other.improve("alpha", "built otherwise");
    let fate = Fate::undisturbed();
    let beginning = project.local().to_owned();
    release(&fate.over(project.context())).await.unwrap();
    fs::remove_dir_all(beginning).unwrap();
    let uploaded = fate.place("create v1.0.0/alpha.zip");
    release(&Fate::new(How::KilledAfter, uploaded).over(project.context())).await.unwrap_err();

    let context = project.context();
    let otherwise = Arc::new(Elsewhere(Arc::clone(&context.cargo), other.root().to_owned()));
    let burned = release(&Context { cargo: otherwise, ..context.clone() }).await;
    assert_eq!(code(&burned), 5);
    assert!(format!("{burned:?}").contains("v1.0.0 is burned: a second build of alpha.zip differs"), "{burned:?}");
    assert_eq!(release(&context).await.unwrap().release.to_string(), "v1.0.1");
    let mut kinds = Vec::new();
    for number in 1..=4 {
        let entry = ledger::entry::<ReleaseEvent>(&context, &ChainName::Releases, number).await.unwrap().entry;
        kinds.push(entry.event.kind());
    }
    assert_eq!(kinds, ["reserved", "burned", "reserved", "sealed"]);
    let audit = audit::run(&context).await.unwrap();
    assert!(audit.findings.is_empty(), "{:?}", audit.findings);
    assert!(audit.notices.iter().any(|notice| notice.contains("v1.0.0 is burned")), "{:?}", audit.notices);

    // What proves the burning is in the second region's vault, too.
    let second = context.at_recovery();
    mirror::releases(&context, &second, &|_| {}).await.unwrap();
    assert_eq!(audit::run(&second).await.unwrap().findings, []);

    // What the burning recorded is as immutable as what is sealed.
    let alpha = project.local().join("vault/v1.0.0/alpha.zip");
    let bytes = fs::read(&alpha).unwrap();
    fs::remove_file(&alpha).unwrap();
    for content in [None, Some(&bytes[1..])] {
        content.iter().for_each(|content| fs::write(&alpha, content).unwrap());
        let audit = audit::run(&context).await.unwrap();
        let named: Vec<_> = audit.findings.iter().map(|finding| finding.object.as_str()).collect();
        assert_eq!(named, ["v1.0.0/alpha.zip"]);
    }
}
