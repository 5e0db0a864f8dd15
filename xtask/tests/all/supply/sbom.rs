//! Bills of materials: what one build resolved for one binary, and nothing else. The packages come from a folder in the
//! project, as `cargo vendor` makes one, so that features and optional dependencies are as real as a registry's.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;

use super::python::python;
use crate::support::project::Project;

/// Strict validation against the official schema of CycloneDX 1.6.
const VALIDATE: &str = r#"
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
for path in sys.argv[1:]:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(path).read())
    assert error is None, f"{path}: {error}"
"#;

/// `alpha` is linked with `left`, whose optional dependency `right` only the tool asks for; `beta` with `right` alone.
pub(super) fn project() -> Project {
    let project = Project::new();
    let repo = project.repo();
    let package = |name: &str, rest: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2021\"\nlicense = \"MIT/Apache-2.0\"\n{rest}"
        )
    };
    let left = "[features]\nextra = [\"dep:right\"]\n[dependencies]\nright = { version = \"1\", optional = true }\n";
    for (name, rest) in [("left", left), ("right", ""), ("builder", "")] {
        repo.write(&format!("vendor/{name}/Cargo.toml"), &package(name, rest));
        repo.write(&format!("vendor/{name}/src/lib.rs"), "pub fn answer() -> u8 { 7 }\n");
        let sum = "0".repeat(64);
        repo.write(
            &format!("vendor/{name}/.cargo-checksum.json"),
            &format!("{{\"files\":{{}},\"package\":\"{sum}\"}}"),
        );
    }
    repo.write(
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\ndirectory = \"vendor\"\n",
    );
    let add = |function: &str, dependencies: &str| {
        let path = project.root().join(format!("functions/{function}/Cargo.toml"));
        let manifest = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{manifest}{dependencies}")).unwrap();
    };
    add("alpha", "[dependencies]\nleft = \"1\"\n[build-dependencies]\nbuilder = \"1\"\n");
    repo.write("functions/alpha/build.rs", "fn main() { assert_eq!(builder::answer(), 7); }\n");
    add("beta", "[dependencies]\nright = \"1\"\n");
    repo.write(
        "tool/Cargo.toml",
        &package("tool", "[dependencies]\nleft = { version = \"1\", features = [\"extra\"] }\n"),
    );
    repo.write("tool/src/lib.rs", "");
    let workspace = fs::read_to_string(project.root().join("Cargo.toml")).unwrap();
    repo.write("Cargo.toml", &workspace.replace("\"functions/*\"", "\"functions/*\", \"tool\""));
    let locked = Command::new("cargo").args(["generate-lockfile", "--offline"]).current_dir(project.root()).output();
    let locked = locked.unwrap();
    assert!(locked.status.success(), "{}", String::from_utf8_lossy(&locked.stderr));
    project.commit("feat: depend on others");
    project
}

#[test]
fn a_bill_lists_what_that_build_resolved_for_that_binary() {
    let project = project();
    project.xtask(&["release"]).expect(0);
    let of = |function: &str| -> (Value, String) {
        let path = project.local().join(format!("vault/v1.0.0/sbom/{function}.cdx.json"));
        (serde_json::from_slice(&fs::read(&path).unwrap()).unwrap(), path.into_string())
    };
    let names = |bill: &Value| -> BTreeSet<String> {
        bill["components"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
    };
    let ((alpha, alpha_file), (beta, beta_file)) = (of("alpha"), of("beta"));
    let is = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(names(&alpha), is(&["left"]), "not what a build script uses, nor what the tool asks for");
    assert_eq!(names(&beta), is(&["right"]));
    let left = &alpha["components"][0];
    assert_eq!(left["purl"], "pkg:cargo/left@1.2.3");
    assert_eq!(left["hashes"][0]["content"], "0".repeat(64));
    let zip = fs::read(project.local().join("vault/v1.0.0/alpha.zip")).unwrap();
    let sum = xtask::model::digest::Digest::of(&zip).hex();
    assert_eq!(alpha["metadata"]["component"]["hashes"][0]["content"], sum);
    let (valid, said) = python(VALIDATE, &[&alpha_file, &beta_file]);
    assert!(valid, "{said}");
    // That check can fail.
    let wrong = project.local().join("wrong.cdx.json");
    fs::write(&wrong, fs::read_to_string(&alpha_file).unwrap().replace("\"library\"", "\"librarian\"")).unwrap();
    assert!(!python(VALIDATE, &[wrong.as_str()]).0);
}

#[test]
fn two_builds_write_the_same_bill() {
    let one = project();
    let elsewhere = one.in_clone("elsewhere");
    one.xtask(&["release"]).expect(0);
    let local = elsewhere.join(".local");
    let mut command = one.command(&elsewhere, &["release"]);
    command.env("XTASK_LOCAL", &local);
    crate::support::project::Ran::of(command.output().unwrap()).expect(0);
    for function in ["alpha", "beta"] {
        let bill = format!("vault/v1.0.0/sbom/{function}.cdx.json");
        assert_eq!(fs::read(one.local().join(&bill)).unwrap(), fs::read(local.join(&bill)).unwrap());
    }
}
