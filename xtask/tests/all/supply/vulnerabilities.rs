//! Known vulnerabilities at the gate, by the real binary: what a database of advisories in a git repository says about what
//! is truly linked, recorded in the ledger and judged when a release is promoted.

use std::fs;

use crate::support::{
    people::STAFF,
    project::{Project, RELEASE, Ran},
    repo::Repo,
};

const UAT_GATE: &str = r#"gate.approvals = [{ role = "qa-lead", count = 1 }]"#;
/// The fixture's databases are of the first of January, whenever the tests run.
const ASKS: &str = r#"gate.vulnerabilities = { max_age = "876000h" }"#;

/// v1.0.0 waits at the gate of uat, which asks for a database that knows nothing against it; `alpha` is linked with `left`,
/// `beta` with `right`.
fn waiting() -> Project {
    let project = super::sbom::project();
    assert!(RELEASE.contains(UAT_GATE));
    project.repo().write("release.toml", &RELEASE.replace(UAT_GATE, ASKS));
    project.commit("chore: ask for vulnerabilities");
    project.xtask(&["release"]).expect(0);
    project
}

/// A database that knows of nothing that anybody here is linked with.
fn database() -> Repo {
    let database = Repo::new();
    advisory(&database, "RUSTSEC-2026-0001", "elsewhere", "");
    database
}

/// Another advisory, about every version before 2.
fn advisory(database: &Repo, id: &str, package: &str, more: &str) {
    let text = format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2026-01-01\"\n{more}\n[versions]\n\
         patched = [\">= 2.0.0\"]\n```\n\n# {package} tells everything\n\nIt does.\n"
    );
    database.write(&format!("crates/{package}/{id}.md"), &text);
    database.commit(&format!("{id} about {package}"));
}

fn ask(project: &Project, database: &str, more: &[&str]) -> Ran {
    let args = ["evidence", "advisories", "v1.0.0", "--env", "qa", "--database", database];
    project.xtask(&[&args[..], more].concat())
}

fn promote(project: &Project) -> Ran {
    project.xtask(&["promote", "--to", "uat"])
}

#[test]
fn a_release_passes_when_a_database_knows_nothing_against_it() {
    let (project, database) = (waiting(), database());
    let here = database.root().as_str();
    promote(&project).expect(4).says(
        "vulnerabilities: no database of advisories was asked; record what is known now: `cargo xtask evidence advisories \
         v1.0.0 --env qa`",
    );
    let lasting = project.lasting();
    ask(&project, here, &["--plan"]).expect(0).prints("nothing is known against them");
    assert!(project.lasting() == lasting, "a plan records nothing");
    let scan = ask(&project, here, &["--json"]).expect(0).json();
    assert_eq!((&scan["packages"], &scan["found"]), (&2.into(), &serde_json::json!([])));
    assert_eq!(scan["commit"], database.git(&["rev-parse", "HEAD"]).trim());
    promote(&project).expect(0);
    project.xtask(&["audit", "verify"]).expect(0);
    // The auditor gets the snapshot with the rest.
    let out = project.repo().beside("pack");
    project.xtask(&["audit", "pack", "v1.0.0", "--out", out.as_str()]).expect(0);
    let pieces: Vec<_> = fs::read_dir(out.join("evidence")).unwrap().collect();
    assert_eq!(pieces.len(), 1);
}

#[test]
fn what_is_known_refuses_until_somebody_takes_the_risk() {
    let (project, database) = (waiting(), database());
    let here = database.root().as_str();
    ask(&project, here, &[]).expect(0);
    // What a build script uses and what another package of the workspace asks for is not linked in.
    advisory(&database, "RUSTSEC-2026-0002", "builder", "");
    advisory(&database, "RUSTSEC-2026-0003", "right", "informational = \"unmaintained\"");
    ask(&project, here, &[]).expect(0).prints("unmaintained");
    project.xtask(&["promote", "--to", "uat", "--plan"]).expect(0);

    advisory(&database, "RUSTSEC-2026-0004", "left", "cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"");
    let refused = "has known vulnerabilities that no exception lets pass: RUSTSEC-2026-0004";
    ask(&project, here, &[]).expect(4).says(refused).prints("critical");
    let known = "knows RUSTSEC-2026-0004 in left@1.2.3 of alpha, critical: left tells everything";
    promote(&project).expect(4).says(known);

    let except = |until: &str| {
        let text = "[[exceptions]]\nadvisory = \"RUSTSEC-2026-0004\"\nreason = \"alpha never asks it\"\n";
        project.staff(&STAFF, &format!("{text}until = \"{until}\"\n"));
        project.commit("chore: take a risk");
    };
    except("2026-01-02T00:00:00Z");
    promote(&project).expect(4).says("which could pass until 2026-01-02T00:00:00.000Z");
    except("9000-01-02T00:00:00Z");
    ask(&project, here, &[]).expect(0);
    let plan = project.xtask(&["promote", "--to", "uat", "--plan"]).expect(0);
    plan.prints("RUSTSEC-2026-0004 may pass until 9000-01-02T00:00:00.000Z: alpha never asks it");
    promote(&project).expect(0);
    // The risk is looked at once more when the ledger is judged.
    project.xtask(&["audit", "verify"]).expect(0);
}

#[test]
fn an_old_database_is_none() {
    let (project, database) = (waiting(), database());
    ask(&project, database.root().as_str(), &[]).expect(0);
    let text = fs::read_to_string(project.root().join("release.toml")).unwrap();
    project.repo().write("release.toml", &text.replace("876000h", "1h"));
    promote(&project).expect(4).says("is older than 1h; record what is known now");
}

#[test]
fn what_is_no_database_is_refused_and_nothing_is_recorded() {
    let (project, database) = (waiting(), Repo::new());
    let lasting = project.lasting();
    let here = database.root().as_str();
    ask(&project, here, &[]).expect(2).says("is no database of advisories: it has no commit");
    database.write("README.md", "hello");
    database.commit("hello");
    ask(&project, here, &[]).expect(2).says("is no database of advisories: it has no folder `crates`");
    ask(&project, project.repo().beside("").as_str(), &[]).expect(2).says("is no database of advisories");
    let nowhere = format!("file://{}", database.beside("nowhere"));
    ask(&project, &nowhere, &[]).expect(8).says("could not be fetched, so nothing is known");
    database.write("crates/left/RUSTSEC-2026-0009.md", "# nothing\n");
    database.commit("nothing");
    ask(&project, here, &[]).expect(2).says("RUSTSEC-2026-0009 is no advisory");
    assert!(project.lasting() == lasting);
    // One at an address is fetched.
    let served = self::database();
    ask(&project, &format!("file://{}", served.root()), &["--plan"]).expect(0);
}
