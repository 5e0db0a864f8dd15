//! `new function`: the templates must not rot, so a function is made of them in a copy of this repository, where it is
//! formatted, linted, tested, planned to be released and called.

use std::fs;

use serde_json::{Value, json};

use crate::support::{copy::Copy, project::Project};

/// What nobody calls a function: whoever has made one tests what is here with it.
const NAME: &str = "made-by-a-test";

#[test]
fn a_new_function_passes_everything_at_once() {
    let copy = Copy::new("new-function");
    let before = copy.read("release.toml");
    let of = |path: &str| format!("functions/{NAME}/{path}");
    let planned = copy.xtask(&["new", "function", NAME, "--plan"]).expect(0);
    assert!(planned.stdout.contains(&of("src/service.rs")), "{}", planned.stdout);
    assert_eq!(copy.git(&["status", "--porcelain"]), "", "a plan writes nothing");

    // What another wrote is not touched, whatever it is.
    copy.write(&of("src/main.rs"), "fn main() {}\n");
    copy.xtask(&["new", "function", NAME])
        .expect(2)
        .says(&format!("{} is there and somebody else's: move it away, or choose another name", of("src/main.rs")));
    assert_eq!(copy.read(&of("src/main.rs")), "fn main() {}\n");
    assert!(!copy.root().join(of("Cargo.toml")).exists() && copy.read("release.toml") == before);
    fs::remove_dir_all(copy.root().join(of(""))).unwrap();

    copy.xtask(&["new", "function", NAME]).expect(0).prints(&format!("cargo test --package {NAME}"));
    let made = copy.git(&["status", "--porcelain", "--untracked-files=all"]);
    assert_eq!(made.lines().count(), 10, "{made}");

    // Cut off before its end, the same command brings the same.
    let whole = copy.read("release.toml");
    copy.write("release.toml", &before);
    fs::remove_file(copy.root().join(of("src/dto.rs"))).unwrap();
    copy.write(&of("src/.draft-left"), "half");
    copy.xtask(&["new", "function", NAME]).expect(0);
    fs::remove_file(copy.root().join(of("src/.draft-left"))).unwrap();
    assert_eq!(
        (copy.read("release.toml"), copy.git(&["status", "--porcelain", "--untracked-files=all"])),
        (whole, made)
    );
    copy.xtask(&["new", "function", NAME]).expect(2).says(&format!("there is a function `{NAME}` already"));

    copy.cargo(&["fmt", "--package", NAME, "--check"]);
    copy.cargo(&["clippy", "--package", NAME, "--all-targets", "--locked", "--", "-D", "warnings"]);
    let tests = copy.cargo(&["test", "--package", NAME, "--locked"]);
    assert!(tests.stdout.contains("11 passed"), "{}", tests.stdout);

    let event = format!("infra-local/events/{NAME}-event.json");
    let called = copy.xtask(&["invoke", NAME, "--event", &event, "--json"]).expect(0);
    let body: Value = serde_json::from_str(called.json()["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({ "productId": "PROD-101", "currency": "USD" }));

    copy.commit("feat: one more");
    copy.xtask(&["release", "--plan"]).expect(0).prints("v1.0.0");
}

#[test]
fn a_name_that_cannot_be_is_refused_before_anything_is_written() {
    let project = Project::new();
    project.xtask(&["new", "function", "Demo"]).expect(2).says("lower-case letters, digits and single dashes");
    project.xtask(&["new", "function", "alpha"]).expect(2).says("there is a function `alpha` already");
    project.xtask(&["new", "function", "test"]).expect(2).says("choose another name");
    assert_eq!(project.repo().git(&["status", "--porcelain"]), "");
}
