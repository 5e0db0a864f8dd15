//! The table of histories once more, through the real binary: `release --plan --json` over a vault with that very past.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use xtask::plan::next_version::{Fate, Reason};

use super::{
    cases::CASES,
    histories::{Case, Expected, Refusal, Vault},
};
use crate::support::{
    project::{RELEASE, Ran, command},
    repo::Repo,
    vaults,
    world::context,
};

/// Makes the case's repository and vault; where to ask, and where the state is.
async fn prepare(case: &Case, repo: &Repo) -> (Utf8PathBuf, Utf8PathBuf) {
    let vault = (case.build)(repo);
    let folder = vault.folder.clone().unwrap_or_else(|| repo.root().to_owned());
    let root = if folder.starts_with(repo.root()) { repo.root().to_owned() } else { folder.clone() };
    fs::write(root.join("release.toml"), configuration(&vault)).unwrap();
    // Neither the history nor the state of the tree is what the case says if the configuration is part of it.
    let exclude = [root.as_path(), repo.root()].map(|root| root.join(".git/info/exclude"));
    for path in exclude.iter().filter(|path| path.parent().is_some_and(Utf8Path::is_dir)) {
        fs::write(path, "/release.toml\n").unwrap();
    }
    let local = root.join(".local");
    if vault.highest.is_some() {
        let nowhere = Repo::new();
        let context = context(&root, &local, &nowhere);
        if let Some((version, commit)) = vault.living {
            vaults::living(&context, version.parse().unwrap(), commit).await;
        }
        match vault.highest {
            Some((version, commit, Fate::Dead)) => vaults::dead(&context, version.parse().unwrap(), commit).await,
            Some((version, commit, Fate::Burned)) => vaults::burned(&context, version.parse().unwrap(), commit).await,
            _ => {}
        }
    }
    (folder, local)
}

fn configuration(vault: &Vault) -> String {
    let first = vault.first.map(|version| format!("first_release = \"{version}\"\n")).unwrap_or_default();
    RELEASE.replacen('\n', &format!("\n{first}"), 1)
}

#[tokio::test]
async fn every_history_is_planned() {
    let mut wrong = Vec::new();
    for case in CASES {
        let repo = Repo::new();
        let (folder, local) = prepare(case, &repo).await;
        let ran = Ran::of(command(&folder, &local, &["release", "--plan", "--json"]).output().unwrap());
        if let Err(found) = judge(&case.expected, &ran) {
            wrong.push(format!("{}: expected {:?}: {found}: {ran:?}", case.name, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn judge(expected: &Expected, ran: &Ran) -> Result<(), String> {
    let (code, word) = match expected {
        Expected::Release(_) => (0, ""),
        Expected::Nothing(_) => (3, ""),
        Expected::Refused(refusal) => told(*refusal),
    };
    if ran.code != code {
        return Err(format!("exit code {}, not {code}", ran.code));
    }
    let json = ran.json();
    let action = &json["action"];
    let is = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    match expected {
        Expected::Release(version) => {
            is(action["do"] == "release" && action["version"] == *version, "another version")?;
            explained(&action["why"])
        }
        Expected::Nothing(reason) => {
            is(action["do"] == "nothing" && action["why"]["reason"] == snake(*reason), "another reason")?;
            is(ran.stderr.contains("nothing to release: "), "it does not say why")
        }
        Expected::Refused(_) => {
            is(json["error"]["code"] == code, "another code in the JSON")?;
            is(ran.stderr.contains(word), &format!("it does not say `{word}`"))
        }
    }
}

/// The exit code of a refusal and what it says.
fn told(refusal: Refusal) -> (i32, &'static str) {
    match refusal {
        Refusal::Dirty => (4, "the tree is not clean"),
        Refusal::NotDescending => (4, "does not descend from v1.0.0"),
        Refusal::MissingCommit => (4, "00000000000000000000000000000000000000aa"),
        Refusal::Unborn => (3, "has no commit yet"),
        Refusal::Shallow => (2, "shallow"),
        Refusal::NotARepository => (2, "not in a git repository"),
        Refusal::Bare => (2, "a bare repository"),
        Refusal::ObjectFormat => (2, "SHA-256"),
        Refusal::Unsupported => (2, "grafts"),
    }
}

fn snake(reason: Reason) -> Value {
    serde_json::to_value(reason).unwrap()
}

/// The number is due to named commits, each by a rule that fits how far the number moves.
fn explained(why: &Value) -> Result<(), String> {
    let explanation = &why["explanation"];
    let all = explanation["commits"].as_array().unwrap();
    let deciding: Vec<&Value> = all.iter().filter(|commit| commit["decides"] == true).collect();
    let silent = ["other_type", "merge", "fixup", "unconventional"];
    let sound = |commit: &Value| {
        let rule = commit["rule"].as_str().unwrap();
        let moves = explanation["decided_by"] != "commits" || commit["bump"] == why["bump"];
        commit["commit"].as_str().is_some_and(|id| id.len() == 40) && moves && !silent.contains(&rule)
    };
    match deciding.is_empty() || !deciding.iter().all(|commit| sound(commit)) {
        true => Err(format!("the decision is not explained: {explanation}")),
        false => Ok(()),
    }
}

#[tokio::test]
async fn the_explanation_reads_well() {
    let case = CASES.iter().find(|case| case.name == "the weightiest decides").unwrap();
    let repo = Repo::new();
    let (folder, local) = prepare(case, &repo).await;
    let ran = Ran::of(command(&folder, &local, &["release", "--plan"]).output().unwrap()).expect(0);
    let decides = repo.git(&["rev-parse", "--short=10", "HEAD~1"]);
    let line = format!("* {decides} feat: b: a feature is a new minor version");
    assert!(ran.stdout.contains(&line), "{line} in {}", ran.stdout);
}
