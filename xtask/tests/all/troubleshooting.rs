//! `docs/troubleshooting.md`: each row's words are what the real program prints when that very thing goes wrong. A row that
//! nobody brings about fails, and so does a case that has no row.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use camino::Utf8PathBuf;
use serde_json::json;

use crate::{
    serve::serving,
    support::{
        copy::original,
        project::{Bad, Project, RELEASE, Ran, command},
        serving::Serving,
    },
};

/// Brings something about; all that is printed.
type Case = fn() -> String;

/// What goes wrong, by the words of its row.
const CASES: [(&str, Case); 20] = [
    ("there is no release.toml in …; change into the project or name the file with --config", || {
        let folder = tempfile::tempdir().unwrap();
        let outside = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        all(Ran::of(command(&outside, &outside.join("local"), &["status"]).output().unwrap()))
    }),
    ("there is no function …; release.toml has …", || {
        typed(&Project::new(), &["invoke", "alhpa", "--event", "{}"])
    }),
    ("failed to read the event …; name a JSON file by --event, or write the JSON there", || {
        typed(&Project::new(), &["invoke", "alpha", "--event", "nowhere.json"])
    }),
    ("the event is not JSON: …", || typed(&Project::new(), &["invoke", "alpha", "--event", "{id:1}"])),
    ("cargo failed to build …", || {
        let project = Project::new();
        project.repo().write("functions/alpha/src/main.rs", "fn main() { nothing }");
        invoked(&project)
    }),
    ("cargo cannot resolve the workspace in …", || {
        let project = Project::new();
        let manifest = "[package]\nname = \"alpha\"\nversion = \"0.2.0\"\nedition = \"2024\"\n";
        project.repo().write("functions/alpha/Cargo.toml", manifest);
        invoked(&project)
    }),
    ("cargo made no executable …: its package needs a binary of the same name", || {
        let project = Project::new();
        let manifest = fs::read_to_string(project.root().join("functions/alpha/Cargo.toml")).unwrap();
        let manifest = format!("{manifest}\n[[bin]]\nname = \"other\"\npath = \"src/main.rs\"\n");
        project.repo().write("functions/alpha/Cargo.toml", &manifest);
        invoked(&project)
    }),
    ("… failed: the function failed while it started: …", || {
        let project = Project::new();
        project.break_function("alpha", Bad::Start);
        invoked(&project)
    }),
    ("Task timed out after … seconds", || {
        let project = Project::new();
        project.break_function("alpha", Bad::Hang);
        project.repo().write("release.toml", &RELEASE.replace("timeout_s = 4", "timeout_s = 1"));
        invoked(&project)
    }),
    ("failed to apply …: file is not a database: …", || {
        let project = Project::new();
        let seeds = "\n[profile.local.seeds]\n\"data/{environment}/data.sqlite\" = \"seed\"\n";
        project.repo().write("release.toml", &format!("{RELEASE}{seeds}")).write("seed/1.sql", "CREATE TABLE t (n);");
        let file = project.local().join("data/dev/data.sqlite");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "no database, whatever it is called".repeat(100)).unwrap();
        invoked(&project)
    }),
    ("\"code\":\"STORE_UNAVAILABLE\"", || without("data.sqlite")),
    ("\"code\":\"AUDIT_UNAVAILABLE\"", || without("audit.sqlite")),
    ("port … of 127.0.0.1 cannot be had; name another by --port", || {
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        typed(&routed(), &["serve", "--port", &taken.local_addr().unwrap().port().to_string()])
    }),
    ("no call would reach a function: write … into release.toml", || typed(&Project::new(), &["serve"])),
    ("{\"message\":\"Not Found\"}", || {
        let project = routed();
        let serving = serving(&project, &[]);
        got(&serving, "/nowhere")
    }),
    ("what was built before goes on answering: …", || {
        let project = routed();
        let mut serving = serving(&project, &[]);
        project.repo().write("functions/alpha/src/main.rs", "fn main() { nothing }");
        serving.until("goes on answering")
    }),
    ("release.toml is read once: to serve what it says now, end this and start it again", || {
        let project = routed();
        let mut serving = serving(&project, &[]);
        project.repo().write("release.toml", RELEASE);
        serving.until("release.toml is read")
    }),
    ("MiniStack does not run; start it by …", || typed(&Project::new(), &["local", "status"])),
    ("… is not live in …; run …", || {
        typed(&Project::new(), &["invoke", "alpha", "--env", "dev", "--event", "{}"])
    }),
    ("the tree is not clean, so the box would not be what the commit says; …", || {
        let project = Project::new();
        project.repo().write("more.txt", "");
        typed(&project, &["release"])
    }),
];

/// The fixture with one route.
fn routed() -> Project {
    let project = Project::new();
    let routes = "\n[profile.local.routes]\n\"GET /alpha\" = \"alpha\"\n";
    project.repo().write("release.toml", &format!("{RELEASE}{routes}"));
    project.behave("alpha", &json!({ "answer": { "statusCode": 200, "body": "{}" } }));
    project
}

fn typed(project: &Project, args: &[&str]) -> String {
    all(project.xtask(args))
}

fn invoked(project: &Project) -> String {
    typed(project, &["invoke", "alpha", "--event", "{}"])
}

fn all(ran: Ran) -> String {
    assert!(ran.code >= 0, "a signal ended it: {}", ran.stderr);
    format!("{}{}", ran.stdout, ran.stderr)
}

/// What a real function answers when this database goes away under a gateway that runs; what the row says to do must help.
fn without(database: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let local = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    let temporary = local.join("temporary");
    fs::create_dir(&temporary).unwrap();
    let mut serve = command(original(), &local, &["serve", "--port", "0"]);
    serve.env("TMPDIR", &temporary);
    let serving = Serving::start(serve).unheard();
    let asks = "/price?id=PROD-101&userId=550e8400-e29b-41d4-a716-446655440000";
    for file in local.join("data/dev").read_dir_utf8().unwrap() {
        let file = file.unwrap();
        if file.file_name().starts_with(database) {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let answer = got(&serving, asks);
    Ran::of(command(original(), &local, &["local", "seed"]).output().unwrap()).expect(0);
    let mended = got(&serving, asks);
    assert!(mended.contains("\"price\":99.99"), "`local seed` does not help: {mended}");
    answer
}

/// What the gateway answers, head and body.
fn got(serving: &Serving, path: &str) -> String {
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", serving.address).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The words of each row.
fn rows(document: &str) -> Vec<String> {
    let lines = document.lines().filter(|line| line.starts_with("| ")).skip(2);
    let first = lines.map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [says, because, todo] = cells[..] else { panic!("a row has three cells: {line}") };
        let said = says.strip_prefix("| `").and_then(|said| said.strip_suffix('`'));
        assert!(
            because.ends_with('.') && todo.trim_end_matches([' ', '|']).len() > 1,
            "say why, and what to do: {line}"
        );
        said.unwrap_or_else(|| panic!("what it says stands between back quotes: {line}")).to_owned()
    });
    first.collect()
}

/// Whether a text has these words, `…` standing for anything. Back quotes cannot be written inside of back quotes.
fn has(text: &str, words: &str) -> bool {
    let text = text.replace('`', "");
    let mut parts = words.split('…').map(str::trim).filter(|part| !part.is_empty());
    let (Some(first), mut rest) = (parts.next(), text.as_str()) else { return false };
    for part in std::iter::once(first).chain(parts) {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[test]
fn words_are_found_in_their_order() {
    assert!(has("error: there is no `x`; it has a, b", "there is no …; it has …"));
    assert!(!has("it has there is no", "there is no …; it has …") && !has("anything", "…"));
    assert_eq!(rows("| it says | because | do |\n| --- | --- | --- |\n| `a …` | So. | Do. |\n"), ["a …"]);
}

#[test]
fn every_row_has_a_case_and_every_case_a_row() {
    let text = fs::read_to_string(original().join("docs/troubleshooting.md")).unwrap();
    let cases: Vec<&str> = CASES.iter().map(|(words, _)| *words).collect();
    assert_eq!(rows(&text), cases);
}

/// One after the other in each of a few threads: a machine with few processors must not let a good function time out.
#[test]
fn every_row_is_what_is_printed() {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut wrong = Vec::new();
            while let Some((words, case)) = CASES.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                let told = case();
                if !has(&told, words) {
                    wrong.push(format!("`{words}` is not what is printed:\n{told}"));
                }
            }
            wrong
        };
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
