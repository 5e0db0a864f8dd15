//! What must not be sealed is refused before anything is uploaded, each for its own reason.

use std::collections::BTreeSet;

use serde_json::json;
use tempfile::TempDir;
use xtask::{
    adapters::binary,
    model::configuration::Architecture,
    plan::preflight::{Wanted, judge, provided_al2023},
};

use crate::{fleet::bootstrap, support::project::Project};

#[test]
fn a_secret_or_a_path_of_this_machine_is_not_sealed() {
    let project = Project::new();
    let key = ["AKIA", "2OGYBAH6STMMNXNV"].concat();
    let here = project.root().to_string();
    for (note, words) in [
        (key.as_str(), "alpha: `bootstrap` holds an AWS access key at byte "),
        ("/home/ada/product/src/lib.rs", "alpha: `bootstrap` holds a path of the building machine at byte "),
        (&format!("{here}/src/lib.rs"), "alpha: `bootstrap` holds a path of the building machine at byte "),
    ] {
        project.improve("alpha", note);
        project.commit("feat: tell too much");
        project.xtask(&["build"]).expect(4).says(words);
        let refused = project.xtask(&["release"]).expect(4).says(words);
        assert!(!refused.stderr.contains(&key), "{}", refused.stderr);
        assert!(!project.local().join("vault/v1.0.0").exists(), "something was uploaded");
    }
    project.heal("alpha");
    project.commit("fix: tell nothing");
    project.xtask(&["release"]).expect(0);
}

fn judged(zip: &[u8], architecture: Architecture) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let path = camino::Utf8Path::from_path(folder.path()).unwrap().join("x.zip");
    std::fs::write(&path, zip).unwrap();
    let (function, runtime, libraries) = ("alpha".parse().unwrap(), provided_al2023(), BTreeSet::new());
    let (libraries, lacking, here) = (&libraries, &libraries, true);
    let wanted = Wanted { function: &function, architecture, runtime: &runtime, libraries, layers: 0, lacking, here };
    let problems = judge(&wanted, &binary::inspect(&path, &[]).unwrap());
    problems.iter().filter(|problem| problem.fatal).map(ToString::to_string).collect()
}

#[test]
fn what_lambda_cannot_start_is_told_by_the_zip_itself() {
    let here = if cfg!(target_arch = "x86_64") { Architecture::X86_64 } else { Architecture::Arm64 };
    let other = if cfg!(target_arch = "x86_64") { Architecture::Arm64 } else { Architecture::X86_64 };
    // Where the tests themselves were compiled may stand in this program.
    let without_paths =
        |found: Vec<String>| found.into_iter().filter(|text| !text.contains("a path of")).collect::<Vec<_>>();
    let good = bootstrap::function(&json!({}));
    assert_eq!(without_paths(judged(&good, here)), Vec::<String>::new());
    let program = bootstrap::program();
    for (zip, architecture, words) in [
        (good, other, "the function is declared for"),
        (bootstrap::zip(&[("bootstrap", 0o644, program)]), here, "has mode 0644"),
        (bootstrap::zip(&[("alpha", 0o755, program)]), here, "no `bootstrap` at the root of the zip, only alpha"),
        (bootstrap::zip(&[]), here, "no `bootstrap` at the root of the zip, only nothing"),
        (bootstrap::zip(&[("bootstrap", 0o755, b"#!/bin/sh\n")]), here, "it is no ELF file"),
        (bootstrap::zip(&[("bootstrap", 0o755, &program[..5000])]), here, "cannot be started"),
    ] {
        let found = without_paths(judged(&zip, architecture));
        assert!(found.len() == 1 && found[0].contains(words), "{words}: {found:?}");
    }
}
