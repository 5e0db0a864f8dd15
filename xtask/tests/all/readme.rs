//! What README.md shows is what happens. Its `people.toml` is read; the newcomer's walk is typed line by line into a
//! shell, in a fresh clone of the small monorepo. Nothing but `cargo xtask` stands for something else than it says: for
//! the binary that is tested.

mod first;

use camino::Utf8Path;
use xtask::config::{load, people};

use crate::support::project::{Project, Ran, scrubbed};

const README: &str = include_str!("../../../README.md");

const HEADING: &str = "## On to production";

/// What a comment begins with that announces another exit code than 0.
const EXITS: &str = "# exits with ";

/// `cargo xtask` would first build the toolchain, which the small monorepo does not have.
const SHELL: &str = r#"cargo() { if [ "$1" = xtask ]; then shift; "$XTASK" "$@"; else command cargo "$@"; fi; }"#;

/// Every line of a section's `sh` blocks, with the exit code that its comment announces.
fn lines<'a>(document: &'a str, heading: &str) -> Vec<(&'a str, i32)> {
    let section = document.lines().skip_while(|line| *line != heading).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    let mut in_block = false;
    let typed = section.filter(|line| {
        let fence = line.starts_with("```");
        in_block = if fence { *line == "```sh" } else { in_block };
        in_block && !fence && !line.trim().is_empty()
    });
    typed.map(|line| (line, announced(line))).collect()
}

fn announced(line: &str) -> i32 {
    let Some((_, comment)) = line.split_once(EXITS) else { return 0 };
    let (code, _) = comment.split_once(':').unwrap_or_else(|| panic!("say after the code why: {line}"));
    code.parse().unwrap_or_else(|error| panic!("`{code}`: {error}: {line}"))
}

/// Types a line into a shell. Nobody has told git who they are.
fn types(folder: &Utf8Path, line: &str) -> Ran {
    let mut shell = scrubbed("sh", folder);
    shell.arg("-c").arg(format!("{SHELL}\n{line}")).env("XTASK", env!("CARGO_BIN_EXE_xtask"));
    Ran::of(shell.output().unwrap())
}

#[test]
fn lines_are_found_with_their_codes() {
    let document =
        "## A\n```sh\nnot here\n```\n## B\n```sh\none  # well\n\ntwo # exits with 4: no\n```\n```text\nno\n```\n## C\n";
    assert_eq!(lines(document, "## B"), [("one  # well", 0), ("two # exits with 4: no", 4)]);
    assert_eq!(lines(document, "## D"), []);
}

#[test]
fn the_profile_of_the_example_is_read() {
    let (_, text) = README.split_once("```toml\n[profile.aws]").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let release = "schema = 1\nfunctions.f = {}\nprofile.local.function_name = '{function}-{environment}'\n\
                   [[environments]]\nname = 'dev'\n[profile.aws]";
    for commented in [false, true] {
        // What stands there as a comment must be right, too.
        let text =
            if commented { text.replace("# mode", "mode").replace("# endpoint", "endpoint") } else { text.to_owned() };
        std::fs::write(root.join("release.toml"), format!("{release}{text}")).unwrap();
        let config = load::release(root, None, None).unwrap().config.on_aws().unwrap();
        assert_eq!(config.aws.unwrap().endpoint.is_some(), commented);
    }
}

#[test]
fn the_people_of_the_example_are_read() {
    let (_, text) = README.split_once("```toml\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let people = people::validate(toml::from_str(text).unwrap(), &[], false).unwrap();
    assert_eq!(people.persons.len(), 1);
    let (_, schema) = text.lines().next().unwrap().split_once("#:schema ").unwrap();
    assert!(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(schema).is_file(), "there is no {schema}");
}

#[test]
fn the_walk_goes_as_written() {
    let project = Project::new();
    let clone = project.in_clone("newcomer");
    let walk = lines(README, HEADING);
    for (line, code) in &walk {
        let ran = types(&clone, line);
        assert_eq!(ran.code, *code, "{line}\nstdout: {}\nstderr: {}", ran.stdout, ran.stderr);
    }
    let refused = walk.iter().map(|(_, code)| *code).filter(|code| *code != 0);
    assert_eq!(refused.collect::<Vec<_>>(), [4, 6, 3], "the failures that a newcomer meets on purpose");
    let end = types(&clone, "cargo xtask status").expect(0);
    let synced = end.stdout.lines().any(|line| line.starts_with("dr: v1.0.2 ") && line.contains("Globally Synced"));
    assert!(synced, "{}", end.stdout);
    assert!(end.stdout.contains("v1.0.2 is everywhere; it waits for the next commit"), "{}", end.stdout);
}
