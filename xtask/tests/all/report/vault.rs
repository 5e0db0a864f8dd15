//! The board of a real vault, which must tell what the other commands tell.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use camino::Utf8Path;
use serde_json::Value;
use xtask::{
    context::Context,
    engine::{graveyard, report, status},
    model::{digest::Digest, entry::Writer, key::VaultKey},
    plan::board::{Board, Mark},
    ports::vault::{Body, Listed, Vault, VaultError},
};

use crate::support::{journey, project::Project, world::seal};

/// How `status` says it.
fn word(mark: Mark) -> &'static str {
    match mark {
        Mark::Dead => "dead",
        Mark::Live => "live",
        Mark::Synced => "synced",
        Mark::Verified => "verified",
        Mark::Unverified => "unverified",
        Mark::UnderWay => "under way",
        Mark::NotYet | Mark::GivenUp | Mark::Waits | Mark::Rejected => "-",
    }
}

#[tokio::test]
async fn it_agrees_with_the_other_commands() {
    let project = Project::new();
    let context = project.context();
    journey::of_four_releases(&project, &context).await;
    let board = report::board(&context).await.unwrap();

    let overview = status::overview(&context).await.unwrap();
    let told = overview.releases.iter().map(|row| (row.release, row.cells.clone())).collect::<Vec<_>>();
    let pinned = |cell: &xtask::plan::board::Cell| {
        let place = board.environments.iter().find(|place| place.environment == cell.environment).unwrap();
        cell.mark == Mark::Live && place.live.as_ref().is_some_and(|live| live.pinned)
    };
    let say = |cell| if pinned(cell) { "pinned".to_owned() } else { word(cell.mark).to_owned() };
    let shown = board.releases.iter().map(|s| (s.release, s.journey.iter().map(say).collect())).collect::<Vec<_>>();
    assert_eq!(shown, told);
    for (place, here) in board.environments.iter().zip(&overview.environments) {
        let live = place.live.as_ref().map(|live| (live.release, live.manifest, live.since));
        assert_eq!(live, here.live.as_ref().map(|live| (live.release, live.manifest, live.since)));
    }

    let mut graves: Vec<Value> =
        graveyard::graves(&context).await.unwrap().iter().map(|g| serde_json::to_value(g).unwrap()).collect();
    graves.reverse();
    assert_eq!(board.graveyard.iter().map(|g| serde_json::to_value(g).unwrap()).collect::<Vec<_>>(), graves);
    tells_who_decided(&board);
    let figures = &board.figures;
    assert_eq!((figures.deployments, figures.began, figures.failed), (2, 2, 1));
    assert_eq!(figures.changes.1, 0, "git knows when each commit was made");
}

fn tells_who_decided(board: &Board) {
    let lines = board.releases.iter().flat_map(|story| story.lines.iter().map(move |line| (story.release, line)));
    let decisions = lines.filter(|(_, line)| line.decision);
    let mut decisions: Vec<String> = decisions
        .map(|(release, line)| {
            assert_eq!(line.unsound, None);
            format!("{release} {} {} {}", line.environment.as_ref().unwrap(), line.what, line.who)
        })
        .collect();
    decisions.sort();
    let whole_way = |release: &str| {
        let prod = ["prod approved max as manager", "prod approved pia as product-owner"];
        let all = prod.into_iter().chain(["uat approved quinn as qa-lead"]);
        all.map(|what| format!("{release} {what}")).collect::<Vec<_>>()
    };
    let rejected = vec!["v1.0.1 uat rejected quinn as qa-lead".to_owned()];
    assert_eq!(decisions, [rejected, whole_way("v1.0.2"), whole_way("v1.0.3")].concat());
}

#[tokio::test]
async fn a_forged_approval_is_shown_as_one_that_does_not_count() {
    let project = Project::new();
    let context = project.context();
    project.staff(&[("quinn", &["qa-lead"], ""), ("mallory", &["guest"], "")], "");
    project.commit("chore: people");
    crate::support::world::release(&context).await.unwrap();
    // Mallory signs as quinn, with a key of their own, and writes to the vault past every command.
    let chain = xtask::model::entry::ChainName::Approvals {
        release: "v1.0.0".parse().unwrap(),
        environment: "uat".parse().unwrap(),
    };
    let key = xtask::adapters::ssh::open(&project.key("mallory"), &std::collections::BTreeMap::new()).unwrap();
    let statement = xtask::model::approval::Statement {
        environment: "uat".parse().unwrap(),
        person: "quinn".parse().unwrap(),
        role: "qa-lead".parse().unwrap(),
        expires: "2999-01-01T00:00:00Z".parse().unwrap(),
        comment: None,
        key: key.public().fingerprint(ssh_key::HashAlg::Sha256).to_string(),
    };
    let event = xtask::model::approval::ApprovalEvent::Approved { statement };
    let manifest = xtask::engine::facts::manifest(&context, "v1.0.0".parse().unwrap()).await.unwrap().1;
    xtask::engine::ledger::append_signed(&context, &chain, Some(&*key), |_| {
        let release = Some("v1.0.0".parse().unwrap());
        Ok(xtask::engine::ledger::Draft { release, manifest: Some(manifest), event: event.clone() })
    })
    .await
    .unwrap();
    let board = report::board(&context).await.unwrap();
    let line = board.releases[0].lines.iter().find(|line| line.decision).unwrap();
    assert!(line.unsound.as_ref().is_some_and(|why| why.contains("is not one of theirs")), "{line:?}");
    let waiting = board.environments[2].waiting.as_ref().unwrap();
    assert!(!waiting.gate.holds());
    let page = xtask::output::html::board(&board, "xtask").unwrap();
    assert!(page.contains("does not count: <bdi>the key SHA256:"));
}

/// Anybody who may approve may write junk, and nothing can remove it: the board is still made, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn junk_is_told_of_and_takes_the_board_from_nobody() {
    let project = Project::new();
    crate::support::world::release(&project.context()).await.unwrap();
    let folder = project.local().join("vault/approvals/v1.0.0/uat");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("00000001.json"), "<b>junk</b>").unwrap();
    // About no release, for no environment, behind a gap, and under names that no decision has.
    let strays =
        ["v9.9.9/uat/00000001.json", "v1.0.0/mars/00000001.json", "v1.0.0/uat/00000099.json", "v1.0.0/uat/a.b"];
    for stray in strays.map(|name| project.local().join("vault/approvals").join(name)) {
        std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
        std::fs::write(stray, "{}").unwrap();
    }
    let mut ran = project.xtask(&["report", "--out", "board.html"]).expect(0);
    assert!(ran.stdout.contains("1 releases"), "{}", ran.stdout);
    let page = std::fs::read_to_string(project.root().join("board.html")).unwrap();
    assert!(!page.contains("Not to be believed"));
    assert_eq!(page.matches("<strong>Finding</strong>").count(), 5);
    let junk = "approvals/v1.0.0/uat/00000001.json is not a ledger entry".to_owned();
    for told in strays.map(|name| format!("approvals/{name} is in no chain of decisions")).into_iter().chain([junk]) {
        assert!(page.contains(&told), "{told}");
        ran = ran.says(&told);
    }
    assert_eq!(project.json(0, &["report"])["notices"].as_array().map(Vec::len), Some(5));
    // What the witness saw and is gone is no junk.
    project.staff(&crate::support::people::STAFF, "");
    project.decide("quinn", "approve uat v1.0.0", &[]).expect(0);
    std::fs::remove_file(folder.join("00000002.json")).unwrap();
    project.xtask(&["report", "--out", "board.html"]).expect(5).says("its tail was removed");
    let page = std::fs::read_to_string(project.root().join("board.html")).unwrap();
    assert!(page.contains("Not to be believed"));
}

#[test]
fn the_command_writes_one_page() {
    let project = Project::new();
    project.xtask(&["report"]).expect(2).says("--out board.html");
    project.xtask(&["report", "--out", "no/such/folder/board.html"]).expect(2).says("failed to write");
    project.xtask(&["report", "--out", "board.html", "--plan"]).expect(2).says("has no plan");
    assert!(!project.root().join("board.html").exists());
    let ran = project.xtask(&["report", "--out", "board.html"]).expect(0);
    assert_eq!(ran.stdout, "board.html\n0 releases, 0 in the graveyard\n");
    let page = std::fs::read_to_string(project.root().join("board.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    let document = project.json(0, &["report"]);
    assert_eq!((document["schema"].as_u64(), document["releases"].as_array().map(Vec::len)), (Some(1), Some(0)));
    assert!(!project.local().join("vault").exists(), "who reads makes nothing");
}

/// The work per release does not grow with the number of releases.
#[tokio::test]
async fn the_work_grows_with_the_ledger_and_not_faster() {
    let project = Project::new();
    let mut reads = Vec::new();
    for number in 1..=12 {
        project.improve("alpha", &number.to_string());
        project.commit("fix: alpha");
        seal(&project.context()).await.unwrap();
        if number % 4 == 0 {
            let counting = Arc::new(Counting(project.context().vault, AtomicU64::new(0)));
            let context = Context { vault: Arc::clone(&counting) as Arc<dyn Vault>, ..project.context() };
            assert_eq!(report::board(&context).await.unwrap().releases.len(), number);
            reads.push(counting.1.load(Ordering::Relaxed));
        }
    }
    let [four, eight, twelve] = reads[..] else { panic!("{reads:?}") };
    // Four more releases are two entries and a seal each; finding a head takes some probes more.
    assert!(twelve - eight <= eight - four + 4, "{reads:?}");
}

struct Counting(Arc<dyn Vault>, AtomicU64);

impl Counting {
    fn inner(&self) -> &dyn Vault {
        self.1.fetch_add(1, Ordering::Relaxed);
        &*self.0
    }
}

#[async_trait]
impl Vault for Counting {
    async fn create(&self, key: &VaultKey, body: Body<'_>) -> Result<(), VaultError> {
        self.inner().create(key, body).await
    }

    async fn read(&self, key: &VaultKey) -> Result<Option<Vec<u8>>, VaultError> {
        self.inner().read(key).await
    }

    async fn fetch(&self, key: &VaultKey, to: Option<&Utf8Path>) -> Result<Option<(Digest, u64)>, VaultError> {
        self.inner().fetch(key, to).await
    }

    async fn exists(&self, key: &VaultKey) -> Result<bool, VaultError> {
        self.inner().exists(key).await
    }

    async fn keep(&self, key: &VaultKey, writer: &Writer) -> Result<(), VaultError> {
        self.inner().keep(key, writer).await
    }

    async fn object_version(&self, key: &VaultKey) -> Result<Option<String>, VaultError> {
        self.inner().object_version(key).await
    }

    async fn list(&self, folder: Option<&VaultKey>) -> Result<Vec<Listed>, VaultError> {
        self.inner().list(folder).await
    }
}
