//! Tampering shows: whatever is changed in the vault, `audit verify` finds it and names it.

mod attacks;
mod copies;
mod corpus;
mod decisions;
mod entered;
mod pack;
mod scale;
mod strangers;

use std::{
    fs,
    sync::{Mutex, PoisonError},
};

use camino::Utf8PathBuf;
use xtask::{context::Context, engine::audit, failure::Failure};

use crate::support::{
    people::STAFF,
    project::{Bad, Project, tree},
    world::{code, release},
};

/// A vault with a history: v1.0.0 went to qa and was rejected for uat, v1.1.0 died in dev after it was live, v1.1.1 went
/// all the way. There is every kind of chain, and most kinds of entries.
struct Vault {
    project: Project,
    context: Context,
}

static MADE: Mutex<Option<(Project, Utf8PathBuf)>> = Mutex::new(None);

impl Vault {
    /// A copy of the one that is made once per run.
    fn new() -> Self {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let (original, _) = made.get_or_insert_with(make);
        let project = Project::new();
        copy(original.local(), project.local());
        let context = project.context();
        Self { project, context }
    }

    /// The key of a person of that history, or of someone whom nobody knows.
    fn key(&self, who: &str) -> Utf8PathBuf {
        let people = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        people.as_ref().unwrap().0.key(who)
    }

    /// The vault as it was after v1.0.0.
    fn earlier() -> std::collections::BTreeMap<String, Vec<u8>> {
        let vault = Self::new();
        tree(&vault.project.local().join("earlier"))
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        self.project.local().join("vault").join(name)
    }

    /// The names of all objects.
    fn names(&self) -> Vec<String> {
        tree(&self.path("")).into_keys().collect()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::remove_file(&path).unwrap_or_default();
        fs::write(path, bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The audit must end with 5; what it names.
    #[track_caller]
    fn findings(&self, what: &str) -> Vec<String> {
        let audit = wait(audit::run(&self.context)).unwrap();
        let failure = audit.failure();
        assert!(matches!(failure, Some(Failure::Integrity(_))), "{what}: {failure:?}");
        audit.findings.into_iter().map(|finding| finding.object).collect()
    }

    /// The audit must end with 5 and name this object.
    #[track_caller]
    fn shows(&self, name: &str, what: &str) {
        let found = self.findings(what);
        assert!(found.iter().any(|object| object == name), "{what}: {name} is not named, but {found:?}");
    }

    #[track_caller]
    fn is_sound(&self) {
        let audit = wait(audit::run(&self.context)).unwrap();
        assert!(audit.findings.is_empty(), "{:?}", audit.findings);
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(future)
}

fn make() -> (Project, Utf8PathBuf) {
    // A thread of its own: the caller may be in a runtime already.
    std::thread::spawn(|| {
        wait(async {
            let project = Project::new();
            release(&project.context()).await.unwrap();
            copy(&project.local().join("vault"), &project.local().join("earlier"));
            project.improve("alpha", "new");
            project.break_function("beta", Bad::TwoFaced);
            project.commit("feat: two-faced");
            assert_eq!(code(&release(&project.context()).await), 6);
            project.improve("beta", "fixed");
            project.commit("fix: beta");
            release(&project.context()).await.unwrap();
            to_the_end(&project);
            let local = project.local().to_owned();
            (project, local)
        })
    })
    .join()
    .unwrap()
}

fn to_the_end(project: &Project) {
    project.staff(&STAFF, "");
    project.xtask(&["policy", "stop", "a leak"]).expect(0);
    project.xtask(&["policy", "resume", "mended"]).expect(0);
    project.decide("quinn", "reject uat v1.0.0", &[]).expect(0);
    let report = project.root().join("e2e.xml");
    fs::write(&report, r#"<testsuite tests="1"><testcase name="buys"/></testsuite>"#).unwrap();
    project.xtask(&["evidence", "add", "v1.1.1", "--env", "qa", "--kind", "e2e", "--file", report.as_str()]).expect(0);
    for what in ["approve", "revoke", "approve"] {
        project.decide("quinn", &format!("{what} uat v1.1.1"), &[]).expect(0);
    }
    project.xtask(&["promote", "--to", "uat"]).expect(0);
    project.decide("pia", "approve prod v1.1.1", &[]).expect(0);
    project.decide("max", "approve prod v1.1.1", &[]).expect(0);
    project.xtask(&["promote", "--to", "prod"]).expect(0);
    project.xtask(&["dr-sync"]).expect(0);
}

fn copy(from: &camino::Utf8Path, to: &camino::Utf8Path) {
    for (name, bytes) in tree(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
