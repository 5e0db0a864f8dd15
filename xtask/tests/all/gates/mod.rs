//! People at the gates, by the real binary: what they decide, and what becomes of a release.

mod attack;
mod back;
mod decisions;
mod evidence;
mod glass;
mod handbook;
mod junk;
mod policy;
mod random;
mod recovery;
mod refusals;
mod reverified;
mod undead;

use crate::support::{
    people::Person,
    project::{Project, RELEASE},
    world::release,
};

/// What the fixture's gate of uat asks for.
const UAT_GATE: &str = r#"gate.approvals = [{ role = "qa-lead", count = 1 }]"#;

/// v1.0.0 waits at the gate of uat, which asks for this; these people may decide.
async fn waiting(gate: &str, people: &[Person<'_>], more: &str) -> Project {
    let project = Project::new();
    assert!(RELEASE.contains(UAT_GATE));
    project.repo().write("release.toml", &RELEASE.replace(UAT_GATE, gate));
    project.staff(people, more);
    project.commit("chore: people");
    release(&project.context()).await.unwrap();
    project
}

/// A release that is verified in qa goes live in uat and in prod, as the staff approves.
fn live(project: &Project, release: &str) {
    for (to, people) in [("uat", &["quinn"][..]), ("prod", &["pia", "max"])] {
        for who in people {
            project.decide(who, &format!("approve {to} {release}"), &[]).expect(0);
        }
        project.xtask(&["promote", "--to", to, "--release", release]).expect(0);
    }
}
