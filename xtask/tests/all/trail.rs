//! Who looked: what every audit trail tells, of rows that the functions' own stores have written, and the command.

use common::{
    clients::SqliteAuditStore,
    models::{Action, AuditItem, Lookup, Status, Subject},
    testing::{ALICE, block_on, conformance, seeded},
    types::AuditStore,
};
use serde_json::json;
use xtask::{adapters::local::trail::SqliteTrail, ports::trail::AuditTrail};

use crate::support::project::{Project, Ran};

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

#[test]
fn a_trail_in_sqlite_tells_who_looked() {
    let folder = seeded();
    let store = SqliteAuditStore::new(folder.audit());
    let trail = SqliteTrail::new(&folder.audit());
    block_on(tells_who_looked(&trail, async |item| store.append(item).await.unwrap()));
}

#[test]
fn a_trail_that_is_not_there_yet_tells_of_nobody_and_a_broken_one_does_not() {
    let folder = seeded();
    let who = |trail: SqliteTrail| {
        block_on(async { trail.who(&"PROD-101".parse().unwrap(), "2026-01-23".parse().unwrap()).await })
    };
    assert_eq!(who(SqliteTrail::new(&folder.audit().with_file_name("none.sqlite"))).unwrap(), []);
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
    asked(&project, &[]).expect(0).prints("nobody looked at PROD-101 on 2026-01-23, where it is known\n");
    fill(&project, "dev", ALICE);
    fill(&project, "prod", BOB);
    let all = asked(&project, &[]).expect(0);
    let shown = &all.stdout;
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
