//! Made-up stories of many releases, told as a vault would tell them: every state is computed by the events themselves.
//!
//! Each release begins eight hours after the one before. Of any eleven, one dies in qa, one is rejected at uat, one never goes
//! on from uat, and one is rolled back in prod; the others go all the way.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use xtask::{
    model::{
        approval::{ApprovalEvent, Statement},
        digest::Digest,
        entry::{ChainName, Entry, Event},
        environment::{EnvironmentEvent, Rollback},
        manifest::Manifest,
        names::EnvName,
        releases::ReleaseEvent,
        time::Time,
        version::Version,
    },
    plan::{
        board::{Board, Facts, Judged, Waiting},
        gate::{Death, Gate, Rule},
    },
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// What git and people wrote, with all that must not become part of a page.
pub(crate) const NASTY: &str = "fix: <script>document.title = 'pwned'</script> & \"quotes\" 'too' <img src=x>";

/// A story, and the moment at which it is told.
pub(crate) struct Tale {
    pub(crate) facts: Facts,
    pub(crate) now: Time,
    previous: Option<Version>,
    good: Option<Version>,
}

/// So many releases.
pub(crate) fn of(releases: u64) -> Tale {
    let mut tale = Tale::new();
    for number in 0..releases {
        tale.release(number, number + 1 == releases);
    }
    tale
}

impl Tale {
    pub(crate) fn board(&self) -> Board {
        Board::of(&self.facts, self.now)
    }

    fn new() -> Self {
        let path = json!([
            stop("dev", &[], false),
            stop("qa", &[], false),
            stop("uat", &["qa-lead"], false),
            stop("prod", &["product-owner", "manager"], false),
            stop("dr", &[], true),
        ]);
        let path = serde_json::from_value(path).unwrap();
        let now = "2026-01-05T06:00:00Z".parse().unwrap();
        Self { facts: Facts { path, ..Facts::default() }, now, previous: None, good: None }
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    fn release(&mut self, number: u64, last: bool) {
        let begin = self.now;
        let release = version(number);
        self.seal(release, number);
        self.promote(release, "dev");
        let fate = number % 11;
        if fate == 3 {
            self.die(release, "qa", "alpha: smoke check `tells the currency`: expected \"EUR\", found \"<b>USD</b>\"");
        } else {
            self.promote(release, "qa");
            if last {
                self.wait(release);
            } else if fate == 5 {
                self.pass(20 * MINUTE);
                self.state(release, "uat", ("quinn", "qa-lead"), true);
            } else {
                self.go_on(release, fate);
            }
        }
        self.previous = Some(release);
        if !last {
            self.now = begin.after(Duration::from_secs(8 * HOUR));
        }
    }

    fn go_on(&mut self, release: Version, fate: u64) {
        self.state(release, "uat", ("quinn", "qa-lead"), false);
        self.promote(release, "uat");
        if fate == 7 {
            return;
        }
        self.pass(HOUR);
        self.state(release, "prod", ("pia", "product-owner"), false);
        self.state(release, "prod", ("max", "manager"), false);
        self.promote(release, "prod");
        match (fate, self.good) {
            (9, Some(good)) => self.roll_back(release, good),
            _ => {
                self.promote(release, "dr");
                self.happens(release, "dr", EnvironmentEvent::Synced { lag_s: 300 });
                self.good = Some(release);
            }
        }
    }

    fn seal(&mut self, release: Version, number: u64) {
        let manifest = manifest(release, self.previous, number);
        let digest = Digest::of(release.to_string().as_bytes());
        for (at, change) in manifest.changes.iter().enumerate() {
            // The newest commit is an hour old, each earlier one another hour.
            let age = Duration::from_secs((at as u64 + 1) * HOUR);
            self.facts.committed.insert(change.commit, self.now.before(age));
        }
        let reserved = ReleaseEvent::Reserved {
            commit: manifest.commit,
            machine: "build".to_owned(),
            expires: self.now.after(Duration::from_secs(HOUR)),
            email: None,
        };
        let chain = std::mem::take(&mut self.facts.releases);
        let chain = append(chain, ChainName::Releases, self.now, (release, None), reserved);
        self.pass(5 * MINUTE);
        let sealed = ReleaseEvent::Sealed { versions: BTreeMap::new() };
        self.facts.releases = append(chain, ChainName::Releases, self.now, (release, Some(digest)), sealed);
        self.facts.manifests.insert(release, (digest, manifest));
    }

    fn claim(&mut self, release: Version, environment: &str, rollback: Option<Rollback>) {
        let (machine, expires) = ("build".to_owned(), self.now.after(Duration::from_secs(HOUR)));
        self.happens(release, environment, EnvironmentEvent::Claimed { machine, expires, took_over: None, rollback });
        self.happens(release, environment, EnvironmentEvent::Staged { functions: BTreeMap::new() });
    }

    fn shift(&mut self, release: Version, environment: &str) {
        let shifting = EnvironmentEvent::Shifting { moves: Vec::new(), smoke: Vec::new(), canary: None, known: None };
        self.happens(release, environment, shifting);
        self.happens(release, environment, EnvironmentEvent::Shifted);
    }

    fn promote(&mut self, release: Version, environment: &str) {
        self.claim(release, environment, None);
        self.shift(release, environment);
        self.happens(release, environment, EnvironmentEvent::Verified { smoke: Vec::new() });
        self.pass(10 * MINUTE);
    }

    fn die(&mut self, release: Version, environment: &str, finding: &str) {
        self.claim(release, environment, None);
        let failed =
            EnvironmentEvent::Failed { finding: finding.to_owned(), smoke: Vec::new(), log: None, moves: Vec::new() };
        self.happens(release, environment, failed);
        self.happens(release, environment, EnvironmentEvent::Died { finding: finding.to_owned() });
    }

    fn roll_back(&mut self, from: Version, to: Version) {
        self.pass(30 * MINUTE);
        let rollback = Rollback { release: from, reason: "customers <em>call</em>".to_owned() };
        self.claim(to, "prod", Some(rollback.clone()));
        self.shift(to, "prod");
        self.pass(10 * MINUTE);
        self.happens(to, "prod", EnvironmentEvent::RolledBack { from: rollback, smoke: Vec::new() });
    }

    fn happens(&mut self, release: Version, environment: &str, event: EnvironmentEvent) {
        let name: EnvName = environment.parse().unwrap();
        let digest = self.facts.manifests[&release].0;
        let chain = self.facts.environments.remove(&name).unwrap_or_default();
        let about = (release, Some(digest));
        let chain = append(chain, ChainName::Environment(name.clone()), self.now, about, event);
        self.facts.environments.insert(name, chain);
        self.pass(30);
    }

    /// A person approves or rejects; every seventh approval is by nobody who could.
    fn state(&mut self, release: Version, environment: &str, (person, role): (&str, &str), rejects: bool) {
        let digest = self.facts.manifests[&release].0;
        let chain = ChainName::Approvals { release, environment: environment.parse().unwrap() };
        let statement = Statement {
            environment: environment.parse().unwrap(),
            person: person.parse().unwrap(),
            role: role.parse().unwrap(),
            expires: self.now.after(Duration::from_secs(14 * 24 * HOUR)),
            comment: rejects.then(|| "the button is red\u{202e} & \"wrong\"".to_owned()),
            key: "SHA256:x".to_owned(),
        };
        let event = match rejects {
            true => ApprovalEvent::Rejected { statement },
            false => ApprovalEvent::Approved { statement },
        };
        let entry = append(Vec::new(), chain, self.now, (release, Some(digest)), event).remove(0);
        let before = if environment == "uat" { "qa" } else { "uat" };
        let death = rejects.then(|| Death {
            environment: before.parse().unwrap(),
            time: self.now,
            finding: format!("rejected for {environment} by {person} as {role} at {}: the button is red", self.now),
            actor: "ada@laptop".to_owned(),
        });
        let forged = release.patch % 7 == 6 && person == "max";
        let unsound = forged.then(|| "the key SHA256:x is not one of theirs".to_owned());
        self.facts.statements.entry(release).or_default().push(Judged { entry, unsound, death });
        self.pass(MINUTE);
    }

    fn wait(&mut self, release: Version) {
        let rule = |rule: &str, holds, found: &str, remedy: Option<&str>| Rule {
            rule: rule.to_owned(),
            holds,
            found: found.to_owned(),
            remedy: remedy.map(str::to_owned),
        };
        let rules = vec![
            rule("alive", true, "the release is not dead", None),
            rule("approval", false, "0 of 1 approvals by qa-lead", Some("run `cargo xtask approve --to uat`")),
        ];
        let gate = Gate { environment: "uat".parse().unwrap(), rules };
        self.facts.waiting.push(Waiting { release, gate });
        self.pass(HOUR);
    }
}

fn append<E: Event>(
    mut chain: Vec<Entry<E>>,
    name: ChainName,
    time: Time,
    (release, manifest): (Version, Option<Digest>),
    event: E,
) -> Vec<Entry<E>> {
    let state = chain.last().map(|entry| entry.state.clone()).unwrap_or_default();
    let mut entry = Entry {
        schema: 1,
        number: chain.len() as u64 + 1,
        previous: None,
        time,
        actor: "ada@laptop".to_owned(),
        writer: name.writer(),
        chain: name,
        tool: "xtask 0.0.0".to_owned(),
        release: Some(release),
        manifest,
        event,
        state,
    };
    assert!(entry.event.may_follow(&entry.state, &entry.about()), "{:?} after {:?}", entry.event, entry.state);
    entry.state = entry.event.advance(&entry.state, &entry.about());
    chain.push(entry);
    chain
}

fn version(number: u64) -> Version {
    Version { major: 1, minor: number / 10, patch: number % 10 }
}

fn stop(name: &str, roles: &[&str], recovery: bool) -> serde_json::Value {
    let approvals: Vec<_> = roles.iter().map(|role| json!({ "role": role, "count": 1 })).collect();
    json!({ "environment": name, "safe_smoke_only": false, "recovery": recovery, "gate": { "approvals": approvals } })
}

fn manifest(release: Version, previous: Option<Version>, number: u64) -> Manifest {
    let digest = |text: String| Digest::of(text.as_bytes());
    let commit = |which: u64| format!("{:040x}", number * 10 + which + 0xabc_0000);
    let change = |which: u64, subject: &str, merge: bool| json!({ "commit": commit(which), "subject": subject, "merge": merge, "authors": ["ada@example.com"] });
    let first = if number % 5 == 4 { NASTY.to_owned() } else { format!("feat: price list {number}") };
    let changes = [change(0, &first, false), change(1, "fix: round half to even", false), change(2, "Merge", true)];
    let previous = previous.map(|release| json!({ "release": release, "manifest": digest(release.to_string()) }));
    serde_json::from_value(json!({
        "schema": 1, "release": release, "commit": commit(0), "previous": previous, "lockfile": digest("lock".into()),
        "toolchain": { "rustc": "rustc", "cargo": "cargo", "host": "h", "target": "t", "profile": "function" },
        "dependencies": {}, "objects": {}, "functions": {}, "path": [stop("dev", &[], false)], "changes": changes,
    }))
    .unwrap()
}
