//! An older glibc than this machine's and another processor, by cargo-zigbuild as PyPI has it; and what is said where something is missing.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use camino::Utf8Path;
use xtask::adapters::binary;

use crate::support::{
    project::{FUNCTIONS, Project, Ran},
    python::python,
};

fn configured(build: &str) -> Project {
    let project = Project::new();
    let path = project.root().join("release.toml");
    let text = fs::read_to_string(&path).unwrap();
    let place = "schema = 1\n";
    assert!(text.contains(place));
    fs::write(&path, text.replacen(place, &format!("{place}[build]\n{build}\n"), 1)).unwrap();
    project
}

fn build(project: &Project, path: &str) -> Ran {
    let mut command = project.command(project.root(), &["build", "--json"]);
    Ran::of(command.env("PATH", path).output().unwrap())
}

#[test]
fn what_is_built_for_an_older_glibc_needs_no_newer_one() {
    let project = configured("glibc = '2.17'");
    let path = with_zig();
    let told = build(&project, &path).expect(0).json();
    assert_eq!(told["toolchain"]["zig"]["glibc"], "2.17");
    assert_eq!(told["toolchain"]["zig"]["cargo_zigbuild"], "cargo-zigbuild 0.24.0");
    let newest = |told: &serde_json::Value| {
        let artifact = Utf8Path::new(told["artifacts"]["alpha"]["path"].as_str().unwrap()).to_owned();
        let looked = binary::inspect(&artifact, &[]).unwrap();
        looked.executable.unwrap().unwrap().glibc.into_keys().next_back().unwrap()
    };
    assert!(newest(&told) <= "2.17".parse().unwrap());
    // Again in another folder, for another user: the same bytes.
    let (one, home) = (told["artifacts"]["alpha"]["sha256"].clone(), project.repo().beside("home"));
    fs::create_dir(&home).unwrap();
    let copy = project.in_clone("another/folder");
    fs::copy(project.root().join("release.toml"), copy.join("release.toml")).unwrap();
    let mut command = project.command(&copy, &["build", "--json"]);
    command.env("PATH", &path).env("XDG_CACHE_HOME", home.join("cache")).env("TZ", "Asia/Tokyo");
    assert_eq!(Ran::of(command.output().unwrap()).expect(0).json()["artifacts"]["alpha"]["sha256"], one);
    // Without it the same source needs what this machine has.
    fs::write(
        project.root().join("release.toml"),
        fs::read_to_string(project.root().join("release.toml")).unwrap().replace("glibc = '2.17'", ""),
    )
    .unwrap();
    assert!(newest(&build(&project, &path).expect(0).json()) > "2.17".parse().unwrap());
}

/// Lambda's other processor. Where Rust's own library for it is not installed, that is what must be said.
#[test]
fn a_build_for_another_processor_is_one() {
    const TARGET: &str = "aarch64-unknown-linux-gnu";
    let project = configured(&format!("target = '{TARGET}'\nglibc = '2.34'"));
    let mut rustc = Command::new("rustc");
    let library = rustc.args(["--print", "target-libdir", "--target", TARGET]).output().unwrap();
    let path = with_zig();
    if !Utf8Path::new(String::from_utf8(library.stdout).unwrap().trim()).exists() {
        build(&project, &path).expect(2).says(&format!("run `rustup target add {TARGET}`"));
        return;
    }
    let told = build(&project, &path).expect(0).json();
    assert_eq!(told["toolchain"]["target"], TARGET);
    for function in FUNCTIONS {
        let artifact = Utf8Path::new(told["artifacts"][function]["path"].as_str().unwrap()).to_owned();
        let executable = binary::inspect(&artifact, &[]).unwrap().executable.unwrap().unwrap();
        assert_eq!((executable.machine.as_str(), &executable.startable), ("aarch64", &Ok(())));
        assert!(executable.glibc.into_keys().all(|glibc| glibc <= "2.34".parse().unwrap()));
    }
}

/// The programs of this machine and those that PyPI has.
fn with_zig() -> String {
    let interpreter = python("zig", include_str!("../../requirements/zig.txt"));
    format!("{}:{}", interpreter.parent().unwrap(), std::env::var("PATH").unwrap())
}

#[test]
fn what_is_missing_is_named_before_anything_is_built() {
    let project = configured("glibc = '2.17'");
    let folder = project.repo().beside("bin");
    fs::create_dir(&folder).unwrap();
    let real = std::env::var("PATH").unwrap();
    let put = |name: &str, script: &str| {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let path = format!("{folder}:{real}");
    put("cargo-zigbuild", "exit 127");
    build(&project, &path).expect(2).says("needs cargo-zigbuild: run `pip install cargo-zigbuild`");
    put("cargo-zigbuild", "echo cargo-zigbuild 0.24.0");
    put("python3", "exit 1");
    put("zig", "exit 1");
    build(&project, &path).expect(2).says("building for glibc 2.17 needs zig: run `pip install ziglang`");
    put("rustc", &format!("case $* in *libdir*) echo {folder}/none;; *) PATH='{real}' exec rustc \"$@\";; esac"));
    build(&project, &path).expect(2).says("run `rustup target add x86_64-unknown-linux-gnu`");
    let other = configured("glibc = '2.034'");
    build(&other, &real).expect(2).says("`2.034` is no version of glibc");
}
