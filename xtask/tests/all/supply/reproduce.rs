//! A release comes out of its source again, byte for byte; where it does not, the reason is named.

use std::fs;

use crate::support::project::Project;

#[test]
fn a_release_comes_out_of_its_commit_again() {
    let project = Project::new();
    project.xtask(&["release"]).expect(0);
    // What is checked out now plays no part.
    project.improve("alpha", "second");
    project.commit("feat: second");
    let told = project.json(0, &["reproduce", "v1.0.0", "--env", "qa"]);
    assert_eq!(told["artifacts"]["alpha"]["verdict"], "Correct");
    assert_eq!(told["artifacts"]["beta"]["verdict"], "Correct");
    let evidence = project.local().join("vault/evidence/v1.0.0");
    let pieces: Vec<_> = fs::read_dir(&evidence).unwrap().collect();
    assert_eq!(pieces.len(), 1, "the result is evidence");
    project.xtask(&["audit", "verify"]).expect(0);
}

#[test]
fn what_differs_is_named() {
    let project = Project::new();
    project.xtask(&["release"]).expect(0);
    let copy = project.in_clone("copy");
    let change = |path: &str, from: &str, to: &str| {
        let text = fs::read_to_string(copy.join(path)).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(copy.join(path), text.replace(from, to)).unwrap();
    };
    let again = |code: i32| project.xtask(&["reproduce", "v1.0.0", "--source", copy.as_str()]).expect(code);
    again(0);
    change("functions/alpha/behaviour.json", "first", "fIrst");
    let told = again(5).says("alpha.zip").says("in .rodata").says("first").says("fIrst");
    assert!(told.stderr.contains("functions/alpha/behaviour.json is not as the commit has it"), "{}", told.stderr);
    assert!(!told.stderr.contains("beta.zip"), "{}", told.stderr);
    change("functions/alpha/behaviour.json", "fIrst", "first");
    change("Cargo.toml", "strip = \"symbols\"", "strip = \"none\"");
    again(5).says("alpha.zip").says("beta.zip").says("Cargo.toml is not as the commit has it");
    change("Cargo.toml", "strip = \"none\"", "strip = \"symbols\"");
    change("Cargo.lock", "version = 4\n", "version = 4\n# another\n");
    project.xtask(&["reproduce", "v1.0.0", "--source", copy.as_str()]).expect(0);
}

#[test]
fn another_compiler_is_named_before_anything_is_built() {
    let project = Project::new();
    project.xtask(&["release"]).expect(0);
    let folder = project.repo().beside("bin");
    fs::create_dir(&folder).unwrap();
    let real = std::env::var("PATH").unwrap();
    let script = format!("#!/bin/sh\nPATH='{real}' rustc \"$@\" | sed 's/^rustc [0-9.]*/rustc 1.12.3/'\n");
    fs::write(folder.join("rustc"), script).unwrap();
    let mut mode = fs::metadata(folder.join("rustc")).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
    fs::set_permissions(folder.join("rustc"), mode).unwrap();
    let mut command = project.command(project.root(), &["reproduce", "v1.0.0"]);
    command.env("PATH", format!("{folder}:{real}"));
    let ran = crate::support::project::Ran::of(command.output().unwrap()).expect(2);
    ran.says("v1.0.0 was built by rustc 1.").says("RUSTUP_TOOLCHAIN=1.");
}
