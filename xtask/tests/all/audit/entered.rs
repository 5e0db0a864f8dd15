//! Entries into environments that whoever stole a deployer's key could write: every link, state and signature is right, and
//! only the gate, judged again, tells.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use xtask::{
    adapters::ssh,
    config::people,
    context::Context,
    engine::{audit, ledger, policy},
    model::{
        approval::{ApprovalEvent, Statement},
        digest::Digest,
        entry::{ChainName, Head},
        environment::{EnvironmentEvent, Known, Rollback},
        manifest::Change,
        policy::PolicyEvent,
        version::Version,
    },
};

use crate::support::{
    people::STAFF,
    project::Project,
    vaults::{append, entered, entered_with, sealed},
    world::{Hand, promote_to, seal},
};

/// A vault in which people are known, and a clock in hand.
struct History {
    project: Project,
    clock: Arc<Hand>,
    context: Context,
}

impl History {
    async fn new(more: &str) -> Self {
        let project = Project::new();
        project.people(&STAFF, more);
        let clock = Hand::new();
        let context = project.context_at(&clock, None);
        let history = Self { project, clock, context };
        history.policy().await;
        history.later(1).await;
        history
    }

    /// Puts `people.toml` as it is now in force.
    async fn policy(&self) {
        let environments: Vec<_> = self.context.config.path.iter().map(|stop| stop.environment.clone()).collect();
        let people = people::read(&self.project.root().join("people.toml"), &environments, true).unwrap();
        policy::apply(&self.context, &people).await.unwrap();
    }

    async fn later(&self, hours: u64) {
        self.context.clock.sleep(Duration::from_secs(hours * 3600)).await;
    }

    /// Seals a release, with a commit by this author if there is one.
    async fn seal(&self, release: &str, author: Option<&str>) -> (Version, Digest) {
        let version = release.parse().unwrap();
        let commit = self.project.repo().head();
        let change = |author: &str| Change {
            commit,
            subject: "feat: new".to_owned(),
            authors: vec![format!("{author}@example.com")],
            merge: false,
        };
        (version, sealed(&self.context, version, commit, author.map(change).into_iter().collect()).await)
    }

    /// Writes that it entered these environments, an hour later each.
    async fn enter(&self, environments: &[&str], (version, manifest): (Version, Digest)) {
        for environment in environments {
            self.later(1).await;
            entered(&self.context, environment, version, manifest).await;
        }
    }

    async fn decide(&self, who: &str, role: &str, to: &str, (version, manifest): (Version, Digest), approve: bool) {
        let key = ssh::open(&self.project.key(who), &BTreeMap::new()).unwrap();
        let statement = Statement {
            environment: to.parse().unwrap(),
            person: who.parse().unwrap(),
            role: role.parse().unwrap(),
            expires: self.context.clock.now().after(Duration::from_secs(14 * 24 * 3600)),
            comment: None,
            key: key.public().fingerprint(ssh_key::HashAlg::Sha256).to_string(),
        };
        let event = match approve {
            true => ApprovalEvent::Approved { statement },
            false => ApprovalEvent::Rejected { statement },
        };
        let chain = ChainName::Approvals { release: version, environment: to.parse().unwrap() };
        let draft = ledger::Draft { release: Some(version), manifest: Some(manifest), event };
        ledger::append_signed(&self.context, &chain, Some(&*key), |_| Ok(draft.clone())).await.unwrap();
    }

    /// Writes that a release came back in place of a newer one.
    async fn back(&self, environment: &str, from: Version, (version, manifest): (Version, Digest)) {
        let chain = ChainName::Environment(environment.parse().unwrap());
        let rollback = Rollback { release: from, reason: "none".to_owned() };
        for event in [
            EnvironmentEvent::Claimed {
                machine: "laptop".to_owned(),
                expires: self.context.clock.now(),
                took_over: None,
                rollback: Some(rollback.clone()),
            },
            EnvironmentEvent::Staged { functions: BTreeMap::new() },
            EnvironmentEvent::Shifting { moves: Vec::new(), smoke: Vec::new(), canary: None, known: None },
            EnvironmentEvent::Shifted,
            EnvironmentEvent::RolledBack { from: rollback, smoke: Vec::new() },
        ] {
            append(&self.context, &chain, version, Some(manifest), event).await;
        }
    }

    async fn findings(&self) -> Vec<(String, String)> {
        let audit = audit::run(&self.context).await.unwrap();
        audit.findings.into_iter().map(|finding| (finding.object, finding.found)).collect()
    }

    /// The audit names this entry alone, for this reason.
    #[track_caller]
    fn is_named(found: &[(String, String)], entry: &str, why: &str) {
        let named = matches!(found, [(object, found)] if object == entry && found.contains(why));
        assert!(named, "expected {entry}: {why}, found {found:?}");
    }
}

#[tokio::test]
async fn the_whole_way_is_no_finding() {
    let history = History::new("").await;
    let release = history.seal("v1.0.0", Some("ada")).await;
    history.enter(&["dev", "qa"], release).await;
    history.decide("quinn", "qa-lead", "uat", release, true).await;
    history.enter(&["uat"], release).await;
    history.decide("pia", "product-owner", "prod", release, true).await;
    history.decide("max", "manager", "prod", release, true).await;
    history.enter(&["prod", "dr"], release).await;
    // Right at once, and a little out of order by clocks that differ.
    history.clock.set(history.context.clock.now().before(Duration::from_secs(240)));
    let next = history.seal("v1.0.1", None).await;
    history.enter(&["dev", "qa"], next).await;
    let before = history.context.clock.now();
    history.clock.set(before.after(Duration::from_secs(3840)));
    history.decide("quinn", "qa-lead", "uat", next, true).await;
    history.clock.set(before);
    history.enter(&["uat"], next).await;
    assert_eq!(history.findings().await, []);
}

#[tokio::test]
async fn without_its_approvals() {
    let history = History::new("").await;
    let release = history.seal("v1.0.0", None).await;
    history.enter(&["dev", "qa", "uat"], release).await;
    History::is_named(&history.findings().await, "environments/uat/00000003.json", "approval: 0 of 1 by qa-lead");
    // What is made good afterwards, too late.
    history.later(1).await;
    history.decide("quinn", "qa-lead", "uat", release, true).await;
    History::is_named(&history.findings().await, "environments/uat/00000003.json", "approval: 0 of 1 by qa-lead");
}

#[tokio::test]
async fn with_one_of_two_approvals() {
    let history = History::new("").await;
    let release = history.seal("v1.0.0", None).await;
    history.enter(&["dev", "qa"], release).await;
    history.decide("quinn", "qa-lead", "uat", release, true).await;
    history.enter(&["uat"], release).await;
    history.decide("max", "manager", "prod", release, true).await;
    history.enter(&["prod"], release).await;
    History::is_named(&history.findings().await, "environments/prod/00000003.json", "0 of 1 by product-owner");
}

#[tokio::test]
async fn approved_by_who_wrote_it() {
    let history = History::new("").await;
    let first = history.seal("v1.0.0", Some("quinn")).await;
    history.enter(&["dev", "qa"], first).await;
    // What the release before brought, it brings along to where that never was.
    let release = history.seal("v1.0.1", None).await;
    history.enter(&["dev", "qa"], release).await;
    history.decide("quinn", "qa-lead", "uat", release, true).await;
    history.enter(&["uat"], release).await;
    History::is_named(&history.findings().await, "environments/uat/00000003.json", "they are an author of commit");
}

#[tokio::test]
async fn long_after_its_approval_expired() {
    let history = History::new("[approvals]\nvalid_days = 1\n").await;
    let release = history.seal("v1.0.0", None).await;
    history.enter(&["dev", "qa"], release).await;
    history.decide("quinn", "qa-lead", "uat", release, true).await;
    history.later(25).await;
    history.enter(&["uat"], release).await;
    History::is_named(&history.findings().await, "environments/uat/00000003.json", "it expired at");
}

#[tokio::test]
async fn against_a_rejection() {
    let history = History::new("").await;
    let release = history.seal("v1.0.0", None).await;
    history.enter(&["dev", "qa"], release).await;
    history.decide("quinn", "qa-lead", "uat", release, true).await;
    history.decide("quinn", "qa-lead", "uat", release, false).await;
    history.enter(&["uat"], release).await;
    History::is_named(&history.findings().await, "environments/uat/00000003.json", "rejected for uat by quinn");
}

#[tokio::test]
async fn in_an_emergency() {
    let history = History::new("").await;
    let release = history.seal("v1.0.0", None).await;
    history.enter(&["dev"], release).await;
    policy::append(&history.context, &PolicyEvent::Stopped { reason: "a leak".to_owned() }).await.unwrap();
    history.enter(&["qa"], release).await;
    History::is_named(&history.findings().await, "environments/qa/00000003.json", "emergency stop");
    // What the policy says later does not make it right.
    history.later(1).await;
    policy::append(&history.context, &PolicyEvent::Resumed { reason: "mended".to_owned() }).await.unwrap();
    History::is_named(&history.findings().await, "environments/qa/00000003.json", "emergency stop");
}

#[tokio::test]
async fn in_a_freeze() {
    let freeze = "[[freezes]]\nname = \"audit\"\nzone = \"UTC\"\nenvironments = [\"qa\"]\n\
                  from = \"2026-01-24T00:00\"\nto = \"2026-01-25T00:00\"\n";
    let history = History::new(freeze).await;
    let release = history.seal("v1.0.0", None).await;
    history.enter(&["dev"], release).await;
    history.later(15).await;
    history.enter(&["qa"], release).await;
    History::is_named(&history.findings().await, "environments/qa/00000003.json", "`audit` freezes qa");
}

#[tokio::test]
async fn past_an_environment() {
    let history = History::new("").await;
    let release = history.seal("v1.0.0", None).await;
    history.enter(&["dev"], release).await;
    history.decide("quinn", "qa-lead", "uat", release, true).await;
    history.enter(&["uat"], release).await;
    let found = history.findings().await;
    assert!(
        found.iter().any(|(object, found)| object.ends_with("uat/00000003.json") && found.contains("order")),
        "{found:?}"
    );
    // It was made up for later.
    history.enter(&["qa"], release).await;
    History::is_named(&history.findings().await, "environments/uat/00000003.json", "it is not verified in qa");
}

#[tokio::test]
async fn after_it_died_elsewhere() {
    let history = History::new("").await;
    let release = history.seal("v1.0.0", None).await;
    history.enter(&["dev"], release).await;
    let dev = ChainName::Environment("dev".parse().unwrap());
    for event in [
        EnvironmentEvent::Claimed {
            machine: "laptop".to_owned(),
            expires: history.context.clock.now(),
            took_over: None,
            rollback: None,
        },
        EnvironmentEvent::Failed { finding: "bad".to_owned(), smoke: vec![], log: None, moves: vec![] },
        EnvironmentEvent::Died { finding: "bad".to_owned() },
    ] {
        append(&history.context, &dev, release.0, Some(release.1), event).await;
    }
    history.enter(&["qa"], release).await;
    History::is_named(&history.findings().await, "environments/qa/00000003.json", "alive: it died in dev");
}

#[tokio::test]
async fn as_a_rollback_that_is_none() {
    let history = History::new("").await;
    let first = history.seal("v1.0.0", None).await;
    let second = history.seal("v1.0.1", None).await;
    history.enter(&["dev", "qa"], first).await;
    history.enter(&["dev", "qa"], second).await;
    history.decide("quinn", "qa-lead", "uat", second, true).await;
    history.enter(&["uat"], second).await;
    assert_eq!(history.findings().await, []);
    history.back("uat", second.0, first).await;
    History::is_named(&history.findings().await, "environments/uat/00000008.json", "was never verified in uat before");
    // Where it was good, but in place of what was never there.
    let third = history.seal("v1.0.2", None).await;
    history.back("dev", third.0, first).await;
    let found = history.findings().await;
    assert!(
        found
            .iter()
            .any(|(object, found)| object == "environments/dev/00000013.json" && found.contains("never came here")),
        "{found:?}"
    );
}

/// What a rollback leaves is no finding.
#[tokio::test]
async fn as_a_rollback() {
    let history = History::new("").await;
    let first = history.seal("v1.0.0", None).await;
    let second = history.seal("v1.0.1", None).await;
    history.enter(&["dev"], first).await;
    history.enter(&["dev"], second).await;
    history.back("dev", second.0, first).await;
    assert_eq!(history.findings().await, []);
    // Once more, back to what is dead since.
    let third = history.seal("v1.0.2", None).await;
    history.enter(&["dev"], third).await;
    history.back("dev", third.0, second).await;
    History::is_named(
        &history.findings().await,
        "environments/dev/00000023.json",
        "it came back though it died in dev",
    );
}

/// A clock that ran a day ahead, or was set back by one, is no finding: what each entry knew of the others was there.
#[tokio::test]
async fn what_an_entry_names_was_there_before_it() {
    let history = History::new("").await;
    let (context, now) = (&history.context, history.context.clock.now());
    history.project.commit("feat: people");
    let release = seal(context).await.unwrap().release;
    let to = async |environment: &str| promote_to(context, &environment.parse().unwrap(), release).await.unwrap();
    history.clock.set(now.after(Duration::from_secs(26 * 3600)));
    to("dev").await;
    history.clock.set(now);
    to("qa").await;
    assert_eq!(history.findings().await, []);
}

/// What an entry says that it knew must be so.
#[tokio::test]
async fn what_an_entry_names_is_looked_up() {
    let nothing = Head { number: 1, sha256: Digest::of(b"nothing") };
    let nameless = Known::default();
    for (known, what) in [
        (Known { verified: Some(nothing), ..nameless.clone() }, "as what verified it in the environment before"),
        (Known { policy: Some(nothing), ..nameless.clone() }, "as the policy"),
        (Known { decision: Some(nothing), ..nameless.clone() }, "as the last decision"),
    ] {
        let history = History::new("").await;
        let release = history.seal("v1.0.0", None).await;
        history.enter(&["dev"], release).await;
        entered_with(&history.context, "qa", release, None, Some(known)).await;
        History::is_named(&history.findings().await, "environments/qa/00000003.json", what);
    }
}
