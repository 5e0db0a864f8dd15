//! The repository's own rules. Each is a function from a file's text to the faults in it, and is shown one text with
//! the fault, so that a rule which finds nothing because it cannot find anything does not pass.

mod architecture;
mod workflows;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

/// The root of the repository.
fn root() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &Utf8Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("failed to read {path}: {error}"))
}

/// All files with this extension under a folder, in order.
fn files(folder: &Utf8Path, extension: &str) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8().unwrap_or_else(|error| panic!("failed to read {folder}: {error}")) {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension() == Some(extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The folder of every member of the workspace.
fn members() -> Vec<Utf8PathBuf> {
    let manifest: toml::Table = toml::from_str(&read(&root().join("Cargo.toml"))).unwrap();
    let patterns = manifest["workspace"]["members"].as_array().unwrap();
    let expand = |pattern: &str| match pattern.strip_suffix("/*") {
        Some(folder) => {
            let entries = root().join(folder).read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
            entries.filter(|path| path.join("Cargo.toml").is_file()).collect()
        }
        None => vec![root().join(pattern)],
    };
    patterns.iter().flat_map(|pattern| expand(pattern.as_str().unwrap())).collect()
}

/// The source files of every member, and those that a new one begins with.
fn sources() -> Vec<Utf8PathBuf> {
    let folders = members().into_iter().map(|member| member.join("src"));
    let folders = folders.chain([root().join("xtask/templates/function/src")]);
    folders.flat_map(|folder| files(&folder, "rs")).collect()
}

/// Asserts that a rule finds nothing in these files, and that there are files at all.
fn holds(files: &[Utf8PathBuf], rule: impl Fn(&str) -> Vec<String>) {
    assert!(!files.is_empty(), "the rule was asked about no file");
    let root = root();
    let faults = files.iter().flat_map(|path| {
        let name = path.strip_prefix(&root).unwrap_or(path).to_owned();
        rule(&read(path)).into_iter().map(move |fault| format!("{name}: {fault}"))
    });
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "\n  {}", faults.join("\n  "));
}

fn lints(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = toml::from_str(manifest).unwrap();
    let opted_in = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
    if opted_in == Some(true) { vec![] } else { vec!["write `[lints]` and `workspace = true`".to_owned()] }
}

#[test]
fn every_member_opts_into_the_lints() {
    assert_eq!(lints("[lints.rust]\nunsafe_code = 'forbid'").len(), 1);
    let manifests: Vec<_> = members().iter().map(|member| member.join("Cargo.toml")).collect();
    holds(&manifests, lints);
}

fn header(text: &str) -> Vec<String> {
    if text.starts_with("//!") {
        vec![]
    } else {
        vec!["begin with `//!`: what it owns, what it must not do".to_owned()]
    }
}

#[test]
fn every_module_says_what_it_is() {
    assert_eq!(header("use std::fs;\n//! Too late.").len(), 1);
    holds(&sources(), header);
}

fn longer_than(limit: usize, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines <= limit { vec![] } else { vec![format!("{lines} lines, at most {limit}: part it by its ideas")] }
}

#[test]
fn no_module_is_long() {
    assert_eq!(longer_than(350, &"\n".repeat(351)).len(), 1);
    holds(&sources(), |text| longer_than(350, text));
}

#[test]
fn no_command_is_long() {
    assert_eq!(longer_than(150, &"\n".repeat(151)).len(), 1);
    let mut commands = files(&root().join("xtask/src/cmd"), "rs");
    // The list of all commands and the wiring of the adapters are no commands: they are modules.
    commands.retain(|path| !["mod.rs", "world.rs"].contains(&path.file_name().unwrap()));
    holds(&commands, |text| longer_than(150, text));
}

/// Whether code names an item of a module: directly, or in a `use root::{…}` group over several lines.
fn names(code: &str, root: &str, item: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let path = format!("{root}::");
    code.match_indices(&path).filter(|(at, _)| !code[..*at].ends_with(is_word)).any(|(at, _)| {
        let rest = &code[at + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            return rest.strip_prefix(item).is_some_and(|after| !after.starts_with(is_word));
        };
        let mut depth = 0;
        let mut first_level = String::new();
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                c if depth == 0 => first_level.push(c),
                _ => {}
            }
        }
        first_level.split(',').any(|part| part.split("::").next() == Some(item))
    })
}

/// Code without comments, and without white space but between two words.
fn code(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let words = lines.flat_map(str::split_whitespace);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    words.fold(String::new(), |code, word| {
        let gap = if code.ends_with(is_word) && word.starts_with(is_word) { " " } else { "" };
        code + gap + word
    })
}

fn impure(text: &str) -> Vec<String> {
    let code = code(text);
    let world =
        [("crate", "adapters"), ("crate", "engine"), ("std", "fs"), ("std", "process"), ("std", "net"), ("std", "env")];
    let mut faults: Vec<String> = world
        .iter()
        .filter(|(root, item)| names(&code, root, item))
        .map(|(root, item)| format!("uses `{root}::{item}`: what is decided here is decided without the world"))
        .collect();
    if code.contains("tokio::") {
        faults.push("uses `tokio`: nothing waits here".to_owned());
    }
    faults
}

#[test]
fn models_and_plans_do_not_touch_the_world() {
    assert_eq!(impure("use crate::{\n    model::digest,\n    engine::{facts, ledger},\n};").len(), 1);
    assert_eq!(impure("use std::{collections::BTreeMap, fs, process::Command};").len(), 2);
    assert_eq!(impure("fn f() { std::fs::read(\"x\"); tokio::spawn(g()); }").len(), 2);
    assert_eq!(impure("// crate::engine\nuse crate::model::{engine, engine_power};"), [""; 0]);
    let folders = ["xtask/src/model", "xtask/src/plan"].map(|folder| files(&root().join(folder), "rs"));
    holds(&folders.concat(), impure);
}

fn names_aws(text: &str) -> Vec<String> {
    let code = code(text);
    let crates = ["aws_config", "aws_credential_types", "aws_sdk_", "aws_smithy_", "aws_types"];
    let found = crates.iter().filter(|name| code.contains(**name));
    found.map(|name| format!("names `{name}`: the SDK and its types stay in adapters/aws")).collect()
}

#[test]
fn only_its_adapter_knows_the_aws_sdk() {
    assert_eq!(names_aws("use aws_sdk_s3::Client;\nfn f(x: aws_config::SdkConfig) {}").len(), 2);
    assert_eq!(names_aws("// aws_sdk_s3\nuse crate::adapters::aws::S3Vault;"), [""; 0]);
    let mut sources = files(&root().join("xtask/src"), "rs");
    let own = root().join("xtask/src/adapters/aws");
    assert!(sources.iter().any(|path| path.starts_with(&own) && !names_aws(&read(path)).is_empty()));
    sources.retain(|path| !path.starts_with(&own));
    holds(&sources, names_aws);
}

fn prints(text: &str) -> Vec<String> {
    let code = code(text);
    let words = ["println!(", "print!(", "io::stdout", "io::stderr"].iter().filter(|word| code.contains(**word));
    words.map(|word| format!("has `{word}`: hand an `Answer` over, or tell the `Story`")).collect()
}

#[test]
fn only_output_prints() {
    assert_eq!(prints("fn f() { eprintln!(\"x\") }").len(), 1);
    assert_eq!(prints("use std::io::{self};\nlet out = io::stdout();").len(), 1);
    let mut sources = files(&root().join("xtask/src"), "rs");
    sources.retain(|path| !path.starts_with(root().join("xtask/src/output")));
    holds(&sources, prints);
}

fn ignored(text: &str) -> Vec<String> {
    let faults = code(text).matches(concat!("#[", "ignore")).count();
    vec!["a test is ignored: mend it or remove it".to_owned(); faults]
}

#[test]
fn no_test_is_ignored() {
    assert_eq!(ignored(concat!("#[test]\n#[", "ignore = \"slow\"]\nfn f() {}")).len(), 1);
    let tests = files(&root().join("xtask/tests"), "rs");
    holds(&[sources(), tests].concat(), ignored);
}
