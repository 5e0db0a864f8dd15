//! Who looked: what every audit trail tells and what is archived of it, of rows that the functions' own stores have written, and the
//! commands.

use std::collections::BTreeMap;

use common::{
    clients::SqliteAuditStore,
    models::{Action, AuditItem, Lookup, Status, Subject},
    testing::{ALICE, block_on, conformance, seeded},
    types::AuditStore,
};
use serde_json::{Value, json};
use xtask::{
    adapters::local::{trail::SqliteTrail, vault::LocalVault},
    engine::trail_archive::{self, ArchivePlan},
    model::{digest::Digest, names::EnvName, trail::Shard},
    ports::{trail::AuditTrail, vault::Vault},
};

use crate::support::{
    project::{Project, Ran},
    world::Silence,
};

/// Somebody else than Alice.
const BOB: &str = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

/// A look at something, at a time.
fn item(user: &str, subject: Subject, status: Status, at: &str) -> AuditItem {
    let lookup = Lookup { action: Action::PriceFetch, subject, ..conformance::item(user).lookup };
    AuditItem::new(lookup, status, at.parse().unwrap(), &"dev".parse().unwrap())
}

/// The rules of a trail: `append` is how the functions write.
pub(crate) async fn tells_who_looked(trail: &dyn AuditTrail, append: impl AsyncFn(&AuditItem)) {
    let product = |name: &str| Subject::Product(name.parse().unwrap());
    for (user, subject, status, at) in [
        (ALICE, product("PROD-101"), Status::NotFound, "2026-01-23T23:59:59.999Z"),
        (BOB, product("PROD-101"), Status::Success, "2026-01-23T00:00:00Z"),
        (ALICE, product("PROD-101"), Status::Error, "2026-01-22T23:59:59.999Z"),
        (ALICE, product("PROD-101"), Status::Success, "2026-01-24T00:00:00Z"),
        (ALICE, product("PROD-102"), Status::Success, "2026-01-23T12:00:00Z"),
        (ALICE, Subject::Configuration(None), Status::Success, "2026-01-23T12:00:00Z"),
    ] {
        append(&item(user, subject, status, at)).await;
    }
    let who = async |product: &str, day: &str| {
        let looks = trail.who(&product.parse().unwrap(), day.parse().unwrap()).await.unwrap();
        looks.into_iter().map(|look| (look.at.to_string(), look.user, look.status)).collect::<Vec<_>>()
    };
    let look = |at: &str, user: &str, status: &str| (at.to_owned(), user.to_owned(), status.to_owned());
    let day = [look("2026-01-23T00:00:00.000Z", BOB, "SUCCESS"), look("2026-01-23T23:59:59.999Z", ALICE, "NOT_FOUND")];
    assert_eq!(who("PROD-101", "2026-01-23").await, day, "a day of UTC, the oldest first");
    assert_eq!(who("PROD-101", "2026-01-22").await, [look("2026-01-22T23:59:59.999Z", ALICE, "ERROR")]);
    assert_eq!(who("PROD-10", "2026-01-23").await, [], "no other product begins with the same letters");
    assert_eq!(who("PROD-101", "2026-01-25").await, []);
    let looks = trail.who(&"PROD-102".parse().unwrap(), "2026-01-23".parse().unwrap()).await.unwrap();
    assert_eq!(
        serde_json::to_value(&looks).unwrap(),
        json!([{ "at": "2026-01-23T12:00:00.000Z", "user": ALICE,
        "action": "PRICE_FETCH", "status": "SUCCESS", "purpose": "USER", "request": "r-1" }])
    );
}

/// What is archived of a trail that begins empty: whole days, every item once and in full, and the same when it is done again.
pub(crate) async fn is_archived(
    trail: &dyn AuditTrail,
    archive: &dyn Vault,
    append: impl AsyncFn(&AuditItem),
    environment: &EnvName,
) {
    let product = || Subject::Product("PROD-101".parse().unwrap());
    let mut written = BTreeMap::new();
    for (day, items) in [("2026-01-21", 40), ("2026-01-22", 0), ("2026-01-23", 3), ("2026-01-24", 2)] {
        for second in 0..items {
            let item = item(ALICE, product(), Status::Success, &format!("{day}T23:59:{second:02}Z"));
            append(&item).await;
            written.insert(item.sk(), day);
        }
    }
    let story = &Silence;
    let plan = async |since: Option<&str>, now: &str| {
        let since = since.map(|day| day.parse().unwrap());
        trail_archive::plan(archive, environment, since, now.parse().unwrap()).await
    };
    let days = |plan: &ArchivePlan| plan.days.iter().map(ToString::to_string).collect::<Vec<_>>();
    let now = "2026-01-25T12:00:00Z";
    let nothing_yet = plan(None, now).await.unwrap_err();
    assert!(nothing_yet.to_string().contains("by --since"), "{nothing_yet}");
    let first = plan(Some("2026-01-21"), now).await.unwrap();
    assert_eq!(days(&first), ["2026-01-21", "2026-01-22", "2026-01-23"], "the last two days are not over");
    let done = trail_archive::run(story, trail, archive, &first).await.unwrap();
    assert_eq!(done.days.iter().map(|day| day.items).collect::<Vec<_>>(), [40, 0, 3]);
    // Every item is on a line of the file that its day's sums name, and on no other.
    let mut found = BTreeMap::new();
    for day in days(&first) {
        let read = async |name: &str| {
            let key = format!("{environment}/{day}/{name}").parse().unwrap();
            String::from_utf8(archive.read(&key).await.unwrap().unwrap()).unwrap()
        };
        for line in read("SHA256SUMS").await.lines() {
            let (digest, name) = line.split_once("  ").unwrap();
            let text = read(name).await;
            assert_eq!(Digest::of(text.as_bytes()).hex(), digest);
            for item in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
                assert_eq!((&item["pk"], &item["product"]), (&json!(format!("USER#{ALICE}")), &json!("PROD-101")));
                assert!(found.insert(item["sk"].as_str().unwrap().to_owned(), day.clone()).is_none());
            }
        }
    }
    let expected = written.iter().filter(|(_, day)| **day != "2026-01-24");
    assert_eq!(found, expected.map(|(key, day)| (key.clone(), (*day).to_owned())).collect());
    // Again it comes out the same, and goes on where it ended.
    trail_archive::run(story, trail, archive, &first).await.unwrap();
    assert!(days(&plan(None, now).await.unwrap()).is_empty());
    assert_eq!(days(&plan(None, "2026-01-26T00:00:00Z").await.unwrap()), ["2026-01-24"]);
    let early = plan(Some("2026-01-24"), now).await.unwrap_err();
    assert!(early.to_string().contains("is not archived yet"), "{early}");
    assert!(plan(Some("2026-01-25"), "2026-01-28T00:00:00Z").await.is_err(), "no day is left out");
    // What was written later than it can have been happened to somebody's clock, or to the table.
    append(&item(ALICE, product(), Status::Success, "2026-01-23T12:00:00Z")).await;
    let other = trail_archive::run(story, trail, archive, &first).await.unwrap_err();
    assert!(other.to_string().contains("items came or went since"), "{other}");
}

#[test]
fn a_trail_in_sqlite_tells_who_looked() {
    let folder = seeded();
    let store = SqliteAuditStore::new(folder.audit());
    let trail = SqliteTrail::new(&folder.audit());
    block_on(tells_who_looked(&trail, async |item| store.append(item).await.unwrap()));
}

#[test]
fn a_trail_in_sqlite_is_archived_in_a_folder() {
    let folder = seeded();
    let (store, archive) = (SqliteAuditStore::new(folder.audit()), tempfile::tempdir().unwrap());
    let root = camino::Utf8Path::from_path(archive.path()).unwrap();
    let archive = LocalVault::new(&root.join("archive"), &root.join("tmp"));
    let trail = SqliteTrail::new(&folder.audit());
    let append = async |item: &AuditItem| store.append(item).await.unwrap();
    block_on(is_archived(&trail, &archive, append, &"prod".parse().unwrap()));
}

#[test]
fn the_archive_of_a_laptop_is_a_folder_that_anybody_can_check() {
    let project = project();
    fill(&project, "prod", ALICE);
    project.xtask(&["audit", "archive", "--env", "prod"]).expect(2).says("by --since");
    let plan = project.xtask(&["audit", "archive", "--env", "prod", "--since", "2026-01-22", "--plan"]).expect(0);
    assert!(plan.stdout.starts_with("2026-01-22\n2026-01-23\n2026-01-24\n"), "{}", plan.stdout);
    let done =
        project.xtask(&["audit", "archive", "--env", "prod", "--since", "2026-01-22", "--json"]).expect(0).json();
    assert_eq!(done["days"][1], json!({ "day": "2026-01-23", "items": 1 }));
    let day = project.local().join("archive/prod/2026-01-23");
    let checked = std::process::Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(day).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    project.xtask(&["audit", "archive", "--env", "prod"]).expect(0).prints("up to the day before yesterday");
}

#[test]
fn a_trail_that_is_not_there_or_broken_is_not_an_empty_one() {
    let folder = seeded();
    let who = |trail: SqliteTrail| {
        block_on(async { trail.who(&"PROD-101".parse().unwrap(), "2026-01-23".parse().unwrap()).await })
    };
    let none = who(SqliteTrail::new(&folder.audit().with_file_name("none.sqlite"))).unwrap_err().to_string();
    assert!(none.contains("none.sqlite is not there"), "{none}");
    let broken = folder.audit().with_file_name("broken.sqlite");
    std::fs::write(&broken, "no database at all, whoever wrote it").unwrap();
    let said = who(SqliteTrail::new(&broken)).unwrap_err().to_string();
    assert!(said.starts_with("the audit trail cannot be read: reading ") && said.contains("broken.sqlite"), "{said}");
}

/// Two environments with a trail in this project's own folder.
fn project() -> Project {
    let project = Project::new();
    let text = std::fs::read_to_string(project.root().join("release.toml")).unwrap();
    let text = text.replace("[profile.local]\n", "[profile.local]\naudit = \"data/{environment}.sqlite\"\n");
    project.repo().write("release.toml", &text);
    project
}

fn fill(project: &Project, environment: &str, user: &str) {
    let (folder, database) = (seeded(), project.local().join(format!("data/{environment}.sqlite")));
    let item = item(user, Subject::Product("PROD-101".parse().unwrap()), Status::Success, "2026-01-23T12:00:00Z");
    block_on(SqliteAuditStore::new(folder.audit()).append(&item)).unwrap();
    std::fs::create_dir_all(database.parent().unwrap()).unwrap();
    // What SQLite still has beside the file goes into it when the last connection closes, which it has.
    std::fs::copy(folder.audit(), database).unwrap();
}

const ASKED: [&str; 6] = ["audit", "who", "--product", "PROD-101", "--on", "2026-01-23"];

fn asked(project: &Project, more: &[&str]) -> Ran {
    let words: Vec<&str> = ASKED.iter().chain(more).copied().collect();
    project.xtask(&words)
}

#[test]
fn the_handbooks_question_is_answered_of_every_environment() {
    let project = project();
    asked(&project, &[]).expect(8).says("qa: there is no audit trail");
    fill(&project, "dev", ALICE);
    fill(&project, "prod", BOB);
    let all = asked(&project, &[]).expect(8);
    let shown = &all.stdout;
    assert!(shown.contains("not known of qa\n") && !shown.contains("not known of dev"), "{shown}");
    assert!(shown.contains(ALICE) && shown.contains(BOB), "{shown}");
    let json = asked(&project, &["--env", "prod", "--json"]).expect(0).json();
    assert_eq!(json["environments"][0]["looks"][0]["user"], BOB);
    assert_eq!(json["environments"].as_array().unwrap().len(), 1);
    // One that cannot be read is never counted as nobody.
    std::fs::write(project.local().join("data/qa.sqlite"), "broken").unwrap();
    let part = asked(&project, &[]).expect(8).says("it is not known of every environment").says("qa: ");
    assert!(part.stdout.contains(BOB));
    asked(&project, &["--env", "nowhere"]).expect(2).says("there is no environment `nowhere`");
    project.xtask(&["audit", "who", "--product", "PROD-101", "--on", "23.01.2026"]).expect(2).says("is not a day");
}

#[test]
fn an_item_that_is_in_no_part_of_its_day_is_not_left_out_in_silence() {
    let folder = seeded();
    let rows = |wrong: &str| {
        let connection = rusqlite::Connection::open(folder.audit()).unwrap();
        connection
            .execute_batch(&format!(
                "INSERT INTO Audit_Logs_Local (pk, sk, action, status, purpose, request_id, ttl) VALUES ({wrong})"
            ))
            .unwrap();
        let trail = SqliteTrail::new(&folder.audit());
        let shard = Shard::all().next().unwrap();
        block_on(async { trail.rows("2026-01-23".parse().unwrap(), shard).await }).unwrap_err().to_string()
    };
    let strange = rows("'USER#x', 'AUDIT#2026-01-23T12:00:00.000Z#Z', 'A', 'SUCCESS', 'USER', 'r', 1");
    assert!(strange.contains("its key ends in no UUID"), "{strange}");
    let bytes =
        rows("'USER#y', 'AUDIT#2026-01-23T12:00:00.000Z#0', CAST(x'41ff42' AS TEXT), 'SUCCESS', 'USER', 'r', 1");
    assert!(bytes.starts_with("the audit trail cannot be read"), "{bytes}");
}
